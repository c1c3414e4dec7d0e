// Volumes: cells of a cube, drawn as a solid that can be turned around, saved as GLB.

const EDGE = 512; // pixels of a drawing
const SMALL = 96;
const TILT = 0.5; // sine of the angle from which one looks down
const LOW = [64, 92, 150]; // colours at the bottom and at the top, as on the sheets
const HIGH = [244, 178, 96];
const SAVED = [232, 168, 92]; // the one colour of a saved solid
export const FIRST_TURN = Math.PI / 4; // from the front and the right
export const HINT = "Drag across the picture to turn it, across the plane for others: what lies near looks alike.";

/** What is wrong with the description of volumes, in words; null when nothing is. */
export function problem({ shape }) {
  const right = shape.length === 5 && shape[0] === 1 && shape[4] === 1;
  return right ? null : `Its output has the shape ${shape.join("×")}; expected one volume of cells.`;
}

export const smallSize = () => [SMALL, SMALL];

export const isTransparent = () => false;

/** Which cells are occupied: a function of x (to the right), y (to the back) and z (up), false outside. */
function occupied({ shape, range }, values) {
  const [width, depth, height] = shape.slice(1);
  const [low, high] = range ?? [0, 1];
  const middle = (low + high) / 2;
  return (x, y, z) =>
    x >= 0 && y >= 0 && z >= 0 && x < width && y < depth && z < height &&
    values[(x * depth + y) * height + z] > middle;
}

/** Numbers from 0 on, below a count, from the far end to the near one. */
const towards = (count, ascending) => Array.from({ length: count }, (_, i) => (ascending ? i : count - 1 - i));

/**
 * The ImageData of a solid, seen from above at an angle about its upright axis.
 *
 * Cells are painted from the farthest to the nearest one, and of each the faces that are seen and that no other touches.
 */
export function draw(output, values, turn = FIRST_TURN) {
  const canvas = new OffscreenCanvas(EDGE, EDGE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const [width, depth, height] = output.shape.slice(1);
  const has = occupied(output, values);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const upwards = Math.sqrt(1 - TILT * TILT);
  const across = Math.hypot(width, depth);
  const scale = EDGE / Math.max(across, across * TILT + height * upwards);
  // The viewer stands at the front when the angle is 0, and walks to the right as it grows.
  const place = (x, y, z) => {
    const [u, v] = [x - width / 2, y - depth / 2];
    const [right, away] = [u * cos + v * sin, v * cos - u * sin];
    return [EDGE / 2 + scale * right, EDGE / 2 - scale * (away * TILT + (z - height / 2) * upwards)];
  };
  const [toRight, toBack] = [sin > 0, cos < 0]; // which sides of a cell are seen: the one to the right, the one behind
  for (const z of towards(height, true)) {
    for (const x of towards(width, toRight)) {
      for (const y of towards(depth, toBack)) {
        if (!has(x, y, z)) continue;
        const paint = (light, ...corners) => face(context, colour(z / (height - 1 || 1), light), corners, place);
        const [side, end] = [toRight ? x + 1 : x, toBack ? y + 1 : y];
        if (!has(toRight ? x + 1 : x - 1, y, z)) {
          paint(0.55 + 0.3 * Math.abs(sin), [side, y, z], [side, y + 1, z], [side, y + 1, z + 1], [side, y, z + 1]);
        }
        if (!has(x, toBack ? y + 1 : y - 1, z)) {
          paint(0.5 + 0.3 * Math.abs(cos), [x, end, z], [x + 1, end, z], [x + 1, end, z + 1], [x, end, z + 1]);
        }
        if (!has(x, y, z + 1)) paint(1, [x, y, z + 1], [x + 1, y, z + 1], [x + 1, y + 1, z + 1], [x, y + 1, z + 1]);
      }
    }
  }
  return context.getImageData(0, 0, EDGE, EDGE);
}

const colour = (share, light) =>
  `rgb(${LOW.map((low, i) => Math.round(light * (low + share * (HIGH[i] - low)))).join(" ")})`;

function face(context, style, corners, place) {
  context.fillStyle = context.strokeStyle = style;
  context.beginPath();
  for (const corner of corners) context.lineTo(...place(...corner));
  context.closePath();
  context.fill();
  context.stroke(); // closes the seams between faces, whose edges are drawn half transparent
}

/** The faces of cells that no other touches: corners, anticlockwise from outside with y up, and normals. */
function faces(output, values) {
  const has = occupied(output, values);
  const [width, depth, height] = output.shape.slice(1);
  const [points, normals] = [[], []];
  const standing = ([x, y, z]) => [x, z, -y]; // z up becomes y up
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < depth; y++) {
      for (let z = 0; z < height; z++) {
        if (!has(x, y, z)) continue;
        for (let axis = 0; axis < 3; axis++) {
          for (const side of [0, 1]) {
            const step = [0, 1, 2].map((i) => (i === axis ? 2 * side - 1 : 0));
            if (has(x + step[0], y + step[1], z + step[2])) continue;
            const corner = (one, other) => {
              const at = [x, y, z];
              at[axis] += side;
              at[(axis + 1) % 3] += one;
              at[(axis + 2) % 3] += other;
              return standing(at);
            };
            const around = [corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)];
            points.push(...(side ? around : around.reverse()).flat());
            for (let i = 0; i < 4; i++) normals.push(...standing(step));
          }
        }
      }
    }
  }
  return { points: Float32Array.from(points), normals: Float32Array.from(normals) };
}

/** A solid as a binary glTF file, which other programs open. */
export async function file(name, _, output, values) {
  const { points, normals } = faces(output, values);
  if (!points.length) throw new Error("it is empty");
  const squares = points.length / 12;
  const triangles = Uint32Array.from({ length: 6 * squares }, (_, i) => 4 * Math.floor(i / 6) + [0, 1, 2, 0, 2, 3][i % 6]);
  const arrays = [points, normals, triangles];
  const bytes = arrays.reduce((total, array) => total + array.byteLength, 0);
  const [floats, whole] = [5126, 5125];
  const extreme = (least) =>
    [0, 1, 2].map((axis) =>
      points.reduce((found, value, i) => (i % 3 === axis ? least(found, value) : found), points[axis]),
    );
  let start = 0;
  const views = arrays.map((array, i) => {
    const view = { buffer: 0, byteOffset: start, byteLength: array.byteLength, target: i < 2 ? 34962 : 34963 };
    start += array.byteLength;
    return view;
  });
  const accessor = (bufferView, componentType, count, type) => ({ bufferView, componentType, count, type });
  const document = {
    asset: { version: "2.0", generator: "kerasgan" },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0, NORMAL: 1 }, indices: 2, material: 0 }] }],
    materials: [
      {
        pbrMetallicRoughness: {
          baseColorFactor: [...SAVED.map((value) => (value / 255) ** 2.2), 1],
          metallicFactor: 0,
          roughnessFactor: 1,
        },
      },
    ],
    buffers: [{ byteLength: bytes }],
    bufferViews: views,
    accessors: [
      { ...accessor(0, floats, 4 * squares, "VEC3"), min: extreme(Math.min), max: extreme(Math.max) },
      accessor(1, floats, 4 * squares, "VEC3"),
      accessor(2, whole, 6 * squares, "SCALAR"),
    ],
  };
  const text = JSON.stringify(document);
  const json = new TextEncoder().encode(text + " ".repeat((4 - (text.length % 4)) % 4)); // all of it is ASCII
  const head = (length, name) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, length, true);
    [...name].forEach((letter, i) => view.setUint8(4 + i, letter.charCodeAt(0)));
    return view;
  };
  const begin = new DataView(new ArrayBuffer(12));
  [..."glTF"].forEach((letter, i) => begin.setUint8(i, letter.charCodeAt(0)));
  begin.setUint32(4, 2, true);
  begin.setUint32(8, 12 + 8 + json.length + 8 + bytes, true);
  const parts = [begin, head(json.length, "JSON"), json, head(bytes, "BIN\0"), ...arrays];
  return new File(parts, `${name}.glb`, { type: "model/gltf-binary" });
}
