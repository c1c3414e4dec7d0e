"""Trains the feature network `digits` (kerasgan/metrics/digits.py) on MNIST, or data like it.

    python tools/train_digits.py --data mnist.npz --out kerasgan/metrics/digits.weights.h5

The data are an `.npz` file with `x_train`, `y_train`, `x_test` and `y_test`: uint8 (n, 28, 28) and labels 0 to 9.
Images are moved by up to 2 pixels in each direction at random. The weights are written in half precision, and the
accuracy that is printed is measured on the test images with those very weights. Their size and sha256 are printed too:
they belong into `WEIGHTS` in kerasgan/metrics/digits.py.
"""

import sys

from absl import app, flags

BATCH_SIZE = 128
LEARNING_RATE = 3e-3  # at the start; it falls along a cosine to 0
SHIFT = 2  # pixels


def train(data, out, epochs=5, seed=0):
    """Trains the network and writes its weights.

    Args:
        data: the `.npz` file.
        out: file to write, ending in ".weights.h5".
        epochs: passes over the training images.
        seed: of the initial weights, the order and the moves.

    Returns:
        (`kerasgan.weights.WeightFile`, accuracy on the test images with the weights as written).

    Raises:
        ValueError, OSError: the data cannot be used, or the file cannot be written.
    """
    from kerasgan.metrics import digits

    def read():
        return _read(data, "train", BATCH_SIZE, seed=seed), _read(data, "test", 1, shuffle=False)

    return train_classifier(digits.network, read, lambda: [_mover(seed)], out, epochs, seed)


def train_classifier(network, read, distortions, out, epochs, seed):
    """Trains a feature network that is a classifier, and writes its weights in half precision.

    Args:
        network: function without arguments that returns the untrained model, whose last output is the logits.
        read: function without arguments that returns (training, test) data sets of batches (samples, labels).
        distortions: function without arguments that returns the layers that training samples go through.
        out: file to write, ending in ".weights.h5".
        epochs: passes over the training data.
        seed: of the initial weights.

    Returns:
        (`kerasgan.weights.WeightFile`, accuracy on the test data with the weights as written).

    Raises:
        ValueError, OSError: arguments that cannot be right, data that cannot be used, a file that cannot be written.
    """
    import keras

    from kerasgan import weights

    out = checked(out, epochs=epochs)
    training, test = read()
    keras.utils.set_random_seed(seed)
    model = network()
    distorted = keras.Sequential([*distortions(), keras.Model(model.input, model.output[-1])])
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * int(training.cardinality()))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    distorted.compile(keras.optimizers.Adam(schedule), loss=loss)
    distorted.fit(training, epochs=epochs, shuffle=False, verbose=2)
    path = weights.save_half(model, out)
    weights.load_into(model, path)
    return weights.WeightFile.from_file(path, model.name), _accuracy(model, test)


def checked(out, **lengths):
    """The file to write, as a path; a ValueError or OSError for another ending, or a length that is no whole number."""
    from kerasgan import files

    for name, value in lengths.items():
        if type(value) is not int or value < 1:
            raise ValueError(f"{name}={value!r}: expected a whole number above 0.")
    out = files.check_output(out)
    if not out.name.endswith(".weights.h5"):
        raise ValueError(f"out={str(out)!r}: expected a name that ends in '.weights.h5'.")
    return out


def _read(data, part, batch_size, **options):
    """Batches of (pixels as floats in [0, 255], labels)."""
    from kerasgan.data import images

    batches = images(data, 28, batch_size, channels=1, key=f"x_{part}", labels=f"y_{part}", **options)
    return batches.map(lambda samples, labels: ((samples + 1.0) * 127.5, labels))


def _mover(seed):
    """A layer that moves each image by up to `SHIFT` pixels (bilinear); what comes in at the border is black."""
    from keras import layers

    shift = SHIFT / 28
    return layers.RandomTranslation(shift, shift, fill_mode="constant", fill_value=0.0, seed=seed)


def _accuracy(model, test):
    import numpy as np

    samples, labels = zip(*test.unbatch().batch(1000).as_numpy_iterator(), strict=True)
    logits = model.predict(np.concatenate(samples), batch_size=256, verbose=0)[-1]
    return float((logits.argmax(1) == np.concatenate(labels)).mean())


def run(script, train, argv):
    """What the command of a script does: trains as its flags say, prints what belongs into the network's module.

    Args:
        script: its name.
        train: function from the flags to (`kerasgan.weights.WeightFile`, how much it names right, in words).
        argv: as `absl.app.run` gives it.
    """
    values = flags.FLAGS
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected words: {' '.join(argv[1:])}")
    try:
        file, right = train(values)
    except (ValueError, OSError) as error:
        sys.exit(f"{script}: error: {error}")
    print(f"{values.out}: {right}. size={file.size}, sha256={file.sha256!r}")


def run_classifier(script, train, samples, argv):
    """`run` for a function `train(data, out, epochs, seed)` that returns the accuracy on the test samples."""

    def from_flags(values):
        file, accuracy = train(values.data, values.out, values.epochs, values.seed)
        return file, f"{accuracy:.2%} of the test {samples} right"

    run(script, from_flags, argv)


def define_flags(data, out, epochs=None):
    """The flags of such a script: what its data are, its usual output and, of a classifier, its usual epochs."""
    flags.DEFINE_string("data", None, data, required=True)
    flags.DEFINE_string("out", out, "File of weights to write.")
    flags.DEFINE_integer("seed", 0, "Seed of everything random.")
    if epochs is not None:
        flags.DEFINE_integer("epochs", epochs, "Passes over the training data.")


if __name__ == "__main__":
    define_flags("The .npz file.", "digits.weights.h5", 5)
    app.run(lambda argv: run_classifier("train_digits", train, "images", argv))
