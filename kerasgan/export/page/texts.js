// Texts: numbers of tokens, written out as a string, saved as a text file.

const EDGE = 512; // pixels of a text's picture
const SMALL = 144;
const MARGIN = 0.06; // of the edge, free on each side
const LARGEST = 0.2; // of the edge, a letter's height
const LEAST = 8; // pixels of a letter
const LINE = 1.2; // times as high as its letters
const FONT = "system-ui, sans-serif";
const INK = "rgb(20, 20, 20)";

export const HINT = "Drag across the plane, or tap a text: what lies near begins alike.";

/** What is wrong with the description of texts, in words; null when nothing is. */
export function problem({ shape, vocabulary, unit }) {
  const right = shape.length === 2 && shape[0] === 1 && Array.isArray(vocabulary) && vocabulary.length > 1;
  if (!right) return `Its output has the shape ${shape.join("×")}; expected one text of tokens.`;
  return ["character", "word"].includes(unit) ? null : `Its texts are made of “${unit}”.`;
}

export const smallSize = () => [SMALL, SMALL];

export const isTransparent = () => false;

/** The string of the numbers of tokens, up to the first that is the end, as kerasgan.media.Text has it. */
export function stringOf({ vocabulary, unit, opening = "", closing = "" }, values) {
  const tokens = [];
  for (const number of values) {
    const token = vocabulary[number];
    if (token === undefined) throw new RangeError(`The model's answer holds the token ${number}, which it has not.`);
    if (token === "") break;
    tokens.push(token);
  }
  if (unit === "character") return tokens.join("");
  const isClose = (token, at) => !at || closing.includes(token) || opening.includes(tokens[at - 1]);
  return tokens.map((token, at) => (isClose(token, at) ? token : ` ${token}`)).join("");
}

/** The tokens of a string, as kerasgan.tokens divides it. */
function tokensOf({ unit, opening = "", closing = "" }, text) {
  const line = text.normalize("NFC").split(/\s+/).filter(Boolean).join(" ");
  if (unit === "character") return [...line, ...(line && /\s$/.test(text) ? [" "] : [])];
  return line.split(" ").flatMap((run) => {
    const marks = (list) => (mark) => mark === '"' || list.includes(mark);
    const letters = [...run];
    let begin = letters.findIndex((letter) => !marks(opening)(letter));
    if (begin < 0) begin = letters.length;
    let end = letters.length;
    while (end > begin && marks(closing)(letters[end - 1])) end--;
    const word = letters.slice(begin, end).join("");
    return [...letters.slice(0, begin), ...(word ? [word] : []), ...letters.slice(end)];
  });
}

/** Why a model cannot go on from a text, in words; null when it can. */
export function beginningProblem(output, text) {
  const tokens = tokensOf(output, text);
  const unknown = tokens.find((token) => !output.vocabulary.includes(token));
  if (unknown !== undefined) return `“${unknown}” is no ${output.unit} that this model knows.`;
  const most = output.shape[1] - 1;
  return tokens.length > most ? `This model writes up to ${most + 1} ${output.unit}s: begin with fewer.` : null;
}

/** The rows that the beginning of a text is for a model, one-hot, zeros behind it. */
export function rowsOf(output, text) {
  const [length, width] = [output.shape[1], output.vocabulary.length];
  const rows = new Float32Array(length * width);
  tokensOf(output, text).forEach((token, row) => (rows[row * width + output.vocabulary.indexOf(token)] = 1));
  return rows;
}

/** The numbers of the tokens that a model wrote, behind those of the rows that it was given. */
export function joined(given, values) {
  const width = given.length / values.length;
  return values.map((value, place) => {
    const one = given.subarray(place * width, (place + 1) * width).indexOf(1);
    return one < 0 ? value : one;
  });
}

/** A text in lines as wide as there is room, broken at spaces alone. */
function linesOf(context, text, room) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length && context.measureText(longer).width <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** The ImageData of a text, dark on white, in the largest letters by which all of it fits. */
export function draw(output, values) {
  const text = stringOf(output, values);
  const context = new OffscreenCanvas(EDGE, EDGE).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, EDGE, EDGE);
  Object.assign(context, { fillStyle: INK, textAlign: "center", textBaseline: "middle" });
  const room = (1 - 2 * MARGIN) * EDGE;
  let lines = [];
  let size = LARGEST * EDGE;
  for (; size > LEAST; size *= 0.9) {
    context.font = `${size}px ${FONT}`;
    lines = linesOf(context, text, room);
    const isNarrow = lines.every((line) => context.measureText(line).width <= room);
    if (isNarrow && LINE * size * lines.length <= 0.9 * EDGE) break;
  }
  lines.forEach((line, at) => {
    context.fillText(line, EDGE / 2, EDGE / 2 + LINE * size * (at - (lines.length - 1) / 2));
  });
  return context.getImageData(0, 0, EDGE, EDGE);
}

/** A text as a file. */
export async function file(name, _, output, values) {
  return new File([`${stringOf(output, values)}\n`], `${name}.txt`, { type: "text/plain" });
}
