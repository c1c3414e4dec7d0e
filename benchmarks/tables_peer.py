"""The package `ctgan` in a process of its own, for `tables.py`: trains on a table for a while, and writes rows.

    python tables_peer.py TABLE.csv ROWS.csv SECONDS COUNT SEED COLUMN ...

Columns are those of categories. Prints how many epochs it had.
"""

import sys
import time

import pandas
import torch
from ctgan import CTGAN


def main(table, out, seconds, count, seed, *discrete):
    torch.set_num_threads(1)
    rows = pandas.read_csv(table, dtype=dict.fromkeys(discrete, "object"), keep_default_na=False)

    def trained(epochs):
        model = CTGAN(epochs=epochs, enable_gpu=False)
        model.set_random_state(int(seed))
        start = time.process_time()
        model.fit(rows, list(discrete))
        return model, time.process_time() - start

    once, again = trained(1)[1], trained(3)[1]  # between them are two epochs; the rest is what comes before
    epochs = max(1, round(float(seconds) * 2 / (again - once)))
    model, _ = trained(epochs)
    model.set_random_state(int(seed))
    model.sample(int(count)).to_csv(out, index=False)
    print(epochs)


if __name__ == "__main__":
    main(*sys.argv[1:])
