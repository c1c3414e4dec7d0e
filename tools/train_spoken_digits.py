"""Trains the feature network `spoken_digits` (kerasgan/metrics/spoken_digits.py) on recordings of spoken digits.

    python tools/train_spoken_digits.py --data spoken_digits.zip --out kerasgan/metrics/spoken_digits.weights.h5

The data are WAV files called `{digit}_{speaker}_{index}.wav`, in a folder or a zip file, as in the Free Spoken Digit
Dataset. As its authors do it, recordings of an index below 5 are for testing only. Training recordings begin up to a
quarter of a second later at random, and get noise of up to a tenth of their loudest sample. The weights are written in
half precision, and the accuracy that is printed is measured on the test recordings with those very weights. Their size
and sha256 are printed too: they belong into `WEIGHTS` in kerasgan/metrics/spoken_digits.py.
"""

import warnings

from absl import app
from train_digits import define_flags, run_classifier, train_classifier

BATCH_SIZE = 50
TRAINING = r"(?:^|/)(\d)_[^/_]+_(?:[5-9]|\d\d+)\.wav$"
TEST = r"(?:^|/)(\d)_[^/_]+_[0-4]\.wav$"
LATEST = 0.25  # of the network's length, by which a training sound is delayed at most
LOUDEST = 0.1  # noise, as a share of the loudest sample of a sound


def train(data, out, epochs=12, seed=0):
    """Trains the network and writes its weights.

    Args:
        data: folder or zip file of the recordings.
        out: file to write, ending in ".weights.h5".
        epochs: passes over the training recordings.
        seed: of the initial weights, the order, delays and noise.

    Returns:
        (`kerasgan.weights.WeightFile`, accuracy on the test recordings with the weights as written).

    Raises:
        ValueError, OSError: the data cannot be used, or the file cannot be written.
    """
    from kerasgan.metrics import spoken_digits

    def read():
        training = _read(data, TRAINING, BATCH_SIZE, seed=seed)
        return training, _read(data, TEST, 1, shuffle=False)

    return train_classifier(spoken_digits.network, read, lambda: [_distortion(seed)], out, epochs, seed)


def _read(data, labels, batch_size, **options):
    """Batches of (waveforms, digits) of the files whose names fit the expression `labels`."""
    from kerasgan.data import audio
    from kerasgan.metrics.spoken_digits import CLASSES, LENGTH, SAMPLE_RATE

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*no class in its name")  # those of the other part
        found = audio(data, LENGTH, SAMPLE_RATE, batch_size, crop="start", labels=labels, **options)
    if len(found.class_names) != CLASSES:
        raise ValueError(f"data={str(data)!r} holds the classes {', '.join(found.class_names)}; expected 0 to 9.")
    return found


def _distortion(seed):
    """A layer that delays sounds and adds noise, each by as much as it draws."""
    import keras
    import tensorflow as tf

    class Distortion(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seeds = keras.random.SeedGenerator(seed)

        def call(self, sounds, training=False):
            if not training:
                return sounds
            count, length = tf.shape(sounds)[0], sounds.shape[1]
            places = keras.random.uniform((count, 1), 0.0, LATEST * length, seed=self.seeds)
            source = tf.range(length) - tf.cast(places, tf.int32)
            later = tf.gather(sounds, tf.maximum(source, 0), batch_dims=1) * tf.cast(source >= 0, tf.float32)[..., None]
            loudest = tf.reduce_max(tf.abs(sounds), axis=(1, 2), keepdims=True)
            volume = keras.random.uniform((count, 1, 1), 0.0, LOUDEST, seed=self.seeds) ** 2 / LOUDEST
            return later + volume * loudest * keras.random.normal(tf.shape(sounds), seed=self.seeds)

    return Distortion()


if __name__ == "__main__":
    define_flags("Folder or zip file of the recordings.", "spoken_digits.weights.h5", 12)
    app.run(lambda argv: run_classifier("train_spoken_digits", train, "recordings", argv))
