"""DVD-GAN that makes clips of two digits which bounce within a frame.

Against the paper: frames of 32 pixels, a small fraction of its width, a spatial discriminator that sees 4 frames of
each clip instead of 8, batches of 16 instead of 512, a rate of the generator ten times as high, and rates that fall in
the second half. The digits are those of MNIST, half as large, and clips are made while the training goes on: none comes
twice.

At a glance they are digits that move, meet and part. They do not stay the same ones: in a fifth of the clips in which
two of them stand apart, the digits network names them alike in nine tenths of the frames; in real clips always. In 24 %
of the frames a digit is missing (12 % of the data's, where two cover each other). Their speed is a little less steady
than it should be.

It was trained when the first state of a ConvGRU was that of the first frame itself; now the first frame is made from
it, as all others are from the one before, without which it was a sketch of the second.
"""

from kerasgan.registry import Recipe

_EPOCHS = 11  # of 10,000 clips, of which a step takes two batches: 3,400 steps

RECIPE = Recipe(
    name="dvd_gan_moving_mnist",
    gan_type="dvd_gan",
    makes="clips of two bouncing digits, 16 frames of 32x32 pixels",
    title="Bouncing digits",
    page={"thumbnail": ["samples.png", 102, 408, 134, 440]},
    model={"frames": 16, "image_shape": (32, 32, 1), "latent_dim": 64, "width": 16, "judged_frames": 4, "recurrent": 3},
    compile={
        # They fall over the second half of a longer training, and are a quarter of what they were at its end.
        "learning_rate": ["linear(5e-4, 5e-5, 119808, 59904)", "linear(1e-3, 1e-4, 119808, 59904)"],
        "ema_half_life": 5_000,
    },
    data={"reader": "moving_mnist", "length": 16, "size": 32},
    data_name="Moving MNIST (Srivastava et al., 2015), made of the 60,000 training digits of MNIST",
    data_license="CC BY-SA 3.0",
    license="CC BY-SA 3.0, as the data",
    batch_size=16,
    epochs=_EPOCHS,
    seed=1,
)
