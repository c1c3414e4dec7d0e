"""MuseGAN that writes four bars for four voices in the manner of Bach's chorales, or three voices to one that is given.

Against the paper: half its width, a given voice in three of ten samples, three critic updates a generator update, the
critic's gradient penalty in every second step with twice its weight, and half its rate, which falls to zero; chorales
are moved by up to six semitones.

Four bars are an excerpt: they begin and end anywhere in a piece, and where a chorale would close, these often do not.
A bar has 11 % fewer pitch classes than Bach's, one of the bass 14 %. One note in 20 is as short as a sixteenth, one in
40 of the data; some of them stand alone, far from what their voice sings. Nothing forbids parallel fifths. To a soprano
that is given it fits a bass that is nearly as close in tonal space as Bach's (1.55, his 1.42, that of another chorale
1.82), but an alto and a tenor that are hardly closer than another chorale's (1.87 and 1.78; 1.84 and 1.82).
"""

from kerasgan.registry import Recipe

_EPOCHS = 400
_SAMPLES = 2_718
_SEEN = _SAMPLES * _EPOCHS

RECIPE = Recipe(
    name="musegan_jsb",
    gan_type="musegan",
    makes="chorales for four voices, four bars of sixteenths",
    title="Chorales",
    page={"seed": 48, "thumbnail": ["samples.png", 260, 366, 388, 484]},
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
)
