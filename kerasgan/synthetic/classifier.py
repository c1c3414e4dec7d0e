"""The small classifiers by which samples are judged: convolutions on what `Media.to_classifier` makes of them."""

import math

import numpy as np

_RATE = 2e-3  # of Adam; it falls to 0 along a cosine
_AT_ONCE = 500  # samples that are classified together
BATCH = 64


def classifier(shape, classes, seed):
    """An untrained network, float32 (n, height, width, channels) in [-1, 1] -> logits (n, classes).

    Three 3x3 convolutions of stride 2, 32, 64 and 128 channels, with batch normalization and ReLU; what is left of
    height and width is averaged in fields of at most 4x4, then a dropout of 0.3, and a dense layer.

    Args:
        shape: (height, width, channels).
        classes: how many.
        seed: of the first weights.
    """
    import keras
    from keras import layers

    from kerasgan import precision

    with precision.policy("float32", seed):
        inputs = x = keras.Input(shape)
        for place, channels in enumerate((32, 64, 128)):
            start = keras.initializers.HeNormal(seed=seed + place)
            x = layers.Conv2D(channels, 3, 2, padding="same", use_bias=False, kernel_initializer=start)(x)
            x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.AveragePooling2D([-(-side // 4) for side in x.shape[1:3]], padding="same")(x)
        x = layers.Dropout(0.3, seed=seed + 3)(layers.Flatten()(x))
        return keras.Model(
            inputs, layers.Dense(classes, kernel_initializer=keras.initializers.GlorotUniform(seed + 4))(x)
        )


class Learner:
    """A classifier that can begin anew: its graph is traced once for all that it learns.

    Args:
        media: `kerasgan.media.Media` of the samples.
        shape: of what it sees, (height, width, channels).
        classes: how many.
    """

    def __init__(self, media, shape, classes):
        import keras

        self._media, self._shape, self._classes = media, shape, classes
        self._model = classifier(shape, classes, 0)
        self._model.compile(
            optimizer=keras.optimizers.Adam(_RATE),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=False,  # compiling would take longer than it saves on so small a network
        )
        self._model.optimizer.build(self._model.trainable_variables)

    def learn(self, batches, steps, seed):
        """Forgets everything, and takes so many steps of Adam, whose rate falls to 0 along a cosine.

        Args:
            batches: iterator of (samples in natural units, integers (n,)); all of one length.
            steps: batches that are taken of it.
            seed: of first weights and dropout.
        """
        fresh = classifier(self._shape, self._classes, seed)
        for variable, value in zip(self._model.variables, fresh.variables, strict=True):
            variable.assign(value)
        optimizer = self._model.optimizer
        for variable in optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        for step in range(steps):
            optimizer.learning_rate = _RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            samples, labels = next(batches)
            self._model.train_on_batch(self._media.to_classifier(samples), labels)

    def guesses(self, samples):
        """The classes that it takes samples in natural units for, integers (n,)."""
        parts = [samples[start : start + _AT_ONCE] for start in range(0, len(samples), _AT_ONCE)]
        logits = [np.asarray(self._model(self._media.to_classifier(part), training=False)) for part in parts]
        return np.concatenate(logits).argmax(axis=1)

    def accuracy(self, samples, labels):
        """The share of samples in natural units that it takes for what their labels say, in [0, 1]."""
        return float(np.mean(self.guesses(samples) == labels))


def drawn(samples, labels, size, random):
    """Endless batches: every sample once before one comes again, in another order each time.

    Yields:
        (samples, labels) of `size` each.
    """
    waiting = np.empty(0, int)
    while True:
        while len(waiting) < size:
            waiting = np.concatenate([waiting, random.permutation(len(samples))])
        taken, waiting = waiting[:size], waiting[size:]
        yield samples[taken], labels[taken]
