"""LAPGAN on 32x32 CelebA faces: three levels, from 8x8 to 32x32 pixels.

Against the paper: no dropout but a lazy R1 penalty, a moving average of the generator, and discriminators that look at
more than a few pixels.

Details are made for what the level before has made, mistakes included: where the smallest image is no good, nothing
that follows makes a face of it. About one face in four is smudged or fallen apart on the sheets, and hair and
backgrounds fray into coloured specks. The training set is 10,000 pictures of celebrities, and the faces are as
unbalanced as it is in age, sex and skin colour.
"""

from kerasgan.registry import Recipe

RECIPE = Recipe(
    name="lapgan_celeba",
    gan_type="lapgan",
    makes="faces, 32x32 RGB",
    title="Faces (small)",
    page={"seed": 45, "thumbnail": ["samples.png", 0, 0, 32, 32]},
    model={
        "image_shape": [32, 32, 3],
        "width": 32,
        "dropout": 0.0,
        "level_samples": [1_000_000, 800_000],
    },
    compile={
        "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": 1.0, "interval": 16}}],
        "ema_half_life": 10_000,
    },
    # One crop for every model of these faces, so that scores compare.
    data={"reader": "images", "size": 32, "crop": [4, 18, 80, 80], "flip": True},
    picture_size=(109, 89),
    data_name="CelebA, the first 10,000 aligned faces",
    data_license="non-commercial research (CelebA); the weights inherit this",
    license="Apache-2.0 for the code; weights for non-commercial research",
    batch_size=32,
    epochs=240,
    seed=1,
    dtype="float32",
)
