"""How good two ways to train are after the same time: one-stage steps beside the usual alternating ones.

    python benchmarks/equal_time.py --data celeba.zip --minutes 12
    python benchmarks/equal_time.py --data photos/ --size 32 --minutes 4 --rate 2e-4

Both train the same networks (a DCGAN without batch normalization) from the same weights on the same images, in turns
of some seconds, so that a machine that becomes slower for a while slows both. The clock of each counts its own turns
only. Reports images a second, and the Fréchet distance at a half, three quarters and all of the time.
"""

import time

from absl import app, flags

import kerasgan

DATA = flags.DEFINE_string("data", None, "Images: a folder, a zip, ...", required=True)
SIZE = flags.DEFINE_integer("size", 64, "Height and width of the images.")
CROP = flags.DEFINE_list("crop", None, "Box left,top,width,height that is cut out first.")
WIDTH = flags.DEFINE_integer("width", 32, "Width of the DCGAN.")
BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Images in a batch.")
MINUTES = flags.DEFINE_float("minutes", 12.0, "Training time of each.")
TURN = flags.DEFINE_float("turn", 20.0, "Seconds of a turn.")
RATE = flags.DEFINE_float("rate", 5e-4, "Learning rate of both players.")
COUNT = flags.DEFINE_integer("count", 2000, "Samples of a score.")
DTYPE = flags.DEFINE_string("dtype", "mixed_bfloat16", "Keras dtype policy.")
SHEETS = flags.DEFINE_string("sheets", None, "Folder for sample sheets of both at the end.")
SEED = flags.DEFINE_integer("seed", 0, "Seed of weights, data and samples.")
WAYS = {"two passes, in turn": False, "one stage": True}
CHECKS = (0.5, 0.75, 1.0)


class Contestant:
    """One way to train, and its own clock."""

    def __init__(self, one_stage, data):
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(SEED.value)
        shape = (SIZE.value, SIZE.value, 3)
        self.gan = kerasgan.models.DCGAN(
            image_shape=shape,
            width=WIDTH.value,
            normalization="none",
            latent="normal",
            seed=SEED.value,
            dtype=DTYPE.value,
        )
        self.gan.compile(
            learning_rate=RATE.value,
            penalties=[kerasgan.penalties.R1(weight=0.2, interval=16)],
            augmentation="translation",
            one_stage=one_stage,
        )
        self.batches = iter(data.endless())
        self.step = tf.function(self.gan.train_step)
        self.step(next(self.batches))  # traced before the clock starts
        self.seconds = 0.0

    def train(self, seconds):
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            logs = self.step(next(self.batches))
            float(logs["generator_loss"])  # waits for the step
        self.seconds += time.perf_counter() - began

    def score(self, evaluator):
        (fid,) = evaluator.score(self.gan, SEED.value)
        return fid.value


def race(contestants, evaluator):
    """{name: [(samples seen, seconds, Fréchet distance) at each check]}"""
    found = {name: [] for name in contestants}
    for share in CHECKS:
        until = 60 * MINUTES.value * share
        while any(one.seconds < until for one in contestants.values()):
            for one in contestants.values():
                if one.seconds < until:
                    one.train(min(TURN.value, until - one.seconds))
        for name, one in contestants.items():
            found[name].append((int(one.gan.samples_seen), one.seconds, one.score(evaluator)))
            print(f"{name}: {one.seconds:.0f} s, {found[name][-1][0]} images, fid {found[name][-1][2]:.1f}", flush=True)
    return found


def table(found):
    first = next(iter(found.values()))
    lines = [
        f"| | images/s | faster by | {' | '.join(f'fid at {share:.0%} of the time' for share in CHECKS)} |",
        f"| --- | --- | --- |{' --- |' * len(CHECKS)}",
    ]
    for name, checks in found.items():
        images, seconds, _ = checks[-1]
        ratio = images / seconds * first[-1][1] / first[-1][0]
        scores = " | ".join(f"{fid:.1f}" for _, _, fid in checks)
        lines.append(f"| {name} | {images / seconds:.0f} | {ratio:.2f} | {scores} |")
    return "\n".join(lines)


def main(_):
    from kerasgan.metrics.evaluation import Evaluator

    crop = "center" if CROP.value is None else tuple(int(edge) for edge in CROP.value)
    common = {"size": SIZE.value, "batch_size": BATCH_SIZE.value, "crop": crop}
    data = kerasgan.data.images(DATA.value, flip=True, seed=SEED.value, **common)
    reals = kerasgan.data.images(DATA.value, shuffle=False, **{**common, "batch_size": 1})
    contestants = {name: Contestant(one_stage, data) for name, one_stage in WAYS.items()}
    media = next(iter(contestants.values())).gan.media
    evaluator = Evaluator(reals, media, metrics="fid", count=COUNT.value)
    evaluator.check(next(iter(contestants.values())).gan)
    evaluator.read()
    found = race(contestants, evaluator)
    print(
        f"\nDCGAN {SIZE.value}x{SIZE.value}, width {WIDTH.value}, batch {BATCH_SIZE.value}, {DTYPE.value}, "
        f"{MINUTES.value:g} minutes each in turns of {TURN.value:g} s; fid of {COUNT.value} samples.\n"
    )
    print(table(found))
    for name, one in contestants.items():
        if SHEETS.value:
            one.gan.media.save(
                one.gan.preview(64, SEED.value), f"{SHEETS.value}/{name.split(',')[0].replace(' ', '_')}.png"
            )


if __name__ == "__main__":
    app.run(main)
