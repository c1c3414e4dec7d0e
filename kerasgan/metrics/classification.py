"""Classification accuracy score: is a classifier that learned from generated images any good on real ones?"""

import numpy as np

from kerasgan.metrics import checks, pixels

_BATCH = 64
_LEARNING_RATE = 2e-3


def classification_accuracy(train_images, train_labels, test_images, test_labels, epochs=10, seed=0):
    """Classification accuracy score, CAS (Ravuri and Vinyals, 2019, arXiv:1905.10887). Higher is better.

    Trains a small classifier on one labelled set, generated samples with the classes they were made for, and returns
    its accuracy on another, real one. It falls when classes look wrong, are mixed up, or lack variety. The same
    classifier trained on as many real images gives the ceiling; without that beside it the number says little.

    The paper trained a ResNet-50. This is a network for a CPU, the same for all data: three 3 x 3 convolutions of
    stride 2 with 32, 64 and 128 channels, each with batch normalization and ReLU, global average pooling, a dense
    layer; Adam with a learning rate of 0.002 that falls to 0 along a cosine, batches of 64, no augmentation.

    Args:
        train_images, test_images: (count, height, width, channels), uint8 or floats in [0, 255], of one image size.
        train_labels, test_labels: integers (count,), 0 and up.
        epochs: passes over the training set.
        seed: of initial weights and order; results repeat on the same machine, up to its order of summation.

    Returns:
        The share of test images that are classified right, in [0, 1].

    Raises:
        ValueError: images that are no pixels or of different sizes, labels that do not belong to them, or fewer than 2
            classes.
    """
    train_images, train_labels = _check(train_images, train_labels, "train")
    test_images, test_labels = _check(test_images, test_labels, "test")
    if train_images.shape[1:] != test_images.shape[1:]:
        raise ValueError(
            f"train_images are {train_images.shape[1:]} and test_images {test_images.shape[1:]}; expected the same "
            "size and channels: resize one of them."
        )
    checks.whole(epochs, "epochs", 1)
    classes = 1 + int(max(train_labels.max(), test_labels.max()))
    if classes < 2:
        raise ValueError("train_labels and test_labels hold class 0 only; expected at least 2 classes to tell apart.")
    model = _trained(train_images, train_labels, classes, epochs, seed)
    logits = model.predict(test_images, batch_size=256, verbose=0)
    return float(np.mean(logits.argmax(axis=1) == test_labels))


def _check(images, labels, name):
    images, labels = pixels.check(images, f"{name}_images"), np.asarray(labels)
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(
            f"{name}_labels are {labels.dtype} of shape {labels.shape}; expected integers from 0 of shape "
            f"({len(images)},), one for each image."
        )
    return images, labels


def _trained(images, labels, classes, epochs, seed):
    """The classifier, trained."""
    import keras

    from kerasgan import memory

    batch_size = min(_BATCH, len(images))
    data = memory.batches([images, labels.astype("int32")], batch_size, seed=seed)
    model = _classifier(images.shape[1:], classes, seed)
    steps = epochs * (len(images) // batch_size)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # compiling would take longer than it saves on so small a network
    )
    model.fit(data, epochs=epochs, shuffle=False, verbose=0)  # the data set shuffles itself
    return model


def _classifier(shape, classes, seed):
    """Functional model, pixels in [0, 255] -> logits (batch, classes)."""
    from keras import Input, Model, initializers, layers

    inputs = Input(shape)
    x = layers.Rescaling(1.0 / 127.5, offset=-1.0)(inputs)
    for i, channels in enumerate((32, 64, 128)):
        start = initializers.HeNormal(seed=seed + i)
        x = layers.Conv2D(channels, 3, 2, padding="same", use_bias=False, kernel_initializer=start)(x)
        # Statistics that follow quickly: a small set makes few steps.
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(classes, kernel_initializer=initializers.GlorotUniform(seed=seed + 3))(x))
