"""pix2pix that redraws an emoji of the Noto font in the style of Twemoji.

Against the paper: a U-Net that is narrower, ends at 4x4 pixels and sees the picture again at its last convolution,
doubled pixels in place of transposed convolutions, patches of 34 pixels for these small pictures, batches of 16, which
are normalized as such, and half of the weight of the L1 distance, which makes faces without eyes; and, for a
discriminator that would know all of the few pairs by heart, random translation of what it sees, a lazy R1 penalty and a
quarter of the generator's rate. Both rates fall in the second half.

What the two fonts draw alike comes out well; where they differ in what they show, the answer is a mixture, and small
parts, such as fingers, tools and mouths, melt. One emoji in ten was kept apart: the sheets and the scores are of those.
Colours and shapes come much nearer to Twemoji (PSNR, SSIM, L1); the crispness of a drawing is lost on the way (KID).
"""

from kerasgan.registry import Recipe

_PAIRS = 3_408  # nine tenths of them
_EPOCHS = 100
_SEEN = _PAIRS * _EPOCHS

RECIPE = Recipe(
    name="pix2pix_noto2twemoji",
    gan_type="pix2pix",
    makes="emoji in the style of Twemoji from emoji in that of Noto, 64x64 RGB",
    title="Emoji redrawn",
    page={
        "give": "Give it an emoji on white, as Android draws it: it comes back in the style of Twemoji.",
        "thumbnail": ["samples.png", 264, 264, 328, 328],
        "examples": [
            ["samples.png", 0, 132, 64, 196],
            ["samples.png", 0, 0, 64, 64],
            ["samples.png", 0, 66, 64, 130],
            ["samples.png", 0, 396, 64, 460],
            ["samples.png", 396, 132, 460, 196],
            ["samples.png", 198, 264, 262, 328],
        ],
    },
    model={
        "image_shape": [64, 64, 3],
        "width": 48,
        "depth": 4,
        "upsampling": "nearest",
        "normalization": "batch",
        "skip_image": True,
    },
    compile={
        "learning_rate": [f"linear(1e-4, 0, {_SEEN}, {_SEEN // 2})", f"linear(4e-4, 0, {_SEEN}, {_SEEN // 2})"],
        "weights": {"adversarial": 1.0, "l1": 50.0},
        "augmentation": "translation",
        "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": 0.02, "interval": 16}}],
    },
    data={"reader": "pairs", "size": 64, "keys": ["noto", "twemoji"], "part": "train", "flip": True, "jitter": 6},
    data_name="3,786 emoji of Noto Emoji and Twemoji, nine tenths of them",
    data_license="Noto Emoji: Apache-2.0; Twemoji: CC BY 4.0, credit to Twitter, Inc. and other contributors",
    license="Apache-2.0",
    batch_size=16,
    epochs=_EPOCHS,
    seed=1,
    dtype="mixed_bfloat16",
)
