// Drawing on the picture: lines of a finger, of a mouse or of keys.

const STEP = 0.05; // of the picture, that an arrow key moves the pen
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

/** Where an event is in an element: [x, y], from 0 to 1. */
export function placeIn(element, { clientX, clientY }) {
  const box = element.getBoundingClientRect();
  return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
}

/** What a person has drawn. Places on the picture are [x, y], from 0 to 1. */
export class Drawing {
  lines = []; // finished ones, each [[x, y], ...] in units of the paper; a list that changes is a new one
  pen = [0.5, 0.5]; // the place where keys have it
  #line = null; // under way
  #paper = null; // that it is drawn on
  #events;

  /**
   * `paper()` gives the paper as the picture shows it: `at(place)` in its units, and `draw(lines)`, an ImageData.
   * `drawn(image)` is called while a line is drawn, `changed()` when lines have come or gone.
   */
  constructor(events) {
    this.#events = events;
  }

  get isDown() {
    return this.#line !== null;
  }

  down(place) {
    this.#paper = this.#events.paper();
    this.#line = [this.#paper.at(place)];
  }

  move(place) {
    this.#line.push(this.#paper.at(place));
    this.#events.drawn(this.#paper.draw([...this.lines, this.#line]));
  }

  up() {
    const line = this.#line;
    this.#line = null;
    if (line?.length > 1) this.#replace([...this.lines, line]);
  }

  /** Takes a new sheet of paper, without telling anybody. */
  reset() {
    [this.lines, this.#line] = [[], null];
  }

  undo() {
    this.#replace(this.lines.slice(0, -1));
  }

  clear() {
    this.#replace([]);
  }

  /** Arrow keys move the pen, the space bar and Enter put it down and lift it. Returns whether it was such a key. */
  press(key) {
    if (key === " " || key === "Enter") {
      if (this.isDown) this.up();
      else this.down(this.pen);
      return true;
    }
    const arrow = ARROWS[key];
    if (!arrow) return false;
    this.pen = this.pen.map((value, axis) => Math.min(1, Math.max(0, value + arrow[axis])));
    if (this.isDown) this.move(this.pen);
    return true;
  }

  #replace(lines) {
    if (!lines.length && !this.lines.length) return;
    this.lines = lines;
    this.#events.changed();
  }
}
