// Latents: seeded random numbers, draws from a model's prior, and the plane that a finger moves over.

const TWO_TO_32 = 4294967296;

/** Mixes the bits of a 32-bit integer so that each one of them changes half of the others (MurmurHash3's last step). */
function mixed(bits) {
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/**
 * A source of uniform numbers in (0, 1], the same ones each time for the same seed and stream: steps of the golden
 * ratio through the 32-bit integers (a Weyl sequence), mixed. Its period is 2^32. Not for secrets.
 */
export function uniformSource(seed, stream = 0) {
  let position = mixed(mixed(seed >>> 0) ^ Math.imul(stream + 1, 0x9e3779b9));
  return () => {
    position = (position + 0x9e3779b9) >>> 0;
    return (mixed(position) + 1) / TWO_TO_32;
  };
}

/** `count` draws from "normal" (standard; Box and Muller, 1958) or "uniform" (-1 to 1), a Float32Array. */
export function draw(distribution, count, uniform) {
  const values = new Float32Array(count);
  if (distribution === "uniform") return values.map(() => 2 * uniform() - 1);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    values[i] = radius * Math.cos(angle);
    if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0); // in doubles
const length = (a) => Math.sqrt(dot(a, a));

/** Vectors at right angles, each of length 1, that span what the given ones do. */
export function orthonormal(vectors) {
  const found = [];
  for (const vector of vectors) found.push(perpendicular(vector, found, 1));
  return found;
}

/** `values` without its part along each of `others`, then as long as `size`. */
function perpendicular(values, others, size) {
  let rest = Float64Array.from(values);
  for (const other of others) {
    const share = dot(rest, other) / (dot(other, other) || 1);
    rest = rest.map((value, i) => value - share * other[i]);
  }
  const scale = size / (length(rest) || 1);
  return rest.map((value) => value * scale);
}

export const STREAMS = 3; // of random numbers, for each input of a model

/**
 * The plane through the latents of a seed: a function from a place (x, y), each in [-1, 1], to latents. The middle is
 * the seed's own sample, or `base` where there is one; two more draws from the same prior are the directions.
 *
 * Latents stay where the model knows them. Normal ones walk along great circles of the sphere that the sample lies on,
 * a quarter of the way round from the middle to the edge, where samples are no more alike than any two. Uniform ones
 * walk straight and are reflected at -1 and 1, which keeps them uniform.
 */
export function plane(distribution, count, seed, stream = 0, base = null) {
  const drawn = [0, 1, 2].map((i) => draw(distribution, count, uniformSource(seed, STREAMS * stream + i)));
  const [middle, right, up] = [base ?? drawn[0], ...drawn.slice(1)];
  if (distribution === "uniform") {
    return (x, y) => middle.map((value, i) => reflected(value + x * right[i] + y * up[i]));
  }
  const radius = length(middle);
  const east = perpendicular(right, [middle], radius);
  const north = perpendicular(up, [middle, east], radius);
  return (x, y) => {
    const distance = Math.hypot(x, y);
    if (!distance) return middle.slice();
    const [cosine, sine] = [Math.cos((distance * Math.PI) / 2), Math.sin((distance * Math.PI) / 2) / distance];
    const moved = middle.map((value, i) => cosine * value + sine * (x * east[i] + y * north[i]));
    const scale = radius / (length(moved) || 1); // 1, except where there are too few latents for three directions
    return moved.map((value) => value * scale);
  };
}

/**
 * Latents on the way between two, as `GAN.latents_between` has it in Python: the angle between normal ones grows evenly,
 * and so does the length; uniform ones go straight. The ends are the latents themselves.
 */
export function between(distribution, start, end, share) {
  if (share <= 0 || share >= 1) return Float32Array.from(share <= 0 ? start : end);
  const line = Float64Array.from(start, (value, i) => (1 - share) * value + share * end[i]);
  const lengths = [length(start), length(end)];
  const angle = Math.acos(Math.min(1, Math.max(-1, dot(start, end) / (lengths[0] * lengths[1]))));
  if (distribution === "uniform" || !(Math.sin(angle) > 1e-6)) return Float32Array.from(line); // no circle through both
  const size = ((1 - share) * lengths[0] + share * lengths[1]) / Math.sin(angle);
  const parts = [(Math.sin((1 - share) * angle) * size) / lengths[0], (Math.sin(share * angle) * size) / lengths[1]];
  return Float32Array.from(start, (value, i) => parts[0] * value + parts[1] * end[i]);
}

/** A number folded into [-1, 1] by mirrors at both ends. */
function reflected(value) {
  const folded = (((value + 1) % 4) + 4) % 4;
  return folded <= 2 ? folded - 1 : 3 - folded;
}
