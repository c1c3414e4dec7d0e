"""Makes rows of a table with an exported model, without kerasgan: of the file and the JSON beside it.

    kerasgan export runs/people -o people.tflite
    python examples/decode_table.py --model people.tflite --count 100 --out people.csv

The network takes latents and a condition, which says one value of one column, drawn here as often as in the data. It
gives, for each row, a number in [-1, 1] for each column of numbers, then shares: of the values of each category, and of
the modes of each column of numbers. What is drawn of these says the value, or the mode that the number is near.
"""

import csv
import datetime
import json

import numpy as np
from absl import app, flags
from ai_edge_litert.interpreter import Interpreter

MODEL = flags.DEFINE_string("model", None, "The .tflite file.", required=True)
COUNT = flags.DEFINE_integer("count", 100, "How many rows.")
SEED = flags.DEFINE_integer("seed", 1, "The same seed gives the same rows.")
OUT = flags.DEFINE_string("out", "rows.csv", "File to write.")


def condition(inputs, random):
    """One value of one column as ones and zeros."""
    columns = inputs["condition"]["conditions"]
    chosen, vectors = random.integers(len(columns)), [np.zeros(len(column["values"])) for column in columns]
    counts = np.array(columns[chosen]["counts"])
    vectors[chosen][random.choice(len(counts), p=counts / counts.sum())] = 1
    return np.concatenate(vectors)[None].astype("float32")


def decoded(row, table, random):
    """The values of a row of the network, by the name of their column."""
    shares = np.split(row[table["numbers"] :], np.cumsum(table["one_hot"])[:-1]) if table["one_hot"] else []
    drawn = iter([random.choice(len(share), p=np.float64(share) / np.float64(share).sum()) for share in shares])
    numbers, values = iter(row), {}
    for column in [c for c in table["columns"] if c["kind"] in ("categorical", "boolean", "constant")]:
        values[column["name"]] = column["values"][0 if column["kind"] == "constant" else next(drawn)]
    for column in [c for c in table["columns"] if c["kind"] in ("number", "integer", "datetime")]:
        number, choices = float(next(numbers)), len(column["modes"]) + bool(column["missing"])
        mode = next(drawn) if choices > 1 else 0
        values[column["name"]] = None if mode == len(column["modes"]) else near(number, mode, column, table["reach"])
    return values


def near(number, mode, column, reach):
    """A value so far from a mode, in the range of the data and as fine."""
    _, mean, deviation = column["modes"][mode]
    value = min(max(mean + reach * deviation * number, column["least"]), column["most"])
    if column["kind"] == "datetime":
        seconds = column["least"] + round((value - column["least"]) / column["step"]) * column["step"]
        return (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).strftime(column["format"])
    return round(value) if column["kind"] == "integer" else round(value, column["decimals"])


def main(_):
    with open(f"{MODEL.value}.json", encoding="utf-8") as file:
        described = json.load(file)
    inputs, table = {one["name"]: one for one in described["inputs"]}, described["output"]
    run, random = Interpreter(MODEL.value).get_signature_runner(), np.random.default_rng(SEED.value)
    names = [column["name"] for column in table["columns"] if column["kind"] != "identifier"]
    with open(OUT.value, "w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, names)
        rows.writeheader()
        for _ in range(COUNT.value):
            given = {"latents": random.standard_normal(inputs["latents"]["shape"]).astype("float32")}
            if "condition" in inputs:
                given["condition"] = condition(inputs, random)
            (row,) = run(**given).values()
            rows.writerow(decoded(row[0], table, random))


if __name__ == "__main__":
    app.run(main)
