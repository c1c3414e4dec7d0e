// What this page can feed to a model and what it can show: one entry a kind. Everything else asks here.

import { bytesOf } from "./captions.js";
import * as clips from "./clips.js";
import { cropped, leaves, numbers } from "./given.js";
import { plane } from "./latents.js";
import * as pictures from "./pictures.js";
import * as rolls from "./rolls.js";
import * as sounds from "./sounds.js";
import * as strokes from "./strokes.js";
import * as texts from "./texts.js";
import * as volumes from "./volumes.js";

/**
 * Kinds of input. Each takes the input's description, its number among the model's inputs and a seed, and returns a
 * function from what is chosen on the page, `{label, text, at: [x, y], picture, lines}`, to the input's values.
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
  text(input) {
    return ({ text }) => bytesOf(text, input.length);
  },
  strokes(input) {
    return ({ lines }) => strokes.rowsOf(input, lines);
  },
  tokens(input) {
    return () => new Float32Array(elements(input.shape)); // none: the model begins itself
  },
};

/**
 * Kinds of output: modules with `problem`, `smallSize`, `isTransparent`, `draw` and `file`. What can be heard has
 * `channelsOf` and `rateOf`, too. What can be turned around has `FIRST_TURN`, and `draw` takes the angle, in radians.
 * What moves has `viewAt`, from the description and the seconds since it began to what `draw` takes, or to null where
 * it has come to its end. What goes on from a person's lines has `paperOf`, and `draw` takes the lines, too. `HINT`
 * says what the latent plane is for, where that is particular.
 */
const OUTPUTS = {
  image: pictures,
  audio: sounds,
  music: rolls,
  volume: volumes,
  sketch: strokes,
  video: clips,
  text: texts,
};

export const elements = (shape) => shape.reduce((product, size) => product * size, 1);

/** The input of a kind, or undefined. */
export const inputOf = (model, kind) => model.inputs.find((input) => input.kind === kind);

/** How a model's output is shown and saved: the functions of its kind. */
export const outputOf = (model) => OUTPUTS[model.output.kind];

/** Why this page cannot run a model, in words; null when it can. */
export function unsupported(model) {
  const known =
    "This page knows latents, classes, images, strokes and tokens as input, " +
    "images, clips, sounds, music, volumes, sketches and texts as output";
  for (const input of model.inputs) {
    if (!Object.hasOwn(INPUTS, input.kind)) return `It takes “${input.kind}”. ${known}.`;
    const problem = input.kind === "image" && pictures.problem(input, "input");
    if (problem) return problem;
  }
  if (!Object.hasOwn(OUTPUTS, model.output.kind)) return `It makes “${model.output.kind}”. ${known}.`;
  return outputOf(model).problem(model.output);
}

/** The picture that a model was given, as it saw it: an ImageData; null for a model that takes none. */
export function given(model, inputs) {
  const input = inputOf(model, "image");
  return input ? pictures.draw(input, inputs[input.name]) : null;
}

/** Whether lines that a person has drawn fit into what a model takes. */
export function hasRoom(model, lines) {
  const input = inputOf(model, "strokes");
  return !input || strokes.hasRoom(input, lines);
}

/** The sample that a model has made: where it goes on from lines, it begins with these. */
export function sampleOf(model, inputs, values) {
  const input = inputOf(model, "strokes");
  return input ? strokes.joined(inputs[input.name], values) : values;
}

/** A function from `{label, at, picture, lines}` to the values of all inputs by name, for the samples around one seed. */
export function feeder(model, seed) {
  const parts = model.inputs.map((input, number) => [input.name, INPUTS[input.kind](input, number, seed)]);
  return (choice) => Object.fromEntries(parts.map(([name, values]) => [name, values(choice)]));
}

/**
 * What a sample shows, an ImageData: at an angle where it can be turned around, one moment of what moves, with the lines
 * that a person began it with. Throws when it holds numbers that no sample can have.
 */
export function shown(model, values, view = outputOf(model).FIRST_TURN, lines = []) {
  if (!values.every(Number.isFinite)) {
    throw new Error("The model's answer holds values that are not numbers.");
  }
  return outputOf(model).draw(model.output, values, view, lines);
}
