// Tables: rows of a network as the values that they mean, by the description beside its file, and as CSV.

export const WAY = "list";
export const COUNT = 20; // rows that are shown at once
const MOST = 5; // times as many are made, at most, to find those that meet a condition

const NUMERIC = ["number", "integer", "datetime"];
const KINDS = [...NUMERIC, "categorical", "boolean", "constant", "identifier"];

export const isTransparent = () => false;

/** What is wrong with the description of tables, in words; null when nothing is. */
export function problem({ shape, columns, numbers, one_hot: widths }) {
  const right = shape.length === 2 && shape[0] === 1 && Array.isArray(columns) && Array.isArray(widths);
  if (!right || numbers + sum(widths) !== shape[1]) {
    return `Its output has the shape ${shape.join("×")}; expected one row of a table that it describes.`;
  }
  const odd = columns.find(({ kind }) => !KINDS.includes(kind));
  return odd ? `Its column “${odd.name}” is of the kind “${odd.kind}”, which this page does not know.` : null;
}

/** The columns that rows have, in order; identifiers are never made. */
export const columnsOf = ({ columns }) => columns.filter(({ kind }) => kind !== "identifier");

export const isNumeric = ({ kind }) => kind === "number" || kind === "integer";

/**
 * The values of a row by the name of their column; null where one is missing. The network gives a number for each
 * column of numbers, then shares: of the values of each category, and of the modes of each column of numbers. What
 * `uniform` draws of these says the value, or the mode that the number is near.
 */
export function decoded({ columns, numbers, one_hot: widths, reach }, row, uniform) {
  let start = numbers;
  const drawn = widths.map((width) => drawnOf(row.subarray(start, (start += width)), uniform)).values();
  const number = row.values();
  const next = (values) => values.next().value;
  const values = {};
  for (const { name, kind, values: known } of columns) {
    if (kind === "constant") values[name] = known[0];
    else if (kind === "categorical" || kind === "boolean") values[name] = known[next(drawn)];
  }
  for (const column of columns.filter(({ kind }) => NUMERIC.includes(kind))) {
    const count = column.modes.length;
    const [place, mode] = [next(number), count + (column.missing > 0) > 1 ? next(drawn) : 0];
    values[column.name] = mode === count ? null : near(place, column.modes[mode], column, reach);
  }
  return values;
}

/** Which of so many shares a draw falls upon. */
function drawnOf(shares, uniform) {
  let left = (1 - uniform()) * sum(shares); // from 0 up to all of it
  const found = shares.findIndex((share) => (left -= share) < 0);
  return found < 0 ? shares.length - 1 : found;
}

/** A value so far from a mode, in the range of the data and as fine. */
function near(place, [, mean, deviation], column, reach) {
  const { kind, least, most, step, decimals, format } = column;
  const value = Math.min(Math.max(mean + reach * deviation * place, least), most);
  if (kind === "datetime") return dateOf(least + evenly((value - least) / step) * step, format);
  return kind === "integer" ? evenly(value) : Number(value.toFixed(decimals));
}

/** The nearest whole number; of two, the even one, as Python has it. */
function evenly(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}

/** Seconds since 1970 in one of the forms that `kerasgan.data.table` reads. */
function dateOf(seconds, format) {
  const date = new Date(1000 * seconds);
  const [years, months, days, hours, minutes, rest] = date.toISOString().match(/\d+/g);
  const [B, b] = ["long", "short"].map((month) => date.toLocaleString("en", { month, timeZone: "UTC" }));
  const parts = { Y: years, m: months, d: days, H: hours, M: minutes, S: rest, B, b };
  return format.replace(/%(.)/g, (whole, letter) => parts[letter] ?? whole);
}

/** A value as people write it, and as files have it: nothing where it is missing. */
export function textOf(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  return value === null ? "" : String(value);
}

/** Whether a row has the value, [column, text], that is asked for. */
export const isMet = (row, where) => !where || textOf(row[where[0]]) === where[1];

/** Rows that are made, at most, for those that are shown: some miss what is asked for. */
export const mostMade = (where) => (where ? MOST * COUNT : COUNT);

/** Zeros but for a 1 at the value that is asked for; without one, at a value drawn as often as the data have it. */
export function conditionOf({ conditions }, where, uniform) {
  const asked = conditions.findIndex(({ name }) => name === where?.[0]);
  const chosen = asked < 0 ? Math.floor((1 - uniform()) * conditions.length) : asked;
  const { values, counts } = conditions[chosen];
  const value = asked < 0 ? drawnOf(counts, uniform) : values.findIndex((each) => textOf(each) === where[1]);
  const made = new Float32Array(sum(conditions.map((column) => column.values.length)));
  made[sum(conditions.slice(0, chosen).map((column) => column.values.length)) + value] = 1;
  return made;
}

/** Why rows with a value, [column, text], cannot be asked for, in words; null when they can. */
export function whereProblem({ conditions }, [name, text]) {
  const column = conditions.find((each) => each.name === name);
  if (!column) return `There is no column “${name}” that can be asked for.`;
  const known = column.values.some((value) => textOf(value) === text);
  return known ? null : `The column “${name}” has no value “${text}”.`;
}

/** Rows as CSV, with a line of names. */
export async function file(name, _, output, rows) {
  const columns = columnsOf(output).map((column) => column.name);
  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [columns, ...rows.map((row) => columns.map((column) => textOf(row[column])))];
  const text = lines.map((line) => `${line.map(cell).join(",")}\n`).join("");
  return new File([text], `${name}.csv`, { type: "text/csv" });
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
