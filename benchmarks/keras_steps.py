"""kerasgan's part in the benchmarks, and the usual Keras loop's: functions that make one training step."""

import math

import keras
import tensorflow as tf
from contestants import MATMUL, NAIVE, ONE_STAGE, OURS, PRODUCT

from kerasgan import penalties, registry
from kerasgan.models import DCGAN
from kerasgan.precision import full_precision


def contestants(game, setting, formats, threads):
    """({(name, format): function that makes one step}, facts for the table)"""
    prepare(threads)
    real = images((setting.batch, setting.size, setting.size, 3))
    steps, parameters, operations = {}, {}, {}
    for number_format in formats:
        for name, model in _dcgans(game, setting, number_format).items():
            steps[name, number_format] = as_fit_does(model, real)
            parameters[name, number_format] = [
                sum(math.prod(v.shape) for v in player.trainable_variables)
                for player in (model.generator, model.discriminator)
            ]
            operations[name] = step_operations(model.generator, model.discriminator, name == ONE_STAGE)
    matrix = tf.cast(tf.random.normal((PRODUCT, PRODUCT)), tf.bfloat16)
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    steps[MATMUL, "bfloat16"] = lambda: product().numpy()
    return steps, {"version": version(), "parameters": list(parameters.items()), "operations": operations}


def _dcgans(game, setting, number_format):
    """{name: compiled model}"""
    arguments = {"latent_dim": setting.latents, "width": setting.width, "kernel_size": setting.kernel}
    models = {}
    for name in game.in_keras:
        gan = DCGAN(
            (setting.size, setting.size, 3),
            **arguments,
            normalization=game.normalization,
            dtype=policy(number_format),
            seed=0,
        )
        gan.compile(one_stage=name == ONE_STAGE)
        models[name] = NaiveGAN(gan) if name == NAIVE else gan
    return models


def contestants_of_types(types, setting, formats, threads):
    """({(name, format, type): function that makes one step}, facts for the table), for types of the registry.

    Args:
        types: their names; none are all.
    """
    prepare(threads)
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    formats = [number_format for number_format in formats if number_format != "float16" or on_gpu]
    steps, samples = {}, {}
    for name in types or registry.TYPES:
        start = registry.TYPES[name].starting
        for number_format in formats:
            shape = {"image_shape": (setting.size, setting.size, 3)} if "image_shape" in start.model else {}
            values = {**start.model, **shape, "dtype": policy(number_format)}
            gan = registry.gan_class(name)(**values, seed=0)
            gan.compile()
            samples[name] = gan.batches_per_step * setting.batch
            data = images((samples[name], *gan.discriminator.inputs[0].shape[1:]))
            if gan.num_classes:
                data = data, tf.range(samples[name]) % gan.num_classes
            for contestant, model in ((OURS, gan), (NAIVE, NaiveGAN(gan))):
                steps[contestant, number_format, name] = as_fit_does(model, data)
    return steps, {"version": version(), "samples": samples}


def prepare(threads):
    """Sets the number of threads."""
    tf.get_logger().setLevel("ERROR")  # it takes the contestants' functions for one that is compiled again and again
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def images(shape):
    return tf.random.uniform(shape, -1, 1)


def policy(number_format):
    """Keras's name of a number format."""
    return number_format if number_format == "float32" else f"mixed_{number_format}"


def version():
    return f"TensorFlow {tf.__version__} with Keras {keras.__version__}"


def as_fit_does(model, data):
    """One call of the compiled function that `fit` repeats, on a data set that costs nothing."""
    dataset = tf.data.Dataset.from_tensors(data).repeat()
    batches = iter(model.distribute_strategy.experimental_distribute_dataset(dataset))
    model.make_train_function()

    def step():
        for value in model.train_function(batches).values():
            float(value)  # waits for the result, as fit's logs do

    return step


class NaiveGAN(keras.Model):
    """The usual tutorial's loop, which generates the fakes of each update anew, on what another GAN is made of.

    Networks of the same layers, but Keras's own where ours only compute faster; loss, penalties (in float32 as ours),
    number of discriminator steps, weight clipping and optimizers are the GAN's. No moving average of the generator.
    """

    def __init__(self, gan):
        super().__init__()
        self.latent = gan.latent
        self.generator, self.discriminator = with_keras_layers(gan.generator), with_keras_layers(gan.discriminator)
        self.adversarial_loss, self.penalties = gan.adversarial_loss, gan.penalties
        self.discriminator_steps, self.clip_weights = gan.discriminator_steps, gan.clip_weights
        self.batches = gan.batches_per_step
        self.compile(optimizer=None)
        self.d_optimizer, self.g_optimizer = gan.default_optimizers()
        if gan.dtype_policy.compute_dtype == "float16":
            self.d_optimizer = keras.optimizers.LossScaleOptimizer(self.d_optimizer)
            self.g_optimizer = keras.optimizers.LossScaleOptimizer(self.g_optimizer)
        self.g_loss, self.d_loss = keras.metrics.Mean(name="g_loss"), keras.metrics.Mean(name="d_loss")

    def train_step(self, data):
        samples, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        parts = tf.split(samples, self.batches)
        classes = [None] * self.batches if labels is None else tf.split(labels, self.batches)
        for real, label in list(zip(parts, classes, strict=True))[: self.discriminator_steps]:
            self.discriminator_step(real, label)
        self.generator_step(parts[-1], classes[-1])
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}

    def discriminator_step(self, real, labels):
        fake = self.fakes(real.shape[0], labels)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                self.adversarial_loss.discriminator(self.judge(real, labels), self.judge(fake, labels))
            )
            for penalty in self.penalties:
                loss += tf.reduce_mean(self.penalty(penalty, real, fake, labels))
            scaled = self.d_optimizer.scale_loss(loss)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(scaled, weights), weights, strict=True))
        if self.clip_weights:
            penalties.clip_weights(weights, self.clip_weights)
        self.d_loss.update_state(loss)

    def generator_step(self, real, labels):
        with tf.GradientTape() as tape:
            fake_logits = self.judge(self.fakes(real.shape[0], labels), labels)
            real_logits = self.judge(real, labels) if self.adversarial_loss.paired else None
            loss = tf.reduce_mean(self.adversarial_loss.generator(fake_logits, real_logits))
            scaled = self.g_optimizer.scale_loss(loss)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(scaled, weights), weights, strict=True))
        self.g_loss.update_state(loss)

    def fakes(self, count, labels):
        shape = (count, self.generator.inputs[0].shape[-1])
        latents = tf.random.uniform(shape, -1, 1) if self.latent == "uniform" else tf.random.normal(shape)
        return self.generator(latents if labels is None else [latents, labels], training=True)

    def judge(self, samples, labels):
        return self.discriminator(samples if labels is None else [samples, labels], training=True)

    def penalty(self, penalty, real, fake, labels):
        seed = tf.random.uniform((2,), maxval=2**30, dtype=tf.int32)
        with full_precision(self.discriminator):
            return penalty(lambda samples: self.judge(samples, labels), real, fake, seed)


def with_keras_layers(network):
    """A copy of a network in which layers that stand in for Keras's own of the same name are Keras's own."""

    def copy(layer):
        theirs = getattr(keras.layers, type(layer).__name__, None)
        own_class = theirs if theirs and isinstance(layer, theirs) else type(layer)
        return own_class.from_config(layer.get_config())

    return keras.models.clone_model(network, clone_function=copy)


def multiply_adds(model):
    """Those of one sample's forward pass, a list with one number a layer that has a kernel."""
    counts = []
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            # A kernel is applied at every place of a convolution's output, but of a transposed one's input.
            transposed = "Transpose" in type(layer).__name__
            places = (layer.input if transposed else layer.output).shape[1:-1]
            counts.append(math.prod(layer.kernel.shape) * math.prod(places))
    return counts


def step_operations(generator, discriminator, one_stage=False):
    """Floating-point operations of a training step for each image; training_step.py says what counts."""
    g, d = multiply_adds(generator), multiply_adds(discriminator)
    passes = 2 if one_stage else 3  # through the discriminator
    forward = passes * sum(d) + sum(g)
    weight_gradients = 2 * sum(d) + sum(g)
    without_first_layer = passes - 1
    input_gradients = passes * sum(d) - without_first_layer * d[0] + sum(g) - g[0]
    return 2 * (forward + weight_gradients + input_gradients)
