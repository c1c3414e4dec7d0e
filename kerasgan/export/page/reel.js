// Frames that are played again and again, with a button that stops them and lets them go on.

export class Reel {
  #button;
  #show = () => {};
  #count = 0;
  #frame = 0;
  #timer = null;
  #pause;

  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => (this.#timer === null ? this.#play() : this.#stop()));
  }

  /**
   * Plays so many frames, `rate` a second, by `show`, which takes the number of one; it stays at the first for people who
   * asked their device for less motion, until they tap the button.
   */
  open(count, rate, show) {
    this.close();
    [this.#count, this.#pause, this.#show] = [count, 1000 / rate, show];
    this.#frame = 0;
    this.#button.hidden = count < 2;
    if (count > 1 && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.#play();
  }

  close() {
    this.#stop();
    this.#button.hidden = true;
  }

  #play() {
    this.#timer = setInterval(() => {
      this.#frame = (this.#frame + 1) % this.#count;
      this.#show(this.#frame);
    }, this.#pause);
    this.#dress();
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.#dress();
  }

  #dress() {
    const playing = this.#timer !== null;
    this.#button.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.#button.classList.toggle("playing", playing);
  }
}
