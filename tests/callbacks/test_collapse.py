"""The callback `CollapseMonitor`."""

import functools
import json
import warnings

import keras
import numpy as np
import pytest
from once import renewed, traced_once

import kerasgan
from kerasgan import callbacks, media, runs
from kerasgan.callbacks import collapse, log, variety
from kerasgan.registry import Recipe

SHAPE = (8, 8, 1)
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(-1, 1, (64, *SHAPE)).astype("float32")  # eight steps of eight
ALL_THE_SAME = np.repeat(IMAGES[:1], 64, 0)


@traced_once
def vanilla(**arguments):
    keras.utils.set_random_seed(1)  # of the initial weights
    gan = kerasgan.models.VanillaGAN(SHAPE, latent_dim=4, units=8, maxout_units=8, seed=1)
    gan.compile(**arguments)
    return gan


def fit(gan, *watchers, epochs=1, initial_epoch=0):
    batches = kerasgan.data.images(IMAGES, size=8, channels=1, batch_size=8, seed=5).endless(8 * initial_epoch)
    options = {"epochs": epochs, "initial_epoch": initial_epoch, "steps_per_epoch": 8, "verbose": 0}
    return gan.fit(batches, callbacks=[*watchers], **options)


def making(gan, *kinds):
    """Makes the GAN's samples, check by check, "varied" or "same"; the last kind stays."""
    kinds = [*kinds]

    def generate_batches(count, seed, ema):
        assert not ema
        kind = kinds.pop(0) if len(kinds) > 1 else kinds[0]
        samples = {"varied": np.random.default_rng(1).uniform(-1, 1, (64, *SHAPE)), "same": ALL_THE_SAME}[kind]
        yield gan.media.to_natural(samples[:count].astype("float32"))

    gan.generate_batches = generate_batches
    return gan


def everything(gan):
    """All numbers of a GAN, but for its random states: those of training apart from the others."""
    variables = [*gan.variables, *gan.discriminator_optimizer.variables, *gan.generator_optimizer.variables]
    seeds = gan.training_seeds.state
    return [np.array(variable) for variable in variables if variable is not seeds], np.array(seeds)


def same(some, others):
    return all(np.array_equal(a, b) for a, b in zip(some, others, strict=True))


def checks(folder):
    return collapse.read(folder)[1:]


# Telling a collapse ---------------------------------------------------------------------------------------------------


def digits(seed):
    return kerasgan.load("vanilla_gan_mnist").generate(64, seed=seed).astype("float32") / 127.5 - 1


def smooth_colours(seed):
    coarse = np.random.default_rng(seed).uniform(-1, 1, (64, 4, 4, 3))
    return np.kron(coarse, np.ones((1, 6, 8, 1)))


def sprites(seed):
    random = np.random.default_rng(seed)
    samples = random.uniform(-1, 1, (64, 16, 16, 4))
    samples[..., 3] = np.where(random.uniform(size=(64, 1, 1)) < np.linspace(0, 1, 16), 1.0, -1.0)
    samples[..., :3][samples[..., 3] < 0] = random.uniform(-1, 1, 3)  # colours that nobody sees
    return samples


def circle(seed):
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, 64)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def of_kind(samples):
    return media.Image(samples.shape[1:]) if samples.ndim == 4 else media.Arrays(samples.shape[1:])


def seen_beside(fakes, reals):
    kind = of_kind(reals)
    real, fake = (variety.spread(variety.features(samples, kind)) for samples in (reals, fakes))
    diversity, duplicates = variety.compare(fake, real.mean, np.median(real.nearest))
    return {"diversity": diversity, "duplicates": duplicates}


@pytest.mark.parametrize("data", [digits, smooth_colours, sprites, circle])
def test_a_collapse_is_told_from_other_samples_of_the_data(data):
    reals, healthy = data(0), data(1)
    noise = np.random.default_rng(2).normal(0, 0.02, healthy.shape)
    row = seen_beside(healthy, reals)
    assert row["diversity"] > 0.8 and row["duplicates"] < 0.25 and not collapse._has_collapsed(row)
    collapsed = {
        "one sample": healthy[[0] * 64],
        "one, and noise": healthy[[0] * 64] + noise,
        "one, changed a little": 0.75 * healthy[[0] * 64] + 0.25 * data(3),
        "four samples": healthy[np.arange(64) % 4],
        "eight, and a little noise": healthy[np.arange(64) % 8] + noise / 20,
        "half of them one": healthy[np.maximum(np.arange(64) - 32, 0)],
    }
    for name, samples in collapsed.items():
        assert collapse._has_collapsed(seen_beside(samples, reals)), name


def test_what_nobody_sees_does_not_count():
    samples = RANDOM.uniform(-1, 1, (8, 20, 40, 4))
    samples[..., 3] = -1
    assert variety.spread(variety.features(samples, media.Image((20, 40, 4)))).mean == 0


def test_samples_that_are_not_finite_are_no_good_health():
    row = seen_beside(np.full((64, 2), np.nan), circle(0))
    assert collapse._has_collapsed(row)


# In a training --------------------------------------------------------------------------------------------------------


def test_a_collapse_is_told_once_with_what_to_do(tmp_path, capsys):
    gan = making(vanilla(), "varied", "varied", "same")
    monitor = callbacks.CollapseMonitor(tmp_path, every=64)
    with pytest.warns(callbacks.CollapseWarning, match="collapsing in epoch 3, after 192.*lower learning rate") as told:
        history = fit(gan, monitor, callbacks.Log(tmp_path / "log.csv"), epochs=5)
    assert sum(warning.category is callbacks.CollapseWarning for warning in told) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" - ")[0] for line in lines] == ["health: good"] * 2 + ["health: collapsing"] * 3
    assert "only 0 % as varied as the data, 64 of 64 nearly alike, discriminator right in" in lines[-1]
    start, *rows = collapse.read(tmp_path)
    assert start["samples"] == 0 and start["real"]["count"] == 64
    assert [(row["epoch"], row["step"], row["samples"]) for row in rows] == [(n, 8, 64 * n) for n in range(1, 6)]
    assert history.history["sample_diversity"] == [row["diversity"] for row in rows]
    assert [row["duplicate_samples"] for row in log.read(tmp_path / "log.csv")] == [0, 0, 1, 1, 1]
    assert not (tmp_path / "healthy.keras").exists() and rows[-1]["rollbacks"] == 0 and not gan.stop_training


def test_samples_of_an_untrained_generator_are_no_collapse_but_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr(collapse, "PATIENCE", 192)
    with pytest.warns(callbacks.CollapseWarning, match="in epoch 3"):
        fit(making(vanilla(), "same"), callbacks.CollapseMonitor(tmp_path, every=64), epochs=3)
    assert [row["verdict"] for row in checks(tmp_path)] == ["early", "early", "collapsing"]


@traced_once
def plane():
    """A GAN of points, which learns in seconds."""
    keras.utils.set_random_seed(1)
    dense = keras.layers.Dense
    latents, points = keras.Input((4,)), keras.Input((2,))
    generator = keras.Model(latents, dense(2)(dense(32, activation="relu")(latents)))
    discriminator = keras.Model(points, dense(1)(dense(32, activation="relu")(points)))
    gan = kerasgan.GAN(generator, discriminator, seed=1)
    gan.compile(learning_rate=2e-3)
    return gan


def test_a_healthy_training_gives_no_alarm_and_is_not_altered(tmp_path):
    points = (RANDOM.normal(size=(1000, 2)) * [1.0, 0.5]).astype("float32")
    gan, found = plane(), []
    gan.fit(points, batch_size=50, epochs=8, verbose=0)
    found.append(everything(gan))
    with warnings.catch_warnings():
        warnings.simplefilter("error", callbacks.CollapseWarning)
        monitor = callbacks.CollapseMonitor(tmp_path, every=2000, rollback=2)
        renewed(gan).fit(points, batch_size=50, epochs=8, verbose=0, callbacks=[monitor])
    found.append(everything(gan))
    (numbers, seeds), (others, other_seeds) = found
    assert same(numbers, others) and np.array_equal(seeds, other_seeds)
    assert [(row["epoch"], row["verdict"]) for row in checks(tmp_path)] == [(n, "good") for n in range(1, 9)]
    assert all(0 < row["gradients"]["generator"] < np.inf and 0 < row["accuracy"] < 1 for row in checks(tmp_path))


def test_windows_are_exact_and_checks_divide_an_epoch_evenly(tmp_path):
    class Accuracies(keras.callbacks.Callback):
        means = []

        def on_train_batch_end(self, batch, logs=None):
            self.means.append(float(logs["discriminator_accuracy"]))

    recorder = Accuracies()
    fit(vanilla(), callbacks.CollapseMonitor(tmp_path, every=20), recorder)
    rows = checks(tmp_path)
    assert [row["step"] for row in rows] == [3, 6, 8]  # of eight: the last check is at the end
    wins = [0.0, *(mean * 8 * (step + 1) for step, mean in enumerate(recorder.means))]  # running sums
    expected = [(wins[b] - wins[a]) / (8 * (b - a)) for a, b in ((0, 3), (3, 6), (6, 8))]
    assert [row["accuracy"] for row in rows] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("real", ["array", "dataset", "none"])
def test_what_samples_are_compared_with(real, tmp_path):
    natural = media.Image(SHAPE).to_natural(IMAGES)
    reals = {"array": natural, "dataset": kerasgan.data.images(natural, size=8, channels=1, batch_size=5)}
    monitor = callbacks.CollapseMonitor(tmp_path, every=64, real=reals.get(real))
    monitor._watching = False  # as on several devices
    with pytest.warns(callbacks.CollapseWarning):
        fit(making(vanilla(), "varied", "same"), monitor, epochs=2)
    start, good, bad = collapse.read(tmp_path)
    assert (start["real"] is None) == (real == "none") and good["diversity"] > 0.9 and bad["diversity"] == 0


def test_a_feature_network_of_ones_own(tmp_path):
    shapes = []

    def network(samples):
        shapes.append((samples.dtype, samples.shape))
        return samples.reshape(len(samples), -1)[:, :3]

    fit(vanilla(), callbacks.CollapseMonitor(tmp_path, every=64, network=network))
    assert shapes == [(np.uint8, (64, *SHAPE))] * 2


def judged(monitor, **changes):
    """What a monitor says of a check after five that found nothing."""
    row = {"samples": 1000, "diversity": 0.9, "duplicates": 0.0, "accuracy": 0.8, "states": [], "epoch": 1, "count": 64}
    row |= {"gradients": {"discriminator": 2.0, "generator": 1.0}, "loss_scales": {}}
    monitor._rows = [{"epoch": 0, "real": {}}, *[row] * 5]
    return monitor._states(row | changes)


def test_what_goes_wrong_in_the_game(tmp_path):
    states = functools.partial(judged, callbacks.CollapseMonitor(tmp_path))
    assert states() == []
    assert states(accuracy=1.0) == []  # right for a Wasserstein critic
    assert states(accuracy=1.0, gradients={"discriminator": 2.0, "generator": 0.009}) == ["one-sided"]
    assert states(accuracy=0.9, gradients={"discriminator": 2.0, "generator": 0.009}) == []
    assert states(gradients={"discriminator": 2.0, "generator": 101.0}) == ["exploding"]
    assert states(gradients={"discriminator": 250.0, "generator": None}) == ["exploding"]
    assert states(loss_scales={"generator": 1.0}) == ["losing precision"]
    assert states(loss_scales={"generator": 1024.0}) == []


@pytest.mark.parametrize(
    ("kind", "loss", "warned"),
    [
        (kerasgan.models.VanillaGAN, None, True),
        (kerasgan.models.VanillaGAN, "hinge", True),
        (kerasgan.models.VanillaGAN, "wasserstein", False),  # a critic may be right about all pairs
        (kerasgan.models.Pix2Pix, None, False),  # whose generator learns from the pixels, too
    ],
)
def test_a_discriminator_that_wins_from_the_start_is_told_within_minutes(kind, loss, warned, tmp_path):
    monitor = callbacks.CollapseMonitor(tmp_path)
    gan = kind(image_shape=(16, 16, 3), **({} if kind is kerasgan.models.VanillaGAN else {"width": 4}))
    gan.compile(loss=loss)
    monitor.set_model(gan)
    row = {"diversity": 0.9, "duplicates": 0.0, "accuracy": 0.97, "states": [], "epoch": 1, "count": 64}
    row |= {"gradients": {"discriminator": 2.0, "generator": 1.0}, "loss_scales": {}}

    def states(*shares, every=10_000):
        rows = [row | {"accuracy": share, "samples": n * every} for n, share in enumerate(shares, 1)]
        monitor._rows = [{"epoch": 0, "real": {}}, *rows[:-1]]
        return monitor._states(rows[-1])

    assert states(0.96, 0.98, 0.99) == ["unequal"] * warned  # after 30,000 samples
    assert states(0.9, 0.7, 0.97, 0.98, 0.99) == ["unequal"] * warned  # or later, as with few images
    assert states(0.97, 0.98) == states(0.95, 0.95, 0.95) == states(0.8, 1.0, 1.0) == []
    assert states(0.96, 0.98, 0.99, every=64) == []  # which is the beginning


def test_a_loss_scale_that_keeps_falling(tmp_path):
    monitor = callbacks.CollapseMonitor(tmp_path)
    scales = [2.0**15, 2.0**9, 2.0**8, 2.0**6]
    monitor._rows = [{"epoch": 0}, *({"states": [], "loss_scales": {"generator": scale}} for scale in scales[:3])]
    assert monitor._is_falling("generator", scales[3]) and not monitor._is_falling("generator", scales[2])


# Going back -----------------------------------------------------------------------------------------------------------


def test_going_back_restores_everything_but_the_seed_and_goes_on(tmp_path, capsys):
    class Recorder(keras.callbacks.Callback):
        states, metrics = [], []

        def on_epoch_end(self, epoch, logs=None):
            self.states.append(everything(self.model))
            self.metrics.append(float(logs["discriminator_loss"]))

    adaptive = kerasgan.augmentation.AdaptiveAugment(groups=("color",), samples_to_one=500, interval=1)
    gan = making(vanilla(augmentation=adaptive), "varied", "varied", "same", "same", "varied")
    monitor, recorder = callbacks.CollapseMonitor(tmp_path, every=64, rollback=1), Recorder()
    with pytest.warns(callbacks.CollapseWarning, match="collapsing"):
        fit(gan, monitor, recorder, epochs=5)
    (second, seed), _, (fourth, other_seed), (fifth, _) = recorder.states[1:]
    assert same(second, fourth) and not np.array_equal(seed, other_seed)
    assert not same(fourth, fifth) and recorder.metrics[3] != recorder.metrics[1]
    rows = checks(tmp_path)
    assert [row["verdict"] for row in rows] == ["good", "good", "collapsing", "collapsing", "good"]
    assert [row["samples"] for row in rows] == [64, 128, 192, 256, 192] and rows[3]["back_to"] == 128
    assert [row["rollbacks"] for row in rows] == [0, 0, 0, 1, 1] and [*map(bool, map(kept, rows))] == [1, 1, 0, 0, 1]
    told = "went back to the model of epoch 2 (128 samples), the last healthy one, with another seed: 1 of 1 times."
    assert f"health: {told}" in capsys.readouterr().out and not gan.stop_training


def kept(row):
    return row.get("kept", False)


def test_the_compiled_step_goes_on_as_a_loaded_model_would(tmp_path):
    gan = making(vanilla(), "varied", "same", "same", "varied")
    with pytest.warns(callbacks.CollapseWarning):
        fit(gan, callbacks.CollapseMonitor(tmp_path, every=64, rollback=1), epochs=4)
    gone_back = everything(gan)[0]
    healthy = making(renewed(gan), "varied")
    fit(healthy, epochs=1)
    monitor = callbacks.CollapseMonitor(tmp_path)
    monitor.set_model(healthy)
    monitor._change_seed(1)
    fit(healthy, epochs=4, initial_epoch=3)  # the order of the data goes on
    assert same(gone_back, everything(healthy)[0])


def test_after_the_last_return_training_stops_with_the_healthy_model(tmp_path, capsys):
    gan = making(vanilla(), "varied", "same")
    saved = callbacks.Checkpoint(tmp_path)
    with pytest.warns(callbacks.CollapseWarning):
        fit(gan, callbacks.CollapseMonitor(tmp_path, every=64, rollback=1, checkpoint=saved), saved, epochs=9)
    rows = checks(tmp_path)
    assert [row.get("back_to") for row in rows] == [None, None, 64, None, 64] and gan.stop_training
    healthy = keras.saving.load_model(tmp_path / "healthy.keras")
    assert same(healthy.generator.weights, gan.generator.weights)
    assert same(saved.load(tmp_path)[0].weights, gan.weights)
    assert "collapsed again after 1 return; training stops with the model of epoch 1" in capsys.readouterr().out


def test_nothing_to_go_back_to(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(collapse, "PATIENCE", 64)
    with pytest.warns(callbacks.CollapseWarning):
        gan = making(vanilla(), "same")
        fit(gan, callbacks.CollapseMonitor(tmp_path, every=64, rollback=1), epochs=2)
    assert "nothing to go back to" in capsys.readouterr().out and not gan.stop_training


@pytest.mark.parametrize("damage", ["bytes", "other model"])
def test_a_healthy_model_that_is_damaged_is_not_taken(damage, tmp_path):
    class Damage(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            path = tmp_path / "healthy.keras"
            if epoch:
                return
            if damage == "bytes":
                content = bytearray(path.read_bytes())
                content[len(content) // 2] ^= 255
                path.write_bytes(content)
            else:
                kerasgan.models.VanillaGAN(SHAPE, latent_dim=5, units=8, maxout_units=8).save(path)

    gan = making(vanilla(), "varied", "same")
    with pytest.warns(callbacks.CollapseWarning, match="cannot go back .*(damaged|another model)"):
        warnings.filterwarnings("ignore", "Training is collapsing")
        fit(gan, callbacks.CollapseMonitor(tmp_path, every=64, rollback=1), Damage(), epochs=3)
    assert int(gan.samples_seen) == 3 * 64 and checks(tmp_path)[-1]["rollbacks"] == 0


# Going on in a run folder ---------------------------------------------------------------------------------------------

RECIPE = Recipe(
    name="small",
    gan_type="vanilla_gan",
    model={"image_shape": [8, 8, 1], "latent_dim": 4, "units": 8, "maxout_units": 8},
    data={"reader": "images", "size": 8, "channels": 1},
    batch_size=8,
    epochs=6,
    seed=3,
    compile={"discriminator_optimizer": "sgd", "generator_optimizer": "sgd"},  # which take less time to trace
)


@pytest.fixture
def collapsing_run(tmp_path, monkeypatch):
    """A function that trains into a folder, with two checks an epoch; samples collapse whenever 200 were seen."""
    np.savez(tmp_path / "pictures.npz", x=media.Image(SHAPE).to_natural(IMAGES)[..., 0])
    generate = kerasgan.GAN.generate_batches

    def generate_batches(self, count, labels=None, seed=None, truncation=None, ema=True):
        if ema or int(self.samples_seen) < 200:
            noise = np.random.default_rng(int(self.samples_seen)).uniform(-1, 1, (count, *SHAPE)).astype("float32")
            return generate(self, count, labels, seed, truncation) if ema else iter([self.media.to_natural(noise)])
        return iter([self.media.to_natural(ALL_THE_SAME)])

    monkeypatch.setattr(kerasgan.GAN, "generate_batches", generate_batches)
    monkeypatch.setattr(callbacks, "CollapseMonitor", functools.partial(callbacks.CollapseMonitor, every=32))

    def train(name, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", callbacks.CollapseWarning)
            return runs.train(RECIPE, tmp_path / "pictures.npz", tmp_path / name, rollback=1, **options)

    return train


def test_going_on_equals_undisturbed(collapsing_run, tmp_path):
    class Kill(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if (self.epoch, batch) == (4, 1):
                raise RuntimeError("killed")

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

    whole = collapsing_run("whole")
    collapsing_run("parts", minutes=0, limit_steps=14)  # in the middle of epoch 2
    assert callbacks.Checkpoint.load(tmp_path / "parts")[1:] == (1, 6)
    with pytest.raises(RuntimeError, match="killed"):  # after the return, which is in a checkpoint
        collapsing_run("parts", watchers=[Kill()])
    assert callbacks.Checkpoint.load(tmp_path / "parts")[1:] == (4, 0)
    parts = collapsing_run("parts")
    rows = checks(tmp_path / "whole")
    assert rows[0]["step"] == 4 and rows[-1]["rollbacks"] == 2 and len(rows) == 10  # and then it stopped
    assert collapse.read(tmp_path / "parts") == collapse.read(tmp_path / "whole")
    (numbers, seeds), (others, other_seeds) = everything(whole), everything(parts)
    assert same(numbers, others) and np.array_equal(seeds, other_seeds)
    assert {"sample_diversity", "duplicate_samples"} <= {*log.read(tmp_path / "whole" / "log.csv")[-1]}


def test_rows_of_what_is_trained_again_are_dropped_and_a_damaged_file_is_put_aside(tmp_path):
    gan = making(vanilla(), "varied")
    fit(gan, callbacks.CollapseMonitor(tmp_path, every=64), epochs=3)
    assert len(checks(tmp_path)) == 3
    fit(gan, callbacks.CollapseMonitor(tmp_path, every=64), initial_epoch=1, epochs=2)
    assert [row["epoch"] for row in checks(tmp_path)] == [1, 2]
    (tmp_path / "health.json").write_text(json.dumps([{"epoch": 1}]))
    with pytest.raises(ValueError, match="not written by CollapseMonitor"):
        collapse.read(tmp_path)
    with pytest.warns(UserWarning, match="kept as 'health.damaged.json'"):
        fit(gan, callbacks.CollapseMonitor(tmp_path, every=64), initial_epoch=2, epochs=3)
    assert [row["epoch"] for row in checks(tmp_path)] == [3]


def test_bad_arguments(tmp_path):
    for arguments, message in (
        ({"every": 0}, "every=0: expected a whole number of at least 1"),
        ({"rollback": -1}, "rollback=-1: expected a whole number of at least 0"),
        ({"rollback": True}, "rollback=True"),
        ({"real": "photos/"}, "real is a str; expected an array"),
    ):
        with pytest.raises(ValueError, match=message):
            callbacks.CollapseMonitor(tmp_path, **arguments)
    gan = vanilla()
    with pytest.raises(ValueError, match="real has shape"):
        fit(gan, callbacks.CollapseMonitor(tmp_path, real=np.zeros((4, 9, 9, 1), "uint8")))
    with pytest.raises(ValueError, match="'nope' is unknown"):
        fit(gan, callbacks.CollapseMonitor(tmp_path, network="nope"))
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        fit(gan, callbacks.CollapseMonitor(tmp_path / "file"))
