// What this page can feed to a model and what it can show: one entry a kind. Everything else asks here.

import * as beginnings from "./beginnings.js";
import { bytesOf } from "./captions.js";
import * as clips from "./clips.js";
import { moved } from "./directions.js";
import * as flows from "./flows.js";
import * as photos from "./given.js";
import { plane, STREAMS, uniformSource } from "./latents.js";
import * as pictures from "./pictures.js";
import * as rolls from "./rolls.js";
import * as scores from "./scores.js";
import * as sounds from "./sounds.js";
import * as strokes from "./strokes.js";
import * as tables from "./tables.js";
import * as texts from "./texts.js";
import { scaleOf } from "./tiles.js";
import * as volumes from "./volumes.js";

/**
 * Kinds of input. Each takes the input's description, its number among the model's inputs, a seed, the model and latents
 * that take the place of the seed's, or null. It returns a function from what is chosen on the page,
 * `{label, text, prefix, where, at: [x, y], strengths, named, picture, clip, sequence, lines}`, to values.
 */
const INPUTS = {
  latents(input, number, seed, model, base) {
    const place = plane(input.distribution, elements(input.shape), seed, number, base);
    return ({ at, named, strengths }) => moved(place(...at), named, strengths);
  },
  labels(input) {
    return ({ label }) => new Int32Array(elements(input.shape)).fill(label);
  },
  image(input, number, seed) {
    const [height, width, channels] = input.shape.slice(1);
    return ({ picture }) => {
      const bytes = picture ? photos.cropped(picture, width, height) : photos.leaves(seed, width, height);
      return photos.numbers(bytes, channels, input.range ?? [0, 1]);
    };
  },
  video(input, number, seed) {
    return ({ clip }) => beginnings.valuesOf(input, clip, seed);
  },
  fields(input) {
    const nothing = () => new Float32Array(elements(input.shape));
    return ({ sequence }) => (sequence ? flows.tileOf(sequence, 0, 0, 0, input.shape[1]) : nothing());
  },
  text(input) {
    return ({ text }) => bytesOf(text, input.length);
  },
  strokes(input) {
    return ({ lines }) => strokes.rowsOf(input, lines);
  },
  tokens(input, number, seed, { output }) {
    return ({ prefix }) => texts.rowsOf(output, prefix);
  },
  condition(input, number, seed) {
    return ({ where }) => tables.conditionOf(input, where, uniformSource(seed, STREAMS * number));
  },
};

/**
 * Kinds of input that a person gives as a file: modules with `ACCEPT`, of the file chooser, `ASK`, which stands on its
 * button, `GIVE` and `STAYS`, the sentences below, `EXAMPLES`, what those of a bundle are called, `faceOf`, from one of
 * them, its number and their count to what stands on its button, and `readGiven`, which promises what a file holds, or
 * throws a Trouble that names it; it takes the description of the input, too.
 */
const GIVEN = { image: photos, fields: flows, video: beginnings };

/**
 * Kinds of output: modules with `problem`, `smallSize`, `isTransparent`, `draw` and `file`. What can be heard has
 * `channelsOf` and `rateOf`, too. What can be turned around has `FIRST_TURN`, and `draw` takes the angle, in radians.
 * What moves has `viewAt`, from the description and the seconds since it began to what `draw` takes, or to null where
 * it has come to its end. Whose pixels keep their edges when they are enlarged has `isHard`. What is painted on has
 * `painted`, from strokes to what is wanted where, and `scaled`, values from -1 to 1. What goes on from a person's lines has `paperOf`, and `draw` takes the lines, too. `HINT`
 * says what the latent plane is for, where that is particular. What is no picture has `WAY`, the page's way with it.
 */
const OUTPUTS = {
  image: pictures,
  audio: sounds,
  music: rolls,
  volume: volumes,
  sketch: strokes,
  video: clips,
  text: texts,
  table: tables,
  score: scores,
  density: flows,
};

export const elements = (shape) => shape.reduce((product, size) => product * size, 1);

/** The input of a kind, or undefined. */
export const inputOf = (model, kind) => model.inputs.find((input) => input.kind === kind);

/** The kind of what a person gives a model as a file, or undefined. */
export const givenKind = (model) => model.inputs.find(({ kind }) => Object.hasOwn(GIVEN, kind))?.kind;

/** How a file of a kind is asked for and read. */
export const givenOf = (kind) => GIVEN[kind];

/** How a model's output is shown and saved: the functions of its kind. */
export const outputOf = (model) => OUTPUTS[model.output.kind];

/** How the page comes from a model to what it shows: "paint" for pictures, "list" for rows, "judge" for scores, "refine" for sequences, "enlarge" for tiles. */
export const wayOf = (model) => (enlarges(model) ? "enlarge" : (outputOf(model)?.WAY ?? "paint"));

/** Whether pixels keep their edges on the screen, as those of sprites do; photographs are smooth. */
export function isHard({ page, output }) {
  return page?.scaling ? page.scaling === "hard" : Boolean(OUTPUTS[output.kind]?.isHard?.(output));
}

/** Why this page cannot run a model, in words; null when it can. */
export function unsupported(model) {
  const known =
    "This page knows latents, classes, images, clips, smoke, strokes, tokens and conditions as input, " +
    "images, clips, sounds, music, volumes, sketches, texts, tables, smoke and scores of pictures as output";
  for (const input of model.inputs) {
    if (!Object.hasOwn(INPUTS, input.kind)) return `It takes “${input.kind}”. ${known}.`;
    const problem = { image: pictures, video: beginnings }[input.kind]?.problem(input, "input");
    if (problem) return problem;
  }
  if (!Object.hasOwn(OUTPUTS, model.output.kind)) return `It makes “${model.output.kind}”. ${known}.`;
  return outputOf(model).problem(model.output, model);
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

/** The sample that a model has made: where it goes on from lines or a text, it begins with these. */
export function sampleOf(model, inputs, values) {
  const given = inputOf(model, "strokes") ?? inputOf(model, "tokens");
  return given ? outputOf(model).joined(inputs[given.name], values) : values;
}

/** Why a model cannot go on from the beginning of a text, in words; null when it can. */
export const beginningProblem = (model, prefix) => outputOf(model).beginningProblem(model.output, prefix);

/** Whether a person can paint on the samples of a model, which then follow: pictures that come from latents. */
export function canPaint(model) {
  return Boolean(outputOf(model)?.painted && inputOf(model, "latents") && !inputOf(model, "image"));
}

/** How many times larger a model makes pictures of any size; 0 for one that does not. */
export function enlarges(model) {
  const input = inputOf(model, "image");
  return input && model.output.kind === "image" ? scaleOf(input, model.output) : 0;
}

/** Why rows with a value cannot be had of a model, in words; null when they can. */
export function whereProblem(model, where) {
  return tables.whereProblem(inputOf(model, "condition") ?? { conditions: [] }, where);
}

/**
 * A function from what is chosen on the page (see `INPUTS`) to the values of all inputs by name, for the samples around
 * one seed, or around latents that take the place of its own. Of rows it is the one with that number.
 */
export function feeder(model, seed, base = null, row = 0) {
  const first = row * (model.inputs.length + 1);
  const fed = (input, number) => [input.name, INPUTS[input.kind](input, first + number, seed, model, base)];
  const parts = model.inputs.map(fed);
  return (choice) => Object.fromEntries(parts.map(([name, values]) => [name, values(choice)]));
}

/** The uniform numbers that decide what is left open by what a model made for a row of a seed. */
export function decisions(model, seed, row) {
  return uniformSource(seed, STREAMS * (row * (model.inputs.length + 1) + model.inputs.length));
}

/**
 * What a sample shows, an ImageData: at an angle where it can be turned around, one moment of what moves, with the lines
 * that a person began it with. Throws when it holds numbers that no sample can have.
 */
export function shown(model, values, view = outputOf(model).FIRST_TURN, lines = []) {
  return outputOf(model).draw(model.output, checked(values), view, lines);
}

/** What a model made. Throws when it holds values that are no numbers. */
export function checked(values) {
  if (!values.every(Number.isFinite)) throw new Error("The model's answer holds values that are not numbers.");
  return values;
}
