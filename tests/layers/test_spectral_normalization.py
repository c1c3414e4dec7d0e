"""Spectral normalization against numpy.linalg.svd and finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.layers import SpectralNormalization

CASES = {
    "dense": (lambda: keras.layers.Dense(7), (5, 9)),
    "conv1d": (lambda: keras.layers.Conv1D(6, 3), (2, 8, 4)),
    "conv2d": (lambda: keras.layers.Conv2D(6, 3, strides=2, padding="same", activation="relu"), (2, 8, 6, 4)),
    "conv2d_transpose": (lambda: keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same"), (2, 4, 6, 5)),
    "embedding": (lambda: keras.layers.Embedding(11, 4), (6,)),
}


def build(name, seed=0, **kwargs):
    keras.utils.set_random_seed(seed)
    make, shape = CASES[name]
    random = np.random.default_rng(seed)
    inputs = random.integers(0, 11, shape) if name == "embedding" else random.normal(size=shape).astype("float32")
    layer = SpectralNormalization(make(), **kwargs)
    layer(inputs)
    kernel = kernel_of(layer)
    kernel.assign(random.normal(size=kernel.shape))  # large enough that dividing by sigma matters
    if getattr(layer.layer, "bias", None) is not None:
        layer.layer.bias.assign(random.normal(size=layer.layer.bias.shape))
    return layer, inputs


def kernel_of(layer):
    return layer.layer.embeddings if isinstance(layer.layer, keras.layers.Embedding) else layer.layer.kernel


def matrix_of(layer):
    kernel = np.float64(kernel_of(layer).numpy())
    if isinstance(layer.layer, keras.layers.Conv2DTranspose):
        kernel = np.swapaxes(kernel, -1, -2)
    return kernel.reshape(-1, kernel.shape[-1])


def converge(layer, inputs, calls=200):
    step = tf.function(lambda: layer(inputs, training=True))
    for _ in range(calls):
        step()


@pytest.mark.parametrize("name", CASES)
def test_output_is_that_of_the_kernel_over_its_largest_singular_value(name):
    layer, inputs = build(name)
    converge(layer, inputs)
    ours = {training: layer(inputs, training=training).numpy() for training in (True, False)}
    kernel = kernel_of(layer)
    kernel.assign(kernel.numpy() / np.linalg.svd(matrix_of(layer), compute_uv=False)[0])
    expected = layer.layer(inputs).numpy()
    for outputs in ours.values():
        np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["dense", "conv2d_transpose"])
def test_one_step_of_power_iteration_per_training_call(name):
    layer, inputs = build(name)
    matrix, u = matrix_of(layer), np.float64(layer.u.numpy())
    kernel = kernel_of(layer).numpy()
    for _ in range(3):
        layer(inputs, training=True)
        v = matrix @ u / np.linalg.norm(matrix @ u)
        u = matrix.T @ v / np.linalg.norm(matrix.T @ v)
        np.testing.assert_allclose(layer.u, u, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(kernel_of(layer), kernel)  # never overwritten


def test_inference_and_stateless_calls_change_nothing():
    layer, inputs = build("conv2d")
    u, kernel = layer.u.numpy(), kernel_of(layer).numpy()
    layer(inputs)
    layer(inputs, training=False)
    with keras.StatelessScope() as scope:
        inside = layer(inputs, training=True).numpy()
        assert np.abs(scope.get_current_value(layer.u) - u).max() > 1e-3  # updated within the scope only
    np.testing.assert_array_equal(layer.u, u)
    np.testing.assert_array_equal(kernel_of(layer), kernel)
    np.testing.assert_allclose(inside, layer(inputs, training=True), rtol=1e-5, atol=1e-6)
    assert np.abs(layer.u.numpy() - u).max() > 1e-3


def test_training_reaches_the_layer_through_a_model_and_compiled_steps():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 2))
    x = SpectralNormalization(keras.layers.Conv2D(4, 3))(inputs)
    model = keras.Model(inputs, SpectralNormalization(keras.layers.Dense(1))(keras.layers.Flatten()(x)))
    vectors = [layer.u for layer in model.layers if isinstance(layer, SpectralNormalization)]
    values = tf.random.normal((2, 8, 8, 2))

    @tf.function(jit_compile=True)
    def step(training):
        first = model(values, training=training)
        with keras.StatelessScope():
            second = model(values * 0.5, training=training)
        return first, second

    before = [u.numpy() for u in vectors]
    step(False)
    assert all((u.numpy() == old).all() for u, old in zip(vectors, before, strict=True))
    expected = [layer for layer in model.layers if isinstance(layer, SpectralNormalization)][0]
    matrix = matrix_of(expected)
    step(True)
    v = matrix @ before[0] / np.linalg.norm(matrix @ before[0])
    u = matrix.T @ v / np.linalg.norm(matrix.T @ v)
    np.testing.assert_allclose(vectors[0], u, rtol=1e-4, atol=1e-5)  # one update, not two


def test_stateless_call_uses_the_values_it_is_given():
    layer, inputs = build("dense")
    trainable = [tf.random.normal(v.shape) for v in layer.trainable_variables]
    nontrainable = [v.value for v in layer.non_trainable_variables]
    outputs, _ = layer.stateless_call(trainable, nontrainable, inputs)
    for variable, value in zip(layer.trainable_variables, trainable, strict=True):
        variable.assign(value)
    np.testing.assert_allclose(outputs, layer(inputs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["dense", "conv2d", "conv2d_transpose", "embedding"])
def test_gradient_passes_through_sigma(name):
    """d(W / sigma) = dW / sigma - (u'dW v) W / sigma^2, with the singular vectors of NumPy's decomposition."""
    layer, inputs = build(name)
    converge(layer, inputs)
    kernel = kernel_of(layer)
    with tf.GradientTape() as tape:
        outputs = layer(inputs, training=False)
        target = tf.reduce_sum(tf.square(outputs))
    ours = tf.convert_to_tensor(tape.gradient(target, kernel.value))
    gradient = gradient_without_sigma(layer, inputs, kernel)
    left, values, right = np.linalg.svd(matrix_of(layer), full_matrices=False)
    through_sigma = np.outer(left[:, 0], right[0])
    if name == "conv2d_transpose":
        through_sigma = np.swapaxes(through_sigma.reshape(*kernel.shape[:2], kernel.shape[3], kernel.shape[2]), -1, -2)
    through_sigma = through_sigma.reshape(kernel.shape)
    sigma = values[0]
    expected = gradient / sigma - np.sum(gradient * kernel.numpy()) / sigma**2 * through_sigma
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    assert np.abs(expected - gradient / sigma).max() > 0.05 * np.abs(expected).max()  # the second term does matter


def gradient_without_sigma(layer, inputs, kernel):
    """The gradient over a kernel that is W / sigma already: without the way through sigma."""
    start = kernel.numpy()
    kernel.assign(start / np.linalg.svd(matrix_of(layer), compute_uv=False)[0])
    with tf.GradientTape() as tape:
        target = tf.reduce_sum(tf.square(layer.layer(inputs)))
    gradient = np.float64(tf.convert_to_tensor(tape.gradient(target, kernel.value)))
    kernel.assign(start)
    return gradient


def test_gradient_against_finite_differences():
    layer, inputs = build("conv2d")
    converge(layer, inputs)
    kernel = kernel_of(layer)
    start, direction = kernel.numpy(), np.random.default_rng(1).normal(size=kernel.shape)

    def target():
        return tf.reduce_sum(tf.square(layer(inputs, training=False)))

    with tf.GradientTape() as tape:
        value = target()
    ours = np.sum(tape.gradient(value, kernel.value) * direction)
    values = []
    for step in (2e-2, -2e-2):
        kernel.assign(start + step * direction)
        converge(layer, inputs)  # the singular vectors follow the kernel
        values.append(float(target()))
    np.testing.assert_allclose(ours, (values[0] - values[1]) / 4e-2, rtol=2e-2)


def test_scale_of_the_kernel_does_not_matter():
    layer, inputs = build("conv2d")
    converge(layer, inputs)
    kernel = kernel_of(layer)
    before = layer(inputs).numpy()
    kernel.assign(kernel.numpy() * 50.0)
    np.testing.assert_allclose(layer(inputs), before, rtol=1e-4, atol=1e-5)


def test_second_order_gradient():
    """R1 through a normalized linear critic: ||w / sigma||^2 is 1 for one output, whatever w is."""
    layer = SpectralNormalization(keras.layers.Dense(1))
    values = tf.random.normal((3, 6))
    layer(values)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            tape.watch(values)
            logits = layer(values, training=True)
        penalty = tf.reduce_sum(tf.square(tape.gradient(logits, values)), axis=1)
    np.testing.assert_allclose(penalty, np.ones(3), rtol=1e-5)
    np.testing.assert_allclose(outer.gradient(penalty, layer.layer.kernel.value), np.zeros((6, 1)), atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", ["dense", "conv2d"])
def test_mixed_precision_computes_sigma_in_float32(policy, name):
    reference, inputs = build(name)
    make, _ = CASES[name]
    inner = type(make()).from_config({**make().get_config(), "dtype": policy})
    symbolic = keras.Input(inputs.shape[1:], dtype=keras.DTypePolicy(policy).compute_dtype)
    layer = SpectralNormalization(inner)
    outputs = keras.layers.Activation("linear", dtype=policy)(layer(symbolic))
    model = keras.Model(symbolic, outputs)
    model.dtype_policy = keras.DTypePolicy(policy)
    for variable, value in zip(layer.weights, reference.weights, strict=True):
        variable.assign(value)
    assert layer.u.dtype == "float32" and kernel_of(layer).dtype == "float32"
    for _ in range(3):
        expected = reference(inputs, training=True)
        outputs = model(inputs, training=True)
    np.testing.assert_allclose(layer.u, reference.u, rtol=1e-5, atol=1e-6)  # as in float32, not rounded to half
    assert outputs.dtype == policy.removeprefix("mixed_")
    np.testing.assert_allclose(tf.cast(outputs, "float32"), expected, rtol=0.02, atol=0.03)


def test_global_policy_and_a_call_outside_of_any_model():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer, inputs = build("conv2d")
        matrix, u = matrix_of(layer), np.float64(layer.u.numpy())
        assert layer(inputs, training=True).dtype == "bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    u = matrix.T @ (matrix @ u)
    np.testing.assert_allclose(layer.u, u / np.linalg.norm(u), rtol=1e-5, atol=1e-6)


def test_frozen_layer_stays_as_it_is():
    layer, inputs = build("dense")
    layer.trainable = False
    u = layer.u.numpy()
    layer(inputs, training=True)
    np.testing.assert_array_equal(layer.u, u)


def test_kernel_of_zeros():
    layer = SpectralNormalization(keras.layers.Dense(3, kernel_initializer="zeros"))
    values = tf.ones((2, 4))
    with tf.GradientTape() as tape:
        outputs = layer(values, training=True)
    np.testing.assert_array_equal(outputs, np.zeros((2, 3)))
    assert np.isfinite(tape.gradient(outputs, layer.layer.kernel.value)).all()


def test_only_the_wrapped_weights_are_trained():
    layer, _ = build("dense")
    assert [v.path.split("/")[-1] for v in layer.trainable_variables] == ["kernel", "bias"]
    assert [v.path.split("/")[-1] for v in layer.non_trainable_variables] == ["u"]


def test_save_and_load(tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 2))
    x = SpectralNormalization(keras.layers.Conv2D(4, 3), name="first")(inputs)
    model = keras.Model(inputs, SpectralNormalization(keras.layers.Conv2DTranspose(3, 3))(x))
    values = tf.random.normal((2, 8, 8, 2))
    model(values, training=True)
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(restored.get_layer("first").u, model.get_layer("first").u)
    np.testing.assert_allclose(restored(values), model(values), rtol=1e-6)
    np.testing.assert_allclose(restored(values, training=True), model(values, training=True), rtol=1e-5, atol=1e-6)


def test_layer_without_a_kernel():
    with pytest.raises(ValueError, match="neither a kernel nor embeddings"):
        SpectralNormalization(keras.layers.BatchNormalization())(tf.ones((2, 3)))
