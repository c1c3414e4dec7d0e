"""Scores through a real feature network know worse samples from better ones, each in its own way."""

import functools

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from kerasgan import metrics
from kerasgan.metrics.neighbours import neighbour_scores

COUNT = 400


def drawn(seed, classes=10):
    """Printed digits of varying size and place, uint8 (COUNT, 28, 28, 1)."""
    random = np.random.default_rng(seed)
    pictures = []
    for i in range(COUNT):
        picture = Image.new("L", (28, 28))
        font = ImageFont.load_default(int(random.integers(16, 26)))
        place = (14 + random.uniform(-3, 3), 14 + random.uniform(-3, 3))
        ImageDraw.Draw(picture).text(place, str(i % classes), fill=255, font=font, anchor="mm")
        pictures.append(np.asarray(picture.rotate(float(random.uniform(-15, 15)), Image.Resampling.BILINEAR)))
    return np.stack(pictures)[..., None]


def blurred(images, radius):
    pictures = [Image.fromarray(image[..., 0]).filter(ImageFilter.GaussianBlur(radius)) for image in images]
    return np.stack([np.asarray(picture) for picture in pictures])[..., None]


def noisy(images, deviation):
    noise = np.random.default_rng(1).normal(scale=deviation, size=images.shape)
    return np.clip(images + noise, 0, 255).astype("uint8")


@functools.cache
def network():
    return metrics.features.get("digits")


@functools.cache
def seen(name):
    """Features of samples that are fine, or get worse from one of a series to the next."""
    fine = drawn(1)
    samples = {
        "real": lambda: drawn(0),
        "fine": lambda: fine,
        "blur 1": lambda: blurred(fine, 1.5),
        "blur 2": lambda: blurred(fine, 3.0),
        "noise 1": lambda: noisy(fine, 60),
        "noise 2": lambda: noisy(fine, 150),
        "drop 1": lambda: drawn(1, classes=6),
        "drop 2": lambda: drawn(1, classes=2),
    }
    return network().features(samples[name]())


@pytest.mark.parametrize("series", ["blur", "noise", "drop"])
@pytest.mark.parametrize("metric", ["fid", "kid"])
def test_distances_grow_when_samples_get_worse(metric, series):
    function = {"fid": metrics.frechet_distance, "kid": lambda a, b: metrics.kernel_distance(a, b, 100).value}[metric]
    values = [function(seen("real"), seen(name)) for name in ("fine", f"{series} 1", f"{series} 2")]
    assert values[0] < values[1] < values[2]


def prdc(name):
    return neighbour_scores(seen("real"), seen(name), k=3, density_k=5)


@pytest.mark.parametrize("series", ["blur", "noise"])
def test_quality_falls_with_blur_and_noise(series):
    fine, worse = prdc("fine"), prdc(f"{series} 2")
    assert worse.precision < fine.precision and worse.density < fine.density


def test_variety_falls_when_classes_are_dropped():
    fine, six, two = (prdc(name) for name in ("fine", "drop 1", "drop 2"))
    assert fine.recall > six.recall > two.recall
    assert fine.coverage > six.coverage > two.coverage
    assert two.precision > 0.8 * fine.precision  # what is left is as good as before


def test_inception_score_falls_when_classes_are_dropped_or_blurred():
    def score(images):
        return metrics.inception_score(network().features_and_logits(images)[1]).value

    fine = drawn(1)
    assert score(fine) > score(drawn(1, classes=6)) > score(drawn(1, classes=2))
    assert score(fine) > score(blurred(fine, 3.0))


def test_memorization_grows_with_the_share_of_copies():
    real, fresh = seen("real"), seen("fine")
    shares = [
        metrics.memorization(real, np.concatenate([real[:copies], fresh[copies:]])).share for copies in (0, 100, 300)
    ]
    assert shares[0] < 0.2 and shares[0] + 0.15 < shares[1] < shares[2]
