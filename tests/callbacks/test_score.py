"""The callback `Score`."""

import csv
import importlib.util
import json
import types

import keras
import numpy as np
import pytest
from once import assert_unaltered, traced_once

import kerasgan
from kerasgan import callbacks, metrics, registry, runs
from kerasgan.callbacks import score as score_module

SHAPE = (16, 16, 1)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASGAN_HOME", str(tmp_path / "cache"))


def rows_of(images):
    return images.reshape(len(images), 4, -1).mean(-1).astype("float32")


@pytest.fixture(scope="module")
def reals():
    return np.random.default_rng(0).integers(0, 256, (40, *SHAPE), dtype=np.uint8)


@traced_once
def trained_gan():
    keras.utils.set_random_seed(1)  # of the initial weights
    gan = kerasgan.models.DCGAN(SHAPE, latent_dim=4, width=2, seed=1)
    gan.compile("sgd", "sgd")
    return gan


def fit(gan, reals, watchers, epochs=3, initial_epoch=0):
    images = reals.astype("float32") / 127.5 - 1
    gan.fit(images, batch_size=8, epochs=epochs, initial_epoch=initial_epoch, callbacks=watchers, verbose=0)


def test_scores_are_logged_written_and_the_best_model_is_kept(reals, tmp_path, capsys):
    watcher = callbacks.Score(reals, tmp_path, metrics="fid,kid", every=2, network=rows_of)
    gan = trained_gan()
    fit(gan, reals, [watcher, callbacks.Log(tmp_path / "log.csv")])
    floor, *rows = score_module.read(tmp_path)
    assert floor["epoch"] == 0 and floor["scores"][0].model == "real data"
    assert [row["epoch"] for row in rows] == [2, 3]  # every second epoch, and the last
    assert [s.metric for s in rows[0]["scores"]] == ["fid", "kid"]
    expected = metrics.evaluate(gan, reals, "fid", network=rows_of, progress=False)[0]
    assert rows[1]["scores"][0].value == expected.value
    with open(tmp_path / "log.csv", newline="") as file:
        logged = [row["score_fid"] for row in csv.DictReader(file)]
    assert logged[0] == "" and float(logged[1]) == pytest.approx(rows[0]["scores"][0].value, rel=1e-5)
    best = min(row["scores"][0].value for row in rows)
    assert watcher.best.value == best
    kept = keras.saving.load_model(tmp_path / "best.keras")
    assert metrics.evaluate(kept, reals, "fid", network=rows_of, progress=False)[0].value == best
    if importlib.util.find_spec("tensorboard"):
        assert list((tmp_path / "tensorboard").iterdir())
    assert "epoch 2: fid" in capsys.readouterr().out


def test_a_worse_model_does_not_replace_the_best(reals, tmp_path):
    gan = trained_gan()
    watcher = callbacks.Score(reals, tmp_path, network=rows_of, tensorboard=False)
    fit(gan, reals, [watcher], epochs=1)
    best, first = (tmp_path / "best.keras").read_bytes(), watcher.best
    gan.ema_generator.layers[-2].bias.assign([9.0])  # white pictures only
    watcher._epoch = 2
    watcher._score({})
    assert score_module.read(tmp_path)[-1]["scores"][0].value > first.value
    assert (tmp_path / "best.keras").read_bytes() == best and watcher.best is first


def test_going_on_keeps_earlier_scores_and_the_best(reals, tmp_path):
    gan = trained_gan()
    fit(gan, reals, [callbacks.Score(reals, tmp_path, network=rows_of, tensorboard=False)], epochs=2)
    before = score_module.read(tmp_path)
    watcher = callbacks.Score(reals, tmp_path, network=rows_of, tensorboard=False)
    fit(gan, reals, [watcher], epochs=3, initial_epoch=2)
    after = score_module.read(tmp_path)
    assert after[:3] == before and [row["epoch"] for row in after] == [0, 1, 2, 3]
    assert watcher.best.value == min(row["scores"][0].value for row in after[1:])


def test_a_training_in_several_parts_is_scored_as_one(reals, tmp_path):
    gan = trained_gan()
    for first in (0, 1):  # the first part's end is not the end
        watcher = callbacks.Score(reals, tmp_path, every=2, network=rows_of, tensorboard=False, epochs=3)
        fit(gan, reals, [watcher], epochs=(1, 3)[first], initial_epoch=first)
    assert [row["epoch"] for row in score_module.read(tmp_path)] == [0, 2, 3]


def test_the_last_epoch_of_a_training_that_stops_early_is_scored(reals, tmp_path):
    stop = keras.callbacks.EarlyStopping("samples_per_second", mode="max", patience=0, baseline=float("inf"))
    watchers = [callbacks.Throughput(), callbacks.Score(reals, tmp_path, every=5, network=rows_of, epochs=9), stop]
    fit(trained_gan(), reals, watchers, epochs=9)
    assert [row["epoch"] for row in score_module.read(tmp_path)] == [0, stop.stopped_epoch + 1]


def test_scores_do_not_alter_the_training(reals, tmp_path):
    score = callbacks.Score(reals, tmp_path, metrics="fid,swd", network=rows_of, tensorboard=False)
    assert_unaltered(trained_gan(), lambda gan, watchers: fit(gan, reals, watchers), [score])


def test_another_protocol_is_refused(reals, tmp_path):
    gan = trained_gan()
    fit(gan, reals, [callbacks.Score(reals, tmp_path, network=rows_of, tensorboard=False)], epochs=1)
    other = callbacks.Score(reals, tmp_path, network=rows_of, count=10, tensorboard=False)
    with pytest.raises(ValueError, match="protocols differ"):
        fit(gan, reals, [other], epochs=2, initial_epoch=1)
    assert len(score_module.read(tmp_path)) == 2


def test_without_tensorboard(reals, tmp_path, monkeypatch):
    monkeypatch.setattr(score_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"kerasgan\[tensorboard\]"):
        callbacks.Score(reals, tmp_path, tensorboard=True)
    fit(trained_gan(), reals, [callbacks.Score(reals, tmp_path, network=rows_of)], epochs=1)
    assert not (tmp_path / "tensorboard").exists()


def test_bad_arguments(reals, tmp_path):
    with pytest.raises(ValueError, match="every is 0"):
        callbacks.Score(reals, tmp_path, every=0)
    with pytest.raises(ValueError, match="expected some of"):
        fit(trained_gan(), reals, [callbacks.Score(reals, tmp_path, metrics="nope", network=rows_of)])
    (tmp_path / "scores.json").write_text(json.dumps([{"epoch": 1}]))
    with pytest.raises(ValueError, match="not written by"):
        score_module.read(tmp_path)


@pytest.mark.parametrize(
    "kind, fitting", [("pix2pix", "psnr, ssim, l1, kid"), ("cyclegan", "psnr"), ("srgan", "psnr, ssim")]
)
def test_models_that_make_samples_from_images_are_refused_at_the_start(tmp_path, reals, kind, fitting):
    message = f"makes its own from images. What fits it is some of {fitting}"
    with pytest.raises(ValueError, match=f"score: fid.*{message}"):  # before the data are looked for
        runs.train(registry.resolve(kind), tmp_path / "nowhere", tmp_path / "run", score=["fid"])
    watcher = callbacks.Score(reals, tmp_path / "run", network=rows_of)
    watcher.set_model(types.SimpleNamespace(task=registry.gan_class(kind).task))
    with pytest.raises(ValueError, match=message.replace("SimpleNamespace ", "")):
        watcher.on_train_begin()
    assert not (tmp_path / "run").exists()
