// Directions of a model's latents, which come in a small file of their own: named ones, and some that painting needs.

import { downloadBytes, Trouble, verify } from "./downloads.js";

export const FURTHEST = 3; // standard deviations: beyond, generators have never been

export const NONE = { named: [], basis: [] };

/**
 * The directions that zoo.json says something `about`, for latents of a length: `named`, a list of {name,
 * deviation, vector}, and `basis`, a list of vectors of length 1 that stand at right angles. Both are empty where it says
 * nothing.
 */
export async function fetchDirections(about, length, signal) {
  if (!about) return NONE;
  const { file } = about;
  const bytes = await downloadBytes(file, file, () => {}, { signal });
  await verify(bytes, about);
  const { named, basis } = JSON.parse(new TextDecoder().decode(bytes));
  const found = { named: named.map((one) => ({ ...one, vector: floatsOf(one.vector) })), basis: rows(basis, length) };
  if ([...found.named.map(({ vector }) => vector), ...found.basis].some((vector) => vector.length !== length)) {
    throw new Trouble(`${file} holds directions of another model. Export the page again.`);
  }
  return found;
}

/** The float32 numbers of a text in base64, or in its form for addresses (base64url). Throws when it is neither. */
export function floatsOf(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  if (bytes.length % 4) throw new RangeError(`${bytes.length} bytes are no whole number of floats`);
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** Numbers as text that addresses can hold: float32, the lowest byte first, in base64url. */
export function textOf(floats) {
  const view = new DataView(new ArrayBuffer(4 * floats.length));
  floats.forEach((value, i) => view.setFloat32(4 * i, value, true));
  const text = btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function rows(text, length) {
  const all = floatsOf(text);
  return Array.from({ length: all.length / length }, (_, i) => all.slice(i * length, (i + 1) * length));
}

/**
 * Latents moved along named directions, as `GAN.edit` does in Python, one direction after the other: `strengths` are
 * standard deviations by name.
 */
export function moved(latents, named, strengths) {
  return named.reduce((values, { name, deviation, vector }) => {
    const far = (strengths[name] ?? 0) * deviation;
    return far ? values.map((value, i) => value + Math.fround(far * vector[i])) : values;
  }, Float32Array.from(latents));
}
