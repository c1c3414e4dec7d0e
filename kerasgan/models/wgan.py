"""WGAN: a critic that estimates a distance instead of a discriminator that classifies."""

import keras

from kerasgan.gan_types import Starting
from kerasgan.models.dcgan import DCGAN


@keras.saving.register_keras_serializable(package="kerasgan")
class WGAN(DCGAN):
    """Wasserstein GAN (Arjovsky, Chintala & Bottou, 2017, arXiv:1701.07875).

    The critic's mean difference between real and generated samples approaches the Wasserstein-1 distance between the
    two (up to a factor) as long as it is Lipschitz, which clipping every weight to [-0.01, 0.01] enforces. Five critic
    updates a generator update, RMSprop 5e-5 (momentum does harm: the critic's target moves), latents from N(0, 1),
    DCGAN networks.

    Changed from the paper's code: no 100 critic updates at the start and at every 500th step; a moving average of the
    generator for sampling.

    Args:
        image_shape: (height, width, channels); height and width multiples of 4, best of 16; 1, 3 or 4 channels.
        latent_dim: length of the latent vector.
        width: channels of the layer nearest to the image; they double with each halving.
        normalization: of the critic: "batch" as in the paper's code, "spectral" or "none".
        num_classes, seed, name, dtype: as in `GAN`.
    """

    starting = Starting(
        data={"reader": "images", "size": 64, "channels": 3},
        model={"image_shape": (64, 64, 3)},
    )
    discriminator_name = "critic"
    default_loss = "wasserstein"
    default_discriminator_steps = 5
    default_clip_weights = 0.01

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=100,
        width=64,
        normalization="batch",
        num_classes=None,
        seed=None,
        name=None,
        dtype=None,
    ):
        super().__init__(
            image_shape,
            latent_dim,
            width,
            normalization=normalization,
            latent="normal",
            num_classes=num_classes,
            seed=seed,
            name=name,
            dtype=dtype,
        )

    @staticmethod
    def default_optimizers():
        # As in PyTorch, where the paper's code runs: a longer memory than Keras's 0.9, and an epsilon that is added to
        # the root (1e-8), while Keras adds it inside. Keras's 1e-7 there would be 3e-4 outside, many times the
        # gradients that clipped weights let through: the generator would all but stand still.
        rules = {"learning_rate": 5e-5, "rho": 0.99, "epsilon": 1e-16}
        return keras.optimizers.RMSprop(**rules), keras.optimizers.RMSprop(**rules)
