"""SNGAN on CIFAR-10, ten classes: a discriminator of spectral norm 1 that projects its features onto the class.

Against the paper: half its width, two discriminator updates a generator update instead of five, with twice the rate in
the discriminator, and a training of a tenth of its length.

Cars, lorries, ships and horses can be told at a glance; cats, dogs, birds and frogs are often smears of the right
colours. FID is far from the data's own: longer training should still help.
"""

from kerasgan.registry import Recipe

_EPOCHS = 30
_SEEN = 50_000 * _EPOCHS

RECIPE = Recipe(
    name="sngan_cifar10",
    gan_type="sngan",
    makes="small photographs of ten kinds, 32x32 RGB",
    title="Tiny photos",
    page={"seed": 11, "class": 1, "thumbnail": ["samples.png", 238, 34, 270, 66]},
    model={"image_shape": [32, 32, 3], "num_classes": 10, "width": 64},
    compile={
        "learning_rate": [f"linear(4e-4, 0, {_SEEN})", f"linear(2e-4, 0, {_SEEN})"],
        "discriminator_steps": 2,
        "ema_half_life": 20_000,
    },
    data={"reader": "images", "size": 32, "labels": True, "flip": True, "subset": "train"},
    data_name="CIFAR-10, re-compressed as JPEG",
    data_license="none stated (CIFAR-10)",
    license="Apache-2.0 for the code; the data state no licence",
    batch_size=64,
    epochs=_EPOCHS,
    seed=1,
    dtype="mixed_bfloat16",
    class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
)
