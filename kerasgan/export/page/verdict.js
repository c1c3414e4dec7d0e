// How strange a picture is: a sentence, a bar, and a switch that shows where.

import { sentenceOf } from "./scores.js";

export class Verdict {
  #section;
  #toggle;

  /** `section` holds a sentence, a bar, a switch and a warning; `switched()` is called when the switch is. */
  constructor(section, switched) {
    this.#section = section;
    this.#toggle = section.querySelector("input");
    this.#toggle.addEventListener("change", switched);
  }

  /** Whether a person wants to see where a picture is strange. */
  get wantsMap() {
    return this.#toggle.checked;
  }

  /** Makes room for what a model says, with its warning; the sentence comes with the first picture. */
  build(warning) {
    this.#part(".sentence").textContent = "";
    this.#part(".bar").hidden = this.#toggle.parentElement.hidden = true;
    this.#part(".warning").textContent = warning ?? "";
    this.#part(".warning").hidden = !warning;
  }

  /** Says what a model found, as `judged` has it. */
  show(found) {
    this.#part(".sentence").textContent = sentenceOf(found);
    this.#part(".bar").hidden = found.quantile === null;
    this.#part(".bar div").style.width = `${100 * (found.quantile ?? 0)}%`;
    this.#toggle.parentElement.hidden = !found.map;
  }

  #part(selector) {
    return this.#section.querySelector(selector);
  }
}
