"""WaveGAN: a GAN that makes raw sound, sample by sample in one go."""

import keras
import tensorflow as tf
from keras import layers

from kerasgan import distribution
from kerasgan.checks import is_whole
from kerasgan.gan import GAN
from kerasgan.gan_types import Starting
from kerasgan.layers import Conv1D, Conv1DTranspose
from kerasgan.media import Audio
from kerasgan.penalties import GradientPenalty
from kerasgan.precision import policy

START = 16  # samples that the first layer of the generator makes
KERNEL = 25  # the length of all convolutions


@keras.saving.register_keras_serializable(package="kerasgan")
class PhaseShuffle(layers.Layer):
    """Shifts each sound's activations by a random number of places while the critic learns: phase shuffle.

    Transposed convolutions leave tones of fixed phase in what they make, by which a critic would know it at once, and
    learn nothing else. One shift is drawn for each sound at each call, uniform from -radius to radius; what comes in at
    the end is the mirror image of what is there. At inference nothing is shifted.

    Draws go on from a state that is saved with the model. Where Keras looks without leaving a trace (a
    `StatelessScope`: fakes, penalties, the generator's step), they begin where those for the last real batch ended, and
    are forgotten. So a penalty is that of the very critic that judged the fakes.

    Args:
        radius: the paper's n, in places; 0 shifts nothing.
        seed: integer; None takes one at random.

    Input and output shape: (batch, length, channels), `length` above `radius`.
    """

    def __init__(self, radius=2, seed=None, **kwargs):
        if not is_whole(radius, least=0):
            raise ValueError(f"radius={radius!r}: expected a whole number of places, 0 or more.")
        super().__init__(**kwargs)
        self.radius = radius
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training or not self.radius:
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int32)

        def draw(count):
            # One named algorithm: left to choose, XLA and the ordinary kernels draw different numbers from one seed.
            bounds = {"minval": -self.radius, "maxval": self.radius + 1, "dtype": tf.int32}
            return tf.random.stateless_uniform((count,), seed, **bounds, alg="philox")

        return shift(inputs, distribution.own_rows(draw, tf.shape(inputs)[0]))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "radius": self.radius, "seed": self.seed}


def shift(sounds, places):
    """Sounds (batch, length, channels), each moved by its number of places, int32 (batch,): later where it is positive.

    The gap is filled by reflection: (1 2 3 4) becomes (3 2 1 2) when moved by 2. (A gather is many times as fast on
    CPUs as choosing among slices, its gradients included.)
    """
    last = sounds.shape[1] - 1
    source = tf.abs(tf.range(last + 1) - places[:, None])
    return tf.gather(sounds, last - tf.abs(last - source), batch_dims=1)


def strides(length):
    """Strides of the layers of a generator, from the latents to the sound: 4, and a last one of 2 where it is needed.

    16384 has the paper's five layers of stride 4 from 16 samples. 8192 has four of them and one of stride 2 next to the
    sound: at 8 kHz, each of the others then works at the rate (64 Hz to 4096 Hz) that it has in the paper at 16 kHz.

    Raises:
        ValueError: `length` is not 16 times a power of two of at least 8.
    """
    doublings = (length // START).bit_length() - 1 if isinstance(length, int) else 0
    if doublings < 3 or length != START * 2**doublings:
        lower = START * 2 ** max(doublings, 3)
        raise ValueError(
            f"length={length!r}: WaveGAN makes sounds of 16 times a power of two samples, at least 128; nearest are "
            f"{lower} and {2 * lower}. Read the data with such a length: shorter sounds get silence, longer ones are "
            "cut."
        )
    return (4,) * (doublings // 2) + (2,) * (doublings % 2)


def build_generator(length, channels, latent_dim, width, num_classes=None):
    """Latents -> sounds in [-1, 1]: a projection to 16 samples, then one transposed convolution after the other."""
    steps = strides(length)
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = latents, latents
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        like_latents = keras.initializers.RandomUniform(-1.0, 1.0)
        x = layers.Concatenate()(
            [x, layers.Embedding(num_classes, latent_dim, embeddings_initializer=like_latents)(labels)]
        )
    widest = width * 2 ** (len(steps) - 1)
    x = layers.Reshape((START, widest))(layers.Dense(START * widest)(x))
    for layer, stride in enumerate(steps, 1):
        last = layer == len(steps)
        x = layers.ReLU()(x)
        filters = channels if last else widest // 2**layer
        x = Conv1DTranspose(filters, KERNEL, strides=stride, padding="same")(x)
    x = layers.Activation("tanh", dtype="float32", name="sounds")(x)
    return keras.Model(inputs, x, name="generator")


def build_critic(length, channels, width, phase_shuffle, num_classes=None, seed=None):
    """Sounds -> one logit: strided convolutions, the generator's in reverse, with phase shuffle between them."""
    steps = strides(length)[::-1]
    sounds = keras.Input((length, channels), name="samples")
    x = sounds
    for layer, stride in enumerate(steps):
        if layer:
            x = PhaseShuffle(phase_shuffle, seed=None if seed is None else seed + layer)(x)
        x = Conv1D(width * 2**layer, KERNEL, strides=stride, padding="same")(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Flatten()(x)
    inputs, logits = sounds, layers.Dense(1)(x)
    if num_classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [sounds, labels]
        logits = layers.Add()([logits, layers.Dot(axes=1)([x, layers.Embedding(num_classes, x.shape[1])(labels)])])
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(inputs, logits, name="critic")


@keras.saving.register_keras_serializable(package="kerasgan")
class WaveGAN(GAN):
    """WaveGAN (Donahue, McAuley & Puckette, 2019, arXiv:1802.04208): sound as a waveform, without a spectrogram.

    A DCGAN flattened to one dimension: where that has kernels of 5x5 and stride 2x2, this has kernels of 25 and stride
    4. No batch normalization; a critic with gradient penalty (WGAN-GP: weight 10, five critic updates a generator
    update, Adam 1e-4 (0.5, 0.9)), batches of 64, latents uniform in [-1, 1]; phase shuffle of 2 between the critic's
    layers.

    Changed from the paper: lengths other than 16384 samples (see `strides`), stereo, and optional class labels; each
    sound of a batch has a shift of its own in each layer; no filter behind the generator (the paper found phase shuffle
    to do more); a moving average of the generator for sampling. Weights start as Keras starts them (Glorot), of which
    the paper says nothing.

    The paper has no classes. With `num_classes`, the generator gets an embedding of the class beside the latents (Mirza
    & Osindero, 2014, arXiv:1411.1784), and the critic judges by projection: to its logit comes the product of its last
    activations with an embedding of the class (Miyato & Koyama, 2018, arXiv:1802.05637).

    Args:
        length: samples of a sound: 16 times a power of two, at least 128.
        sample_rate: samples a second, in Hz. The networks do not depend on it; players do.
        channels: 1 (mono) or 2 (stereo).
        latent_dim: length of the latent vector.
        width: channels of the layer nearest to the sound; they double with each layer. The paper's d.
        phase_shuffle: largest shift in the critic, in places; the paper's n. 0 for none.
        num_classes, seed, name, dtype: as in `GAN`.

    Example:

    ```python
    gan = kerasgan.models.WaveGAN(length=16384, sample_rate=16000)
    gan.compile()
    gan.fit(kerasgan.data.audio("drums/", length=16384, sample_rate=16000), epochs=100)
    gan.media.save(gan.generate(8), "drums.wav")
    ```
    """

    starting = Starting(
        data={"reader": "audio", "length": 8192, "sample_rate": 8000, "channels": 1},
        model={"length": 8192, "sample_rate": 8000, "channels": 1},
    )
    default_loss = "wasserstein"
    default_penalties = (GradientPenalty(weight=10.0),)
    default_discriminator_steps = 5

    def __init__(
        self,
        length=8192,
        sample_rate=8000,
        channels=1,
        latent_dim=100,
        width=64,
        phase_shuffle=2,
        num_classes=None,
        seed=None,
        name=None,
        dtype=None,
    ):
        with policy(dtype, seed):
            super().__init__(
                build_generator(length, channels, latent_dim, width, num_classes),
                build_critic(length, channels, width, phase_shuffle, num_classes, seed),
                media=Audio(length, sample_rate, channels),
                num_classes=num_classes,
                latent="uniform",
                seed=seed,
                name=name,
                dtype=dtype,
            )

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(1e-4, 0.5, 0.9), keras.optimizers.Adam(1e-4, 0.5, 0.9)
