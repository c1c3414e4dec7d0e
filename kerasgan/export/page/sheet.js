// Rows of a table on the page: the table, and what they are to have.

import { columnsOf, isNumeric, textOf, whereProblem } from "./tables.js";

const ANY = "any"; // of the values of the selects, which are numbers otherwise

export class Sheet {
  #place;

  /** `place` is the element that the table is put into. */
  constructor(place) {
    this.#place = place;
  }

  /** Shows rows, {column: value} each, of a model's output. */
  show(output, rows) {
    const columns = columnsOf(output);
    const head = row(columns.map((column) => cell("th", column.name, { scope: "col", className: alignment(column) })));
    const lines = rows.map((values) => row(columns.map((column) => dataCell(column, values[column.name]))));
    const [table, top, body] = ["table", "thead", "tbody"].map((tag) => document.createElement(tag));
    top.append(head);
    body.append(...lines);
    table.append(top, body);
    this.#place.replaceChildren(table);
    this.#place.hidden = false;
  }

  hide() {
    this.#place.hidden = true;
    this.#place.replaceChildren();
  }
}

/** What rows are to have: a column, and one of its values. */
export class Where {
  #section;
  #column;
  #value;
  #conditions = [];

  /** `section` holds two selects; `asked(where)` is called with [column, text of its value], or null for any row. */
  constructor(section, asked) {
    this.#section = section;
    [this.#column, this.#value] = section.querySelectorAll("select");
    this.#column.addEventListener("change", () => {
      this.#offer();
      asked(this.#chosen());
    });
    this.#value.addEventListener("change", () => asked(this.#chosen()));
  }

  /** Offers what a model's input, or undefined, can be asked for. */
  build(input) {
    this.#section.hidden = !input;
    this.#conditions = input?.conditions ?? [];
    this.#column.replaceChildren(new Option("(any row)", ANY), ...this.#conditions.map(({ name }, i) => new Option(name, i)));
    this.#offer();
  }

  /** Shows what is asked for. */
  show(where) {
    if (!where || !this.#conditions.length || whereProblem(this, where)) where = null;
    const column = where ? this.#conditions.findIndex(({ name }) => name === where[0]) : ANY;
    if (String(column) !== this.#column.value) {
      this.#column.value = column;
      this.#offer();
    }
    if (where) this.#value.value = this.#conditions[column].values.findIndex((value) => textOf(value) === where[1]);
  }

  get conditions() {
    return this.#conditions;
  }

  #offer() {
    const column = this.#conditions[this.#column.value];
    const options = (column?.values ?? []).map((value, i) => new Option(textOf(value) || "(missing)", i));
    this.#value.replaceChildren(...options);
    this.#value.parentElement.hidden = !column;
  }

  #chosen() {
    const column = this.#conditions[this.#column.value];
    return column ? [column.name, textOf(column.values[this.#value.value])] : null;
  }
}

function row(cells) {
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

function cell(tag, text, properties = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...properties });
}

const dataCell = (column, value) => cell("td", textOf(value), { className: alignment(column) });
const alignment = (column) => (isNumeric(column) ? "number" : "");
