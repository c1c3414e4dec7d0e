// Music: piano rolls, drawn, played as simple tones, saved as MIDI.

const [STEP, PITCH] = [16, 8]; // pixels of a cell
const COLOURS = [[31, 119, 180], [214, 39, 40], [44, 160, 44], [148, 103, 189], [255, 127, 14], [23, 190, 207]];
const BAR_LINE = [128, 128, 128, 110];
const RATE = 22050; // Hz of what is played
const HARMONICS = [1, 0.5, 0.25, 0.12]; // of a tone
const FADE = 0.02; // seconds in which it begins and ends
const LOUD = 0.9; // of full scale, the loudest moment
const TICKS = 480; // of a MIDI file, a quarter note
const [VELOCITY, DRUMS] = [80, 9];

/** What is wrong with the description of music, in words; null when nothing is. */
export function problem({ shape, steps_per_second: speed, tracks }) {
  if (shape.length !== 4 || shape[0] !== 1 || shape[3] !== tracks?.length) {
    return `Its output has the shape ${shape.join("×")}; expected one piano roll of its tracks.`;
  }
  return speed > 0 ? null : "It does not say how long a step is.";
}

export const smallSize = () => [96, 96];

export const isTransparent = () => false;

export const rateOf = () => RATE;

/** The notes of a roll: {track, begin, end, pitch}, steps from 0 on and places of pitches; equal neighbours are one. */
export function notesOf({ shape, monophonic }, values) {
  const [steps, pitches, tracks] = shape.slice(1);
  const at = (step, pitch, track) => values[(step * pitches + pitch) * tracks + track];
  const notes = [];
  for (let track = 0; track < tracks; track++) {
    const sounding = new Map(); // pitch -> note
    for (let step = 0; step < steps; step++) {
      const column = Array.from({ length: pitches }, (_, pitch) => at(step, pitch, track));
      const heard = monophonic ? surest(column) : column.flatMap((value, pitch) => (value > 0.5 ? [pitch] : []));
      for (const pitch of sounding.keys()) if (!heard.includes(pitch)) sounding.delete(pitch);
      for (const pitch of heard) {
        if (!sounding.has(pitch)) notes.push({ track, begin: step, end: step, pitch });
        sounding.set(pitch, sounding.get(pitch) ?? notes.at(-1));
        sounding.get(pitch).end = step + 1;
      }
    }
  }
  return notes;
}

/** The likeliest pitch of a voice, in a list; none where silence, which has what all others leave, is likelier. */
function surest(column) {
  const most = Math.max(...column);
  const silence = 1 - column.reduce((total, value) => total + value, 0);
  return most > Math.max(0, silence) ? [column.indexOf(most)] : [];
}

/** The ImageData of a roll: time to the right, pitch upwards, a colour a track, the first on top, lines where bars begin. */
export function draw(output, values) {
  const [steps, pitches] = output.shape.slice(1);
  const image = new ImageData(STEP * steps, PITCH * pitches);
  const fill = (left, top, width, height, colour) => {
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) image.data.set(colour, 4 * (y * image.width + x));
    }
  };
  for (let step = 0; step < steps; step += output.steps_per_bar) fill(STEP * step, 0, 1, image.height, BAR_LINE);
  for (const { track, begin, end, pitch } of notesOf(output, values).reverse()) {
    const colour = [...COLOURS[track % COLOURS.length], 255];
    fill(STEP * begin, PITCH * (pitches - 1 - pitch), STEP * (end - begin) - 1, PITCH - 1, colour); // notes stay apart
  }
  return image;
}

/** What is heard, in one channel. */
export function channelsOf(output, values) {
  const place = (step) => Math.round((step * RATE) / output.steps_per_second);
  const total = new Float32Array(place(output.shape[1]) + 1);
  for (const { track, begin, end, pitch } of notesOf(output, values)) {
    const [first, last] = [place(begin), place(end)];
    if (output.programs?.[track] < 0) strike(total, first, last);
    else sing(total, first, last, output.lowest + pitch);
  }
  const loudest = total.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  return [total.map((value) => (LOUD * value) / loudest)];
}

/** Adds a tone of a MIDI pitch: harmonics that the rate can hold, and that fade. */
function sing(total, first, last, pitch) {
  const frequency = 440 * 2 ** ((pitch - 69) / 12);
  const levels = HARMONICS.filter((_, i) => (i + 1) * frequency < RATE / 2);
  for (let i = first; i < last; i++) {
    const [time, left] = [(i - first) / RATE, (last - 1 - i) / RATE];
    const volume = Math.min(1, time / FADE, left / FADE) * Math.exp(-1.5 * time);
    const angle = 2 * Math.PI * frequency * time;
    total[i] += volume * levels.reduce((sum, level, k) => sum + level * Math.sin((k + 1) * angle), 0);
  }
}

/** Adds a drum: noise that fades at once. */
function strike(total, first, last) {
  for (let i = first; i < last; i++) total[i] += (2 * Math.random() - 1) * Math.exp((-30 * (i - first)) / RATE);
}

/** A roll as a MIDI file: a track of tempo and metre, then one of each track's notes. */
export async function file(name, _, output, values) {
  const quarters = output.steps_per_quarter;
  const tempo = Math.round((1e6 * quarters) / output.steps_per_second); // microseconds a quarter note
  const beats = output.steps_per_bar / quarters;
  const head = [0, 0xff, 0x51, 3, ...bytes(tempo, 3), 0, 0xff, 0x58, 4, beats, 2, 24, 8];
  const notes = notesOf(output, values);
  const channels = Array.from({ length: 16 }, (_, i) => i).filter((channel) => channel !== DRUMS);
  const tracks = output.tracks.map((title, track) => {
    const program = output.programs?.[track] ?? 0;
    const channel = program < 0 ? DRUMS : (channels.shift() ?? 0);
    const letters = new TextEncoder().encode(title);
    const begun = [0, 0xff, 0x03, ...length(letters.length), ...letters];
    if (program >= 0) begun.push(0, 0xc0 | channel, program);
    const own = notes.filter((note) => note.track === track);
    return chunk("MTrk", [...begun, ...messages(own, channel, output.lowest, TICKS / quarters), ...END]);
  });
  const header = chunk("MThd", [...bytes(1, 2), ...bytes(tracks.length + 1, 2), ...bytes(TICKS, 2)]);
  const content = [...header, ...chunk("MTrk", [...head, ...END]), ...tracks.flat()];
  return new File([new Uint8Array(content)], `${name}.mid`, { type: "audio/midi" });
}

const END = [0, 0xff, 0x2f, 0];

/** Messages that begin and end notes, each behind the ticks since the one before; ends come first. */
function messages(notes, channel, lowest, ticks) {
  const events = notes.flatMap(({ begin, end, pitch }) => [
    { time: Math.round(begin * ticks), message: [0x90 | channel, lowest + pitch, VELOCITY] },
    { time: Math.round(end * ticks), message: [0x80 | channel, lowest + pitch, 0] },
  ]);
  events.sort((a, b) => a.time - b.time || a.message[0] - b.message[0]);
  return events.flatMap(({ time, message }, i) => [...length(time - (events[i - 1]?.time ?? 0)), ...message]);
}

const chunk = (kind, content) => [...new TextEncoder().encode(kind), ...bytes(content.length, 4), ...content];

const bytes = (value, count) => Array.from({ length: count }, (_, i) => (value >>> (8 * (count - 1 - i))) & 0xff);

/** A number of variable length: seven bits a byte, the highest bit set but for the last. */
function length(value) {
  const parts = [value & 0x7f];
  while ((value >>>= 7)) parts.unshift((value & 0x7f) | 0x80);
  return parts;
}
