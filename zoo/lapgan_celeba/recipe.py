"""LAPGAN on 64x64 CelebA faces: four levels, from 8x8 to 64x64 pixels.

Against the paper: no dropout but a lazy R1 penalty, a moving average of the generator, and four levels whose
discriminators look at more than a few pixels.

Details are made for what the level before has made, mistakes included: where the smallest image is no good, nothing
that follows makes a face of it. The training set is 10,000 pictures of celebrities, and the faces are as unbalanced as
it is in age, sex and skin colour.
"""

from kerasgan.registry import Recipe

RECIPE = Recipe(
    name="lapgan_celeba",
    gan_type="lapgan",
    makes="faces, 64x64 RGB",
    model={
        "image_shape": [64, 64, 3],
        "width": 32,
        "dropout": 0.0,
        "level_samples": [600_000, 600_000, 500_000],
    },
    compile={
        "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": 0.2, "interval": 16}}],
        "ema_half_life": 10_000,
    },
    # One crop for every model of these faces, so that scores compare.
    data={"reader": "images", "size": 64, "crop": [4, 18, 80, 80], "flip": True},
    data_name="CelebA, the first 10,000 aligned faces",
    data_license="non-commercial research (CelebA); the weights inherit this",
    license="Apache-2.0 for the code; weights for non-commercial research",
    batch_size=32,
    epochs=240,
    seed=1,
    dtype="mixed_bfloat16",
)
