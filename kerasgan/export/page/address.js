// Addresses: what is chosen, as the fragment of the page's address, and back. A link to a sample is such an address.

import { floatsOf, FURTHEST, textOf } from "./directions.js";
import { Trouble } from "./downloads.js";
import { beginningProblem, elements, inputOf, whereProblem } from "./kinds.js";

export const LARGEST_SEED = 2 ** 32 - 1;

const HASH = 8; // digits of a file's sha256 that tell one version of a model from another
const STRAY = 10; // latents beyond are no sample's

export function newSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000; // short enough to tell someone
}

/**
 * A choice as a fragment: #name/seed, then /class=3, /text=a%20cat, /where=income:%3E50K, /at=0.5,-0.25, /edit=smile:1.5 where they mean
 * something. Latents that no seed gives are /z= and the float32 numbers in base64url, so that the same pixels come back,
 * with /of= and the start of the model file's sha256: only there they mean what they mean.
 */
export function addressOf(model, { seed, label, text, prefix, where, at, strengths, base }) {
  const parts = [encodeURIComponent(model.name), seed];
  if (inputOf(model, "labels")) parts.push(`class=${label}`);
  if (inputOf(model, "text")) parts.push(`text=${encodeURIComponent(text)}`);
  if (inputOf(model, "tokens") && prefix) parts.push(`prefix=${encodeURIComponent(prefix)}`);
  if (inputOf(model, "condition") && where) parts.push(`where=${where.map(encodeURIComponent).join(":")}`);
  if (at.some(Boolean)) parts.push(`at=${at.join(",")}`);
  const edits = Object.entries(strengths).map(([name, strength]) => `${encodeURIComponent(name)}:${strength}`);
  if (edits.length) parts.push(`edit=${edits.join(",")}`);
  if (base) parts.push(`of=${model.sha256.slice(0, HASH)}`, `z=${textOf(base)}`);
  return `#${parts.join("/")}`;
}

/**
 * What a fragment asks for: {name, changes, problem}, where `problem` says in a sentence what could not be had of it; or
 * null when it asks for nothing. Throws a Trouble for a model that is not there.
 */
export function parseAddress(fragment, models) {
  const [name, seed, ...rest] = fragment.slice(1).split("/");
  if (!name) return null;
  const model = models.find((each) => encodeURIComponent(each.name) === name);
  if (!model) throw new Trouble(`There is no model “${name}” here.`);
  const values = Object.fromEntries(rest.map((part) => part.split("=", 2)));
  const { where, problem: unmet } = whereOf(model, values.where);
  const changes = { base: null, strengths: strengthsOf(values.edit ?? ""), where, ...conditionsOf(model, values) };
  changes.seed = /^\d{1,10}$/.test(seed) ? Math.min(Number(seed), LARGEST_SEED) : newSeed();
  const at = (values.at ?? "").split(",").map(Number);
  if (at.length === 2 && at.every((value) => Math.abs(value) <= 1)) changes.at = at;
  if (values.z === undefined) return { name: model.name, changes, problem: unmet };
  const { base, problem } = latentsOf(model, values);
  return { name: model.name, changes: { ...changes, base }, problem };
}

/** What a model takes besides latents. */
function conditionsOf(model, values) {
  const found = {};
  const [low, high] = inputOf(model, "labels")?.range ?? [0, 0];
  if (/^\d+$/.test(values.class)) found.label = Math.min(high, Math.max(low, Number(values.class)));
  const text = inputOf(model, "text");
  if (text && values.text !== undefined) found.text = decodeURIComponent(values.text).slice(0, text.length);
  const prefix = inputOf(model, "tokens") ? decodeURIComponent(values.prefix ?? "") : "";
  found.prefix = prefix && !beginningProblem(model, prefix) ? prefix : "";
  return found;
}

/** What rows are to have, of "income:%3E50K", or null; and what is wrong with it. */
function whereOf(model, text) {
  const parts = text?.split(":") ?? [];
  if (parts.length !== 2 || !inputOf(model, "condition")) return { where: null };
  const where = parts.map(decodeURIComponent);
  const problem = whereProblem(model, where);
  return problem ? { where: null, problem: `${problem} So these are any rows.` } : { where };
}

/** Strengths by name, of "smile:1.5,dark%20hair:-2"; what is no number is left out, what goes too far is cut. */
function strengthsOf(text) {
  const parts = text.split(",").map((part) => part.split(":", 2));
  const found = parts.filter(([, strength]) => strength?.trim() && Number.isFinite(Number(strength)));
  const cut = (strength) => Math.min(FURTHEST, Math.max(-FURTHEST, Number(strength)));
  return Object.fromEntries(found.map(([name, strength]) => [decodeURIComponent(name), cut(strength)]));
}

/** The latents of a link, or null; and what is wrong with them. */
function latentsOf(model, { z, of }) {
  const count = elements(inputOf(model, "latents")?.shape ?? [0]);
  const instead = "so this is the sample of its seed instead";
  if (z.length > Math.ceil((16 * count) / 3) + 3) {
    return { base: null, problem: `This link holds more than the latents of ${model.name}, ${instead}.` };
  }
  let base;
  try {
    base = floatsOf(z);
  } catch {
    base = new Float32Array(0);
  }
  if (base.length !== count || !base.every((value) => Math.abs(value) <= STRAY)) {
    return { base: null, problem: `This link is damaged: it holds no latents of ${model.name}, ${instead}.` };
  }
  const same = model.sha256.startsWith(of) && of?.length >= HASH;
  const other = `This link is of another version of ${model.name}: its sample may have looked different.`;
  return { base, problem: same ? undefined : other };
}
