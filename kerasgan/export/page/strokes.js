// Sketches: steps of a pen, drawn as lines as they come, saved as SVG; and lines of a person's that they go on from.

const EDGE = 512; // pixels of a drawing
const SMALL = 96;
const MARGIN = 0.08; // of the edge, free on each side, as on the sheets
const PEN = 0.02; // of the edge, a line's width
const INK = "rgb(20, 20, 20)";
const OWN = "rgb(91, 61, 245)"; // of what a person has drawn
const [DOWN, LIFTED, OVER] = [0, 1, 2];
const SIZE = 255; // units of the longer side of a sketch, as kerasgan.data.sketches reads them
const PAPER = { zoom: ((1 - 2 * MARGIN) * EDGE) / SIZE, left: 0, top: 0 }; // where units are that a person draws in
const SIMPLER = 4; // units by which a line may be changed to have fewer points, as in the data of the recipes
const SECONDS = 2.5; // in which a sketch is drawn

export const HINT = "Drag across the plane: what lies near looks alike. Tap the picture for another sketch.";

/** What is wrong with the description of sketches, in words; null when nothing is. */
export function problem({ shape }) {
  const right = shape.length === 3 && shape[0] === 1 && shape[2] === 5;
  return right ? null : `Its output has the shape ${shape.join("×")}; expected one sketch of points.`;
}

export const smallSize = () => [SMALL, SMALL];

export const isTransparent = () => false;

/** The share of the pen's way that is behind after so many seconds; null when the sketch is finished. */
export const viewAt = (_, seconds) => (seconds < SECONDS ? seconds / SECONDS : null);

/** The lines of a sketch, [[[x, y], ...], ...], y downwards; the first one begins at `start`. */
export function linesOf({ shape, scale = 1 }, values, start = [0, 0]) {
  const lines = [[start]];
  let [x, y] = start;
  let isDown = true;
  for (let row = 0; row < shape[1]; row++) {
    const [dx, dy, ...pens] = values.subarray(5 * row, 5 * row + 5);
    const pen = pens.indexOf(Math.max(...pens));
    if (pen === OVER) break;
    [x, y] = [x + scale * dx, y + scale * dy];
    if (!isDown) lines.push([]);
    lines.at(-1).push([x, y]);
    isDown = pen !== LIFTED;
  }
  return lines;
}

/* Going on from lines of a person's. */

/** The points of lines that are given to a model, each with what the pen does behind it. */
const pointsOf = (lines) =>
  lines.flatMap((line) =>
    simplified(line, SIMPLER).map((point, i, { length }) => ({ point, pen: i + 1 < length ? DOWN : LIFTED })),
  );

/** Whether lines fit into a sketch, with a row for its end. */
export const hasRoom = ({ shape }, lines) => pointsOf(lines).length <= shape[1];

/** The rows that lines are for a model, a Float32Array; those behind them are zeros. */
export function rowsOf({ shape, scale = 1 }, lines) {
  const rows = new Float32Array(shape[1] * shape[2]);
  const points = pointsOf(lines);
  points.slice(1).forEach(({ point, pen }, row) => {
    const before = points[row].point; // the first point of all has no row
    rows.set([0, 1].map((axis) => (point[axis] - before[axis]) / scale), 5 * row);
    rows[5 * row + 2 + pen] = 1;
  });
  return rows;
}

/** What a model drew, behind what it was given: the given rows up to the first that is all zeros, then its own. */
export function joined(given, values) {
  const rows = values.slice();
  for (let row = 0; given.subarray(5 * row, 5 * row + 5).some(Boolean); row++) {
    rows.set(given.subarray(5 * row, 5 * row + 5), 5 * row);
  }
  return rows;
}

/** A line with fewer points; those left out are no farther from it than `tolerance` (Ramer, 1972; Douglas & Peucker). */
export function simplified(line, tolerance) {
  const [first, last] = [line[0], line.at(-1)];
  const far = line.map((point) => distance(point, first, last));
  const most = far.indexOf(Math.max(...far));
  if (far[most] <= tolerance) return [first, last];
  return [...simplified(line.slice(0, most + 1), tolerance).slice(0, -1), ...simplified(line.slice(most), tolerance)];
}

/** Of a point from the straight line between two others. */
function distance([x, y], [x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1);
  const near = Math.min(1, Math.max(0, along));
  return Math.hypot(x - x0 - near * dx, y - y0 - near * dy);
}

/* Where lines are on a picture. */

/**
 * Zoom and offsets from units to pixels. What a person began stays where it is, unless the sketch leaves the paper; any
 * other one is in the middle, as large as fits inside of the margin.
 */
function placeOf(lines, isBegun) {
  const points = lines.flat();
  const [low, high] = [Math.min, Math.max].map((most) => [0, 1].map((axis) => most(...points.map((p) => p[axis]))));
  if (isBegun && Math.min(...low) >= 0 && PAPER.zoom * Math.max(...high) <= EDGE) return PAPER;
  const zoom = ((1 - 2 * MARGIN) * EDGE) / Math.max(1, high[0] - low[0], high[1] - low[1]);
  const [left, top] = [0, 1].map((axis) => EDGE / 2 - (zoom * (low[axis] + high[axis])) / 2);
  return { zoom, left, top };
}

const inPixels = (lines, { zoom, left, top }) =>
  lines.map((line) => line.map(([x, y]) => [zoom * x + left, zoom * y + top]));

/** The paper that a person draws on, as the picture shows it: where a place, from 0 to 1, is in units; how it looks. */
export function paperOf(output, values, own) {
  const place = own.length ? placeOf(linesOf(output, values, own[0][0]), true) : PAPER;
  return {
    at: ([x, y]) => [(EDGE * x - place.left) / place.zoom, (EDGE * y - place.top) / place.zoom],
    draw: (lines) => painted([[inPixels(lines, place), OWN]]),
  };
}

/** A line as the data of a path; a dot as a very short one, with round ends: a canvas draws nothing of length 0. */
function path(line) {
  const [[x, y]] = line;
  const points = line.length > 1 ? line : [[x, y], [x + 0.01, y]];
  return `M${points.map((point) => point.map((value) => value.toFixed(2)).join(" ")).join("L")}`;
}

/** The ImageData of lines, in pixels, of colours: [[lines, colour], ...] on white paper. */
function painted(parts) {
  const context = new OffscreenCanvas(EDGE, EDGE).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, EDGE, EDGE);
  Object.assign(context, { lineWidth: PEN * EDGE, lineCap: "round", lineJoin: "round" });
  for (const [lines, colour] of parts) {
    context.strokeStyle = colour;
    for (const line of lines) context.stroke(new Path2D(path(line)));
  }
  return context.getImageData(0, 0, EDGE, EDGE);
}

/** The ImageData of a sketch: dark lines as far as a share of them is drawn, behind those that a person began with. */
export function draw(output, values, share = 1, own = []) {
  const lines = linesOf(output, values, own[0]?.[0]);
  const pixels = inPixels(lines, placeOf(lines, own.length > 0));
  return painted([
    [begun(pixels.slice(own.length), share), INK],
    [pixels.slice(0, own.length), OWN],
  ]);
}

/** Lines as far as they are drawn when a share of the pen's way is behind, in the air, too. */
function begun(lines, share) {
  if (share === 1) return lines;
  const points = lines.flat();
  const ways = points.map((point, i) => (i ? Math.hypot(point[0] - points[i - 1][0], point[1] - points[i - 1][1]) : 0));
  const total = ways.reduce((sum, way) => sum + way, 0);
  let left = share * total;
  let number = 0;
  const parts = [];
  for (const line of lines) {
    const part = [];
    for (const point of line) {
      const way = ways[number++];
      if (way > left) {
        const last = part.at(-1);
        if (last) part.push([0, 1].map((axis) => last[axis] + (left / way) * (point[axis] - last[axis])));
        left = -1;
        break;
      }
      left -= way;
      part.push(point);
    }
    if (part.length) parts.push(part);
    if (left < 0) break;
  }
  return parts;
}

/** A sketch as an SVG file: a path a stroke, in the order in which they are drawn. */
export async function file(name, _, output, values) {
  const lines = linesOf(output, values);
  const paths = inPixels(lines, placeOf(lines, false)).map((line) => `<path d="${path(line)}"/>`);
  const head =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${EDGE} ${EDGE}" fill="none" stroke="black" ` +
    `stroke-width="${PEN * EDGE}" stroke-linecap="round" stroke-linejoin="round">`;
  return new File([[head, ...paths, "</svg>", ""].join("\n")], `${name}.svg`, { type: "image/svg+xml" });
}
