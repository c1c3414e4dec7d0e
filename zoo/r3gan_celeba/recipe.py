"""R3GAN on 64x64 CelebA faces: relativistic pairing, R1 and R2 at every step, residual networks without normalization.

Against the paper: networks of a few hundredths of its parameters, with one block a stage instead of two and fewer
channels, in groups of 32, which a CPU computes faster than groups of 16; batches of 16, a smaller gamma for these
networks, no augmentation, which so short a training does not need, and schedules of its length. Rate and gamma fall by
the same factor for the same number of images: high ones learn what faces are like, but the discriminator then tells
hardly more than 6 of 10 pairs apart, and the generator makes few kinds of them.

It makes fewer kinds of faces than it was trained on (recall 0.08), and the same smile often. Profiles, dark pictures,
hats and dark glasses come out distorted, and backgrounds are patches of colour. The training set is 10,000 pictures of
celebrities, and the faces are as unbalanced as it is in age, sex and skin colour.
"""

from kerasgan.registry import Recipe

_EPOCHS = 90
_SEEN = 10_000 * _EPOCHS  # real images, one half of them in the discriminator's steps
_PENALTY = {"weight": f"geometric(0.5, 0.05, {_SEEN})", "full_precision": False}

RECIPE = Recipe(
    name="r3gan_celeba",
    gan_type="r3gan",
    makes="faces, 64x64 RGB",
    title="Faces (sharp)",
    page={"seed": 77, "thumbnail": ["samples.png", 462, 330, 526, 394]},
    model={"image_shape": [64, 64, 3], "latent_dim": 64, "width": 16, "max_width": 256, "blocks": 1, "group_size": 32},
    compile={
        "learning_rate": f"geometric(1.2e-3, 1e-4, {_SEEN})",
        "beta_2": f"cosine(0.9, 0.99, {_SEEN})",
        "penalties": [
            {"class_name": "kerasgan>R1", "config": _PENALTY},
            {"class_name": "kerasgan>R2", "config": _PENALTY},
        ],
        "ema_half_life": f"cosine(0, 20000, {_SEEN})",
    },
    # One crop for every model of these faces, so that scores compare.
    data={"reader": "images", "size": 64, "crop": [4, 18, 80, 80], "flip": True},
    picture_size=(109, 89),
    data_name="CelebA, the first 10,000 aligned faces",
    data_license="non-commercial research (CelebA); the weights inherit this",
    license="Apache-2.0 for the code; weights for non-commercial research",
    batch_size=16,
    epochs=_EPOCHS,
    seed=1,
    dtype="mixed_bfloat16",
)
