// A canvas for models that take a picture: what is drawn on it is what they are given, while it is drawn.

import { Brush, hexOf, stroke } from "./brush.js";
import { Drawing, placeIn } from "./drawing.js";
import { cropped } from "./given.js";

const SIDE = 384; // pixels of the paper, at least: a model is given a smaller picture of it
const PAPER = "#ffffff";
const MOST = 9; // colours of a palette
const APART = 60; // of two colours of it, in steps of 1/255 along all of red, green and blue
const PLAIN = { Black: "#1b1b1b", Red: "#d8322a", Yellow: "#f6c93a", Green: "#4a9a47", Blue: "#3a6ec2", White: PAPER };
const NAMES = {
  ...{ Black: [20, 20, 20], Grey: [128, 128, 128], "Light grey": [205, 205, 205], White: [255, 255, 255] },
  ...{ Red: [215, 45, 45], Orange: [240, 140, 40], Yellow: [250, 205, 60], Green: [80, 160, 70], Turquoise: [60, 185, 180] },
  ...{ Blue: [60, 110, 200], "Light blue": [150, 200, 240], "Dark blue": [35, 50, 100], Purple: [140, 80, 180] },
  ...{ Pink: [245, 150, 180], Brown: [125, 80, 45], Skin: [240, 195, 150], "Light green": [175, 215, 140] },
};

export class Canvas {
  #box;
  #sheet;
  #pen;
  #brush;
  #drawing;
  #ground = null; // what is drawn on: a bitmap or a canvas; null is blank paper
  #changed;

  /** `box` holds the paper and what belongs to it; `changed()` is called when the picture has. */
  constructor(box, changed) {
    this.#box = box;
    this.#changed = changed;
    [this.#sheet, this.#pen] = [box.querySelector("canvas"), box.querySelector(".pen")];
    this.#brush = new Brush(box.querySelector(".brush"));
    this.#drawing = new Drawing({
      paper: () => this.#paper(),
      drawn: (lines) => this.#show(lines),
      changed: () => this.#show(this.#drawing.lines),
    });
    const tap = (name, action) => box.querySelector(name).addEventListener("click", action);
    tap(".undo", () => this.#drawing.undo());
    tap(".clear", () => this.#drawing.clear());
    tap(".blank", () => this.start(null));
    this.#listen();
  }

  /** The paper, which is the picture that a model is given; null while it is put away. */
  get picture() {
    return this.#box.hidden ? null : this.#sheet;
  }

  /** Brings the paper, in the proportions of an input, with the colours of `examples`, bitmaps, if there are some. */
  open({ shape }, ground, examples) {
    const [height, width] = shape.slice(1);
    const scale = Math.ceil(SIDE / Math.max(width, height));
    Object.assign(this.#sheet, { width: scale * width, height: scale * height });
    this.#brush.build(examples.length ? palette(examples, width, height) : PLAIN, false);
    this.#box.hidden = false;
    this.start(ground);
    this.#showPen();
  }

  /** Puts the paper away. */
  close() {
    this.#box.hidden = true;
    this.#ground = null;
    this.#drawing.reset();
  }

  /** Takes other paper: a picture, or, with null, a blank sheet. */
  start(ground) {
    const { width, height } = this.#sheet;
    this.#ground = ground && new ImageData(cropped(ground, width, height), width, height);
    this.#drawing.reset();
    this.#show([]);
  }

  #paper() {
    const { colour, size } = this.#brush;
    return { at: ([x, y]) => ({ x, y, colour, size }), draw: (lines) => lines };
  }

  #show(lines) {
    const { width, height } = this.#sheet;
    const context = this.#sheet.getContext("2d", { willReadFrequently: true });
    if (this.#ground) context.putImageData(this.#ground, 0, 0);
    context.globalCompositeOperation = this.#ground ? "destination-over" : "source-over";
    context.fillStyle = PAPER;
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "source-over";
    stroke(context, lines, width, height);
    this.#changed();
  }

  #listen() {
    const sheet = this.#sheet;
    const placeOf = (event) => placeIn(sheet, event);
    sheet.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary) return;
      sheet.setPointerCapture(event.pointerId);
      this.#drawing.down(placeOf(event));
      this.#drawing.move(placeOf(event)); // a tap is a dot
    });
    sheet.addEventListener("pointermove", (event) => {
      if (!event.isPrimary || !this.#drawing.isDown || !sheet.hasPointerCapture(event.pointerId)) return;
      const all = event.getCoalescedEvents?.() ?? [];
      for (const each of all.length ? all : [event]) this.#drawing.move(placeOf(each));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      sheet.addEventListener(end, (event) => event.isPrimary && this.#drawing.up());
    }
    sheet.addEventListener("keydown", (event) => {
      if (!this.#drawing.press(event.key)) return;
      event.preventDefault();
      this.#showPen();
    });
  }

  #showPen() {
    const [x, y] = this.#drawing.pen;
    Object.assign(this.#pen.style, { left: `${100 * x}%`, top: `${100 * y}%` });
    this.#pen.classList.toggle("down", this.#drawing.isDown);
  }
}

/** The colours that pictures have most of, {name: "#rrggbb"}, those that are alike only once, between black and white. */
function palette(pictures, width, height) {
  const counts = new Map();
  for (const each of pictures) count(cropped(each, width, height), counts);
  const found = [[27, 27, 27], [255, 255, 255]];
  const often = [...counts.values()].sort((a, b) => b.count - a.count);
  for (const { count, sum } of often) {
    const colour = sum.map((value) => Math.round(value / count));
    if (found.length < MOST && found.every((other) => difference(colour, other) > APART)) found.push(colour);
  }
  const named = {};
  const [black, white, ...others] = found;
  for (const colour of [black, ...others, white]) named[nameOf(colour, named)] = hexOf(colour);
  return named;
}

/** Counts the colours of RGBA bytes, in boxes of 32 steps a side: {key: {count, sum: [red, green, blue]}}. */
function count(bytes, counts) {
  for (let i = 0; i < bytes.length; i += 4) {
    if (bytes[i + 3] < 250) continue;
    const colour = [...bytes.subarray(i, i + 3)];
    const key = colour.map((value) => value >> 5).join();
    const known = counts.get(key) ?? { count: 0, sum: [0, 0, 0] };
    counts.set(key, { count: known.count + 1, sum: known.sum.map((value, k) => value + colour[k]) });
  }
}

const difference = (one, other) => Math.hypot(...one.map((value, i) => value - other[i]));

/** What a person calls a colour, with a number where another one is called the same. */
function nameOf(colour, taken) {
  const [[name]] = Object.entries(NAMES).sort((a, b) => difference(colour, a[1]) - difference(colour, b[1]));
  let number = 1;
  const called = () => (number === 1 ? name : `${name} ${number}`);
  while (called() in taken) number++;
  return called();
}
