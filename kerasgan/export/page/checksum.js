// The CRC-32 that PNG and zip files have (RFC 2083, annex D).

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

/** The check sum of bytes, a whole number of 32 bits. */
export function checkSum(bytes) {
  let sum = 0xffffffff;
  for (let place = 0; place < bytes.length; place++) sum = TABLE[(sum ^ bytes[place]) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}
