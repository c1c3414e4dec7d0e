// Samples that a person has kept, in this browser's storage: a row to take them from, to mix two, and to pass them on.

import { textOf, floatsOf } from "./directions.js";

const LONGEST = 96; // pixels of a small picture's longer side
const PLACE = `kerasgan kept ${new URL("./", location).pathname}`; // other pages of this host keep their own
const OF = ["model", "z", "label", "text", "prefix"]; // what tells samples apart, besides strengths

const $ = (selector) => document.querySelector(selector);

/**
 * A kept sample is {model, hash, seed, label, text, prefix, strengths, z, picture}: `hash` is the start of the model
 * file's sha256, `z` its latents, before they are moved by strengths, as `textOf` writes them, `picture` a data: URL.
 */
export class Kept {
  #events;
  #all = [];
  #shown = null; // the sample on the picture; null for one that cannot be kept
  #chosen = null; // one that was taken, and is what the buttons are about
  #other = null; // that it is mixed with
  #pairing = false; // whether the next one that is tapped becomes the other
  #mix = null; // the latents of the newest mixture

  /**
   * `take(sample)` is called for one that is tapped, `mix(sample)` for a mixture, a sample without a picture; `blend(model,
   * z, other, share)` gives the latents between two; `share(sample)` passes one on; `say(text)` tells what went wrong.
   */
  constructor(events) {
    this.#events = events;
    this.#all = this.#read();
    $("#keep").addEventListener("click", () => this.#toggle());
    $("#mix-with").addEventListener("click", () => this.#pair());
    $("#link").addEventListener("click", () => this.#events.share(this.#chosen));
    $("#forget").addEventListener("click", () => this.#remove(this.#chosen));
    $("#mix input").addEventListener("input", () => this.#blend());
    addEventListener("storage", ({ key }) => key === PLACE && this.#again());
    this.#build();
  }

  /** Says which sample is on the picture now; null for one that cannot be kept. */
  show(sample) {
    this.#shown = sample;
    const found = sample && this.#find(sample);
    if (!this.#mix || sample?.z !== this.#mix) [this.#chosen, this.#other, this.#mix] = [found ?? null, null, null];
    if (!this.#chosen) this.#pairing = false;
    this.#mark();
  }

  #toggle() {
    if (!this.#shown) return;
    const found = this.#find(this.#shown);
    if (found) return this.#remove(found);
    this.#all = [{ ...this.#shown, picture: small($("#picture")) }, ...this.#all];
    this.#write();
    this.#build();
    this.show(this.#shown);
    $("#row").scrollLeft = 0;
  }

  #remove(sample) {
    const had = document.activeElement?.closest("#kept");
    this.#all = this.#all.filter((each) => each !== sample);
    [this.#chosen, this.#other, this.#mix] = [null, null, null];
    this.#write();
    this.#build();
    this.show(this.#shown);
    if (had) ($("#row button") ?? $("#keep")).focus();
  }

  #pair() {
    this.#pairing = !this.#pairing;
    [this.#other, this.#mix] = [null, null];
    this.#mark();
  }

  #tap(sample) {
    const { model } = this.#chosen ?? {};
    if (!this.#pairing || sample === this.#chosen) return this.#events.take(sample);
    if (sample.model !== model || sample.z.length !== this.#chosen.z.length) {
      return ($("#kept .hint").textContent = `Only samples of one model mix: choose one of ${model}.`);
    }
    [this.#other, this.#pairing] = [sample, false];
    $("#mix input").value = 50;
    this.#blend();
    this.#mark();
    $("#mix input").focus();
  }

  #blend() {
    const [one, other] = [this.#chosen, this.#other];
    const share = Number($("#mix input").value) / 100;
    $("#mix input").style.setProperty("--share", share);
    const names = Object.keys({ ...one.strengths, ...other.strengths });
    const at = (name) => (1 - share) * (one.strengths[name] ?? 0) + share * (other.strengths[name] ?? 0);
    const edits = names.map((name) => [name, Math.round(100 * at(name)) / 100]);
    const strengths = Object.fromEntries(edits.filter(([, strength]) => strength));
    this.#mix = textOf(this.#events.blend(one.model, floatsOf(one.z), floatsOf(other.z), share));
    this.#events.mix({ ...(share < 0.5 ? one : other), strengths, z: this.#mix });
  }

  #find(sample) {
    const edits = (one) => JSON.stringify(Object.entries(one.strengths).sort());
    return this.#all.find((one) => OF.every((key) => one[key] === sample[key]) && edits(one) === edits(sample));
  }

  #build() {
    const buttons = this.#all.map((sample, i) => {
      const button = document.createElement("button");
      button.append(Object.assign(new Image(), { src: sample.picture, alt: "" }));
      button.setAttribute("aria-label", `Kept sample ${i + 1} of ${this.#all.length}, of ${sample.model}`);
      button.addEventListener("click", () => this.#tap(sample));
      return button;
    });
    $("#row").replaceChildren(...buttons);
    $("#kept").hidden = !buttons.length;
  }

  #mark() {
    const kept = Boolean(this.#shown && this.#find(this.#shown));
    $("#keep").hidden = !this.#shown;
    $("#keep").setAttribute("aria-pressed", kept);
    [...$("#row").children].forEach((button, i) => {
      const sample = this.#all[i];
      button.setAttribute("aria-pressed", sample === this.#chosen || sample === this.#other);
    });
    $("#kept-tools").hidden = !this.#chosen;
    $("#mix-with").setAttribute("aria-pressed", this.#pairing);
    $("#mix").hidden = !this.#other;
    $("#link").hidden = $("#forget").hidden = Boolean(this.#other); // of which of the two?
    if (this.#other) {
      $("#mix .one").src = this.#chosen.picture;
      $("#mix .other").src = this.#other.picture;
    }
    const hint = this.#pairing ? "Tap another one to mix them." : this.#other ? "Keep the mixture by the heart." : "";
    $("#kept .hint").textContent = this.#chosen ? hint : "Tap one to bring it back.";
  }

  #again() {
    this.#all = this.#read();
    this.#build();
    this.show(this.#shown);
  }

  #read() {
    try {
      const all = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
      return all.filter(isSample);
    } catch (error) {
      console.debug(error); // forbidden, or not ours
      return [];
    }
  }

  #write() {
    try {
      localStorage.setItem(PLACE, JSON.stringify(this.#all));
    } catch (error) {
      const full = error.name === "QuotaExceededError";
      const reason = full ? "has no room to keep more: remove some" : "does not let pages keep things";
      this.#events.say(`This browser ${reason}; what is not kept is gone when the page is closed.`);
    }
  }
}

/** Whether something in the storage is what was written there. */
function isSample(one) {
  const texts = [one?.model, one?.hash, one?.text, one?.prefix, one?.z, one?.picture];
  const numbers = [one?.seed, one?.label, ...Object.values(one?.strengths ?? { none: NaN })];
  return (
    texts.every((text) => typeof text === "string") &&
    numbers.every(Number.isFinite) &&
    one.picture.startsWith("data:image/")
  );
}

/** A canvas, made small, as a data: URL of some kilobytes. */
function small(canvas) {
  const scale = Math.min(1, LONGEST / Math.max(canvas.width, canvas.height));
  const [width, height] = [canvas.width, canvas.height].map((side) => Math.max(1, Math.round(scale * side)));
  const made = Object.assign(document.createElement("canvas"), { width, height });
  const context = made.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, width, height);
  return made.toDataURL("image/webp", 0.85); // PNG where a browser cannot write it
}
