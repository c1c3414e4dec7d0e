"""How well images show what their texts say, beside real images of the same texts.

A judge that knows neither the model nor its encoder learns from real pairs which text belongs to which image: linear
maps of a feature network's features, and of the trigrams of a text, to vectors that are alike for a pair (InfoNCE, van
den Oord et al., 2018, arXiv:1807.03748).
"""

import zlib
from typing import Any, NamedTuple

import numpy as np

import kerasgan
from kerasgan import captions
from kerasgan.metrics import checks, features, result
from kerasgan.metrics.kernel import kernel_distance

CHOICES = 100  # texts among which that of an image is to be found, itself included
HELD = 5  # every fifth real image is kept from the judge: how often it is right on these is the ceiling
MOST = 1000  # images that are made
SEEDS = 4  # images of one text that are compared with each other
COLORS = {
    **{"red": (220, 40, 50), "orange": (245, 145, 30), "yellow": (250, 205, 60), "green": (90, 170, 70)},
    **{"blue": (70, 140, 220), "purple": (160, 100, 200), "brown": (140, 90, 60), "black": (40, 40, 40)},
    **{"white": (235, 235, 235)},
}
_TRIGRAMS = 4096  # places that trigrams of texts are counted at
_VECTOR = 64
_TEMPERATURE = 0.1
_EPOCHS = 60
_BATCH = 256


def r_precision(images, texts, same=None, choices=CHOICES, seed=0):
    """How often the text of an image is the one most like it among so many, drawn at random (arXiv:1711.10485).

    Args:
        images: vectors (n, d) of images, of length 1.
        texts: vectors (n, d) of the texts that they are to show, of length 1.
        same: numbers (n,) by which texts are the same; the others are drawn among different ones. None: all differ.
        choices: texts to choose from, the right one included; fewer where there are no more.
        seed: of what is drawn.

    Returns:
        A number in [0, 1]; 1 / choices is what guessing gives.

    Raises:
        ValueError: fewer than two different texts.
    """
    same = np.arange(len(texts)) if same is None else np.asarray(same)
    random, right = np.random.default_rng(seed), 0
    _, first = np.unique(same, return_index=True)
    if len(first) < 2:
        raise ValueError("texts are all the same; expected at least two different ones.")
    for image, text, own in zip(images, texts, same, strict=True):
        others = first[same[first] != own]
        drawn = random.permutation(others)[: choices - 1]
        right += bool(image @ text > (texts[drawn] @ image).max())
    return right / len(images)


def color_of(image):
    """The name in `COLORS` that is nearest to what an image shows: the mean color of what is unlike its corners."""
    pixels = np.asarray(image, "float64")[..., :3]
    ground = np.median([pixels[0, 0], pixels[0, -1], pixels[-1, 0], pixels[-1, -1]], axis=0)
    shown = pixels[np.abs(pixels - ground).sum(axis=-1) > 60]
    mean = np.median(shown, axis=0) if len(shown) else ground
    return min(COLORS, key=lambda name: np.square(np.subtract(COLORS[name], mean)).sum())


def named_color(text):
    """The one color that a text names; None where it names none, or several."""
    named = [name for name in COLORS if name in text.replace(",", " ").split()]
    return named[0] if len(named) == 1 else None


def trigrams(texts):
    """Which trigrams of characters texts have: float32 (n, 4096) of length 1. Some share a place."""
    rows = np.zeros((len(texts), _TRIGRAMS), "float32")
    for row, text in zip(rows, texts, strict=True):
        padded = f"  {text} "
        for start in range(len(padded) - 2):
            row[zlib.crc32(padded[start : start + 3].encode()) % _TRIGRAMS] = 1.0
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


class Judge:
    """Tells which text belongs to which image, by what it learned of real pairs.

    Args:
        images: a feature network's features of images, (n, d).
        texts: their texts.
        seed: of its weights and batches.
    """

    def __init__(self, images, texts, seed=0):
        import keras

        self._mean, self._deviation = images.mean(axis=0), images.std(axis=0) + 1e-6
        first, second = keras.Input(images.shape[1:]), keras.Input((_TRIGRAMS,))
        starts = [keras.initializers.GlorotUniform(seed=seed + place) for place in (1, 2)]
        vectors = [
            keras.layers.UnitNormalization()(keras.layers.Dense(_VECTOR, kernel_initializer=start)(one))
            for one, start in zip((first, second), starts, strict=True)
        ]
        self._of_images, self._of_texts = keras.Model(first, vectors[0]), keras.Model(second, vectors[1])
        self._pairs = keras.Model([first, second], vectors)
        self._learn(self._scaled(images), trigrams(texts), seed)

    def _scaled(self, images):
        return (images - self._mean) / self._deviation

    def _learn(self, images, texts, seed):
        import keras
        import tensorflow as tf

        optimizer = keras.optimizers.AdamW(2e-3, weight_decay=1e-2)
        variables = self._pairs.trainable_variables

        @tf.function(autograph=False)
        def step(images, texts):
            with tf.GradientTape() as tape:
                one, other = self._pairs([images, texts], training=True)
                logits = tf.matmul(one, other, transpose_b=True) / _TEMPERATURE
                alike = tf.cast(tf.matmul(texts, texts, transpose_b=True) > 1 - 1e-4, tf.float32)
                wanted = alike / tf.reduce_sum(alike, axis=1, keepdims=True)
                both = [tf.nn.softmax_cross_entropy_with_logits(wanted, way) for way in (logits, tf.transpose(logits))]
                loss = tf.reduce_mean(both)
            optimizer.apply(tape.gradient(loss, variables), variables)
            return loss

        random, size = np.random.default_rng(seed), min(_BATCH, len(images))
        for _ in range(_EPOCHS):
            order = random.permutation(len(images))
            for start in range(0, len(images) - size + 1, size):
                rows = order[start : start + size]
                step(images[rows], texts[rows])

    def image_vectors(self, images):
        """Vectors of images, of which the features are given: float32 (n, 64) of length 1."""
        return self._of_images.predict(self._scaled(images), verbose=0)

    def text_vectors(self, texts):
        """Vectors of texts, float32 (n, 64) of length 1."""
        return self._of_texts.predict(trigrams(texts), verbose=0)


class Case(NamedTuple):
    """What a metric scores.

    Attributes:
        images: uint8 (n, height, width, channels).
        texts: what they are to show.
        features: of the images, (n, d); of width 0 where no metric that was asked for compares them.
        reals: features of real images of the same texts; None where `images` are real ones themselves.
        gan, judge, seed: see `evaluate`.
    """

    images: Any
    texts: Any
    features: Any
    reals: Any
    gan: Any
    judge: Any
    seed: int


def evaluate(gan, parts, metrics=None, *, network=None, seed=0, model=None, split="all"):
    """Scores images of texts, those of the data, beside the real images of these texts.

    - `r_precision`: how often a judge (see `Judge`) finds the text of an image among 100; of real images, on those that
      it did not learn from, it is what can be reached at most.
    - `colors`: of texts that name one color, the share whose images have it more than any other (`color_of`).
    - `diversity`: how far images of one text are from each other, as a share of how far those of different texts are
      (mean absolute difference of pixels); 0 where the latents decide nothing.
    - `kid`: the kernel distance (`kerasgan.metrics.kernel_distance`) of their features from those of the real images of
      the same texts; of real images, that of one half of them from the other.

    Args:
        gan: a `kerasgan.text_to_image.TextToImage`.
        parts: {what is said of it: data set of (images in model range, bytes of texts)}; the first is the training's.
        metrics: names, in a sequence or separated by commas; None takes all.
        network: feature network of the judge and of `kid`; None takes the best that is installed.
        seed: of the samples, and of the judge.
        model, split: what the records call the model and the data.

    Returns:
        A list of `kerasgan.metrics.Result`.

    Raises:
        ValueError: an unknown metric, or too few images.
    """
    names = checks.metric_names(metrics, METRICS, "a model that makes images of texts")
    network = features.get(network or gan.media.default_network())
    features_of = network.features if {"r_precision", "kid"} & set(names) else _no_features
    read = {label: _read(gan, part, features_of) for label, part in parts.items()}
    images, texts, seen = next(iter(read.values()))
    held = np.arange(len(images)) % HELD == HELD - 1
    judge = None
    if "r_precision" in names:
        judge = Judge(seen[~held], [text for text, out in zip(texts, held, strict=True) if not out], seed)
    about = {"split": split, "n_real": len(images), "version": kerasgan.__version__, "feature_network": network.name}
    about["size"] = "x".join(map(str, gan.media.shape))
    found = []
    for label, (real, own, of_real) in read.items():
        chosen = np.random.default_rng(seed).permutation(len(own))[:MOST]
        asked = [own[place] for place in chosen]
        made = gan.generate(len(asked), text=asked, seed=seed)
        beside = np.flatnonzero(held) if label == "" else np.arange(len(real))
        known = {"gan": gan, "judge": judge, "seed": seed}
        of_made = Case(made, asked, features_of(made), of_real[chosen], **known)
        of_others = Case(real[beside], [own[place] for place in beside], of_real[beside], None, **known)
        scored = {model or gan.name: (of_made, {"ema": True, "seed": seed}), result.REAL: (of_others, {})}
        for name in names:
            for which, (case, more) in scored.items():
                value = METRICS[name](case)
                if value is not None:
                    called = f"{name}, {label}" if label else name
                    more = {**more, "n_fake": len(case.images), "model": which, **about}
                    found.append(result.Result(called, float(value), name != "kid", **more))
    return found


def _read(gan, dataset, features_of):
    """(images in natural units, their texts, their features) of a data set of batches."""
    images, tokens = zip(*dataset.as_numpy_iterator(), strict=True)
    images = gan.media.to_natural(np.concatenate(images))
    return images, captions.texts_of(np.concatenate(tokens)), features_of(images)


def _no_features(images):
    return np.zeros((len(images), 0), "float32")


def _r_precision(case):
    _, same = np.unique(case.texts, return_inverse=True)
    vectors = case.judge.image_vectors(case.features), case.judge.text_vectors(case.texts)
    return r_precision(*vectors, same, seed=case.seed)


def _colors(case):
    named = [(image, named_color(text)) for image, text in zip(case.images, case.texts, strict=True)]
    right = [color_of(image) == color for image, color in named if color is not None]
    return np.mean(right) if right else None


def _diversity(case):
    if case.reals is None:
        return None
    some = case.texts[:32]
    made = case.gan.generate(len(some) * SEEDS, text=[text for text in some for _ in range(SEEDS)], seed=case.seed)
    made = made.reshape(len(some), SEEDS, -1).astype("float32")
    within = np.mean([np.abs(made[:, a] - made[:, b]).mean() for a in range(SEEDS) for b in range(a)])
    between = np.abs(made[:-1] - made[1:]).mean()
    return within / max(between, 1e-9)


def _kid(case):
    reals, others = (case.features[::2], case.features[1::2]) if case.reals is None else (case.reals, case.features)
    if min(len(reals), len(others)) < 2:
        return None
    return kernel_distance(reals, others, seed=case.seed).value


METRICS = {"r_precision": _r_precision, "colors": _colors, "diversity": _diversity, "kid": _kid}
