// Texts that say what an image is to show, as the model reads them: as kerasgan/captions.py makes them.

/** The bytes of a text in UTF-8, ASCII's capital letters as small ones, cut or filled up with zeros to `length`. */
export function bytesOf(text, length) {
  const plain = text
    .replace(/[ \t\r\n]+/g, " ")
    .replace(/^ +| +$/g, "")
    .replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
  const bytes = new Int32Array(length);
  bytes.set(new TextEncoder().encode(plain).slice(0, length));
  return bytes;
}
