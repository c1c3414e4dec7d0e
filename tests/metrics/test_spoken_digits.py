"""The feature network `spoken_digits`, and what networks for sounds take."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan import metrics
from kerasgan.media import Audio, Image
from kerasgan.metrics import features, spoken_digits
from kerasgan.metrics.network import SoundNetwork


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def network():
    return features.get("spoken_digits")


def tones(count=6, length=8192, channels=1, seed=0):
    """A chirp each, loud for a third of its length: float32 (count, length, channels)."""
    random, time = np.random.default_rng(seed), np.arange(length) / 8000
    found = [
        np.sin(2 * np.pi * random.uniform(200, 1500) * time * (1 + random.uniform(0, 1) * time)) for _ in range(count)
    ]
    loud = np.hanning(length // 3)
    found = np.stack(found)[..., None].repeat(channels, 2) * 0.5
    found[:, : len(loud)] *= loud[:, None]
    found[:, len(loud) :] = 0
    return found.astype("float32")


def test_its_file_is_small_and_verified(network):
    path = pathlib.Path(spoken_digits.__file__).with_name(spoken_digits.WEIGHTS.filename)
    assert path.stat().st_size == spoken_digits.WEIGHTS.size < 300_000
    assert (network.dimensions, network.classes, network.sha256) == (64, 10, spoken_digits.WEIGHTS.sha256)


def test_features_do_not_depend_on_batch_nor_loudness(network):
    sounds = tones(5)
    together, logits = network.features_and_logits(sounds)
    assert together.shape == (5, 64) and logits.shape == (5, 10) and together.std() > 0
    for i in range(5):
        np.testing.assert_allclose(network.features(sounds[i : i + 1])[0], together[i], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(network.features(0.1 * sounds), together, rtol=1e-3, atol=1e-3)
    silence = network.features(np.zeros((1, 8192, 1), "float32"))
    assert np.isfinite(silence).all()


def test_its_front_end_hears_where_energy_is():
    """The bands of a tone, by the mel scale of HTK: 2595 log10(1 + f / 700)."""
    import keras

    model = spoken_digits.network()
    rescaled = next(layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling))
    heard = keras.Model(model.input, rescaled.output)
    time = np.arange(8192) / 8000
    tone = np.stack([np.sin(2 * np.pi * f * time) for f in (300.0, 1000.0, 3000.0)])[..., None].astype("float32")
    loudest = heard.predict(tone, verbose=0)[:, :, 20, 0].argmax(1)
    mel = 2595 * np.log10(1 + np.array([60.0, 4000.0, 300.0, 1000.0, 3000.0]) / 700)
    expected = (mel[2:] - mel[0]) / (mel[1] - mel[0]) * (spoken_digits.BANDS + 1) - 1
    assert np.abs(loudest - expected).max() <= 1


def test_other_sounds_are_made_to_fit(network):
    sounds = tones(3)
    np.testing.assert_allclose(network.features(sounds[:, :4000]), network.features(sounds), rtol=1e-3, atol=1e-3)
    longer = np.concatenate([sounds, tones(3, seed=1)], axis=1)
    np.testing.assert_allclose(network.features(longer), network.features(sounds), rtol=1e-4, atol=1e-4)
    stereo = np.concatenate([2 * sounds * [0.75], 2 * sounds * [0.25]], axis=2).astype("float32")
    np.testing.assert_allclose(network.features(stereo), network.features(sounds), rtol=1e-3, atol=1e-3)


def test_activations_are_maps(network):
    assert [a.shape[0::3] for a in network.activations(tones(2))] == [(2, 40), (2, 64), (2, 64)]


@pytest.mark.parametrize(
    ("sounds", "message"),
    [
        (np.zeros((2, 8192), "float32"), r"sounds has shape \(2, 8192\)"),
        (np.zeros((2, 8192, 1), "int16"), "dtype int16"),
        (np.zeros((0, 8192, 1), "float32"), "shape"),
        (np.full((2, 8192, 1), 300.0, "float32"), "size 300; expected .-1, 1."),
        (np.full((2, 8192, 1), np.nan, "float32"), "size nan"),
    ],
)
def test_what_is_no_sound_is_refused(network, sounds, message):
    with pytest.raises(ValueError, match=message):
        network.features(sounds)


def test_media_that_it_does_not_hear_are_refused(network):
    network.check_media(Audio(8192, 8000))
    with pytest.raises(ValueError, match="hears sounds of 8000 Hz; these are sounds of 16000 Hz"):
        network.check_media(Audio(8192, 16000))
    with pytest.raises(ValueError, match="these are images"):
        network.check_media(Image((28, 28, 1)))


def test_it_is_the_default_for_its_kind_of_sounds_only():
    assert features.default((8192, 1), 8000) == features.default([4096, 2], 8000) == "spoken_digits"
    for shape, rate in (((16384, 1), 8000), ((8192, 1), 16000), ((8192, 1), None)):
        with pytest.raises(ValueError, match="8000 Hz with 8192 samples or less"):
            features.default(shape, rate)


class Listener(SoundNetwork):
    """Names a sound by how loud it is, so that right answers are known."""

    def __init__(self):
        def outputs(sounds):
            level = np.abs(sounds).mean((1, 2))
            return np.stack([level, level**2], 1), -np.abs(level[:, None] - np.linspace(0, 1, 10)) * 50

        super().__init__("listener", outputs, classes=10, length=256, sample_rate=8000, traced=False)


def labelled_reals(moved=0):
    """Sounds as loud as their class, which is called by a number that is `moved` higher."""
    labels, random = np.arange(60, dtype="int32") % 10, np.random.default_rng(0)
    sounds = labels[:, None, None] / 9 * random.choice([-1.0, 1.0], (60, 256, 1))
    pairs = tf.data.Dataset.from_tensor_slices((sounds.astype("float32"), (labels + moved) % 10))
    return pairs.batch(1)


def test_evaluation_of_sounds():
    gan = kerasgan.models.WaveGAN(length=256, latent_dim=4, width=2, num_classes=10, seed=1)
    gan.ema_generator.set_weights([np.zeros_like(w) for w in gan.ema_generator.get_weights()])
    chosen = "fid,prdc,is,understood,confidence"
    found = metrics.evaluate(gan, labelled_reals(), chosen, network=Listener(), count=30, progress=False)
    scores = {(r.metric, r.model): r for r in found}
    names = {"fid", "precision", "recall", "density", "coverage", "is", "understood", "confidence"}
    assert {name for name, _ in scores} == names
    assert scores["understood", gan.name].value == pytest.approx(0.1)  # silence: all alike, one class of ten
    floor = scores["understood", metrics.result.REAL]
    assert floor.value == 1.0 and floor.n_real is None and floor.size == "256x1"
    assert floor.resizer == "mono at 8000 Hz, cut or with silence to 256 samples"
    assert scores["confidence", metrics.result.REAL].value > 0.9
    *_, floor = metrics.evaluate(gan, labelled_reals(1), "understood", network=Listener(), count=30, progress=False)
    assert floor.value == 0.0


@pytest.mark.parametrize(
    ("model", "chosen", "network", "message"),
    [
        ({}, "swd", None, "'swd' cannot score sounds of shape"),
        ({}, "fid,ms_ssim,ppl", "listener", "'ms_ssim', 'ppl' cannot score sounds of shape"),
        ({}, "understood", "listener", "'understood' needs a conditional GAN; wave_gan.* has no classes"),
        ({"num_classes": 3}, "understood", "listener", "network of the 3 classes of the GAN; listener has 10"),
        ({"sample_rate": 16000}, "fid", "listener", "hears sounds of 8000 Hz; these are sounds of 16000 Hz"),
        ({"sample_rate": 16000}, "fid", None, r"shape=\(256, 1\) of 16000 Hz: expected"),
    ],
)
def test_what_cannot_be_scored_is_refused_at_once(model, chosen, network, message):
    gan = kerasgan.models.WaveGAN(length=256, latent_dim=4, width=2, seed=1, **model)
    network = Listener() if network else None
    with pytest.raises(ValueError, match=message):
        metrics.evaluate(gan, labelled_reals(), chosen, network=network, progress=False)
