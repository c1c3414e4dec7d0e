// The strip of models: cards to swipe through, with arrows where a mouse has nothing to swipe with.

/** What a person calls what a model makes: its title; without one, "Digits" of "digits (10 classes), 28x28 grey". */
export function titleOf({ name, makes, page }) {
  if (page?.title) return page.title;
  const text = (makes ?? "").replace(/,\s*\d+x\d+.*$/, "").replace(/\s*\(.*\)$/, "");
  return text ? text.charAt(0).toUpperCase() + text.slice(1) : name;
}

export class Strip {
  #strip;
  #cards;
  #choose;

  /** `strip` holds the cards and two arrows; `choose(name)` is called for a card that is tapped. */
  constructor(strip, models, choose) {
    this.#strip = strip;
    this.#choose = choose;
    this.#cards = strip.querySelector("#models");
    this.show(models);
    const arrows = strip.querySelectorAll(".arrow");
    arrows.forEach((arrow, i) => arrow.addEventListener("click", () => this.#scroll(i ? 1 : -1)));
    this.#cards.addEventListener("scroll", () => this.#showArrows(), { passive: true });
    new ResizeObserver(() => this.#showArrows()).observe(this.#cards);
  }

  /** Shows cards of models; the one that was marked stays so, and what is in sight stays in sight. */
  show(models) {
    const marked = this.#cards.querySelector("[aria-pressed=true]")?.value;
    const shown = models.filter(({ of }) => !of); // a translator's other direction has no card of its own
    const names = shown.map(titleOf);
    const isAlone = (title) => names.filter((each) => each === title).length === 1;
    this.#cards.replaceChildren(...shown.map((model) => card(model, isAlone(titleOf(model)), this.#choose)));
    this.#strip.hidden = shown.length < 2;
    if (marked) this.mark(marked);
    this.#showArrows();
  }

  /** Marks the card of the chosen model, and brings it into sight. */
  mark(name) {
    for (const button of this.#cards.children) {
      const pressed = button.value === name;
      button.setAttribute("aria-pressed", pressed);
      if (pressed) this.#cards.scrollLeft = button.offsetLeft - (this.#cards.clientWidth - button.offsetWidth) / 2;
    }
  }

  #scroll(direction) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#cards.scrollBy({ left: 0.8 * direction * this.#cards.clientWidth, behavior: calm ? "instant" : "smooth" });
  }

  #showArrows() {
    const { scrollLeft, clientWidth, scrollWidth } = this.#cards;
    const [back, on] = this.#strip.querySelectorAll(".arrow");
    back.classList.toggle("spent", scrollLeft < 2);
    on.classList.toggle("spent", scrollLeft > scrollWidth - clientWidth - 2);
  }
}

/** A small picture and a title; where others have the same, with the model's own name, too. */
function card(model, isAlone, choose) {
  const button = document.createElement("button");
  Object.assign(button, { value: model.name, title: model.name });
  const title = document.createElement("span");
  title.textContent = isAlone ? titleOf(model) : model.name;
  button.append(face(model), title);
  button.addEventListener("click", () => choose(model.name));
  return button;
}

/** The small picture of a model, or the first letter of its title. */
function face(model) {
  if (model.thumbnail) {
    const image = new Image(56, 56);
    Object.assign(image, { src: model.thumbnail.file, alt: "", className: model.page?.scaling ?? "" });
    return image;
  }
  const letter = document.createElement("b");
  letter.textContent = titleOf(model).slice(0, 1);
  letter.setAttribute("aria-hidden", "true");
  return letter;
}
