"""What oneDNN does for training steps: each type with TF_ENABLE_ONEDNN_OPTS=1 beside itself with 0, in one run.

    python benchmarks/onednn.py
    python benchmarks/onednn.py --types dcgan lapgan --size 64 --rounds 5 --seconds 2

TensorFlow reads the variable once, when it is imported: each setting has a process of its own, and they take turns.
Without the variable, TensorFlow chooses by the processor: 1 with AVX-512, else 0.
"""

import argparse
import os
import sys

from contestants import OURS, Setting
from turns import Framework, available_cores, measure_processes, ratios, serve, spread

_OFF, _ON = "0", "1"


def prepare(value, arguments):
    """What one setting's process makes of the arguments: (contestants, facts). Only here is TensorFlow imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = value
    import keras_steps

    setting = Setting(arguments.size, None, arguments.batch)  # each type has widths of its own
    steps, facts = keras_steps.contestants_of_types(arguments.types, setting, ["float32"], arguments.threads)
    return {(value, kind): step for (name, _, kind), step in steps.items() if name == OURS}, facts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--types", nargs="+", default=["vanilla_gan", "dcgan", "sngan", "lapgan", "r3gan"])
    parser.add_argument("--size", type=int, default=32, help="of images")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a turn")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve(lambda: prepare(arguments.serve, arguments))
    processes = [Framework(value, sys.executable, arguments.threads) for value in (_OFF, _ON)]
    rates = measure_processes(processes, arguments.rounds, arguments.seconds)
    print("| type | with oneDNN a training step is faster by |", "| --- | --- |", sep="\n")
    for value, kind in rates:
        if value == _ON:
            print(f"| `{kind}` | {spread(ratios(rates[_ON, kind], rates[_OFF, kind]), '{:.2f}')} |")


if __name__ == "__main__":
    main()
