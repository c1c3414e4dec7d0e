// Clips: played frame by frame at their own rate, saved as an animated PNG.

import { checkSum } from "./checksum.js";
import { draw as drawPicture, file as pictureFile, smallSize as sizeOf } from "./pictures.js";

const RATES = [0, 1000]; // frames a second
const SIGNATURE = 8; // bytes before the first chunk of a PNG file

/** What is wrong with the description of clips, in words; null when nothing is. */
export function problem({ shape, frame_rate: rate }) {
  const right = shape.length === 5 && shape[0] === 1 && shape[1] > 0 && [1, 3].includes(shape[4]);
  if (!right) return `Its output has the shape ${shape.join("×")}; expected one grey or RGB clip.`;
  return rate > RATES[0] && rate <= RATES[1] ? null : `It makes clips of ${rate} frames a second.`;
}

/** The description of one of its frames, a picture. */
const frameOf = ({ shape, range }) => ({ shape: [1, ...shape.slice(2)], range });

export const smallSize = (output) => sizeOf(frameOf(output));

export const isTransparent = () => false;

/** The number of the frame that is shown after so many seconds: a clip is repeated for ever. */
export const viewAt = (output, seconds) => Math.floor(seconds * output.frame_rate) % framesOf(output);

const framesOf = ({ shape }) => shape[1];

/** The ImageData of one frame, by its number. */
export function draw(output, values, frame = 0) {
  const length = values.length / framesOf(output);
  return drawPicture(frameOf(output), values.subarray(frame * length, (frame + 1) * length));
}

/** A clip as an animated PNG, which is repeated for ever, large enough for other programs not to blur it. */
export function file(name, picture, output, values) {
  return animation(name, framesOf(output), (frame) => draw(output, values, frame), output);
}

/** So many frames, the ImageData of each by its number, as an animated PNG; `output` is as for a picture's `file`. */
export async function animation(name, count, imageOf, output) {
  const frames = [];
  for (let frame = 0; frame < count; frame++) {
    const canvas = document.createElement("canvas");
    const image = imageOf(frame);
    Object.assign(canvas, { width: image.width, height: image.height });
    canvas.getContext("2d").putImageData(image, 0, 0);
    const still = await pictureFile(name, canvas, output);
    frames.push(chunksOf(new Uint8Array(await still.arrayBuffer()), await still.slice(0, SIGNATURE).arrayBuffer()));
  }
  return new File(animated(frames, output.frame_rate), `${name}.png`, { type: "image/png" });
}

/** The signature of a PNG file, and its chunks by name: each the list of its data. */
function chunksOf(bytes, signature) {
  const chunks = { signature };
  const view = new DataView(bytes.buffer);
  for (let place = SIGNATURE; place < bytes.length; ) {
    const length = view.getUint32(place);
    const kind = String.fromCharCode(...bytes.subarray(place + 4, place + 8));
    (chunks[kind] ??= []).push(bytes.subarray(place + 8, place + 8 + length));
    place += 12 + length;
  }
  return chunks;
}

/**
 * The parts of an animated PNG of still ones of the same size: the first one's data stay what they are, those of the
 * others become fdAT chunks, and each has an fcTL chunk before it. Control and data chunks are numbered together.
 */
function animated(frames, rate) {
  const [header] = frames[0].IHDR;
  const parts = [frames[0].signature, chunk("IHDR", header), chunk("acTL", whole(frames.length, 0))];
  let number = 0;
  const duration = new Uint8Array(6); // in thousandths of a second; what is behind a frame is not kept
  new DataView(duration.buffer).setUint16(0, Math.max(1, Math.round(1000 / rate)));
  new DataView(duration.buffer).setUint16(2, 1000);
  frames.forEach((frame, place) => {
    parts.push(chunk("fcTL", whole(number++), header.subarray(0, 8), whole(0, 0), duration));
    for (const data of frame.IDAT) {
      parts.push(place ? chunk("fdAT", whole(number++), data) : chunk("IDAT", data));
    }
  });
  return [...parts, chunk("IEND")];
}

/** Whole numbers of 32 bits, the highest byte first. */
function whole(...numbers) {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((number, place) => view.setUint32(4 * place, number));
  return new Uint8Array(view.buffer);
}

/** A chunk of a PNG file: length, name, data, and the check sum of name and data. */
function chunk(kind, ...data) {
  const length = data.reduce((total, part) => total + part.length, 0);
  const bytes = new Uint8Array(12 + length);
  bytes.set(whole(length));
  bytes.set([...kind].map((letter) => letter.charCodeAt(0)), 4);
  let place = 8;
  for (const part of data) {
    bytes.set(part, place);
    place += part.length;
  }
  bytes.set(whole(checkSum(bytes.subarray(4, place))), place);
  return bytes;
}
