// Downloads that show how far they are, and say in words what went wrong.

/** An error whose message is meant for the person in front of the page. */
export class Trouble extends Error {}

/** Fetches with the options of `fetch`, or throws a Trouble that names `what`. */
async function fetched(url, what, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    const reason = navigator.onLine ? "the server does not answer" : "this device is offline";
    throw new Trouble(`${what} could not be downloaded: ${reason}. Check the connection, then try again.`);
  }
  if (!response.ok) {
    const reason = response.status === 404 ? "the file is not there (404)" : `the server says ${response.status}`;
    throw new Trouble(`${what} could not be downloaded: ${reason}. Is the whole folder on the server?`);
  }
  return response;
}

/** A response whose body reports the bytes that have arrived so far to `progress`. */
export async function download(url, what, progress, options) {
  const response = await fetched(url, what, options);
  let received = 0;
  const counter = new TransformStream({
    transform(chunk, controller) {
      received += chunk.byteLength;
      progress(received);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counter), { headers: { "Content-Type": "application/wasm" } });
}

/** The bytes of a file, a Uint8Array. */
export async function downloadBytes(url, what, progress, options) {
  const response = await download(url, what, progress, options);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new Trouble(`${what} arrived only in part: the connection broke. Try again.`);
  }
}

/** A JSON file. */
export async function downloadJson(url, what) {
  const response = await fetched(url, what);
  try {
    return await response.json();
  } catch {
    throw new Trouble(`${what} is damaged: it is not JSON.`);
  }
}

/**
 * Throws a Trouble unless `bytes` are the file that its description promises. The sha256 can be computed only on https and
 * localhost; elsewhere the size must do. Returns true where the sha256 was compared.
 */
export async function verify(bytes, { file, size, sha256 }) {
  if (bytes.length !== size) throw wrong(file, `it has ${bytes.length} bytes instead of ${size}`);
  if (!crypto.subtle) return false;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== sha256) throw wrong(file, "its sha256 does not match");
  return true;
}

/** The same for a .tflite file, whose first bytes are looked at where its sha256 cannot be. */
export async function check(bytes, description) {
  const verified = await verify(bytes, description);
  if (!verified && String.fromCharCode(...bytes.subarray(4, 8)) !== "TFL3") {
    throw wrong(description.file, "it does not look like a .tflite file");
  }
  return verified;
}

function wrong(file, found) {
  return new Trouble(`${file} is not the file that was exported: ${found}. It may be damaged; export the page again.`);
}
