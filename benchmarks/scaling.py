"""How images per second of a training step grow: with the batch, the resolution, the devices, and a batch in parts.

    python benchmarks/scaling.py                                    # prints a table, draws scaling.png beside this file
    python benchmarks/scaling.py --dtype mixed_bfloat16 --width 64 --plot scaling_bfloat16.png
    python benchmarks/scaling.py --rounds 2 --seconds 0.5 --batches 8 32 --sizes 32 64 --devices 1 2 --parts 1

One DCGAN, one thing changed at a time. All take turns in short bursts in one run, and every ratio is one of the same
round. "Times the base" is beside the base: `--size`, `--batch`, one device, the batch in one part. "Times one device"
is beside the same batch on one device in one part: what the split costs or brings.

Devices work on `--batch` images each (`tf.distribute.MirroredStrategy`). GPUs are used where there are any; there, this
is how training scales. Without, one CPU plays several devices, which share its cores: images per second cannot grow
with their number, and what "times one device" falls short of 1 is what copies, summed gradients and thinner batches
cost. What several machines bring, it cannot tell.
"""

import argparse
import functools
import os
import pathlib
import sys
import typing

from turns import available_cores, burst, measure, ratios, spread, warm_up

PLOT = pathlib.Path(__file__).with_name("scaling.png")


class Point(typing.NamedTuple):
    """What is trained: images of a size, in batches (of all devices together), on devices, in parts."""

    size: int
    batch: int
    devices: int = 1
    parts: int = 1


class Axis(typing.NamedTuple):
    """Points that differ in one thing."""

    name: str
    values: list
    points: list


def axes(arguments, available):
    """What is measured; `available` is the number of devices there are."""
    base, largest = Point(arguments.size, arguments.batch), max(arguments.batches)
    devices = [count for count in sorted(arguments.devices) if count <= available]
    batches = sorted({*arguments.batches, arguments.batch, *(count * arguments.batch for count in devices)})
    sizes, parts = sorted({*arguments.sizes, arguments.size}), sorted(arguments.parts)
    return base, [
        Axis("batch", batches, [base._replace(batch=batch) for batch in batches]),
        Axis("resolution", sizes, [base._replace(size=size) for size in sizes]),
        Axis("devices", devices, [base._replace(devices=count, batch=count * base.batch) for count in devices]),
        Axis(f"parts of a batch of {largest}", parts, [base._replace(batch=largest, parts=count) for count in parts]),
    ]


def devices_of(wanted):
    """(names of the devices to use, what kind they are); makes several of one CPU where there is no GPU."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return [device.name for device in tf.config.list_logical_devices("GPU")], "GPUs"
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * wanted)
    return [device.name for device in tf.config.list_logical_devices("CPU")], "logical devices of one CPU"


def training_step(point, names, width, dtype):
    """The function that makes one training step of a DCGAN at a point, on the first of the devices."""
    import keras_steps
    import tensorflow as tf

    from kerasgan.models import DCGAN

    strategy = tf.distribute.get_strategy()
    if point.devices > 1:
        # Groups of devices that talk have numbers; several strategies in one process must not begin with the same.
        numbers = {"_collective_key_base": 100_000 * point.devices}
        strategy = type("Strategy", (tf.distribute.MirroredStrategy,), numbers)(names[: point.devices])
    with strategy.scope():
        gan = DCGAN((point.size, point.size, 3), width=width, dtype=dtype, seed=0)
        gan.compile(gradient_accumulation=point.parts)
    return keras_steps.as_fit_does(gan, keras_steps.images((point.batch, point.size, point.size, 3)))


def table(rates, base, groups):
    """Lines of Markdown from the images per second in each round, {point: rates}."""
    lines = ["| | | images/s | times the base | times one device |", "| --- | --- | --- | --- | --- |"]
    for axis in groups:
        for value, point in zip(axis.values, axis.points, strict=True):
            whole = point._replace(devices=1, parts=1)
            beside_base = "base" if point == base else spread(ratios(rates[point], rates[base]), "{:.2f}")
            split = "" if point == whole else spread(ratios(rates[point], rates[whole]), "{:.2f}")
            lines.append(f"| {axis.name} | {value} | {spread(rates[point], '{:.1f}')} | {beside_base} | {split} |")
    return lines


def plot(rates, base, groups, kind, title, path):
    """Draws a panel for each axis: median times the base, with its range over the rounds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(groups), 3.4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    for axis, panel in zip(groups, figure.subplots(1, len(groups), sharey=True), strict=True):
        each = [sorted(ratios(rates[point], rates[base])) for point in axis.points]
        middle = [values[len(values) // 2] for values in each]
        below = [median - values[0] for median, values in zip(middle, each, strict=True)]
        above = [values[-1] - median for median, values in zip(middle, each, strict=True)]
        panel.errorbar(axis.values, middle, [below, above], marker="o", capsize=3, label="measured")
        for expected, label in _expected(axis, base, kind):
            panel.plot(axis.values, expected, "--", color="grey", label=label)
        panel.set_xscale("log", base=2)
        panel.set_yscale("log", base=2)
        panel.set_xticks(axis.values, [str(value) for value in axis.values])
        panel.yaxis.set_major_formatter("{x:g}")
        panel.set_xlabel(f"{axis.name} ({kind})" if axis.name == "devices" else axis.name, fontsize=8)
        panel.grid(alpha=0.3)
        panel.legend(fontsize=7)
    figure.axes[0].set_ylabel("images/s, times the base")
    figure.savefig(path, dpi=110)


def _expected(axis, base, kind):
    """[(values, label)]: a line to compare a panel with."""
    if axis.name == "resolution":
        return [([(base.size / size) ** 2 for size in axis.values], "as many pixels/s")]
    if axis.name == "devices" and kind == "GPUs":
        return [(axis.values, "as many images/s for each")]
    return []


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--batches", type=int, nargs="+", default=[4, 8, 16, 32, 64, 128], help="sizes of a batch")
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 32, 64, 128], help="heights and widths of images")
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2, 4], help="numbers of devices")
    parser.add_argument("--parts", type=int, nargs="+", default=[1, 2, 4], help="parts of the largest batch")
    parser.add_argument("--batch", type=int, default=32, help="batch of the base, and of each device")
    parser.add_argument("--size", type=int, default=64, help="height and width of the base's images")
    parser.add_argument("--width", type=int, default=32, help="width of the DCGAN")
    parser.add_argument("--dtype", default="float32", help="Keras dtype policy")
    parser.add_argument("--rounds", type=int, default=5, help="how often each has its turn")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn")
    parser.add_argument("--threads", type=int, default=available_cores(), help="threads of TensorFlow")
    parser.add_argument("--plot", type=pathlib.Path, default=PLOT, help="PNG file that is written")
    arguments = parser.parse_args()

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras_steps

    keras_steps.prepare(arguments.threads)
    names, kind = devices_of(max(arguments.devices))
    base, groups = axes(arguments, len(names))
    points = dict.fromkeys([base, *(point for axis in groups for point in axis.points)])
    steps = {}
    for point in points:
        print(f"preparing {point}", file=sys.stderr)
        steps[point] = training_step(point, names, arguments.width, arguments.dtype)
        warm_up([steps[point]])
    steps_per_second = measure(
        {point: functools.partial(burst, step) for point, step in steps.items()}, arguments.rounds, arguments.seconds
    )
    rates = {point: [point.batch * rate for rate in found] for point, found in steps_per_second.items()}
    title = (
        f"DCGAN, width {arguments.width}, {arguments.dtype}, {arguments.threads} threads, {keras_steps.version()}. "
        f"Base: {base.size}x{base.size}, batch {base.batch}"
    )
    print(f"\n{title}. Devices are {kind}.\nMedians (lowest to highest) of {arguments.rounds} turns.\n")
    print(*table(rates, base, groups), sep="\n")
    plot(rates, base, groups, kind, title, arguments.plot)
    print(f"\nDrawn: {arguments.plot}")


if __name__ == "__main__":
    main()
