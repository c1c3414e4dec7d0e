// Sliders: one for each direction that has a name. What it moves follows while it moves.

import { FURTHEST } from "./directions.js";

const STEP = 0.05;

export class Sliders {
  #box;
  #events;
  #rows = new Map(); // name: {range, back}

  /**
   * `box` is where they are put. `moved(strengths)` is called while one moves, with the standard deviations of all by
   * name, and `settled()` when a finger has let go.
   */
  constructor(box, events) {
    this.#box = box;
    this.#events = events;
  }

  /** Takes the place of those of another model. */
  build(named) {
    this.#rows.clear();
    this.#box.replaceChildren(...named.map(({ name }) => this.#row(name)));
  }

  /** Standard deviations by name, without those that are 0. */
  get strengths() {
    const all = [...this.#rows].map(([name, { range }]) => [name, Number(range.value)]);
    return Object.fromEntries(all.filter(([, strength]) => strength));
  }

  set strengths(strengths) {
    for (const [name, { range }] of this.#rows) range.value = strengths[name] ?? 0;
    this.#show();
  }

  /** Moves all of them back to the middle. */
  reset() {
    this.strengths = {};
    this.#moved();
    this.#events.settled();
  }

  #row(name) {
    const row = document.createElement("div");
    const label = document.createElement("label");
    const range = document.createElement("input");
    const back = document.createElement("button");
    const id = `slider-${this.#rows.size}`;
    label.textContent = name.charAt(0).toUpperCase() + name.slice(1);
    label.htmlFor = id;
    Object.assign(range, { id, type: "range", className: "track", min: -FURTHEST, max: FURTHEST, step: STEP, value: 0 });
    range.addEventListener("input", () => this.#moved());
    range.addEventListener("change", () => this.#events.settled());
    back.addEventListener("click", () => {
      range.value = 0;
      this.#moved();
      this.#events.settled();
      range.focus(); // the button is of no use any more
    });
    row.append(label, range, back);
    this.#rows.set(name, { range, back });
    this.#showRow(name);
    return row;
  }

  #moved() {
    this.#show();
    this.#events.moved(this.strengths);
  }

  #show() {
    for (const name of this.#rows.keys()) this.#showRow(name);
  }

  #showRow(name) {
    const { range, back } = this.#rows.get(name);
    const strength = Number(range.value);
    const text = `${strength > 0 ? "+" : strength < 0 ? "−" : ""}${Math.abs(strength).toFixed(2).replace(/\.?0+$/, "")}`;
    range.setAttribute("aria-valuetext", `${text} standard deviations`);
    range.style.setProperty("--share", (strength + FURTHEST) / (2 * FURTHEST));
    back.textContent = text;
    back.classList.toggle("spent", !strength);
    back.setAttribute("aria-label", `${text}: ${name} back to 0`);
  }
}
