// Smoke: sequences of its density and velocity, made finer frame by frame, in tiles, and played.

import { readArrays, Unfit } from "./arrays.js";
import { animation } from "./clips.js";
import { Trouble } from "./downloads.js";

export const WAY = "refine";
export const RATE = 1000 / 60; // frames a second, as kerasgan saves animations

// What a person gives: see `GIVEN` of kinds.js.
export const ACCEPT = ".npz,application/zip,application/octet-stream"; // phones do not know .npz
export const ASK = "Smoke (.npz)";
export const GIVE = "Give it a sequence as kerasgan simulate smoke writes it: 32×32 cells take seconds, 128×128 many minutes.";
export const STAYS = "Files stay on this device.";
export const EXAMPLES = "Sequences to try";

const OVERLAP = 16; // cells that a tile sees on each side beyond those that it is there for, of a model without a reach
const MOST_FILE_BYTES = 2 ** 28;
const MOST_BYTES = 2 ** 27; // of an array
const MOST_CELLS = 2 ** 22; // of all frames: what becomes of them has sixteen times as many, a byte each
const [MOST_FRAMES, LONGEST] = [600, 1024]; // of a sequence; cells along an edge
const LEAST_DENSITY = -1e-3; // rounding aside, none is below 0
const EXPECTED =
  "Expected is a sequence of smoke as kerasgan simulate smoke writes it: a .npz file of density (frames, height, width) " +
  "and velocity (frames, height, width, 2).";

// Colours of densities from 0 to 1, as on the sheets: matplotlib's "magma" (CC0), each 17th of its 256.
const MAGMA =
  "000003 0b0824 1f114b 3b0f6f 57147d 711f81 8c2980 a7317d c33b74 dd4968 f0605d fa7f5e fd9f6c febe83 fddd9f fbfcbf";

/** What is wrong with the description of a model of smoke, in words; null when nothing is. */
export function problem({ shape }, model) {
  const input = model.inputs.length === 1 && model.inputs[0].kind === "fields" ? model.inputs[0].shape : [];
  const [side, scale] = [input[1], shape[1] / input[1]];
  const takes = input.length === 4 && input[0] === 1 && side === input[2] && side >= 4 && input[3] === 3;
  const makes = shape.length === 4 && shape[0] === 1 && shape[2] === shape[1] && shape[3] === 1;
  if (takes && makes && Number.isInteger(scale)) return null;
  return `It makes ${shape.join("×")} of ${input.join("×")}; expected square tiles, finer by a whole number.`;
}

export const isTransparent = () => false;

/* Reading */

/** The sequence of a .npz file: {frames, height, width, values}, the values density, velocity to the right and downward. */
export async function readGiven(file) {
  try {
    if (file.size > MOST_FILE_BYTES) throw new Unfit(`has ${Math.round(file.size / 2 ** 20)} MB`);
    return joined(await readArrays(file, ["density", "velocity"], MOST_BYTES));
  } catch (error) {
    if (error instanceof Unfit) throw new Trouble(`“${file.name}” ${error.message}. ${EXPECTED}`);
    throw error;
  }
}

function joined({ density, velocity }) {
  const { shape } = density;
  const fits = [3, 4].includes(shape.length) && `${velocity.shape}` === `${[...shape, 2]}` && shape.every((side) => side > 0);
  if (!fits) throw new Unfit(`has density of shape (${shape.join(", ")}) and velocity of (${velocity.shape.join(", ")})`);
  if (shape.length === 4 && shape[0] > 1) throw new Unfit(`holds ${shape[0]} sequences; save one in a file of its own`);
  const [frames, height, width] = shape.slice(-3);
  if (frames > MOST_FRAMES || Math.max(height, width) > LONGEST || frames * height * width > MOST_CELLS) {
    const most = Math.max(1, Math.min(MOST_FRAMES, Math.floor(MOST_CELLS / (height * width))));
    const advice = Math.max(height, width) > LONGEST ? `up to ${LONGEST} cells along an edge` : `its first ${most} frames`;
    throw new Unfit(`has ${frames} frames of ${width}×${height} cells, too many for a browser: save ${advice}`);
  }
  const values = new Float32Array(3 * frames * height * width);
  const sides = [frames, height, width];
  fill(values, 0, density, 0, 3, sides);
  fill(values, 1, velocity, 0, 4, sides);
  fill(values, 2, velocity, velocity.strides.at(-1), 4, sides);
  if (!values.every(Number.isFinite)) throw new Unfit("holds NaN or infinite values");
  for (let i = 0; i < values.length; i += 3) if (values[i] < LEAST_DENSITY) throw new Unfit("has a density below 0");
  return { frames, height, width, values };
}

/** Puts one channel of an array, which begins at a place of it, among the three of each cell. */
function fill(values, channel, { strides, values: from }, start, axes, [frames, height, width]) {
  const [byFrame, byRow, byColumn] = strides.slice(-axes);
  let place = channel;
  for (let frame = 0; frame < frames; frame++) {
    for (let y = 0; y < height; y++) {
      const row = start + frame * byFrame + y * byRow;
      for (let x = 0; x < width; x++, place += 3) values[place] = from[row + x * byColumn];
    }
  }
}

/** What stands on the button of an example. */
export const faceOf = (example, number, count) =>
  Object.assign(document.createElement("span"), { textContent: count > 1 ? `Example ${number}` : "Example" });

/* Tiles */

/**
 * Where the tiles of an axis begin, and the cells from which to which each is there for.
 *
 * Tiles at an edge end there, as what gan.upscale gives its network does: the network itself decides what is beyond. An
 * axis shorter than a tile has no cells at its end; the densities of the last few are nearly those of gan.upscale.
 */
function tilesAlong(length, { shape, reach = OVERLAP }) {
  const tile = shape[1];
  const overlap = Math.min(reach, Math.floor(tile / 4));
  const step = tile - 2 * overlap;
  const count = Math.max(1, Math.ceil((length - 2 * overlap) / step));
  return Array.from({ length: count }, (_, i) => ({
    start: Math.max(0, Math.min(i * step, length - tile)),
    from: i ? i * step + overlap : 0,
    to: i < count - 1 ? (i + 1) * step + overlap : length,
  }));
}

/** What a model takes of a frame: the tile that begins at a row and a column, with nothing beyond the frame. */
export function tileOf({ height, width, values }, frame, top, left, tile) {
  const cells = new Float32Array(3 * tile * tile);
  const across = 3 * Math.min(tile, width - left);
  for (let y = 0; y < Math.min(tile, height - top); y++) {
    const place = 3 * ((frame * height + top + y) * width + left);
    cells.set(values.subarray(place, place + across), 3 * y * tile);
  }
  return cells;
}

/** Room for a sequence that is finer: `levels` are densities, 255 for 1 and more; `done` counts the frames that are there. */
export function roomFor({ frames, height, width }, model) {
  const scale = model.output.shape[1] / model.inputs[0].shape[1];
  const levels = new Uint8ClampedArray(scale * scale * frames * height * width); // rounds and clips what is put into it
  return { frames, height: scale * height, width: scale * width, scale, levels, done: 0 };
}

/**
 * Makes a sequence finer, tile by tile, into the room for it. `run` takes a tile's values and promises the finer
 * densities; `input` is what the model says of its tiles. Yields the share of the tiles that are done, whether the last
 * one makes a frame whole, and its place there: left, top, width and height.
 */
export async function* refined(run, sequence, fine, input) {
  const [rows, columns] = [sequence.height, sequence.width].map((length) => tilesAlong(length, input));
  const tile = input.shape[1];
  const all = sequence.frames * rows.length * columns.length;
  let done = 0;
  for (let frame = 0; frame < sequence.frames; frame++) {
    for (const row of rows) {
      for (const column of columns) {
        put(fine, frame, await run(tileOf(sequence, frame, row.start, column.start, tile)), row, column, tile);
        done++;
        const isWhole = done % (rows.length * columns.length) === 0;
        if (isWhole) fine.done++;
        yield { share: done / all, isWhole, place: placeOf(fine.scale, row, column) };
      }
    }
  }
}

const placeOf = (scale, { from: top, to: bottom }, { from: left, to: right }) =>
  [left, top, right - left, bottom - top].map((cells) => scale * cells);

function put({ height, width, scale, levels }, frame, densities, row, column, tile) {
  const [first, last] = [scale * column.from, scale * column.to];
  for (let y = scale * row.from; y < scale * row.to; y++) {
    let from = (y - scale * row.start) * scale * tile + first - scale * column.start;
    let to = (frame * height + y) * width + first;
    for (let x = first; x < last; x++) levels[to++] = 255 * densities[from++];
  }
}

/* Showing and saving */

/** The ImageData of a frame of what was made. */
export function draw({ height, width, levels }, frame) {
  const start = frame * height * width;
  return coloured(levels.subarray(start, start + height * width), width, height);
}

/** The same of what a person gave. */
export function drawGiven({ height, width, values }, frame) {
  const start = frame * height * width;
  const levels = Uint8ClampedArray.from({ length: height * width }, (_, cell) => 255 * values[3 * (start + cell)]);
  return coloured(levels, width, height);
}

const COLOURS = MAGMA.split(" ").map((colour) => [0, 2, 4].map((at) => parseInt(colour.slice(at, at + 2), 16)));
const STEP = 255 / (COLOURS.length - 1);

/** The colour of each level, its RGBA bytes in one number. */
const PALETTE = new Uint32Array(
  Uint8ClampedArray.from({ length: 4 * 256 }, (_, place) => {
    const [level, channel] = [Math.floor(place / 4), place % 4];
    if (channel === 3) return 255;
    const before = Math.min(Math.floor(level / STEP), COLOURS.length - 2);
    const [one, other] = [COLOURS[before][channel], COLOURS[before + 1][channel]];
    return one + (other - one) * (level / STEP - before);
  }).buffer,
);

function coloured(levels, width, height) {
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  levels.forEach((level, place) => (pixels[place] = PALETTE[level]));
  return image;
}

/** The frames that were made, as an animated PNG that is repeated for ever. */
export function file(name, picture, output, fine) {
  return animation(name, fine.done, (frame) => draw(fine, frame), { ...output, frame_rate: RATE, exact: true });
}
