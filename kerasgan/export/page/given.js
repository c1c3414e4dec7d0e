// Pictures that a model is given: the person's own, or a drawing that stands in for one.

import { Trouble } from "./downloads.js";
import { uniformSource } from "./latents.js";

// What a person gives: see `GIVEN` of kinds.js.
export const ACCEPT = "image/*";
export const ASK = "Photo or picture";
export const GIVE = "Take a photo or choose a picture.";
export const STAYS = "Pictures stay on this device.";
export const EXAMPLES = "Pictures to try";

const LARGEST = 1024; // pixels along the longer edge that a picture is kept with
const DISCS = 120;

/** A picture file, upright, as a bitmap that fits into memory. */
export async function readGiven(file) {
  try {
    return await fitting(file, LARGEST);
  } catch (error) {
    console.debug(error);
    throw new Trouble(`“${file.name}” is no picture that this browser can read.`);
  }
}

/** What a browser can make a bitmap of, upright, with so many pixels along its longer edge at most. */
export async function fitting(source, longest) {
  const whole = await createImageBitmap(source, { imageOrientation: "from-image" });
  const shrink = Math.min(1, longest / Math.max(whole.width, whole.height));
  if (shrink === 1) return whole;
  const size = { resizeWidth: Math.round(whole.width * shrink), resizeHeight: Math.round(whole.height * shrink) };
  const smaller = await createImageBitmap(whole, { ...size, resizeQuality: "high" });
  whole.close();
  return smaller;
}

/** What stands on the button of an example. */
export const faceOf = ({ file }, number) => Object.assign(new Image(), { src: file, alt: `Example ${number}` });

/** The largest part in the middle with the right proportions, as RGBA bytes (height × width × 4). */
export function cropped(bitmap, width, height) {
  const scale = Math.min(bitmap.width / width, bitmap.height / height);
  const [w, h] = [width * scale, height * scale];
  const context = scratch(width, height);
  context.drawImage(bitmap, (bitmap.width - w) / 2, (bitmap.height - h) / 2, w, h, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

/** All of a picture, as ImageData, smaller where its longer edge has more than so many pixels. */
export function whole(bitmap, longest) {
  const shrink = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(shrink * side)));
  const context = scratch(width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** Discs that cover each other, the same ones for the same seed: edges and flat parts, as photographs have them. */
export function leaves(seed, width, height) {
  const uniform = uniformSource(seed);
  const context = scratch(width, height);
  const shade = () => Math.floor(256 * uniform());
  const longest = Math.max(width, height);
  context.fillStyle = `rgb(${shade()}, ${shade()}, ${shade()})`;
  context.fillRect(0, 0, width, height);
  for (let disc = 0; disc < DISCS; disc++) {
    const radius = (longest / 2) * Math.max(0.05, 1 - disc / DISCS) * uniform();
    context.fillStyle = `rgb(${shade()}, ${shade()}, ${shade()})`;
    context.beginPath();
    context.arc(width * uniform(), height * uniform(), radius, 0, 2 * Math.PI);
    context.fill();
  }
  return context.getImageData(0, 0, width, height).data;
}

/** RGBA bytes as a model takes them: grey, over white (RGB), or with their transparency. */
export function numbers(bytes, channels, [low, high]) {
  const values = new Float32Array((bytes.length / 4) * channels);
  for (let pixel = 0; pixel < bytes.length / 4; pixel++) {
    const [red, green, blue, alpha] = bytes.subarray(4 * pixel, 4 * pixel + 4);
    const onWhite = (value) => (channels === 4 ? value : 255 + ((value - 255) * alpha) / 255);
    const colours = [red, green, blue].map(onWhite);
    const grey = 0.299 * colours[0] + 0.587 * colours[1] + 0.114 * colours[2]; // luma of ITU-R 601
    const parts = { 1: [grey], 3: colours, 4: [...colours, alpha] }[channels];
    parts.forEach((part, channel) => (values[pixel * channels + channel] = low + ((high - low) * part) / 255));
  }
  return values;
}

function scratch(width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  return context;
}
