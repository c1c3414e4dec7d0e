"""DVD-GAN that is given five frames of two bouncing digits and makes the eleven that follow.

Against the paper: frames of 32 pixels, a small fraction of its width, a spatial discriminator that sees 4 of the new
frames, batches of 16. Where digits go is certain, so that nothing is left to chance in the clips: of one beginning,
there is one right continuation. So the generator learns from squared differences first, and then plays the game, in
which they still count.
"""

from kerasgan.registry import Recipe

_EPOCH = 9_984  # clips, whole batches of 10,000
_PRETRAINING = 8 * _EPOCH  # 5,000 steps
_EPOCHS = 12  # then 1,250 steps of the game, each of two batches

RECIPE = Recipe(
    name="dvd_gan_next_frames",
    gan_type="dvd_gan_fp",
    makes="what two bouncing digits do next, 11 frames of 32x32 pixels after 5",
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
