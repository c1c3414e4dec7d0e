"""DVD-GAN that is given five frames of two bouncing digits and makes the eleven that follow.

Against the paper: frames of 64 pixels, a small fraction of its width, three scales with a recurrence, a spatial
discriminator that sees 4 of the new frames, batches of 16. Where digits go is certain, so that nothing is left to
chance in the clips: of one beginning, there is one right continuation.
"""

from kerasgan.registry import Recipe

_EPOCHS = 16  # of 10,000 clips, of which a step takes two batches: 5,000 steps

RECIPE = Recipe(
    name="dvd_gan_next_frames",
    gan_type="dvd_gan_fp",
    makes="what two bouncing digits do next, 11 frames of 64x64 pixels after 5",
    model={
        "frames": 16,
        "given_frames": 5,
        "image_shape": (64, 64, 1),
        "latent_dim": 16,
        "width": 16,
        "judged_frames": 4,
        "recurrent": 3,
    },
    compile={"ema_half_life": 5_000},
    data={"reader": "moving_mnist", "length": 16, "size": 64},
    data_name="Moving MNIST (Srivastava et al., 2015), made of the 60,000 training digits of MNIST",
    data_license="CC BY-SA 3.0",
    license="CC BY-SA 3.0, as the data",
    batch_size=16,
    epochs=_EPOCHS,
    seed=1,
)
