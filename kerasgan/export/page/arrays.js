// Arrays of a .npz file: a zip of .npy files, as numpy.savez and numpy.savez_compressed write them.

import { checkSum } from "./checksum.js";

const [END, ENTRY, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50]; // what the parts of a zip begin with
const [END_BYTES, LOCAL_BYTES] = [22, 30]; // of these parts, without what has a length of its own
const LONGEST_COMMENT = 0xffff;
const [STORED, DEFLATED] = [0, 8];
const ENCRYPTED = 1;
const MAGIC = "\x93NUMPY";

/** What is wrong with a file, in words that follow its name. */
export class Unfit extends Error {}

const damaged = () => new Unfit("is damaged, or was not written to its end");

/**
 * Arrays of floats by name, each `{shape, strides, values}`: the value at [i, j, ...] is that at the sum of indices times
 * strides. Nothing that takes more than so many bytes is unpacked.
 *
 * Throws an `Unfit` for a file that is not what was expected.
 */
export async function readArrays(file, names, mostBytes) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const view = new DataView(bytes.buffer);
  try {
    const members = membersOf(bytes, view);
    const arrays = {};
    for (const name of names) {
      const member = members.get(`${name}.npy`);
      if (!member) throw new Unfit(`has no array “${name}”`);
      arrays[name] = arrayOf(name, await contentOf(bytes, view, member, mostBytes));
    }
    return arrays;
  } catch (error) {
    if (error instanceof Unfit) throw error;
    console.debug(error); // a place outside of the file, or what cannot be unpacked
    throw damaged();
  }
}

/** What a zip says at its end of the files in it, by their names. */
function membersOf(bytes, view) {
  let end = bytes.length - END_BYTES;
  const first = Math.max(0, end - LONGEST_COMMENT);
  while (end >= first && view.getUint32(end, true) !== END) end--;
  if (end < first) throw new Unfit("is no .npz file, or was not written to its end");
  const members = new Map();
  let place = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(place, true) !== ENTRY) throw damaged();
    const [flags, method] = [8, 10].map((at) => view.getUint16(place + at, true));
    const [sum, packed, size, offset] = [16, 20, 24, 42].map((at) => view.getUint32(place + at, true));
    const [name, ...more] = [28, 30, 32].map((at) => view.getUint16(place + at, true));
    const start = place + 46;
    members.set(text(bytes.subarray(start, start + name)), { flags, method, sum, packed, size, offset });
    place = more.reduce((total, length) => total + length, start + name);
  }
  return members;
}

const text = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

/** The unpacked bytes of a file in a zip, as long as their check sum says that they should be. */
async function contentOf(bytes, view, { flags, method, sum, packed, size, offset }, mostBytes) {
  if (size > mostBytes) throw new Unfit(`unpacks to ${megabytes(size)} an array; up to ${megabytes(mostBytes)} are read`);
  if (flags & ENCRYPTED || ![STORED, DEFLATED].includes(method)) throw new Unfit("is packed in a way that is not known here");
  if (view.getUint32(offset, true) !== LOCAL) throw damaged();
  const [name, extra] = [26, 28].map((at) => view.getUint16(offset + at, true));
  const start = offset + LOCAL_BYTES + name + extra;
  const found = bytes.subarray(start, start + packed);
  const content = method === DEFLATED ? await inflated(found, size) : found;
  if (content.length !== size || checkSum(content) !== sum) throw damaged();
  return content;
}

const megabytes = (bytes) => `${Math.ceil(bytes / 2 ** 20)} MB`;

/** Deflated bytes, unpacked, which are to be of that size. Ends where there are more. */
async function inflated(packed, size) {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const content = new Uint8Array(size);
  for (let place = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return content.subarray(0, place);
    if (place + value.length > size) {
      reader.cancel().catch(() => {});
      throw damaged();
    }
    content.set(value, place);
    place += value.length;
  }
}

/** The array of a .npy file (numpy.lib.format): floats of 16, 32 or 64 bits, in the order of C or of Fortran. */
function arrayOf(name, content) {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (text(content.subarray(0, MAGIC.length)) !== MAGIC) throw damaged();
  const isLong = content[6] > 1; // its version
  const [begin, length] = isLong ? [12, view.getUint32(8, true)] : [10, view.getUint16(8, true)];
  const header = text(content.subarray(begin, begin + length));
  const [, order, kind, size] = /'descr': *'([<>=|]?)(\w)(\d+)'/.exec(header) ?? [];
  if (kind !== "f" || !READERS[size]) throw new Unfit(`has no floats in “${name}”`);
  const shape = /'shape': *\(([\d, ]*)\)/.exec(header)[1].split(",").filter((part) => part.trim()).map(Number);
  const count = shape.reduce((product, side) => product * side, 1);
  if (begin + length + count * size !== content.length) throw damaged();
  const read = READERS[size](view);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = read(begin + length + i * size, order !== ">");
  return { shape, strides: stridesOf(shape, /'fortran_order': *True/.test(header)), values };
}

function stridesOf(shape, isFortran) {
  const strides = shape.map(() => 1);
  for (let i = 1; i < shape.length; i++) {
    const [at, inner] = isFortran ? [i, i - 1] : [shape.length - 1 - i, shape.length - i];
    strides[at] = strides[inner] * shape[inner];
  }
  return strides;
}

/** By the bytes of a float, functions that take a DataView and give one that reads a float in it. */
const READERS = { 2: halves, 4: (view) => view.getFloat32.bind(view), 8: (view) => view.getFloat64.bind(view) };

function halves(view) {
  const known = Float32Array.from({ length: 2 ** 16 }, (_, bits) => half(bits));
  return (place, isLittle) => known[view.getUint16(place, isLittle)];
}

function half(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}
