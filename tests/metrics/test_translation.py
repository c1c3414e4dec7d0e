"""Scores of translators: the numbers, the untouched source beside them, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan import metrics
from kerasgan.media.dead_leaves import dead_leaves
from kerasgan.metrics import translation
from kerasgan.models import CycleGAN, Pix2Pix


def pairs(source, target):
    parts = [images.astype("float32") / 127.5 - 1 for images in (source, target)]
    return tf.data.Dataset.from_tensor_slices(tuple(parts)).batch(2)


class Inverting:
    """Stands in for a translator's network: what it does is known."""

    def __call__(self, images, training=False):
        return -images


@pytest.fixture
def gan(monkeypatch):
    keras.utils.set_random_seed(0)
    gan = Pix2Pix((16, 24, 3), width=2)
    monkeypatch.setattr(gan, "translator", lambda direction, network: Inverting())
    return gan


def by_name(results):
    return {r.metric: r for r in results}


def test_a_right_translation_beats_the_source(gan):
    source = dead_leaves(5, (16, 24, 3), 1)
    found = by_name(metrics.evaluate_translator(gan, pairs(source, 255 - source), "psnr,ssim,l1", progress=False))
    assert found["psnr"].value == 100 and found["l1"].value == 0 and found["ssim"].value == pytest.approx(1)
    difference = np.abs(255.0 - 2.0 * source)
    assert found["l1 of the source"].value == pytest.approx(difference.mean(), abs=1e-3)
    per_image = 10 * np.log10(255**2 / (difference**2).mean(axis=(1, 2, 3)))
    assert found["psnr of the source"].value == pytest.approx(per_image.mean(), abs=1e-6)
    assert found["psnr of the source"].error == pytest.approx(per_image.std() / 5**0.5, abs=1e-6)
    assert found["psnr"].better_than(
        found["psnr of the source"].__class__(**{**found["psnr of the source"].to_dict(), "metric": "psnr"})
    )


def test_sets_are_compared_without_pairs(gan):
    source = dead_leaves(12, (16, 24, 3), 1)
    target = 255 - dead_leaves(12, (16, 24, 3), 2)

    def network(images):
        return np.asarray(images, "float32").reshape(len(images), -1)[:, ::64] / 255

    found = by_name(
        metrics.evaluate_translator(
            gan,
            pairs(source, target),
            paired=False,
            network=network,
            progress=False,
        )
    )
    assert found.keys() == {"kid", "kid of the source"}
    expected = metrics.kernel_distance(network(target), network(255 - source), block_size=12)
    assert found["kid"].value == pytest.approx(expected.value, rel=1e-6)
    assert found["kid"].feature_network is not None


def test_the_direction_is_part_of_the_protocol():
    keras.utils.set_random_seed(0)
    gan = CycleGAN((16, 24, 3), width=2, blocks=1)
    data = pairs(dead_leaves(2, (16, 24, 3), 1), dead_leaves(2, (16, 24, 3), 2))
    forth, back = (
        metrics.evaluate_translator(gan, data, "l1", direction=direction, progress=False)[0]
        for direction in gan.directions
    )
    assert forth.parameters == {} and back.parameters == {"direction": "b_to_a"}
    with pytest.raises(ValueError, match="do not compare"):
        forth.better_than(back)


def test_what_does_not_fit_is_refused(gan):
    data = pairs(dead_leaves(2, (16, 24, 3), 1), dead_leaves(2, (16, 24, 3), 2))
    with pytest.raises(ValueError, match="expected some of psnr, ssim, l1, kid, for a translator"):
        metrics.evaluate_translator(gan, data, "fid")
    with pytest.raises(ValueError, match="expected some of kid, for a translator, where images do not belong"):
        metrics.evaluate_translator(gan, data, "psnr", paired=False)
    with pytest.raises(ValueError, match="holds no batch"):
        metrics.evaluate_translator(gan, data.take(0), "l1")
    assert translation.check_metrics(None, paired=False) == ["kid"]
