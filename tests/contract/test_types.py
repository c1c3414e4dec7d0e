"""What every GAN type promises."""

import inspect
import pathlib
import random
import typing

import cover
import keras
import numpy as np
import pytest
import tensorflow as tf
from small import batch_for, build_small, data_for, made_by, soon_traced

from kerasgan import export, registry
from kerasgan.export import flatbuffer
from kerasgan.structures import each


def values(network):
    return [np.array(variable) for variable in network.variables]


def same(before, network):
    return [np.array_equal(a, b) for a, b in zip(before, values(network), strict=True)]


def moved(before, network):
    """Paths of the variables that are not what they were."""
    return {v.path for v, a in zip(network.variables, before, strict=True) if not np.array_equal(a, np.array(v))}


def kernels(variables):
    """Paths of kernels. (A critic's last bias has no gradient: it cancels in the difference of means.)"""
    return {v.path for v in variables if len(v.shape) > 1}


def states(gan):
    """All numbers that a training goes on with: {owner: values}."""
    optimizers = {player: getattr(gan, f"{player}_optimizer") for player in gan.players}
    return {name: values(owner) for name, owner in {"game": gan, **optimizers}.items()}


class Trained(typing.NamedTuple):
    """A small model that was trained and saved; tests leave it as it is."""

    gan: keras.Model
    before: list  # the generator's values before it was trained
    logs: dict
    file: pathlib.Path
    saved: dict  # its state then
    data: tuple  # what it was trained on
    steps: dict  # the graphs of its steps, see `_noted`


@pytest.fixture(scope="module")
def trained(gan_type, tmp_path_factory):
    """With classes where the type can have them, so that the tests of types without need no second step."""
    conditional = "num_classes" in inspect.signature(registry.gan_class(gan_type)).parameters
    gan = build_small(gan_type, num_classes=3) if conditional else build_small(gan_type)
    gan.compile(discriminator_steps=1, **soon_traced())  # several are a loop that takes as long again to trace
    data, before = data_for(gan), values(gan.generator)
    with pytest.MonkeyPatch.context() as patch:
        steps = _noted(gan, patch)
        logs = gan.fit(*data, batch_size=4, verbose=0).history
    file = tmp_path_factory.mktemp(gan_type) / "gan.keras"
    gan.save(file)
    return Trained(gan, before, logs, file, states(gan), data, steps)


def _noted(gan, patch):
    """The graphs of the steps that `fit` traces from now on: {stage: (the step, shapes of what it takes)}."""
    step, noted = gan.train_step, {}

    def train_step(data):
        if gan.stage not in noted:
            shapes = tf.nest.map_structure(tf.TensorSpec.from_tensor, data)
            noted[gan.stage] = tf.function(step, autograph=False).get_concrete_function(data), shapes
        graph, _ = noted[gan.stage]
        return graph(data)

    patch.setattr(gan, "train_step", train_step)
    return noted


def test_builds_and_generates_natural_samples(gan_type):
    gan = build_small(gan_type)
    samples = made_by(gan, 3, seed=1)
    rows = gan.media.to_model(samples)  # natural units have a shape of their own, and may be strings
    assert rows.shape == (3, *gan.media.shape) and np.isfinite(rows).all()
    assert gan.generator.outputs[0].dtype == "float32"
    assert gan.generator.inputs[0].shape[0] is None


def test_constructor_arguments_are_the_config(gan_type):
    """The seed decides the first weights, whatever was drawn before and whatever the user's Keras is set to."""
    gan = build_small(gan_type)
    arguments = set(inspect.signature(type(gan)).parameters)
    assert set(gan.get_config()) == arguments
    random.seed()
    drawn = random.getstate()
    keras.config.set_image_data_format("channels_first")
    try:
        again = type(gan).from_config(gan.get_config())
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_image_data_format("channels_last")
    assert again.get_config() == gan.get_config()
    assert again.generator.output_shape == gan.generator.output_shape
    assert all(same(values(gan), again))
    assert random.getstate() == drawn  # what the user draws next does not change


def test_each_step_moves_one_player_only(gan_type):
    gan = build_small(gan_type)
    gan.compile(run_eagerly=True)
    learned = set()
    for stage in range(gan.stages):
        if stage:
            gan.samples_seen.assign(min(count for count in range(200) if gan.stage_at(count) == stage) + 1)
            gan.train_on_batch(*data_for(gan))
        batch = batch_for(gan)
        sources = gan.sources_for(batch)
        learning = {player: kernels(gan.variables_of(player)) for player in ("generator", "discriminator")}
        for _ in range(2):  # inside of a residual branch that starts at zero, kernels move from the second step on
            with tf.GradientTape() as tape:
                fake = gan.call_generator(sources, batch.condition)

            generator, discriminator = values(gan.generator), values(gan.discriminator)
            average = values(gan.ema_generator)
            gan.discriminator_step(batch._replace(fake=each(tf.stop_gradient, fake)))
            assert all(same(generator, gan.generator))
            moving = moved(discriminator, gan.discriminator)

            discriminator = values(gan.discriminator)
            gan.generator_step(batch._replace(sources=sources, fake=fake), tape)
            assert all(same(discriminator, gan.discriminator))
            moving |= moved(generator, gan.generator)
            assert all(same(average, gan.ema_generator))
        assert set.union(*learning.values()) <= moving
        learned = learned.union(*learning.values())
    assert learned == kernels([*gan.generator.trainable_variables, *gan.discriminator.trainable_variables])


def test_evaluates_without_a_trace(gan_type):
    """Losses of both players on data that they do not learn from, in each stage: nothing changes, twice the same."""
    gan = build_small(gan_type)
    gan.compile(run_eagerly=True, discriminator_steps=1)
    for stage in {0, gan.stages - 1}:
        if stage:
            gan.samples_seen.assign(min(count for count in range(200) if gan.stage_at(count) == stage) + 1)
            gan.train_on_batch(*data_for(gan, 4))
        owners = gan, gan.generator_optimizer, gan.discriminator_optimizer
        before, means = [values(owner) for owner in owners], gan.get_metrics_result()
        found = [gan.evaluate(*data_for(gan, 5), batch_size=4, verbose=0, return_dict=True) for _ in range(2)]
        assert all(all(same(old, owner)) for old, owner in zip(before, owners, strict=True))
        assert gan.get_metrics_result() == means
        assert found[0] == found[1] and all(np.isfinite(value) for value in found[0].values())
        parts = {"generator": {*gan.default_weights} - {"adversarial"}, **gan.default_weights_of_others}
        own = {player: {f"{player}_loss", *parts.get(player, ())} for player in gan.players}
        of_all = {"real_logits", "fake_logits", "discriminator_accuracy"}.union(*own.values())
        of_game = of_all.difference(*(own[player] for player in gan.players[2:]))
        assert set(found[0]) in (of_all, of_game, {"generator_loss"}, *(own[player] for player in gan.players[2:]))
        assert set(found[0]) <= set(means)
    assert getattr(gan, "_remembered", None) is None


def check_training(gan, before, logs):
    """The generator has learned, and no number is foolish; `before` are its values of before."""
    further = {f"{player}_loss" for player in gan.players[2:]}  # which may have a stage of their own, the last one
    assert {"discriminator_loss", "generator_loss"} <= set(logs) or further & set(logs)
    assert all(np.isfinite(value).all() for value in logs.values())
    assert not all(same(before, gan.generator))
    assert all(v.dtype not in ("float16", "bfloat16") for v in gan.generator.variables)


def test_trains(trained):
    check_training(trained.gan, trained.before, trained.logs)


def test_xla_takes_the_steps(trained):
    """In its own language; what it makes of that, in minutes, is XLA's matter."""
    for graph, shapes in trained.steps.values():
        batch = tf.nest.map_structure(lambda shape: tf.zeros(shape.shape, shape.dtype), shapes)
        step = tf.function(graph, autograph=False, jit_compile=True)
        assert "ENTRY" in step.experimental_get_compiler_ir(batch)(stage="hlo")


@pytest.mark.parametrize("options", [{"jit_compile": True}, {"dtype": "mixed_bfloat16"}], ids=["xla", "bfloat16"])
def test_trains_in_another_way(options):
    """One type: what is particular to others is seen by the tests before and after this one."""
    gan = build_small("dcgan", dtype=options.get("dtype"))
    gan.compile(jit_compile=options.get("jit_compile", False), **soon_traced())
    before = values(gan.generator)
    check_training(gan, before, gan.fit(*data_for(gan), batch_size=4, verbose=0).history)


def test_trains_in_float16_with_every_option_at_once_and_exports_to_float32(training_type, tmp_path):
    gan = build_small(training_type, dtype="mixed_float16")
    gan.compile(
        learning_rate=("linear(1e-3, 1e-4, 50)", 2e-4),
        ema_half_life="cosine(0, 100, 100)",
        clip_gradients=1.0,
        gradient_accumulation=2,
        discriminator_steps=1,
        freeze_discriminator=1,
        augmentation="translation" if gan.media.kind == "image" else (),
        run_eagerly=training_type != "dcgan",  # to trace a step takes longer than these few,
        **soon_traced(),
    )
    frozen, *others = [layer for layer in cover.layers_of(gan.discriminator) if layer.weights]
    before, learning = frozen.get_weights(), [values(layer) for layer in others]
    generator = values(gan.generator)
    # The first steps find the largest scale of the loss that does not overflow, and are skipped; in each stage anew.
    logs = gan.fit(*data_for(gan), batch_size=4, epochs=2 + (gan.stages > 1), verbose=0).history
    check_training(gan, generator, logs)
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        assert int(optimizer.inner_optimizer.iterations) > 0  # not every step was skipped as an overflow
    assert all(map(np.array_equal, before, frozen.get_weights()))
    assert not all(all(same(b, o)) for b, o in zip(learning, others, strict=True))
    assert logs["discriminator_learning_rate"][1] < logs["discriminator_learning_rate"][0] <= 1e-3
    assert export.tflite(gan, tmp_path / "g.tflite").passed


def test_same_seed_same_samples(trained):
    gan = trained.gan
    first = made_by(gan, 5, seed=11)
    np.testing.assert_array_equal(first, made_by(gan, 5, seed=11))
    assert not np.array_equal(first, made_by(gan, 5, seed=12))
    if gan.task.makes_new_samples:
        assert not np.array_equal(gan.generate(5), gan.generate(5))


def test_what_callbacks_look_at(trained):
    gan = trained.gan
    gan.check(*data_for(gan, 8))
    sheet = gan.preview(4, seed=1)
    assert 0 < len(sheet) <= 6 and gan.media.to_model(sheet).shape[1:] == gan.media.shape  # images made of others, too
    np.testing.assert_array_equal(sheet, gan.preview(4, seed=1))
    watched = gan.watched_samples(4, seed=1)
    gan.media.check(watched)
    assert len(watched) == 4
    reals = gan.real_samples(tuple(map(tf.constant, data_for(gan, 8))))
    gan.media.check(reals)
    assert "samples seen" in gan._repr_html_()  # in a notebook


def test_what_is_saved_is_what_is_loaded(trained):
    """Bit for bit."""
    gan, loaded = trained.gan, keras.saving.load_model(trained.file)
    assert type(loaded) is type(gan)
    assert loaded.get_config() == gan.get_config()
    assert loaded.get_compile_config() == gan.get_compile_config()
    assert loaded.stage == gan.stage
    found = states(loaded)
    for owner, saved in trained.saved.items():
        assert len(saved) == len(found[owner]) and all(map(np.array_equal, saved, found[owner])), owner
    np.testing.assert_array_equal(made_by(gan, 4, seed=5), made_by(loaded, 4, seed=5))


def test_labels_decide(trained):
    gan = trained.gan
    if gan.num_classes is None:
        if gan.task.makes_new_samples:
            with pytest.raises(ValueError, match="labels"):
                gan.generate(2, labels=[0, 1])
        return
    latents = gan.sample_latents(2, tf.constant([1, 2]))
    fakes = [gan.call_generator(latents, tf.fill((2,), label), training=False) for label in (0, 2)]
    assert np.abs(fakes[0] - fakes[1]).max() > 1e-4
    logits = [gan.call_discriminator(fakes[0], tf.fill((2,), label), training=False) for label in (0, 2)]
    assert np.abs(logits[0] - logits[1]).max() > 0
    np.testing.assert_array_equal(gan.generate(6, seed=1), gan.generate(6, labels=[0, 1, 2, 0, 1, 2], seed=1))
    samples, _ = trained.data
    with pytest.raises(ValueError, match="labels are missing"):
        gan.fit(samples, batch_size=4)
    with pytest.raises(ValueError, match="labels contain 3: expected 0 to 2"):
        gan.fit(samples, np.full(len(samples), 3), batch_size=4)
    with pytest.raises(ValueError, match="labels contain -1: expected 0 to 2"):
        gan.generate(2, labels=-1)


def test_wrong_shapes_are_refused(trained):
    gan, (samples, *second) = trained.gan, trained.data
    with pytest.raises(ValueError, match="shape"):
        gan.fit(samples[:, :-1], *second, batch_size=4)
    with pytest.raises(ValueError, match="shape"):
        gan.fit(tf.data.Dataset.from_tensors((samples[..., :-1], *second)))


def test_exports_to_what_phones_run(trained, tmp_path):
    found = export.tflite(trained.gan, tmp_path / "g.tflite")
    assert found.passed and not flatbuffer.foreign_operators((tmp_path / "g.tflite").read_bytes())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.tflite", "g.tflite.json"]


@pytest.mark.parametrize("mode", ["float16", "dynamic", "int8"])
def test_exports_quantized(inference_type, mode, tmp_path, monkeypatch):
    """Untrained networks are hard to quantize; what they name, such as notes, are ties that any rounding decides."""
    gan = build_small(inference_type)
    monkeypatch.setattr(gan.media, "compared", lambda output: {})
    try:
        export.tflite(gan, tmp_path / "g.tflite", mode, verify=False)
    except export.UnsupportedOperation as error:  # as a network that draws one point after the other
        assert mode == "int8" and "inside of a loop" in str(error) and not list(tmp_path.iterdir())
        return
    found = export.verify(gan, tmp_path / "g.tflite", latency=False)
    assert found.quantization == mode and found.psnr > {"float16": 60, "dynamic": 25, "int8": 20}[mode]


def test_goes_on_after_loading_as_if_nothing_had_happened(trained, tmp_path):
    """Last, as it changes the model. Without a graph: to trace one takes longer than two steps."""
    gan = trained.gan
    gan.save(tmp_path / "gan.keras")  # anew: tests have drawn samples since
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    batch = data_for(gan, 4 * gan.batches_per_step)
    for one in (gan, loaded):
        one.run_eagerly, one.train_function = True, None
        one.train_on_batch(*batch)
    found = states(loaded)
    for owner, expected in states(gan).items():
        assert all(map(np.array_equal, expected, found[owner])), owner
    assert not all(map(np.array_equal, trained.saved["game"], found["game"]))
