"""`evaluate`: the protocol around the scores."""

import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan import metrics
from kerasgan.metrics import samples as samples_module
from kerasgan.metrics.result import REAL
from kerasgan.metrics.samples import Halves

SHAPE = (16, 16, 1)


class Network:
    """A feature network that counts what it is shown."""

    name, license, sha256, dimensions, classes = "stripes", "none", "ab" * 32, 8, 4
    resizer, batch_size = "none", 32

    def __init__(self):
        self.seen = 0

    def check_media(self, media):
        pass

    def features_and_logits(self, images):
        self.seen += len(images)
        rows = images.reshape(len(images), 8, -1).mean(-1).astype("float32")
        return rows, rows[:, :4] / 50

    def features(self, images):
        return self.features_and_logits(images)[0]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "cache"))


@pytest.fixture
def network(monkeypatch):
    found = Network()
    monkeypatch.setattr(metrics.features, "get", lambda identifier: found)
    return found


@pytest.fixture(scope="module")
def gan():
    return kerasgan.models.DCGAN(SHAPE, latent_dim=4, width=2, seed=1)


@pytest.fixture(scope="module")
def reals():
    return np.random.default_rng(0).integers(0, 256, (101, *SHAPE), dtype=np.uint8)


def evaluate(gan, reals, network, **arguments):
    return metrics.evaluate(gan, reals, **{"network": network, "progress": False, "metrics": "fid", **arguments})


def test_scores_come_with_their_protocol_and_floor(gan, reals, network):
    found = evaluate(gan, reals, network, metrics="fid,kid,prdc,is", seed=5, model="me", split="train")
    names = ["fid", "kid", "precision", "recall", "density", "coverage", "is"]
    assert [r.metric for r in found] == [name for name in names for _ in range(2)]
    fid, floor = found[:2]
    assert (fid.model, floor.model) == ("me", REAL)
    assert (fid.n_real, fid.n_fake, fid.split, fid.size) == (50, 50, "train, half of it", "16x16x1")
    assert (fid.feature_network, fid.feature_sha256, fid.resizer) == ("stripes", "ab" * 32, "none")
    assert (fid.ema, fid.truncation, fid.seed, fid.version) == (True, None, 5, kerasgan.__version__)
    assert floor.ema is None and floor.seed is None
    assert floor.better_than(fid)  # an untrained generator is worse than other reals
    assert found[-2].n_real is None  # the Inception score needs no reals


def test_value_is_that_of_the_plain_function(gan, reals, network):
    fid = evaluate(gan, reals, network, seed=3, floor=False)[0]
    fakes = gan.generate(101, seed=3)
    expected = metrics.frechet_distance(network.features(reals), network.features(fakes))
    assert fid.value == pytest.approx(expected, rel=1e-6)
    assert fid.n_real == 101


def test_order_and_container_of_the_reals_do_not_matter(gan, reals, network):
    first = evaluate(gan, reals, network)
    backwards = tf.data.Dataset.from_tensor_slices(reals[::-1].astype("float32") / 127.5 - 1).batch(7)
    again = evaluate(gan, backwards, network)
    assert [r.value for r in again] == pytest.approx([r.value for r in first], rel=1e-9)  # sums in another order
    assert [(r.data, r.n_real) for r in again] == [(r.data, r.n_real) for r in first]
    other = reals.copy()
    other[0, 0, 0, 0] ^= 1
    assert {r.data for r in first} != {r.data for r in evaluate(gan, np.concatenate([other] * 2), network)}


def test_halves_share_no_sample(gan, reals):
    halves = Halves(reals, gan.media, None, True, False)
    both = [s.natural for s in halves.samples(None, {"natural"}, False)]
    assert [len(images) for images in both] == [50, 50]
    there = {image.tobytes() for image in both[0]}
    assert len(there) == 50 and not there & {image.tobytes() for image in both[1]}
    assert there <= {image.tobytes() for image in reals}


def test_same_picture_twice_counts_twice(gan, reals):
    halves = Halves(np.concatenate([reals[:10]] * 3), gan.media, None, True, False)
    assert [s.count for s in halves.samples(None, {"images"}, False)] == [15, 15]


def test_reals_are_cached(gan, reals, network):
    first = evaluate(gan, reals, network, metrics="fid,kid")
    assert network.seen == 150
    again = evaluate(gan, reals, network, metrics="fid,kid")
    assert [r.value for r in again] == pytest.approx([r.value for r in first], rel=1e-9)
    assert network.seen == 200  # the generated ones only
    network.sha256 = "00" * 32
    evaluate(gan, reals, network)
    assert network.seen == 350


def test_damaged_cache_is_made_again(gan, reals, network, tmp_path):
    first = evaluate(gan, reals, network)
    for path in (tmp_path / "cache" / "scores").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert evaluate(gan, reals, network) == first
    assert network.seen == 300


def test_large_sets_keep_moments_only(gan, reals, network, monkeypatch):
    first = evaluate(gan, reals, network)
    monkeypatch.setenv("KERASGAN_HOME", "elsewhere_that_is_not_written")
    monkeypatch.setattr(samples_module, "_cache", lambda *arguments: None)
    monkeypatch.setattr(samples_module, "_CACHED_BYTES", 1)
    kept = Halves(reals, gan.media, None, True, False).samples(network, {"moments"}, False)
    assert kept[0].features is None and kept[0].moments.count == 50
    again = evaluate(gan, reals, network)
    assert [r.value for r in again] == pytest.approx([r.value for r in first], rel=1e-6)


def test_repeats_give_mean_and_deviation(gan, reals, network):
    one, other = (evaluate(gan, reals, network, seed=seed)[0].value for seed in (0, 1))
    both = evaluate(gan, reals, network, repeats=2)[0]
    assert both.value == pytest.approx((one + other) / 2)
    assert both.error == pytest.approx(abs(one - other) / 2**0.5)
    assert both.error_is == "deviation over 2 seeds"


def test_without_moving_average(reals, network):
    gan = kerasgan.models.DCGAN(SHAPE, latent_dim=4, width=2, seed=1)
    same = [evaluate(gan, reals, network, ema=ema)[0].value for ema in (True, False)]
    assert same[0] == same[1]
    gan.generator.layers[1].kernel.assign_add(tf.ones_like(gan.generator.layers[1].kernel))
    ema, raw = (evaluate(gan, reals, network, ema=ema)[0] for ema in (True, False))
    assert ema.value == same[0] and raw.value != same[0] and raw.ema is False


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": "fid,nope"}, "nope.*expected some of fid"),
        ({"metrics": ()}, "expected some of"),
        ({"count": 51}, "count=51.*101 real.*count=50"),
        ({"count": 0}, "count=0"),
        ({"repeats": 0}, "repeats=0"),
        ({"metrics": "cas"}, "'cas' needs a conditional GAN; .* no classes"),
        ({"metrics": "ppl", "ema": False}, "'ppl'.*moving average"),
        ({"metrics": "fid,ppl", "truncation": 0.5}, "'ppl'.*without truncation"),
    ],
)
def test_bad_arguments(gan, reals, network, change, message):
    with pytest.raises(ValueError, match=message):
        evaluate(gan, reals, network, **change)


def test_bad_reals(gan, reals, network):
    with pytest.raises(ValueError, match="shape"):
        evaluate(gan, reals[:, :8], network)
    with pytest.raises(ValueError, match="at least two"):
        evaluate(gan, reals[:1], network)
    with pytest.raises(ValueError, match="repeats"):
        evaluate(gan, tf.data.Dataset.from_tensors(tf.zeros((1, *SHAPE))).repeat(), network)
    fresh = np.random.default_rng(0)  # goes on from one reading to the next

    def batches():
        yield from fresh.uniform(-1, 1, (9, 4, *SHAPE)).astype("float32")

    changing = tf.data.Dataset.from_generator(batches, output_signature=tf.TensorSpec((4, *SHAPE)))
    with pytest.raises(ValueError, match="flip=False"):
        evaluate(gan, changing, network)
    with pytest.raises(ValueError, match="real is a str"):
        evaluate(gan, "photos/", network)


def test_classification_needs_labelled_reals(reals, network):
    gan = kerasgan.models.DCGAN(SHAPE, latent_dim=4, width=2, num_classes=2, seed=1)
    with pytest.raises(ValueError, match="no labels"):
        evaluate(gan, reals, network, metrics="cas")
