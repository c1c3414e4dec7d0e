"""pix2pix that makes aerial photographs of maps, at 256x256 pixels as in the paper.

Against the paper: networks of three eighths of its width, doubled pixels in place of transposed convolutions, 400 pairs
and an eighth of its epochs.

What it paints is made up: a likely roof where the map shows a house, not the one that stands there. Photographs and
maps belong to a commercial map service, so that neither weights nor samples are part of this library; the recipe and
its scores are.

Houses and streets come out as they look from above, too dark; parks, car parks and other large plain areas stay grey or
get stripes, and the discriminator wins from the beginning.
"""

from kerasgan.registry import Recipe

_EPOCHS = 25
_SEEN = 400 * _EPOCHS

RECIPE = Recipe(
    name="pix2pix_map2aerial",
    gan_type="pix2pix",
    makes="aerial photographs from maps, 256x256 RGB",
    model={"image_shape": [256, 256, 3], "width": 24, "upsampling": "nearest"},
    compile={"learning_rate": f"linear(2e-4, 0, {_SEEN}, {_SEEN // 2})", "ema_half_life": 1_000},
    data={
        "reader": "pairs",
        "size": 256,
        "direction": "b_to_a",
        "subset": "train",
        "flip": True,
        "jitter": 30,
    },
    data_name="400 pairs of aerial photographs and maps",
    data_license="imagery of a commercial map service; weights and samples are not shared",
    license="Apache-2.0 for the code",
    fingerprint="13acee7678abfd14b597b160414f001e081ebceda41eb241d4aa68031fc197bb",  # no weights.json has it
    batch_size=1,
    epochs=_EPOCHS,
    seed=1,
    dtype="float32",
)
