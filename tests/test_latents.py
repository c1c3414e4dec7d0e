"""Latents as values: kept, decoded, edited along directions, mixed."""

import dataclasses
import json

import keras
import numpy as np
import PIL.Image
import pytest
from test_cli import fails, kerasgan_command

import kerasgan
from kerasgan import directions, registry
from kerasgan.directions import Direction
from kerasgan.latents import Latents, digest


def linear(matrix, **kwargs):
    """A GAN whose samples are affine in its latents."""
    size, width = matrix.shape
    latents, samples = keras.Input((size,)), keras.Input((width,))
    generator = keras.Model(latents, keras.layers.Dense(width)(latents), name="generator")
    generator.set_weights([matrix, np.ones(width, "float32")])
    discriminator = keras.Model(samples, keras.layers.Dense(1)(samples), name="discriminator")
    gan = kerasgan.GAN(generator, discriminator, seed=1, **kwargs)
    gan.compile()
    return gan


@pytest.fixture(scope="module")
def gan():
    return linear(np.random.default_rng(0).normal(size=(5, 7)).astype("float32"))


@pytest.fixture(scope="module")
def faces():
    return kerasgan.load("dcgan_celeba")


def test_what_was_generated_is_decoded(faces, tmp_path):
    samples, latents = faces.generate(70, seed=3, return_latents=True)
    assert np.array_equal(samples, faces.generate(70, seed=3))
    assert np.array_equal(faces.decode(latents), samples)  # in the chunks of the generation
    path = latents[[2, 0]].save(tmp_path / "two.npz")
    again = Latents.load(path)
    assert len(again) == 2 and again.weights == digest(faces.ema_generator) and again.model == faces.name
    assert np.abs(faces.decode(again).astype(int) - samples[[2, 0]]).max() <= 1
    assert faces.decode(latents[5]).shape == (1, 64, 64, 3)


def test_classes_go_along():
    clothes = kerasgan.load("cgan_fashion_mnist")
    samples, latents = clothes.generate(4, labels=["Bag", "Coat", 1, 9], seed=1, return_latents=True)
    assert latents.condition.tolist() == [8, 4, 1, 9] and np.array_equal(clothes.decode(latents), samples)
    for classes, message in ((None, "no class each"), (latents.condition + 8, "contain 16"), ([1.0] * 4, "float64")):
        with pytest.raises(ValueError, match=message):
            clothes.decode(dataclasses.replace(latents, condition=classes))
    others = clothes.decode(latents.values, labels=0)
    assert others.shape == samples.shape and not np.array_equal(others, samples)


def test_with_truncation_the_chosen_ones_are_kept(gan):
    samples, latents = gan.generate(5, seed=2, truncation=0.5, return_latents=True)
    assert np.array_equal(samples, gan.generate(5, seed=2, truncation=0.5))
    np.testing.assert_allclose(gan.decode(latents), samples, atol=1e-6)
    with pytest.raises(ValueError, match="these are chosen already"):
        gan.decode(latents, truncation=0.5)


def test_sefa_finds_the_singular_vectors_of_the_first_layer(gan):
    """Of an affine layer the directions are known in closed form."""
    matrix = np.asarray(gan.ema_generator.get_weights()[0])
    left, _, _ = np.linalg.svd(matrix)
    found = gan.directions(count=5)
    for direction, vector in zip(found, left.T, strict=True):
        assert abs(direction.vector @ vector) == pytest.approx(1, abs=1e-3)
        assert direction.deviation == pytest.approx(1, abs=0.1) and direction.vector.sum() >= 0


def test_ganspace_finds_what_varies_most():
    """Of a rectified layer in which one latent moves everything, and the others next to nothing."""
    matrix = np.diag([0.1, 5.0, 0.1, 0.1]).astype("float32")
    first, *others = linear(matrix).directions("ganspace", count=2)
    assert abs(first.vector[1]) > 0.99 and first.method == "ganspace" and abs(others[0].vector[1]) < 0.2


def test_batch_normalization_belongs_to_the_first_layer():
    latents, samples = keras.Input((3,)), keras.Input((3,))
    normalization = keras.layers.BatchNormalization(epsilon=0.0)
    generator = keras.Model(latents, keras.layers.ReLU()(normalization(keras.layers.Dense(3)(latents))))
    generator.layers[1].set_weights([np.diag([3.0, 2.0, 1.0]), np.zeros(3)])
    scales, zeros = np.array([1.0, 1.0, 9.0]), np.zeros(3)
    normalization.set_weights([scales, zeros, zeros, np.ones(3)])
    gan = kerasgan.GAN(generator, keras.Model(samples, keras.layers.Dense(1)(samples)))
    gan.compile()
    assert np.abs(gan.directions(count=1)[0].vector).round(3).tolist() == [0, 0, 1]


def test_labels_give_the_direction_that_tells_them_apart(gan):
    _, latents = gan.generate(400, seed=5, return_latents=True)
    wanted = np.array([0.6, 0, -0.8, 0, 0], "float32")
    score = latents.values @ wanted
    found = directions.of_labels(latents[np.flatnonzero(score > 0.3)], latents[np.flatnonzero(score < -0.3)], "taller")
    assert found.vector @ wanted > 0.97 and found.name == "taller"
    with pytest.raises(ValueError, match="positive: 0 latents; expected two or more"):
        directions.of_labels(latents[[]], latents)


def test_editing_moves_by_deviations(gan):
    _, latents = gan.generate(3, seed=1, return_latents=True)
    direction = Direction(np.array([0, 1, 0, 0, 0], "float32"), 0.5)
    moved = gan.edit(latents, direction, [0, 1, -2])
    np.testing.assert_allclose(moved.values - latents.values, [[0] * 5, [0, 0.5, 0, 0, 0], [0, -1, 0, 0, 0]], atol=1e-6)
    assert np.array_equal(gan.decode(moved), gan.decode(moved))
    with pytest.warns(UserWarning, match=r"strength=1e\+09 is cut to 3"):
        far = gan.edit(latents, direction, 1e9)
    np.testing.assert_allclose(far.values[:, 1] - latents.values[:, 1], 1.5, atol=1e-6)
    for strength in (float("nan"), [1, 2]):
        with pytest.raises(ValueError, match="expected a number, or one for each of 3"):
            gan.edit(latents, direction, strength)
    with pytest.raises(ValueError, match="of length 2; the latents are latents of length 5"):
        gan.edit(latents, Direction(np.zeros(2, "float32")), 1)


@pytest.mark.parametrize("name", ["dcgan_celeba", "r3gan_celeba"])
def test_named_directions_are_those_of_the_shipped_weights(name):
    model = kerasgan.load(name)
    shipped = directions.load(registry.folder_of(name) / registry.DIRECTIONS, digest(model.ema_generator))
    assert [*model.named_directions] == [direction.name for direction in shipped] and len(shipped) >= 2
    found = {abs(float(one.vector @ two.vector)) > 0.99 for one in shipped for two in model.directions(count=10)}
    assert True in found  # they are among those that SeFa finds
    samples, latents = model.generate(2, seed=1, return_latents=True)
    changed = model.decode(model.edit(latents, shipped[0].name, 2))
    assert np.abs(changed.astype(int) - samples).mean() > 2
    with pytest.raises(ValueError, match=f"direction='wings': this model has '{shipped[0].name}'"):
        model.edit(latents, "wings", 1)


def test_files_of_directions(tmp_path):
    some = [Direction(np.array([0.6, 0.8], "float32"), 0.5, "up", "labels")]
    directions.save(tmp_path / "some.npz", some, "abc")
    (again,) = directions.load(tmp_path / "some.npz", "abc")
    assert np.array_equal(again.vector, some[0].vector)
    assert (again.deviation, again.name, again.method, again.space) == (0.5, "up", "labels", "latents")
    with pytest.raises(ValueError, match="directions of another model"):
        directions.load(tmp_path / "some.npz", "abd")
    for name, arrays in {"other": {"values": np.zeros(3)}, "pickled": {"about": np.array([{}], object)}}.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(ValueError, match=f"{name}.npz' holds no directions"):
            directions.load(tmp_path / f"{name}.npz")


def test_latents_of_others_are_refused(gan):
    _, latents = gan.generate(2, seed=1, return_latents=True)
    other = linear(np.ones((5, 7), "float32"))
    with pytest.raises(ValueError, match="those of another model"):
        other.decode(latents)
    assert other.decode(latents.values).shape == (2, 7)
    for values, message in (
        (np.zeros((2, 4), "float32"), r"shape \(2, 4\): expected \(count, 5\)"),
        (np.zeros((0, 5), "float32"), "at least one"),
        (np.full((1, 5), np.nan, "float32"), "no finite numbers"),
        ([[1, 2, 3, 4, 5]], "no finite numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            gan.decode(values)
    with pytest.raises(ValueError, match="count=6: latents of this model have 5"):
        gan.directions(count=6)
    with pytest.raises(ValueError, match="method='pca': expected one of 'sefa', 'ganspace'"):
        gan.directions("pca")


def test_files_that_hold_no_latents(tmp_path):
    values = np.zeros((1, 2), "float32")
    about = {"kind": "kerasgan latents", "model": "", "weights": "", "space": "latents"}
    cases = {
        "text": None,
        "pickled": {"values": np.array([{}], object), "about": json.dumps(about)},
        "other": {"values": values},
        "kind": {"values": values, "about": json.dumps({**about, "kind": "x"})},
        "more": {"values": values, "about": json.dumps({**about, "run": "x"})},
        "nan": {"values": values * np.nan, "about": json.dumps(about)},
        "double": {"values": values.astype("float64"), "about": json.dumps(about)},
        "conditions": {"values": values, "condition": np.zeros(3), "about": json.dumps(about)},
    }
    for name, arrays in cases.items():
        path = tmp_path / f"{name}.npz"
        path.write_text("x") if arrays is None else np.savez(path, **arrays)
        with pytest.raises(ValueError, match=f"{name}.npz' holds no latents"):
            Latents.load(path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        Latents.load(tmp_path / "none.npz")


@pytest.fixture(scope="module")
def styles():
    gan = kerasgan.models.StyleGAN2(image_shape=(16, 16, 3), latent_dim=8, width=4, max_width=8, num_classes=2, seed=1)
    gan.compile()
    return gan


def test_styles_are_edited_and_mixed(styles):
    samples, latents = styles.generate(4, seed=1, return_latents=True)
    coded = styles.coded(latents)
    assert coded.space == "styles" and np.abs(styles.decode(coded).astype(int) - samples).max() <= 1
    for method in ("sefa", "ganspace"):
        direction = styles.directions(method, count=2)[0]
        assert direction.space == "styles"
        assert np.abs(styles.decode(styles.edit(latents, direction, 3)).astype(int) - samples).max() > 1
    convolutions = len(styles._noisy())
    others = latents[[1, 2, 3, 0]]
    for crossover, whole in ((convolutions, latents), (0, others)):
        assert np.abs(styles.mix(latents, others, crossover).astype(int) - styles.decode(whole)).max() <= 1
    between = styles.mix(latents, others, 1)
    assert not np.array_equal(between, styles.decode(latents))
    with pytest.raises(ValueError, match=f"crossover={convolutions + 1}: expected 0 to {convolutions}"):
        styles.mix(latents, others, convolutions + 1)
    with pytest.raises(ValueError, match="1 latents are given for 4"):
        styles.mix(latents, others[0], 1)
    grid = styles.mixtures(2, seed=1).reshape(3, 3, *samples.shape[1:])
    heads = styles.generate(4, seed=1)
    assert np.abs(grid[1:, 0].astype(int) - heads[:2]).max() <= 1 and (grid[0, 0] == 255).all()
    assert np.abs(grid[0, 1:].astype(int) - heads[2:]).max() <= 1
    assert len(np.unique(grid.reshape(9, -1), axis=0)) == 9
    typical, latents = styles.generate(2, seed=1, truncation=0.5, return_latents=True)
    assert np.array_equal(styles.decode(latents, truncation=0.5), typical)
    moved = styles.edit(latents, styles.directions(count=1)[0], 0.0)  # styles, no further than they are
    assert np.abs(styles.decode(moved, truncation=0.5).astype(int) - typical).max() <= 1


# The command ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A small GAN of pictures with transparency, as a file."""
    latents, samples = keras.Input((4,)), keras.Input((8, 8, 4))
    pixels = keras.layers.Dense(256, activation="tanh")(latents)
    generator = keras.Model(latents, keras.layers.Reshape((8, 8, 4))(pixels))
    discriminator = keras.Model(samples, keras.layers.Dense(1)(keras.layers.Flatten()(samples)))
    gan = kerasgan.GAN(generator, discriminator, media=kerasgan.media.Image((8, 8, 4)), seed=1)
    gan.compile()
    path = tmp_path_factory.mktemp("gan") / "small.keras"
    gan.save(path)
    return path


def test_the_command_keeps_latents_and_makes_the_same_again(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("-n", 3, "--seed", 5, "--save_latents", "kept.npz", "-o", "first.png")
    assert kerasgan_command(capsys, "generate", file, *words)[0] == 0
    code, out, _ = kerasgan_command(capsys, "generate", file, "--latents", "kept.npz", "-o", "again.png")
    assert code == 0 and "Saved 3 images of kept.npz to again.png." in out
    first, again = (np.asarray(PIL.Image.open(name)) for name in ("first.png", "again.png"))
    assert np.array_equal(first, again)
    assert "--seed: with --latents" in fails(capsys, "generate", file, "--latents", "kept.npz", "--seed", 1)
    assert "does not exist" in fails(capsys, "generate", file, "--latents", "gone.npz")
    for edit, message in (("smile", "expected NAME=STRENGTH"), ("smile=2", "this model has none; gan.directions()")):
        assert message in fails(capsys, "generate", file, "--edit", edit)
    assert "ends in '.txt'" in fails(capsys, "generate", file, "--save_latents", "x.txt")
    assert "those of another model" in fails(capsys, "generate", "wgan_gp_sprites", "--latents", "kept.npz")


def test_the_command_shows_directions(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = kerasgan_command(capsys, "directions", file, "-n", 3, "--samples", 2)
    assert code == 0 and "Saved 3 directions to small_directions.png" in out
    width, height = PIL.Image.open("small_directions.png").size
    assert width > 10 * 8 and height < 4 * 12  # 2 samples of 5 strengths in each of 3 rows
    assert "have 4 directions" in fails(capsys, "directions", file, "-n", 5)


def test_the_command_makes_videos_that_close(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, error = kerasgan_command(capsys, "video", file, "--seconds", 2, "--keys", 5, "-n", 2)
    assert code == 0 and "Saved 2 seconds of 2 images to small.webp (seed 0)." in out, error
    assert PIL.Image.open("small.webp").n_frames == 50
    assert "--seconds 0.1: with --keys 5 expected 0.4 to" in fails(capsys, "video", file, "--seconds", 0.1)
    assert "ends in '.jpg'" in fails(capsys, "video", file, "-o", "x.jpg")
    assert "makes texts: a video shows images" in fails(capsys, "video", "relgan_words", "-o", "x.webp")


def test_closed_ways_end_where_they_begin(gan):
    ways = gan.interpolate(2, 5, seed=1, keys=3, closed=True).reshape(2, 12, 7)
    again = gan.interpolate(2, 5, seed=1, keys=3).reshape(2, 10, 7)
    np.testing.assert_allclose(ways[:, [0, 4, 8]], again[:, [0, 4, 9]], atol=1e-5)
    steps = np.linalg.norm(np.diff(ways, axis=1, append=ways[:, :1]), axis=2)
    assert (steps[:, -1] <= steps[:, :-1].max(axis=1)).all()  # the last step leads back to the first sample
