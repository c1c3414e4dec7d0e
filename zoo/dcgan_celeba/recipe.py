"""DCGAN on 64x64 CelebA faces: DCGAN's generator, with a discriminator and a loss that are stable on few images.

Against the paper: no batch normalization in the discriminator but a lazy R1 penalty and the minibatch standard
deviation, the non-saturating loss, Adam with beta1 0, random translation of real and generated images, and a moving
average of the generator.

A good many faces are visibly wrong: profiles, dark pictures, hats, glasses and hands come out smeared, and
backgrounds are patches of colour. The training set is 10,000 pictures of celebrities, and the faces are as unbalanced
as it is in age, sex and skin colour.
"""

from kerasgan.registry import Recipe

_ADAM = {
    "class_name": "Adam",
    "config": {
        # High for two thirds of the training, then lower: the samples sharpen when it falls.
        "learning_rate": {
            "module": "keras.optimizers.schedules",
            "class_name": "PiecewiseConstantDecay",
            "config": {"boundaries": [13_000, 17_000], "values": [5e-4, 2.5e-4, 1e-4]},
        },
        "beta_1": 0.0,
        "beta_2": 0.99,
    },
}

RECIPE = Recipe(
    name="dcgan_celeba",
    gan_type="dcgan",
    makes="faces, 64x64 RGB",
    title="Faces",
    page={"seed": 73, "thumbnail": ["samples.png", 132, 66, 196, 130]},
    model={
        "image_shape": [64, 64, 3],
        "latent_dim": 128,
        "width": 48,
        "normalization": "none",
        "minibatch_deviation": True,
        "latent": "normal",
    },
    compile={
        "discriminator_optimizer": _ADAM,
        "generator_optimizer": _ADAM,
        "loss": "non_saturating",
        "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": 0.2, "interval": 16}}],
        "augmentation": "translation",
        "ema_half_life": 10_000,
    },
    # One crop for every model of these faces, so that scores compare.
    data={"reader": "images", "size": 64, "crop": [4, 18, 80, 80], "flip": True},
    picture_size=(109, 89),
    data_name="CelebA, the first 10,000 aligned faces",
    data_license="non-commercial research (CelebA); the weights inherit this",
    license="Apache-2.0 for the code; weights for non-commercial research",
    batch_size=32,
    epochs=64,
    seed=1,
    dtype="mixed_bfloat16",
)
