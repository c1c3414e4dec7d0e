// A brush: colours, one of them picked from a picture, three sizes; and what strokes of it look like.

const SIZES = { Small: 0.04, Middle: 0.09, Large: 0.18 }; // of the picture's width

/** "#rrggbb" of [red, green, blue]. */
export const hexOf = (colour) => `#${[...colour].map((value) => value.toString(16).padStart(2, "0")).join("")}`;

export class Brush {
  colour;
  size = SIZES.Middle;
  #box;
  #own; // the button of the picked colour
  #pick; // the button that lets a colour be picked
  #changed;

  /** `box` gets the buttons; `changed(picks)` is called when a colour is to be picked, or not any more. */
  constructor(box, changed = () => {}) {
    this.#box = box;
    this.#changed = changed;
  }

  /** Whether the next tap on the picture picks its colour. */
  get isPicking() {
    return this.#pick?.getAttribute("aria-pressed") === "true";
  }

  /** Offers colours, {name: "#rrggbb"}, and where `picks` says so, one that is picked. */
  build(colours, picks) {
    const swatches = Object.entries(colours).map(([name, colour]) => this.#swatch(name, colour));
    const parts = swatches;
    if (picks) {
      this.#own = this.#swatch("Picked colour", "#808080");
      this.#own.hidden = true;
      this.#pick = button("Pick", "Pick a colour from the picture");
      this.#pick.className = "pick";
      this.#pick.addEventListener("click", () => this.#setPicking(!this.isPicking));
      parts.push(this.#own, this.#pick);
    }
    const sizes = Object.entries(SIZES).map(([name, size]) => this.#sized(name, size));
    this.#box.replaceChildren(group("Colour", parts), group("Size of the brush", sizes));
    this.#choose(swatches[0]);
    for (const one of sizes) one.setAttribute("aria-pressed", Number(one.value) === this.size);
  }

  /** Takes a colour, [red, green, blue], that was picked. */
  picked(colour) {
    const text = hexOf(colour);
    this.#own.value = text;
    this.#own.style.background = text;
    this.#own.hidden = false;
    this.#choose(this.#own);
  }

  #swatch(name, colour) {
    const made = button("", name);
    Object.assign(made, { value: colour, className: "swatch", title: name });
    made.style.background = colour;
    made.addEventListener("click", () => this.#choose(made));
    return made;
  }

  #sized(name, size) {
    const made = button("", name);
    Object.assign(made, { value: size, className: "size" });
    made.style.setProperty("--size", `${6 + 110 * size}px`);
    made.addEventListener("click", () => {
      this.size = size;
      for (const one of made.parentElement.children) one.setAttribute("aria-pressed", one === made);
    });
    return made;
  }

  #choose(chosen) {
    this.colour = chosen.value;
    for (const one of this.#box.querySelectorAll(".swatch")) one.setAttribute("aria-pressed", one === chosen);
    this.#setPicking(false);
  }

  #setPicking(picking) {
    this.#pick?.setAttribute("aria-pressed", picking);
    this.#changed(picking);
  }
}

/**
 * Draws strokes. Each is a list of {x, y, colour, size}: places from 0 to 1, the size as a share of the width; what
 * counts for colour and size is the first.
 */
export function stroke(context, strokes, width, height) {
  Object.assign(context, { lineCap: "round", lineJoin: "round" });
  for (const [first, ...rest] of strokes) {
    const thickness = Math.max(1, first.size * width);
    Object.assign(context, { strokeStyle: first.colour, fillStyle: first.colour, lineWidth: thickness });
    context.beginPath(); // a tap is a dot
    context.arc(first.x * width, first.y * height, thickness / 2, 0, 2 * Math.PI);
    context.fill();
    context.beginPath();
    context.moveTo(first.x * width, first.y * height);
    for (const { x, y } of rest) context.lineTo(x * width, y * height);
    context.stroke();
  }
}

function button(text, label) {
  const made = document.createElement("button");
  made.textContent = text;
  made.setAttribute("aria-label", label);
  made.setAttribute("aria-pressed", false);
  return made;
}

function group(label, parts) {
  const made = document.createElement("div");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  made.append(...parts);
  return made;
}
