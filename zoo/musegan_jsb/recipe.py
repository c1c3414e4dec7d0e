"""MuseGAN that writes four bars for four voices in the manner of Bach's chorales, or three voices to one that is given.

Against the paper: half its width, a given voice in three of ten samples, three critic updates a generator update, the
critic's gradient penalty in every second step with twice its weight, and half its rate, which falls to zero; chorales
are moved by up to six semitones.
"""

from kerasgan.registry import Recipe

_EPOCHS = 400
_SAMPLES = 2_718
_SEEN = _SAMPLES * _EPOCHS

RECIPE = Recipe(
    name="musegan_jsb",
    gan_type="musegan",
    makes="chorales for four voices, four bars of sixteenths",
    model={
        "bars": 4,
        "beats": 4,
        "resolution": 4,
        "lowest": 30,
        "pitches": 60,
        "tracks": ["soprano", "alto", "tenor", "bass"],
        "programs": [52, 52, 52, 52],  # a choir
        "tempo": 80,
        "output": "monophonic",
        "width": 32,
        "given_share": 0.3,
    },
    compile={
        "learning_rate": f"linear(5e-4, 0, {_SEEN}, {_SEEN // 2})",
        "discriminator_steps": 3,
        "penalties": [{"class_name": "kerasgan>GradientPenalty", "config": {"weight": 10.0, "interval": 2}}],
        "ema_half_life": 5_000,
    },
    data={
        "reader": "music",
        "bars": 4,
        "beats": 4,
        "resolution": 4,
        "lowest": 30,
        "pitches": 60,
        "tracks": ["soprano", "alto", "tenor", "bass"],
        "monophonic": True,
        "transpose": 6,
        "subset": "train",
    },
    data_name="JSB Chorales (Boulanger-Lewandowski et al., 2012), 229 chorales by Bach in sixteenths",
    data_license="the music is in the public domain; the encoding states no licence, and is not part of this package",
    license="Apache-2.0",
    batch_size=32,
    epochs=_EPOCHS,
    seed=1,
    fingerprint="d23cff7f3d6e3885f16011384f89b3c55147d864e237eef1be8388a6c01e108f",
)
