// Painting on a sample: strokes are constraints, and the sample goes to where it meets them, not far from where it is.
//
// There are no gradients in a browser. Latents move in the span of some directions, in which the sample's change is found
// by differences; from there Gauss and Newton's step. As in iGAN (Zhu et al., 2016, arXiv:1609.03552) what is asked for is
// small in three things: the distance from what was painted, that of the rest of the picture from what it was, and that of
// the latents from where they were.

import { Brush, stroke } from "./brush.js";
import { Drawing } from "./drawing.js";
import { draw, orthonormal, uniformSource } from "./latents.js";

const DIRECTIONS = 32; // of which some are left out where a model is slow
const FEWEST = 4;
const STEPS = 3;
const TIME = 800; // milliseconds that a stroke may take, as far as that is known before
const FIRST = 0.7; // share of it that the first step may take
const DIFFERENCE = 0.5; // deviations: files of whole numbers are rough, so that small differences are mostly noise
const STAY = 0.1; // weight of how far latents move, as of gan.paint
const REST = 0.3; // weight of how much the rest of the picture changes
const FURTHEST = { normal: 3, uniform: 1 }; // of a latent
const DEVIATION = { normal: 1, uniform: 1 / Math.sqrt(3) };
const LONGEST = 6; // deviations that one step goes
const MEASURED = 4; // runs that tell how long one takes
const AT_ONCE = 8; // runs between looks at what a person does

const COLOURS = {
  Black: "#17110e",
  Brown: "#6b4226",
  Fair: "#dcb974",
  White: "#f4f4f0",
  Red: "#c8281e",
  Green: "#35803a",
  Blue: "#2f63bd",
};

export class Painting {
  drawing;
  brush;
  last = null; // {milliseconds, directions, steps} of the newest stroke
  #events;
  #ways = []; // latents before each stroke
  #origin = null; // {latents, values}: the sample that was painted on
  #number = 0; // counts strokes, so that an older one gives way

  /**
   * `box` gets the brush. Events: `image()` gives the ImageData that is shown, `latents()` those of the sample;
   * `sample(latents)` resolves to its values from -1 to 1, `painted(bytes)` makes {wanted, mask} of the RGBA bytes of
   * strokes; `model()` is {distribution, basis}; `drawn(image)` shows strokes, `moved(latents)` a sample;
   * `said(text)` is told how it goes; `picking(picks)` whether a colour is to be picked.
   */
  constructor(box, events) {
    this.#events = events;
    this.brush = new Brush(box, events.picking);
    this.brush.build(COLOURS, true);
    this.drawing = new Drawing({
      paper: () => this.#paper(),
      drawn: events.drawn,
      changed: () => this.#changed(),
    });
  }

  /** Forgets strokes, since another sample is shown. */
  reset() {
    this.#number++;
    this.drawing.reset();
    [this.#ways, this.#origin] = [[], null];
  }

  /** A tap: a dot of paint, or the colour that is there. */
  tap(place) {
    if (this.brush.isPicking) {
      const { data, width, height } = this.#events.image();
      const [x, y] = [place[0] * width, place[1] * height].map(Math.floor);
      const at = 4 * (Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x)));
      return this.brush.picked(data.slice(at, at + 3));
    }
    this.drawing.down(place);
    this.drawing.move(place);
    this.drawing.up();
  }

  #paper() {
    this.#number++; // a stroke that is being answered gives way
    const image = this.#events.image();
    const { colour, size } = this.brush;
    return {
      at: ([x, y]) => ({ x, y, colour, size }),
      draw: (lines) => over(image, lines.slice(this.drawing.lines.length)), // older ones are in the sample
    };
  }

  async #changed() {
    const { lines } = this.drawing;
    if (lines.length < this.#ways.length || !lines.length) return this.#takeBack(lines.length);
    const latents = this.#events.latents();
    this.#ways.push(latents);
    const number = ++this.#number;
    const isWanted = () => number === this.#number;
    try {
      await this.#follow(lines, latents, isWanted);
    } catch (error) {
      if (isWanted()) throw error; // else the model was given up meanwhile
    }
  }

  #takeBack(count) {
    const before = this.#ways[count];
    this.#ways = this.#ways.slice(0, count);
    this.#number++;
    if (!count) this.#origin = null;
    if (before) this.#events.moved(before);
    this.#events.said("");
  }

  async #follow(lines, latents, isWanted) {
    const begin = performance.now();
    const { sample, painted, image, model } = this.#events;
    const values = this.#origin ? null : await sample(latents);
    if (!isWanted()) return;
    this.#origin ??= { latents, values };
    const { width, height } = image();
    const { wanted, mask } = painted(bytesOf(lines, width, height));
    if (!mask.some(Boolean)) return;
    const { distribution, basis } = model();
    const about = { sample, wanted, mask, distribution, latents, isWanted, origin: this.#origin, begin };
    let [steps, directions] = [0, 0];
    for await (const better of fit({ ...about, basis: basis.length ? basis : anyDirections(latents.length) })) {
      this.#events.moved(better.latents);
      [steps, directions] = [steps + 1, better.directions];
    }
    if (!isWanted()) return;
    this.last = { milliseconds: performance.now() - begin, directions, steps };
    this.#events.said(wordsFor(steps, directions, latents.length));
  }
}

/** What is to be said of how a sample followed; nothing where it just did. */
function wordsFor(steps, directions, length) {
  if (!steps) return "Nothing that this model makes comes nearer to what was painted.";
  if (directions >= Math.min(length, DIRECTIONS / 2)) return "";
  return `This model is slow here: it follows along ${directions} directions only, and less closely.`;
}

/** How many directions there is time for, in two steps, where a sample takes so many milliseconds. */
function affordable(milliseconds, most) {
  return Math.min(most, Math.max(FEWEST, Math.floor(TIME / 2 / milliseconds) - 2));
}

/** Directions at right angles, where a model comes without. */
function anyDirections(count) {
  const uniform = uniformSource(1);
  const drawn = Array.from({ length: Math.min(DIRECTIONS, count) }, () => draw("normal", count, uniform));
  return orthonormal(drawn);
}

/** Yields latents whose samples meet what is wanted better and better, as long as there is time since `begin`. */
async function* fit({ sample, wanted, mask, distribution, latents, origin, basis, begin, isWanted }) {
  const [far, deviation] = [FURTHEST[distribution], DEVIATION[distribution]];
  const weights = weightsOf(mask);
  const target = origin.values.map((value, i) => (mask[i] ? wanted[i] : value));
  const damping = STAY / latents.length;
  basis = basis.slice(0, DIRECTIONS);
  const add = (start, shares) =>
    start.map((value, i) => {
      const way = basis.reduce((sum, vector, k) => sum + (shares[k] ?? 0) * vector[i], 0);
      return Math.min(far, Math.max(-far, value + deviation * way));
    });
  const moves = (at) => {
    const way = at.map((value, i) => (value - origin.latents[i]) / deviation);
    return basis.map((vector) => way.reduce((sum, value, i) => sum + value * vector[i], 0));
  };
  const cost = (values, gone) => missed(values, target, weights) + damping * gone.reduce((sum, one) => sum + one * one, 0);

  let at = latents;
  let values = at === origin.latents ? origin.values : await sample(at);
  let gone = moves(at);
  let lowest = cost(values, gone);
  let [each, directions] = [Infinity, basis.length]; // milliseconds of a run, and what there is time for
  for (let step = 0; step < STEPS; step++) {
    if (step && performance.now() - begin + (directions + 1) * each > TIME) return;
    const slopes = [];
    for (let k = 0; k < directions; k++) {
      if (k % AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
      const spent = performance.now() - begin;
      if (!isWanted() || (step && spent > TIME)) return;
      if (!step && k >= FEWEST && spent > FIRST * TIME) directions = Math.min(directions, k + 1); // slower than it seemed
      const start = performance.now();
      const there = await sample(at.map((value, i) => value + DIFFERENCE * deviation * basis[k][i]));
      each = Math.min(each, performance.now() - start); // the first ones may be slower than those to come
      if (!step && k === MEASURED - 1) directions = affordable(each, directions);
      slopes.push(there.map((value, i) => (Math.sqrt(weights[i]) * (value - values[i])) / DIFFERENCE));
    }
    const rest = target.map((value, i) => Math.sqrt(weights[i]) * (value - values[i]));
    const shares = shortened(solved(slopes, rest, damping, gone));
    const found = await best(shares);
    if (!isWanted() || !found) return;
    [at, values, gone, lowest] = found;
    yield { latents: at, directions };
  }

  /** The first of a step and its halves that makes it better. */
  async function best(shares) {
    for (const scale of [1, 0.5, 0.25]) {
      const next = add(at, shares.map((share) => scale * share));
      const made = await sample(next);
      const way = moves(next);
      const now = cost(made, way);
      if (now < lowest) return [next, made, way, now];
    }
    return null;
  }
}

/** What is painted weighs 1 together, the rest REST. */
function weightsOf(mask) {
  const count = mask.reduce((sum, one) => sum + one, 0);
  return Float32Array.from(mask, (one) => (one ? 1 / count : REST / Math.max(1, mask.length - count)));
}

function missed(values, target, weights) {
  return values.reduce((sum, value, i) => sum + weights[i] * (value - target[i]) ** 2, 0);
}

/** Where (J^T J + damping) x = J^T rest - damping * gone: `slopes` are the columns of J. */
function solved(slopes, rest, damping, gone) {
  const count = slopes.length;
  const dot = (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  };
  const right = slopes.map((one, k) => dot(one, rest) - damping * gone[k]);
  const lower = slopes.map(() => new Float64Array(count)); // Cholesky's factor
  for (let k = 0; k < count; k++) {
    for (let l = 0; l <= k; l++) {
      let sum = dot(slopes[k], slopes[l]) + (k === l ? damping : 0);
      for (let m = 0; m < l; m++) sum -= lower[k][m] * lower[l][m];
      lower[k][l] = k === l ? Math.sqrt(Math.max(sum, 1e-12)) : sum / lower[l][l];
    }
  }
  const found = Float64Array.from(right);
  for (let k = 0; k < count; k++) {
    for (let m = 0; m < k; m++) found[k] -= lower[k][m] * found[m];
    found[k] /= lower[k][k];
  }
  for (let k = count - 1; k >= 0; k--) {
    for (let m = k + 1; m < count; m++) found[k] -= lower[m][k] * found[m];
    found[k] /= lower[k][k];
  }
  return [...found];
}

function shortened(shares) {
  const length = Math.hypot(...shares);
  return length > LONGEST ? shares.map((share) => (share * LONGEST) / length) : shares;
}

/** Strokes alone, as RGBA bytes. */
function bytesOf(lines, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  stroke(context, lines, width, height);
  return context.getImageData(0, 0, width, height).data;
}

/** Strokes over an image. */
function over(image, lines) {
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.putImageData(image, 0, 0);
  stroke(context, lines, width, height);
  return context.getImageData(0, 0, width, height);
}
