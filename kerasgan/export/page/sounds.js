// Sounds: drawn as waveforms, played through Web Audio, saved as WAV.

const [HEIGHT, WIDTH] = [512, 1024]; // pixels of a waveform
const COLOUR = [124, 99, 255]; // to be seen on light and dark ground
const LINE = 3; // pixels that a waveform is high where it is silent
const RATES = [8000, 96000]; // that every browser plays, in Hz

/** What is wrong with the description of sounds, in words; null when nothing is. */
export function problem({ shape, sample_rate: rate }) {
  if (shape.length !== 3 || shape[0] !== 1 || ![1, 2].includes(shape[2])) {
    return `Its output has the shape ${shape.join("×")}; expected one sound, mono or stereo.`;
  }
  if (rate >= RATES[0] && rate <= RATES[1]) return null;
  return `It makes sounds of ${rate} Hz; browsers play ${RATES.join(" to ")} Hz.`;
}

export const smallSize = () => [96, 96];

export const isTransparent = () => false;

/** In Hz. */
export const rateOf = (output) => output.sample_rate;

/** The samples of each channel. */
export function channelsOf({ shape, range }, values) {
  const [length, count] = shape.slice(1);
  const [low, high] = range ?? [-1, 1];
  const scaled = (value) => Math.min(1, Math.max(-1, (2 * (value - low)) / (high - low) - 1));
  return Array.from({ length: count }, (_, channel) =>
    Float32Array.from({ length }, (_, i) => scaled(values[i * count + channel])),
  );
}

/** The ImageData of waveforms, one channel below the other, from the first sample at the left to the last one. */
export function draw(output, values) {
  const channels = channelsOf(output, values);
  const pixels = new Uint8ClampedArray(4 * WIDTH * HEIGHT);
  const lane = HEIGHT / channels.length;
  channels.forEach((samples, number) => {
    for (let column = 0; column < WIDTH; column++) {
      const [least, greatest] = extremes(samples, column);
      const row = (value) => lane * (number + 0.5) - value * (lane / 2 - LINE);
      fill(pixels, column, row(greatest) - LINE / 2, row(least) + LINE / 2);
    }
  });
  return new ImageData(pixels, WIDTH, HEIGHT);
}

/** Least and greatest sample of a column, up to the first one of the next, so that the line has no gaps. */
function extremes(samples, column) {
  const first = Math.floor((column * samples.length) / WIDTH);
  const last = Math.min(samples.length - 1, Math.floor(((column + 1) * samples.length) / WIDTH));
  const part = samples.subarray(first, last + 1);
  return [Math.min(...part), Math.max(...part)];
}

/** Colours a column between two rows; those that are covered in part are more transparent. */
function fill(pixels, column, top, bottom) {
  for (let row = Math.max(0, Math.floor(top)); row < Math.min(HEIGHT, bottom); row++) {
    const covered = Math.min(bottom, row + 1) - Math.max(top, row);
    pixels.set([...COLOUR, 255 * covered], 4 * (row * WIDTH + column));
  }
}

/** A sound as a WAV file of 16 bits. */
export async function file(name, _, output, values) {
  const channels = channelsOf(output, values);
  const [length, count] = [channels[0].length, channels.length];
  const view = new DataView(new ArrayBuffer(44 + 2 * length * count));
  const text = (place, letters) => [...letters].forEach((letter, i) => view.setUint8(place + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, view.byteLength - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // whole numbers
  view.setUint16(22, count, true);
  view.setUint32(24, output.sample_rate, true);
  view.setUint32(28, 2 * count * output.sample_rate, true);
  view.setUint16(32, 2 * count, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * length * count, true);
  channels.forEach((samples, channel) =>
    samples.forEach((value, i) => {
      view.setInt16(44 + 2 * (i * count + channel), Math.min(32767, Math.round(32768 * value)), true);
    }),
  );
  return new File([view], `${name}.wav`, { type: "audio/wav" });
}

/** Plays one sound at a time, and tells when it begins and ends. */
export class Player {
  #context = null;
  #source = null;
  #changed;

  /** `changed(seconds)` is called when a sound begins, `changed(0)` when it is over. */
  constructor(changed) {
    this.#changed = changed;
  }

  get playing() {
    return this.#source !== null;
  }

  /** To be called while a finger or a key is at work: browsers let no page make a sound by itself. */
  unlock() {
    this.#context ??= new AudioContext();
    if (this.#context.state !== "running") this.#context.resume().catch((error) => console.debug(error));
  }

  /** Plays channels of samples at their own rate, which the browser turns into that of the device. */
  play(channels, rate) {
    this.stop();
    const buffer = this.#context.createBuffer(channels.length, channels[0].length, rate);
    channels.forEach((samples, channel) => buffer.copyToChannel(samples, channel));
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#context.destination);
    source.onended = () => source === this.#source && this.stop();
    source.start();
    this.#source = source;
    this.#changed(buffer.duration);
  }

  stop() {
    const source = this.#source;
    if (!source) return;
    this.#source = null;
    source.stop();
    source.disconnect();
    this.#changed(0);
  }
}
