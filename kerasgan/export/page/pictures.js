// Pictures: drawn pixel by pixel, saved as PNG.

import { numbers } from "./given.js";

const LONGEST = 96; // pixels of a small picture's longer side

/** What is wrong with the description of pictures, in words; null when nothing is. */
export function problem({ shape }, side = "output") {
  const right = shape.length === 4 && shape[0] === 1 && [1, 3, 4].includes(shape[3]);
  return right ? null : `Its ${side} has the shape ${shape.join("×")}; expected one grey, RGB or RGBA image.`;
}

/** Height and width of a small one, at most 96 pixels. */
export function smallSize({ shape }) {
  const [height, width] = shape.slice(1);
  const shrink = Math.max(1, Math.ceil(Math.max(height, width) / LONGEST));
  return [Math.ceil(height / shrink), Math.ceil(width / shrink)];
}

export const isTransparent = ({ shape }) => shape[3] === 4;

/** Whether the pixels of enlarged ones keep their edges, unless the model says so itself: those of small sprites do. */
export const isHard = (output) => isTransparent(output) && Math.max(...output.shape.slice(1, 3)) <= LONGEST;

/** The ImageData of a model's values. */
export function draw({ shape, range }, values) {
  const [height, width, channels] = shape.slice(1);
  const [low, high] = range ?? [0, 1];
  const pixels = new Uint8ClampedArray(4 * width * height).fill(255); // rounds and clips what is put into it
  const targets = { 1: [[0, 1, 2]], 3: [[0], [1], [2]], 4: [[0], [1], [2], [3]] }[channels];
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      const value = (255 * (values[pixel * channels + channel] - low)) / (high - low);
      for (const target of targets[channel]) pixels[4 * pixel + target] = value;
    }
  }
  return new ImageData(pixels, width, height);
}

/** Values of a model's range as numbers from -1 to 1. */
export function scaled({ range }, values) {
  const [low, high] = range ?? [0, 1];
  return values.map((value) => (2 * (value - low)) / (high - low) - 1);
}

/** What was painted, RGBA bytes, as a picture from -1 to 1 (`wanted`), and where (`mask`, 1 or 0), value by value. */
export function painted({ shape }, bytes) {
  const channels = shape[3];
  const wanted = numbers(bytes, channels, [-1, 1]);
  return { wanted, mask: Uint8Array.from(wanted, (_, i) => (bytes[4 * Math.floor(i / channels) + 3] > 127 ? 1 : 0)) };
}

/**
 * A canvas that holds a picture, as a PNG that is large enough for other programs not to blur it, or just as it is where
 * its size is what the model is for.
 */
export function file(name, picture, { exact }) {
  const scale = exact ? 1 : Math.max(1, Math.floor(1024 / Math.max(picture.width, picture.height)));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: scale * picture.width, height: scale * picture.height });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const type = "image/png";
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(new File([blob], `${name}.png`, { type }));
      else reject(new RangeError("no memory for the picture"));
    }, type);
  });
}
