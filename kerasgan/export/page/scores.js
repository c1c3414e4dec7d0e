// Scores: how strange a picture is, among normal ones, and where; the picture itself is what is shown.

import { given, inputOf } from "./kinds.js";
import * as pictures from "./pictures.js";

export const WAY = "judge";
const STRONGEST = 0.5; // of all that a place could be strange, from which on it is as red as it can be
const RED = [255, 0, 0];

export const isTransparent = () => false;

/** What is wrong with the description of a model that gives scores, in words; null when nothing is. */
export function problem(_, model) {
  const [input, map] = [inputOf(model, "image"), outputOf(model, "map")];
  if (!input) return "It scores what is no picture.";
  const right = !map || (map.shape.length === 3 && map.shape.every((size, i) => size === input.shape[i]));
  return right ? null : `Its map has the shape ${map.shape.join("×")}; expected one number for each pixel.`;
}

const outputOf = ({ output, outputs }, kind) => (outputs ?? [output]).find((one) => one.kind === kind);

/**
 * What a model says of a picture: {image: the picture, score, quantile, map}; `quantile` is the share of normal ones that
 * are less strange, null where nobody knows; `map` is an ImageData, red where it is strange, as kerasgan saves it, or null.
 */
export function judged(model, inputs, outputs) {
  const valuesOf = (kind) => outputs[outputOf(model, kind)?.name];
  const image = given(model, inputs);
  const places = valuesOf("map");
  const map = places ? reddened(image, places) : null;
  return { image, map, score: valuesOf("score")[0], quantile: valuesOf("quantile")?.[0] ?? null };
}

/** A picture in grey, red where it is strange. */
function reddened({ data, width, height }, places) {
  const pixels = new Uint8ClampedArray(data.length).fill(255);
  for (let pixel = 0; pixel < places.length; pixel++) {
    const strength = Math.min(1, Math.max(0, places[pixel] / STRONGEST));
    const grey = (data[4 * pixel] + data[4 * pixel + 1] + data[4 * pixel + 2]) / 3;
    RED.forEach((full, channel) => (pixels[4 * pixel + channel] = grey + strength * (full - grey)));
  }
  return new ImageData(pixels, width, height);
}

/** What a score means, in a sentence. */
export function sentenceOf({ score, quantile }) {
  if (quantile === null) return `Its score is ${score.toPrecision(3)}; what normal ones have, this model does not know.`;
  const percent = Math.round(100 * quantile);
  const all = { 0: "Less strange than nearly all normal ones", 100: "Stranger than nearly all normal ones" };
  return `${all[percent] ?? `Stranger than ${percent} % of normal ones`}.`;
}

export const file = pictures.file;
