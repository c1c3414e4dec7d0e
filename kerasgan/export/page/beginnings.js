// Beginnings of clips that a model goes on from: an animation's last frames, or a drawing over which a camera moves.

import { Trouble } from "./downloads.js";
import { cropped, fitting, leaves, numbers } from "./given.js";

// What a person gives: see `GIVEN` of kinds.js.
export const ACCEPT = "image/gif,image/webp,image/apng,image/png";
export const ASK = "Animation";
export const GIVE = "Choose an animation, GIF, WebP or APNG: it goes on from the last frames.";
export const STAYS = "Files stay on this device.";
export const EXAMPLES = "Animations to try";

const MOST_FILE_BYTES = 2 ** 26;
const KEPT = 32; // frames, the last ones: no model here goes on from more
const LONGEST = 512; // pixels along the longer edge that a frame is kept with
const STARTS = { gif: [0x47, 0x49, 0x46, 0x38], webp: [0x52, 0x49, 0x46, 0x46], png: [0x89, 0x50, 0x4e, 0x47] };

/** What is wrong with the description of an input, in words; null when nothing is. */
export function problem({ shape }) {
  const right = shape.length === 5 && shape[0] === 1 && shape[1] <= KEPT && [1, 3].includes(shape[4]);
  return right ? null : `Its input has the shape ${shape.join("×")}; expected the first frames of a grey or RGB clip.`;
}

/** The last frames of an animation that is long enough for a model's input: {frames: bitmaps, close}. */
export async function readGiven(file, { shape }) {
  if (!globalThis.ImageDecoder) throw new Trouble("This browser cannot take animations apart; newer ones can.");
  if (file.size > MOST_FILE_BYTES) throw new Trouble(`“${file.name}” has ${Math.round(file.size / 2 ** 20)} MB, too many.`);
  let frames;
  try {
    frames = await lastFrames(file);
  } catch (error) {
    console.debug(error);
    throw new Trouble(`“${file.name}” is no animation that this browser can read.`);
  }
  const clip = { frames, close: () => frames.forEach((frame) => frame.close()) };
  if (frames.length >= shape[1]) return clip;
  clip.close();
  const count = frames.length === 1 ? "1 frame" : `${frames.length} frames`;
  throw new Trouble(`“${file.name}” has ${count}; this model goes on from ${shape[1]}.`);
}

async function lastFrames(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const [kind] = Object.entries(STARTS).find(([, start]) => start.every((byte, i) => bytes[i] === byte)) ?? [];
  const decoder = new ImageDecoder({ type: `image/${kind}`, data: bytes });
  try {
    await decoder.tracks.ready;
    const count = decoder.tracks.selectedTrack.frameCount;
    const frames = [];
    for (let frameIndex = Math.max(0, count - KEPT); frameIndex < count; frameIndex++) {
      const { image } = await decoder.decode({ frameIndex });
      frames.push(await fitting(image, LONGEST));
      image.close();
    }
    return frames;
  } finally {
    decoder.close();
  }
}

/** What stands on the button of an example. */
export const faceOf = ({ file }, number) => Object.assign(new Image(), { src: file, alt: `Example ${number}` });

/** What a model takes of a clip; without one, of a drawing that is a seed's. */
export function valuesOf({ shape, range }, clip, seed) {
  const [count, height, width, channels] = shape.slice(1);
  const pictures = clip
    ? lastOf(clip.frames, count).map((frame) => cropped(frame, width, height))
    : panned(seed, count, width, height);
  const values = new Float32Array(count * height * width * channels);
  pictures.forEach((bytes, frame) =>
    values.set(numbers(bytes, channels, range ?? [0, 1]), frame * height * width * channels),
  );
  return values;
}

/** So many of the last frames. One that was given to another model may have too few: the first one stands still, then. */
const lastOf = (frames, count) => Array.from({ length: count }, (_, i) => frames[Math.max(0, frames.length - count + i)]);

/** RGBA bytes of frames of a camera that moves to the right by a pixel a frame. */
function panned(seed, count, width, height) {
  const across = width + count;
  const whole = leaves(seed, across, height);
  return Array.from({ length: count }, (_, frame) => {
    const bytes = new Uint8ClampedArray(4 * width * height);
    for (let y = 0; y < height; y++) {
      const start = 4 * (y * across + frame);
      bytes.set(whole.subarray(start, start + 4 * width), 4 * y * width);
    }
    return bytes;
  });
}
