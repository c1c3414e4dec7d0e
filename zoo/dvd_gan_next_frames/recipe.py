"""DVD-GAN that is given five frames of two bouncing digits and makes the eleven that follow.

Against the paper: frames of 32 pixels, a small fraction of its width, a spatial discriminator that sees 4 of the new
frames, batches of 16. Where digits go is certain, so that nothing is left to chance in the clips: of one beginning,
there is one right continuation. So the generator learns from squared differences first, and then plays the game, in
which they still count.

By PSNR each of the eleven frames is nearer to the truth than the last frame repeated or moved on, but it loses what
the digits look like: the first new frame still shows them, by the third or fourth they are scraps that move as the
digits do. They are less blurred than what squared differences alone teach, and no digits either.
"""

from kerasgan.registry import Recipe

_EPOCH = 9_984  # clips, whole batches of 10,000
_PRETRAINING = 8 * _EPOCH  # 5,000 steps
_EPOCHS = 13  # then 1,550 steps of the game, each of two batches

RECIPE = Recipe(
    name="dvd_gan_next_frames",
    gan_type="dvd_gan_fp",
    makes="what two bouncing digits do next, 11 frames of 32x32 pixels after 5",
    title="What comes next",
    page={
        "give": "Give it an animation of two bouncing digits, white on black: it goes on from the last five frames.",
        "thumbnail": ["samples.png", 136, 0, 168, 32],
        "examples": [["samples.png", 0, top, 168, top + 32] for top in (0, 68, 136, 204)],
    },
    model={
        "frames": 16,
        "given_frames": 5,
        "image_shape": (32, 32, 1),
        "latent_dim": 16,
        "width": 16,
        "judged_frames": 4,
        "recurrent": 3,
        "activation": "relu",
        "pretraining": _PRETRAINING,
    },
    compile={
        "generator_optimizer": {"class_name": "Adam", "config": {"beta_1": 0.5, "beta_2": 0.999}},
        "learning_rate": [4e-4, f"cosine(2e-3, 2e-4, {_PRETRAINING})"],
        "clip_gradients": 5.0,  # states that a ReLU lets grow make them explode now and then
        "ema_half_life": 5_000,
        "weights": {"adversarial": 1.0, "l2": 10.0},
    },
    data={"reader": "moving_mnist", "length": 16, "size": 32},
    data_name="Moving MNIST (Srivastava et al., 2015), made of the 60,000 training digits of MNIST",
    data_license="CC BY-SA 3.0",
    license="CC BY-SA 3.0, as the data",
    batch_size=16,
    epochs=_EPOCHS,
    seed=1,
)
