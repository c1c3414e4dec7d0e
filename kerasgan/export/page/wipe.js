// Before and after: a picture as it was lies over what became of it, up to a line that a finger or arrow keys move.

export class Wipe {
  #box;
  #before;
  #range;
  #line;

  /** `box` holds the picture, a canvas for what was before, the line, and the range that moves it. */
  constructor(box) {
    this.#box = box;
    [this.#before, this.#range, this.#line] = ["#before", "#wipe", "#line"].map((name) => box.querySelector(name));
    this.#range.addEventListener("input", () => this.#move());
  }

  /** Shows an ImageData as what was before, as large as the picture. */
  show(image) {
    Object.assign(this.#before, { width: image.width, height: image.height });
    this.put(image);
    this.#box.style.aspectRatio = `${image.width} / ${image.height}`;
    this.#box.classList.toggle("tall", image.height > image.width);
    this.#toggle(true);
    this.#move();
  }

  /** Another one of the same size, as the next moment of what moves is. */
  put(image) {
    this.#before.getContext("2d").putImageData(image, 0, 0);
  }

  hide() {
    this.#toggle(false);
    this.#box.style.aspectRatio = "";
  }

  #toggle(shown) {
    this.#box.classList.toggle("wiped", shown);
    for (const part of [this.#before, this.#range, this.#line]) part.hidden = !shown;
  }

  #move() {
    const share = Number(this.#range.value);
    this.#before.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    this.#line.style.left = `${share}%`;
  }
}
