"""How much of a training step waits for data.

Ways to feed the same step take turns in one run: the same batch again and again (no data pipeline at all), images that
`kerasgan.data.images` holds in memory, images that it decodes when they are needed, and what `kerasgan convert` makes
of them, read when it is needed: a zip of PNG files and TFRecord shards. The table gives images a second, the time a
step takes, the time it waits before it has its batch, and that wait as a share of the step. Where the model and the
decoding share the same cores, decoding also slows the step itself: the last column compares the step with that of no
pipeline. Medians of the turns, because other programs disturb some of them.

    python benchmarks/data_wait.py                              # the step of our DCGAN-64 on photographs made here
    python benchmarks/data_wait.py --step_ms 10                 # a step that only computes for 10 ms
    python benchmarks/data_wait.py --source photos/ --size 128
"""

import itertools
import os
import pathlib
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from absl import app, flags  # noqa: E402
from PIL import Image  # noqa: E402

from kerasgan import data, models  # noqa: E402
from kerasgan.convert import convert  # noqa: E402

SOURCE = flags.DEFINE_string("source", None, "A folder or zip of images. Default: JPEG files of 178x218 pixels.")
IMAGES = flags.DEFINE_integer("images", 10_000, "Number of these JPEG files.")
SIZE = flags.DEFINE_integer("size", 64, "Height and width of the images.")
BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Images in a batch.")
WIDTH = flags.DEFINE_integer("width", 64, "Width of the DCGAN.")
STEP_MS = flags.DEFINE_float("step_ms", None, "Replaces the DCGAN's step by matrix products of about this duration.")
STEPS = flags.DEFINE_integer("steps", 10, "Steps in a turn that count.")
TURNS = flags.DEFINE_integer("turns", 9, "Turns of each way to feed the step.")
READY = 4  # steps at the start of a turn that do not count: their batches were prepared while the others had theirs


def write_photographs(folder, count, height=218, width=178):
    """JPEG files of smooth random colours, about as large and as costly to decode as CelebA's."""
    random = np.random.default_rng(0)
    for number in range(count):
        blotches = Image.fromarray(random.integers(0, 256, (27, 22, 3), np.uint8))
        blotches.resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{number:05}.jpg", quality=90)


def dcgan_step(batch):
    """The training step of DCGAN, as `fit` runs it."""
    gan = models.DCGAN(image_shape=batch.shape[1:], width=WIDTH.value, dtype="mixed_bfloat16")
    gan.compile()
    return tf.function(gan.train_step)


def synthetic_step(batch):
    """Matrix products that take about `--step_ms`; the batch is used, so that it has to be there."""
    matrix = tf.random.normal((512, 512))

    def products(count):
        @tf.function
        def step(samples):
            x = matrix + samples[0, 0, 0, 0]
            for _ in tf.range(count):
                x = tf.matmul(matrix, x) / 512.0
            return {"sum": tf.reduce_sum(x)}

        return step

    probe = products(200)
    seconds = min(duration(probe, batch) for _ in range(5))
    return products(max(1, round(200 * STEP_MS.value / 1000 / seconds)))


def duration(step, batch):
    start = time.perf_counter()
    finish(step(batch))
    return time.perf_counter() - start


def finish(logs):
    """Waits until a step is done: TensorFlow returns before that on an accelerator."""
    return [value.numpy() for value in logs.values()]


def turn(step, batches):
    """Seconds that a step takes, and seconds of it that it waits for its batch."""
    for _ in range(READY):
        finish(step(next(batches)))
    waited = 0.0
    start = time.perf_counter()
    for _ in range(STEPS.value):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        finish(step(batch))
    return (time.perf_counter() - start) / STEPS.value, waited / STEPS.value


def feeds(source, folder):
    """The ways to feed a step: name -> endless iterator of batches. Converted images go into `folder`."""
    common = {"size": SIZE.value, "batch_size": BATCH_SIZE.value, "flip": True, "seed": 0}
    for name in ("photos.zip", "shards"):
        convert(source, folder / name, SIZE.value)
    in_memory = data.images(source, cache=True, **common)
    (batch,) = in_memory.take(1)
    read = {
        "decoded when needed": source,
        "converted, zip": folder / "photos.zip",
        "converted, shards": folder / "shards",
    }
    return {
        "no pipeline": itertools.repeat(batch),
        "held in memory": iter(in_memory.endless()),
        **{name: iter(data.images(place, cache=False, **common).endless()) for name, place in read.items()},
    }


def measure(source, folder):
    """Seconds of each way to feed the step: name -> (seconds a step, seconds waited), medians of the turns."""
    ways = feeds(source, folder)
    batch = next(ways["no pipeline"])
    step = dcgan_step(batch) if STEP_MS.value is None else synthetic_step(batch)
    finish(step(batch))
    turns = [{name: turn(step, batches) for name, batches in ways.items()} for _ in range(TURNS.value)]
    return {name: np.median([one[name] for one in turns], axis=0) for name in ways}


def table(spent):
    plain, _ = spent["no pipeline"]
    lines = [f"{'data':<20} {'images/s':>9} {'ms a step':>10} {'ms waited':>10} {'share waited':>13} {'step time':>10}"]
    for name, (total, waited) in spent.items():
        lines.append(
            f"{name:<20} {BATCH_SIZE.value / total:9.0f} {1000 * total:10.2f} {1000 * waited:10.2f} "
            f"{waited / total:13.2%} {total / plain:9.2f}x"
        )
    return "\n".join(lines)


def main(_):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if SOURCE.value is None:
            (folder / "photos").mkdir()
            write_photographs(folder / "photos", IMAGES.value)
        print(table(measure(SOURCE.value or folder / "photos", folder)))


if __name__ == "__main__":
    app.run(main)
