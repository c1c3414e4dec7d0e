"""WGAN-GP: the Wasserstein GAN with a penalty on the critic's gradient instead of clipped weights."""

import keras

from kerasgan.gan_types import Starting
from kerasgan.models.dcgan import DCGAN
from kerasgan.penalties import GradientPenalty


@keras.saving.register_keras_serializable(package="kerasgan")
class WGANGP(DCGAN):
    """Wasserstein GAN with gradient penalty (Gulrajani et al., 2017, arXiv:1704.00028).

    The critic approximates the Wasserstein-1 distance between real and generated samples; the penalty keeps its
    gradient norm near 1 on straight lines between them, which is what makes the approximation valid. Weight 10, five
    critic updates a generator update, Adam 1e-4 (0.5, 0.9), no batch normalization in the critic (the penalty is on
    the gradient of each sample on its own), latents from N(0, 1), DCGAN networks (one of the paper's architectures).

    Changed from the paper: a moving average of the generator for sampling.

    Args:
        image_shape: (height, width, channels); height and width multiples of 4, best of 16; 1, 3 or 4 channels.
        latent_dim: length of the latent vector.
        width: channels of the layer nearest to the image; they double with each halving.
        num_classes, seed, name, dtype: as in `GAN`.
    """

    starting = Starting(
        data={"reader": "images", "size": 64, "channels": 3},
        model={"image_shape": (64, 64, 3)},
    )
    discriminator_name = "critic"
    default_loss = "wasserstein"
    default_penalties = (GradientPenalty(weight=10.0),)
    default_discriminator_steps = 5

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=128,
        width=64,
        num_classes=None,
        seed=None,
        name=None,
        dtype=None,
    ):
        super().__init__(
            image_shape,
            latent_dim,
            width,
            normalization="none",
            latent="normal",
            num_classes=num_classes,
            seed=seed,
            name=name,
            dtype=dtype,
        )

    @staticmethod
    def default_optimizers():
        return keras.optimizers.Adam(1e-4, 0.5, 0.9), keras.optimizers.Adam(1e-4, 0.5, 0.9)
