"""CycleGAN between the emoji of the Noto font and those of Twemoji; it never learned which ones belong together.

Against the paper: translators of a quarter of its width and discriminators of half of it, for these small pictures;
doubled pixels in place of transposed convolutions, which left a grid in plain surfaces; a training of 27,300 steps,
whose rate falls in the second half, as in the paper.

One emoji in ten was kept apart, and the scores compare its translations with what the other font draws. The game asks
for what looks like the other font and can be turned back, no more: colours and shapes may change places. Clothes,
skins, hearts and keys take the other font's colours, and outlines and shading go; small faces, hands and hair smear,
now and then a picture comes out with coloured specks, and the crispness of a drawing is lost (KID).
"""

from kerasgan.registry import Recipe

_IMAGES = 3_408  # of each font, nine tenths
_EPOCHS = 8
_SEEN = _IMAGES * _EPOCHS

RECIPE = Recipe(
    name="cyclegan_noto2twemoji",
    gan_type="cyclegan",
    makes="emoji in the style of Twemoji from emoji in that of Noto, and back, 64x64 RGB",
    title="Emoji restyled",
    page={
        "give": "Give it an emoji on white, as Android draws it: it comes back in the style of Twemoji.",
        "direction": "Noto to Twemoji",
        "thumbnail": ["samples.png", 462, 0, 526, 64],
        "examples": [
            ["samples.png", 396, 0, 460, 64],
            ["samples.png", 132, 198, 196, 262],
            ["samples.png", 0, 132, 64, 196],
            ["samples.png", 0, 0, 64, 64],
            ["samples.png", 264, 462, 328, 526],
            ["samples.png", 396, 330, 460, 394],
        ],
        "back": {
            "give": "Give it an emoji on white, as Twemoji draws it: it comes back in the style of Android.",
            "direction": "Twemoji to Noto",
            "examples": [
                ["samples.png", 462, 0, 526, 64],
                ["samples.png", 198, 198, 262, 262],
                ["samples.png", 66, 132, 130, 196],
                ["samples.png", 66, 0, 130, 64],
                ["samples.png", 330, 462, 394, 526],
                ["samples.png", 462, 330, 526, 394],
            ],
        },
    },
    model={"image_shape": [64, 64, 3], "width": 16, "discriminator_width": 32, "upsampling": "nearest"},
    compile={"learning_rate": f"linear(2e-4, 0, {_SEEN}, {_SEEN // 2})", "ema_half_life": 1_000},
    data={"reader": "unpaired", "size": 64, "keys": ["noto", "twemoji"], "part": "train", "flip": True},
    data_name="3,786 emoji of Noto Emoji and Twemoji, nine tenths of them",
    data_license="Noto Emoji: Apache-2.0; Twemoji: CC BY 4.0, credit to Twitter, Inc. and other contributors",
    license="Apache-2.0",
    batch_size=1,
    epochs=_EPOCHS,
    seed=1,
    dtype="float32",
)
