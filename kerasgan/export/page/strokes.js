// Sketches: steps of a pen, drawn as lines, saved as SVG.

const EDGE = 512; // pixels of a drawing
const SMALL = 96;
const MARGIN = 0.08; // of the edge, free on each side, as on the sheets
const PEN = 0.02; // of the edge, a line's width
const INK = "rgb(20, 20, 20)";
const [LIFTED, OVER] = [1, 2];

/** What is wrong with the description of sketches, in words; null when nothing is. */
export function problem({ shape }) {
  const right = shape.length === 3 && shape[0] === 1 && shape[2] === 5;
  return right ? null : `Its output has the shape ${shape.join("×")}; expected one sketch of points.`;
}

export const smallSize = () => [SMALL, SMALL];

export const isTransparent = () => false;

/** The lines of a sketch, [[[x, y], ...], ...], y downwards: the first one begins at (0, 0), where the pen comes down. */
export function linesOf({ shape, scale = 1 }, values) {
  const lines = [[[0, 0]]];
  let [x, y] = [0, 0];
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

/** Lines in the middle of a square, as large as fits inside of its margin. */
function fitted(lines, edge) {
  const points = lines.flat();
  const [low, high] = [Math.min, Math.max].map((most) => [0, 1].map((axis) => most(...points.map((p) => p[axis]))));
  const zoom = ((1 - 2 * MARGIN) * edge) / Math.max(1, high[0] - low[0], high[1] - low[1]);
  return lines.map((line) => line.map((p) => p.map((v, axis) => (v - (low[axis] + high[axis]) / 2) * zoom + edge / 2)));
}

/** A line as the data of a path; a dot as a line that does not leave its place, which round ends make visible. */
function path(line) {
  const points = line.length > 1 ? line : [line[0], line[0]];
  return `M${points.map((point) => point.map((value) => value.toFixed(2)).join(" ")).join("L")}`;
}

/** The ImageData of a sketch: dark lines on white paper. */
export function draw(output, values) {
  const context = new OffscreenCanvas(EDGE, EDGE).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, EDGE, EDGE);
  Object.assign(context, { strokeStyle: INK, lineWidth: PEN * EDGE, lineCap: "round", lineJoin: "round" });
  for (const line of fitted(linesOf(output, values), EDGE)) context.stroke(new Path2D(path(line)));
  return context.getImageData(0, 0, EDGE, EDGE);
}

/** A sketch as an SVG file: a path a stroke, in the order in which they are drawn. */
export async function file(name, _, output, values) {
  const paths = fitted(linesOf(output, values), EDGE).map((line) => `<path d="${path(line)}"/>`);
  const head =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${EDGE} ${EDGE}" fill="none" stroke="black" ` +
    `stroke-width="${PEN * EDGE}" stroke-linecap="round" stroke-linejoin="round">`;
  return new File([[head, ...paths, "</svg>", ""].join("\n")], `${name}.svg`, { type: "image/svg+xml" });
}
