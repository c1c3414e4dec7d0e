// What this page can feed to a model and what it can show: one entry a kind. Everything else asks here.

import { plane } from "./latents.js";
import { cropped, leaves } from "./pictures.js";

/**
 * Kinds of input. Each takes the input's description, its number among the model's inputs and a seed, and returns a
 * function from what is chosen on the page, `{label, at: [x, y], picture}`, to the input's values.
 */
const INPUTS = {
  latents(input, number, seed) {
    const place = plane(input.distribution, elements(input.shape), seed, number);
    return ({ at }) => place(...at);
  },
  labels(input) {
    return ({ label }) => new Int32Array(elements(input.shape)).fill(label);
  },
  image(input, number, seed) {
    const [height, width, channels] = input.shape.slice(1);
    return ({ picture }) => {
      const bytes = picture ? cropped(picture, width, height) : leaves(seed, width, height);
      return numbers(bytes, channels, input.range ?? [0, 1]);
    };
  },
};

/** RGBA bytes as a model takes them: grey, over white (RGB), or with their transparency. */
function numbers(bytes, channels, [low, high]) {
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

/** Kinds of output. Each turns the output's values into what the page shows: an ImageData. */
const OUTPUTS = {
  image(output, values) {
    const [height, width, channels] = output.shape.slice(1);
    const [low, high] = output.range ?? [0, 1];
    const pixels = new Uint8ClampedArray(4 * width * height).fill(255); // rounds and clips what is put into it
    const targets = { 1: [[0, 1, 2]], 3: [[0], [1], [2]], 4: [[0], [1], [2], [3]] }[channels];
    for (let pixel = 0; pixel < width * height; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        const value = (255 * (values[pixel * channels + channel] - low)) / (high - low);
        for (const target of targets[channel]) pixels[4 * pixel + target] = value;
      }
    }
    return new ImageData(pixels, width, height);
  },
};

export const elements = (shape) => shape.reduce((product, size) => product * size, 1);

/** The input of a kind, or undefined. */
export const inputOf = (model, kind) => model.inputs.find((input) => input.kind === kind);

/** Why this page cannot run a model, in words; null when it can. */
export function unsupported(model) {
  const known = "This page knows latents, classes and images as input and images as output";
  for (const input of model.inputs) {
    if (!Object.hasOwn(INPUTS, input.kind)) return `It takes “${input.kind}”. ${known}.`;
    if (input.kind === "image" && !isOneImage(input.shape)) {
      return `Its input has the shape ${input.shape.join("×")}; expected one grey, RGB or RGBA image.`;
    }
  }
  if (!Object.hasOwn(OUTPUTS, model.output.kind)) return `It makes “${model.output.kind}”. ${known}.`;
  const { shape } = model.output;
  if (!isOneImage(shape)) {
    return `Its output has the shape ${shape.join("×")}; expected one grey, RGB or RGBA image.`;
  }
  return null;
}

const isOneImage = (shape) => shape.length === 4 && shape[0] === 1 && [1, 3, 4].includes(shape[3]);

/** The picture that a model was given, as it saw it: an ImageData; null for a model that takes none. */
export function given(model, inputs) {
  const input = inputOf(model, "image");
  return input ? OUTPUTS.image(input, inputs[input.name]) : null;
}

/** A function from `{label, at, picture}` to the values of all inputs by name, for the samples around one seed. */
export function feeder(model, seed) {
  const parts = model.inputs.map((input, number) => [input.name, INPUTS[input.kind](input, number, seed)]);
  return (choice) => Object.fromEntries(parts.map(([name, values]) => [name, values(choice)]));
}

/** What a model's output shows. Throws when it holds numbers that no picture can have. */
export function shown(model, values) {
  if (!values.every(Number.isFinite)) {
    throw new Error("The model's answer holds values that are not numbers.");
  }
  return OUTPUTS[model.output.kind](model.output, values);
}
