// Pictures of any size through a model that enlarges tiles of one size: as kerasgan/tiles.py does it.

const OVERLAP = 16; // pixels that a tile sees on each side beyond those that it is there for, as gan.upscale has it
export const LONGEST = 512; // pixels of a picture's longer side, up to which it is enlarged: phones have the memory

/** How many times larger a model makes pictures, tile by tile; 0 for one that does something else. */
export function scaleOf(input, output) {
  if (output.kind !== "image" || input.shape.length !== 4 || output.shape.length !== 4) return 0;
  const [height, width, channels] = input.shape.slice(1);
  const scale = output.shape[1] / height;
  const fits = output.shape[2] === scale * width && height === width && channels === 3 && output.shape[3] === 3;
  return fits && Number.isInteger(scale) && scale > 1 && height >= 8 ? scale : 0;
}

/** Places start, start + 1, ... of an axis that is mirrored at both ends, again and again. */
function mirrored(start, length, size) {
  return Array.from({ length }, (_, i) => {
    const place = (((start + i) % (2 * size)) + 2 * size) % (2 * size);
    return Math.min(place, 2 * size - 1 - place);
  });
}

/** How much a tile counts along one axis: with its neighbours', 1 everywhere. */
function weights(scale, tile, overlap, reach, isFirst, isLast) {
  const margin = overlap >= reach ? reach : overlap / 2;
  const width = 2 * (overlap - margin);
  const fade = (place) => (width ? Math.min(1, Math.max(0, (place - margin) / width)) : Number(place >= overlap));
  return Float32Array.from({ length: tile * scale }, (_, i) => {
    const place = (i + 0.5) / scale;
    return (isFirst ? 1 : fade(place)) * (isLast ? 1 : fade(tile - place));
  });
}

/**
 * Enlarges a picture tile by tile, from the top to the bottom.
 *
 * `run` takes a tile's values, a Float32Array (tile × tile × 3), and promises those of the larger one, both in [0, 1].
 * Yields `{done, all, top, strip}`: how many tiles there are, and, when a row of them is finished, the ImageData of
 * what is sure to stay, and where it belongs; `strip` is null in between. Memory holds one row of tiles.
 */
export async function* enlarged(run, { data, width, height }, scale, { shape, reach = Infinity }) {
  const tile = shape[1];
  const overlap = Math.min(OVERLAP, Math.floor(tile / 4));
  const step = tile - 2 * overlap;
  const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)];
  const stride = 3 * scale * (columns * step + 2 * overlap);
  const strip = new Float32Array(tile * scale * stride);
  let done = 0;
  for (let row = 0; row < rows; row++) {
    const ys = mirrored(row * step - overlap, tile, height);
    const down = weights(scale, tile, overlap, reach, row === 0, row === rows - 1);
    for (let column = 0; column < columns; column++) {
      const xs = mirrored(column * step - overlap, tile, width);
      const across = weights(scale, tile, overlap, reach, column === 0, column === columns - 1);
      add(strip, stride, 3 * column * step * scale, await run(valuesOf(data, width, ys, xs)), down, across);
      done++;
      if (column < columns - 1) yield { done, all: rows * columns, strip: null };
    }
    // Rows that the next tiles do not reach are finished.
    const first = row === 0 ? overlap * scale : 0;
    const top = Math.max(0, row * step - overlap) * scale;
    const count = Math.min((row === rows - 1 ? tile : step) * scale - first, height * scale - top);
    const left = 3 * overlap * scale;
    const image = imageOf(strip, stride, first, left, width * scale, count);
    yield { done, all: rows * columns, top, strip: image };
    strip.copyWithin(0, step * scale * stride);
    strip.fill(0, 2 * overlap * scale * stride);
  }
}

/** The pixels of a tile, [0, 1], over white where a picture is transparent. */
function valuesOf(data, width, ys, xs) {
  const values = new Float32Array(3 * ys.length * xs.length);
  let at = 0;
  for (const y of ys) {
    for (const x of xs) {
      const pixel = 4 * (y * width + x);
      const alpha = data[pixel + 3] / 255;
      for (let channel = 0; channel < 3; channel++) {
        values[at++] = (255 + (data[pixel + channel] - 255) * alpha) / 255;
      }
    }
  }
  return values;
}

/** Adds a tile to the strip, where it begins `left` values from the left. */
function add(strip, stride, left, larger, down, across) {
  let from = 0;
  for (let y = 0; y < down.length; y++) {
    for (let x = 0, to = y * stride + left; x < across.length; x++) {
      const weight = down[y] * across[x];
      for (let channel = 0; channel < 3; channel++) strip[to++] += weight * larger[from++];
    }
  }
}

/** Rows of the strip from `first` on, `left` values from the left. */
function imageOf(strip, stride, first, left, width, count) {
  const pixels = new Uint8ClampedArray(4 * width * count).fill(255); // rounds and clips what is put into it
  for (let y = 0, to = 0; y < count; y++) {
    let from = (first + y) * stride + left;
    for (let x = 0; x < width; x++, to++) {
      for (let channel = 0; channel < 3; channel++) pixels[to++] = 255 * strip[from++];
    }
  }
  return new ImageData(pixels, width, count);
}
