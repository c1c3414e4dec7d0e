"""Trains the feature network `bouncing_digits` (kerasgan/metrics/bouncing_digits.py) on clips made of MNIST.

    python tools/train_bouncing_digits.py --data mnist.npz --out kerasgan/metrics/bouncing_digits.weights.h5

The data are an `.npz` file with `x_train`, `y_train`, `x_test` and `y_test`: uint8 (n, 28, 28) and labels 0 to 9. Each
clip has two of the digits, and all but one in seven have a fault: one of the digits jumps to another place, becomes
another digit, vanishes, or stalls, from some frame on, or it trembles or flickers all the time. The network learns to
name the digits, the ways in which they begin to move, and the fault. The weights are written in half precision, and
what is printed is measured on clips of the test digits with those very weights. Their size and sha256 are printed too:
they belong into `WEIGHTS` in kerasgan/metrics/bouncing_digits.py.
"""

import pathlib

import numpy as np
from absl import app, flags
from train_digits import checked, define_flags, run

BATCH_SIZE = 64
LEARNING_RATE = 2e-3  # at the start; it falls along a cosine to 0
TREMBLING = 2  # pixels by which a trembling digit is off, at most
DIMMEST = 0.3  # of its light that a flickering digit keeps at least
REPORTED = 250  # steps after which losses are printed


def train(data, out, steps=2000, seed=0, test_clips=2048):
    """Trains the network and writes its weights.

    Args:
        data: the `.npz` file.
        out: file to write, ending in ".weights.h5".
        steps: of 64 clips each.
        seed: of the initial weights and of the clips.
        test_clips: how many clips of test digits the accuracy is measured on.

    Returns:
        (`kerasgan.weights.WeightFile`, {"digits", "ways", "faults": share of the test clips whose digits, ways or
        fault are all named right, with the weights as written}).

    Raises:
        ValueError, OSError: the data cannot be used, or the file cannot be written.
    """
    import keras
    import tensorflow as tf

    from kerasgan import weights
    from kerasgan.metrics import bouncing_digits

    out = checked(out, steps=steps)
    training, test = Clips(data, "train"), Clips(data, "test")
    keras.utils.set_random_seed(seed)
    model = bouncing_digits.network()
    named = keras.Model(model.input, {head: model.get_layer(head).output for head in ("digits", "ways", "faults")})
    several = keras.losses.BinaryCrossentropy(from_logits=True)
    one = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    named.compile(keras.optimizers.Adam(schedule), {"digits": several, "ways": several, "faults": one})
    for start in range(0, steps, REPORTED):  # an epoch, as Keras prints it
        batches = range(start, min(start + REPORTED, steps))
        named.fit(_batches(tf, training, batches, seed), steps_per_epoch=len(batches), shuffle=False, verbose=2)
    path = weights.save_half(model, out)
    weights.load_into(model, path)
    clips, truth = test.make(test_clips, np.random.default_rng(seed))
    return weights.WeightFile.from_file(path, model.name), _accuracy(named.predict(clips, verbose=0), truth)


def _batches(tf, clips, steps, seed):
    """Batches of (clips, what is true of them); each follows from the seed and its number."""

    def generate():
        for step in steps:
            yield clips.make(BATCH_SIZE, np.random.default_rng((seed, step)))

    signature = tf.nest.map_structure(lambda a: tf.TensorSpec(a.shape, a.dtype), next(generate()))
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)


def _accuracy(logits, truth):
    return {
        "digits": float(((logits["digits"] > 0) == truth["digits"]).all(1).mean()),
        "ways": float(((logits["ways"] > 0) == truth["ways"]).all(1).mean()),
        "faults": float((logits["faults"].argmax(1) == truth["faults"]).mean()),
    }


class Clips:
    """Makes clips of two digits, as many with each fault as without one, and says what is true of them.

    Args:
        data: `.npz` file of the digits.
        part: "train" or "test".
    """

    def __init__(self, data, part):
        from kerasgan.data.arrays import read_arrays
        from kerasgan.data.moving_mnist import sized
        from kerasgan.data.sources import check_path
        from kerasgan.metrics.bouncing_digits import SIZE

        check_path(pathlib.Path(data), "a .npz file")
        _, images, labels = read_arrays(data, f"x_{part}", f"y_{part}", with_labels=True)
        self._images = sized(images, SIZE)
        self._labels = np.asarray(labels).astype(int)
        self._room = SIZE - self._images.shape[1]
        self._faults = {
            "jumps": self._jumps,
            "changes": self._changes,
            "vanishes": self._vanishes,
            "stalls": self._stalls,
            "trembles": self._trembles,
            "flickers": self._flickers,
        }

    def make(self, count, random):
        """(float32 (count, 16, 32, 32, 1) in [0, 255], {"digits", "ways", "faults": what is true of each})."""
        from kerasgan.metrics.bouncing_digits import FAULTS

        faults = np.arange(count) % len(FAULTS)
        clips, digits, ways = zip(*[self._clip(FAULTS[fault], random) for fault in faults], strict=True)
        truth = {"digits": np.stack(digits), "ways": np.stack(ways), "faults": faults.astype("int32")}
        return np.stack(clips)[..., None].astype("float32"), truth

    def _clip(self, fault, random):
        """Two digits, of which the first has the fault: (frames, what digits are there, in what ways they move)."""
        from kerasgan.data.moving_mnist import SPEED, direction, frames, trajectory
        from kerasgan.metrics.bouncing_digits import DIGITS, FRAMES, SIZE, WAYS

        chosen = random.integers(len(self._images), size=2)
        turns = random.random(2)
        velocity = SPEED * self._room * direction(turns)
        places = trajectory(random.random((2, 2)) * self._room, velocity, FRAMES, self._room)
        digits = np.repeat(self._images[chosen][:, None], FRAMES, axis=1).astype("float32")
        if fault != "none":
            self._faults[fault](digits[0], places[0], self._labels[chosen[0]], random)
        # A faulty digit is another image from frame to frame, so that each frame is made as a clip of its own.
        made = frames(digits.swapaxes(0, 1), places.swapaxes(0, 1)[:, :, None], SIZE)[:, 0]
        ways = (turns * WAYS).astype(int)
        return made, _marked(self._labels[chosen], DIGITS), _marked(ways, WAYS)

    # Faults: each changes a digit's images (frames, edge, edge) and places (frames, 2) where they are --------------

    def _jumps(self, images, places, label, random):
        """From some frame on it is elsewhere: half of the room away along both axes."""
        start = _middle(len(places), random)
        places[start:] = (places[start:] + self._room // 2) % (self._room + 1)

    def _changes(self, images, places, label, random):
        """From some frame on it is another digit."""
        others = np.flatnonzero(self._labels != label)
        images[_middle(len(images), random) :] = self._images[random.choice(others)]

    def _vanishes(self, images, places, label, random):
        images[_middle(len(images), random) :] = 0

    def _stalls(self, images, places, label, random):
        """From some frame on it stays where it is."""
        start = min(_middle(len(places), random), len(places) * 5 // 8)
        places[start:] = places[start]

    def _trembles(self, images, places, label, random):
        places[:] = np.clip(places + random.integers(-TREMBLING, TREMBLING + 1, places.shape), 0, self._room)

    def _flickers(self, images, places, label, random):
        images *= random.uniform(DIMMEST, 1.0, (len(images), 1, 1))


def _middle(length, random):
    """A frame in the middle half of a clip."""
    return int(random.integers(length // 4, length * 3 // 4 + 1))


def _marked(numbers, count):
    """Zeros, and ones at the numbers: float32 (count,)."""
    marked = np.zeros(count, "float32")
    marked[numbers] = 1.0
    return marked


def _from_flags(values):
    file, right = train(values.data, values.out, values.steps, values.seed)
    shares = ", ".join(f"{name} {share:.1%}" for name, share in right.items())
    return file, f"right in the test clips: {shares}"


if __name__ == "__main__":
    define_flags("The .npz file.", "bouncing_digits.weights.h5")
    flags.DEFINE_integer("steps", 2000, "Steps of 64 clips.")
    app.run(lambda argv: run("train_bouncing_digits", _from_flags, argv))
