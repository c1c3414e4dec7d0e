"""The small classifiers by which samples are judged: convolutions on what `Media.to_classifier` makes of them."""

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


def trained(media, shape, classes, batches, steps, seed):
    """A classifier after so many steps of Adam, whatever it learns from.

    Args:
        media: `kerasgan.media.Media` of the samples.
        shape: of what it sees, (height, width, channels).
        classes: how many.
        batches: iterator of (samples in natural units, integers (n,)); all of one length.
        steps: batches that are taken of it.
        seed: of first weights and dropout.
    """
    import keras

    model = classifier(shape, classes, seed)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_RATE, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # compiling would take longer than it saves on so small a network
    )
    for _ in range(steps):
        samples, labels = next(batches)
        model.train_on_batch(media.to_classifier(samples), labels)
    return model


def guesses(media, model, samples):
    """The classes that a classifier takes samples in natural units for, integers (n,)."""
    parts = [samples[start : start + _AT_ONCE] for start in range(0, len(samples), _AT_ONCE)]
    logits = [np.asarray(model(media.to_classifier(part), training=False)) for part in parts]
    return np.concatenate(logits).argmax(axis=1)


def accuracy(media, model, samples, labels):
    """The share of samples in natural units that a classifier takes for what their labels say, in [0, 1]."""
    return float(np.mean(guesses(media, model, samples) == labels))


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
