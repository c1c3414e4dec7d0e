"""Data of every form that `fit` and `evaluate` take: the same checks, the same steps, the same meaning."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_gan import linear_gan, vectors
from test_stages import BORDER, make

import kerasgan
from kerasgan.models import CGAN, VanillaGAN


class Data(keras.utils.PyDataset):
    """Batches of four; `heard` says what it was told and asked, in order."""

    def __init__(self, array, size=4, length=True, **options):
        super().__init__(**options)
        self.array, self.size, self.length, self.heard = array, size, length, []

    @property
    def num_batches(self):
        return -(-len(self.array) // self.size) if self.length else None

    def __getitem__(self, index):
        self.heard.append(index)
        start = index * self.size % len(self.array)
        return self.array[start : start + self.size]

    def on_epoch_begin(self):
        self.heard.append("begin")

    def on_epoch_end(self):
        self.heard.append("end")


class Loader:
    """Batches of lists, anew each time it is iterated, as PyTorch's DataLoader yields them."""

    def __init__(self, array):
        self.array = array

    def __iter__(self):
        return ([self.array[i : i + 4]] for i in range(0, len(self.array), 4))


def endless(array):
    while True:
        for i in range(0, len(array), 4):
            yield array[i : i + 4]


def without_shape(array):
    return tf.data.Dataset.from_generator(lambda: Loader(array[:, None]), output_types=tf.float32).map(
        lambda b: b[0, :, 0]
    )


def reals_of(gan):
    """The real batches that the discriminator gets from now on."""
    seen, original = [], gan.discriminator_gradients

    def noting(batch):
        seen.append(np.array(batch.real))
        return original(batch)

    gan.discriminator_gradients = noting
    return seen


FORMS = {
    "PyDataset": Data,
    "with threads": lambda array: Data(array, workers=3, max_queue_size=2),
    "endless PyDataset": lambda array: Data(array, length=False),
    "loader": Loader,
    "generator": endless,
    "no remainder dropped": lambda array: tf.data.Dataset.from_tensor_slices(array).batch(4),
    "no static shape": without_shape,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_data_makes_the_same_steps(form):
    """Batches are joined for a step of several, and each sample comes once in an epoch."""
    gan = linear_gan()
    gan.compile("sgd", "sgd", discriminator_steps=3, run_eagerly=True)
    seen, data = reals_of(gan), vectors(24)
    ends = form not in ("generator", "endless PyDataset")
    gan.fit(FORMS[form](data), epochs=2, steps_per_epoch=None if ends else 2, verbose=0, shuffle=False)
    assert [len(real) for real in seen] == [4] * 12 and int(gan.generator_optimizer.iterations) == 4
    for epoch in (seen[:6], seen[6:]):
        np.testing.assert_array_equal(np.concatenate(epoch), data)


@pytest.mark.parametrize("options", [{"discriminator_steps": 2}, {"gradient_accumulation": 2}])
def test_a_smaller_last_batch_does_not_break_a_step(options):
    gan = linear_gan()
    gan.compile("sgd", "sgd", run_eagerly=True, **options)
    seen, data = reals_of(gan), vectors(11)
    gan.fit(tf.data.Dataset.from_tensor_slices(data).batch(4), epochs=2, verbose=0)
    together = np.concatenate(seen)
    if "discriminator_steps" in options:  # what is left of an epoch begins the next one
        np.testing.assert_array_equal(together, np.concatenate([data, data])[:16])
    else:
        np.testing.assert_array_equal(together, np.concatenate([data[:8], data[:8]]))


def test_a_py_dataset_hears_of_its_passes_and_has_its_batches_shuffled():
    gan = linear_gan()
    gan.compile("sgd", "sgd", run_eagerly=True)
    data = Data(vectors(20))
    gan.fit(data, epochs=2, verbose=0)
    data.heard.remove(0)  # looked at beforehand
    begin, *first, end = data.heard[: len(data.heard) // 2]
    assert (begin, end) == ("begin", "end") and sorted(first) == [*range(5)] and first != [*range(5)]
    assert data.heard[7:].count("end") == 1 and data.heard[8:13] != first


def test_stages_come_from_generators_too():
    gan = make(run_eagerly=True)
    gan.fit(Data(vectors(24)[:, :2]), verbose=0)
    assert gan.entered == [(1, BORDER)]


def small_images(count=8):
    return np.random.default_rng(0).uniform(-1, 1, (count, 4, 4, 1)).astype("float32")


def refusing(data, message, **options):
    classes = options.pop("num_classes", None)
    known = {"units": 4, "maxout_units": 4, **({"num_classes": classes} if classes else {})}
    gan = (CGAN if classes else VanillaGAN)(image_shape=(4, 4, 1), latent_dim=2, **known)
    gan.compile()
    with pytest.raises(ValueError, match=message):
        gan.fit(data, verbose=0, **options)
    assert int(gan.samples_seen) == 0


@pytest.mark.parametrize(
    ("data", "message", "options"),
    [
        (lambda x: Data((127.5 * x + 127.5).astype("uint8")), "uint8", {}),
        (lambda x: iter([127.5 * x + 127.5]), "255", {}),
        (lambda x: iter([(x, np.eye(2, dtype="float32")[[0, 1] * 4])]), "labels: 16 given for 8", {"num_classes": 2}),
        (lambda x: [(x, np.full(8, 2))][:1].__iter__(), "labels contain 2", {"num_classes": 2}),
        (
            lambda x: tf.data.Dataset.from_tensors({"image": x, "label": 1}),
            r"map\(lambda batch: \(batch\['image'\]",
            {},
        ),
        (lambda x: {"x": x}, "dictionaries with 'x'.*batch\\['x'\\]\\)", {}),
        (lambda x: tf.data.Dataset.from_tensors((x, x, x)), "3 parts.*batch\\[:2\\]", {}),
        (lambda x: tf.data.Dataset.from_tensor_slices(x), r"batch\(64\)", {}),
        (lambda x: np.moveaxis(np.repeat(x, 3, -1)[:, :, :3], -1, 1), "shape", {}),
        (lambda x: "photos/", "kerasgan.data", {}),
        (lambda x: 3, "x is a int: expected an array", {}),
        (lambda x: [x[0], x[0, :2], x[0]], "no array, nor a list", {}),
        (
            lambda x: iter([x]),
            "list_iterator, which the first of 2 epochs uses up: give steps_per_epoch",
            {"epochs": 2},
        ),
        (lambda x: Data(x), "a Data has its own batches", {"batch_size": 4}),
        (lambda x: Data(x), "y was given beside a Data", {"y": np.zeros(8)}),
        (lambda x: Data(x[:0]), "no batch", {}),
        (lambda x: x, "class_weight means nothing in a game", {"class_weight": {0: 1.0}}),
        (lambda x: x, "sample_weight means nothing in a game", {"sample_weight": np.ones(8)}),
        (lambda x: Data(x), "only arrays can be split", {"validation_split": 0.5}),
        (lambda x: x, "validation_split=0.99 of 8 samples leaves none", {"validation_split": 0.99}),
        (lambda x: x, "shape", {"validation_data": np.zeros((8, 5, 5, 1))}),
        (lambda x: x, "leave one of them out", {"validation_data": np.zeros((8, 4, 4, 1)), "validation_split": 0.5}),
    ],
)
def test_bad_data_are_refused_before_the_first_step(data, message, options):
    refusing(data(small_images()), message, **options)


def test_fewer_batches_than_a_step_takes_are_an_error():
    gan = linear_gan()
    gan.compile("sgd", "sgd", discriminator_steps=5, run_eagerly=True)
    with pytest.raises(ValueError, match="ended before the first step, which takes 5 batches of 4 samples"):
        gan.fit(Loader(vectors(8)), verbose=0)


def test_what_ends_without_saying_when_is_counted_to_the_step():
    """A step that finds no batch any more leaves no trace: no seed drawn, no update counted."""
    gan = linear_gan()
    gan.compile("sgd", "sgd")
    dataset = tf.data.Dataset.from_tensor_slices(vectors(12)).batch(4).filter(lambda batch: True)
    for epoch in range(1, 5):
        gan.fit(dataset, verbose=0)
        assert int(gan.samples_seen) == 12 * epoch
        assert [int(optimizer.iterations) for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer)] == [
            3 * epoch,
            3 * epoch,
        ]


# Floats in [0, 1]


def test_floats_without_negatives_mean_the_same_as_for_the_reader_of_images():
    gan = VanillaGAN(image_shape=(4, 4, 1), units=4, maxout_units=4, latent_dim=2)
    gan.compile(run_eagerly=True)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 1)) / np.float32(255)
    seen = reals_of(gan)
    with pytest.warns(UserWarning, match=r"range \[0, 1\]: they are taken as 0 for black"):
        gan.fit(pixels, batch_size=8, shuffle=False, verbose=0)
    read = next(iter(kerasgan.data.images(pixels, size=4, channels=1, batch_size=8, shuffle=False)))
    np.testing.assert_allclose(seen[0], read, atol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        gan.fit(small_images(), batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_array_equal(seen[1], small_images())


def test_batches_without_negatives_bring_a_warning():
    """What later batches hold is not known: they stay in model range, and the user hears what they look like."""
    gan = VanillaGAN(image_shape=(4, 4, 1), units=4, maxout_units=4, latent_dim=2)
    gan.compile(run_eagerly=True)
    seen, pixels = reals_of(gan), np.abs(small_images(16))
    with pytest.warns(UserWarning, match=r"first 16 images of the data set lie in \[0, 1\].*2 \* x - 1"):
        gan.fit(tf.data.Dataset.from_tensors(pixels), verbose=0)
    np.testing.assert_array_equal(seen[0], pixels)


# Data that are not learned from


def test_evaluation_is_what_the_losses_say():
    gan = linear_gan()
    gan.compile(loss="wasserstein", run_eagerly=True)
    held_out, (kernel, bias) = vectors(10), gan.discriminator.get_weights()
    found = gan.evaluate(held_out, batch_size=4, verbose=0, return_dict=True)
    real = (held_out @ kernel + bias).mean()
    assert found["real_logits"] == pytest.approx(real, abs=1e-6)  # each sample counts, those of the last batch too
    assert found["discriminator_loss"] == pytest.approx(found["fake_logits"] - real, abs=1e-6)
    assert found["generator_loss"] == pytest.approx(-found["fake_logits"], abs=1e-6)
    values = gan.evaluate(held_out, batch_size=4, verbose=0)
    order = ["discriminator_loss", "generator_loss", "real_logits", "fake_logits", "discriminator_accuracy"]
    assert values == [found[name] for name in order]
    assert gan.evaluate(Loader(held_out), verbose=0) == values  # whatever form the same batches have
    assert gan.test_on_batch(held_out[:4]) == gan.evaluate(held_out[:4], verbose=0)
    assert gan.evaluate(held_out[:4], verbose=0) != values


def trained(**options):
    gan = linear_gan()
    gan.compile("sgd", "sgd", discriminator_steps=2)
    history = gan.fit(vectors(16), batch_size=4, epochs=2, verbose=0, **options).history
    return gan, history, [np.array(v) for owner in (gan, gan.generator_optimizer) for v in owner.variables]


@pytest.fixture(scope="module")
def without_validation():
    return trained()[2]


@pytest.mark.parametrize(
    "validation",
    [
        {"validation_data": vectors(8)},
        {"validation_data": Data(vectors(8))},
        {"validation_data": endless(vectors(8)), "validation_steps": 2},
    ],
    ids=["array", "PyDataset", "generator"],
)
def test_validation_leaves_no_trace_in_a_training(validation, without_validation):
    gan, history, values = trained(**validation)
    assert all(map(np.array_equal, values, without_validation))
    assert {"val_discriminator_loss", "val_generator_loss", "val_discriminator_accuracy"} < set(history)
    expected = gan.evaluate(vectors(8), batch_size=4, verbose=0, return_dict=True)
    for name, value in expected.items():
        assert history[f"val_{name}"][-1] == pytest.approx(value, rel=1e-5, abs=1e-6)


def test_a_share_of_an_array_is_kept_apart():
    gan = linear_gan()
    gan.compile(run_eagerly=True)
    seen = reals_of(gan)
    history = gan.fit(vectors(16), batch_size=4, shuffle=False, verbose=0, validation_split=0.25).history
    np.testing.assert_array_equal(np.concatenate(seen), vectors(16)[:12])
    assert history["val_real_logits"][0] == gan.evaluate(vectors(16)[12:], verbose=0, return_dict=True)["real_logits"]


def test_classes_are_evaluated_and_held_out_with_their_samples():
    gan = CGAN(image_shape=(4, 4, 1), num_classes=2, latent_dim=2, units=4, maxout_units=4)
    gan.compile(run_eagerly=True)
    given = small_images(), np.arange(8) % 2
    history = gan.fit(*given, batch_size=4, verbose=0, validation_split=0.5).history
    assert np.isfinite(history["val_generator_loss"]).all()
    assert gan.evaluate(given, verbose=0) == gan.evaluate(*given, verbose=0)
    with pytest.raises(ValueError, match="labels are missing"):
        gan.evaluate(given[0])
