"""WaveGAN that speaks the digits from zero to nine, each when asked for it.

Against the paper: a quarter of its width, a class to be told, three critic updates a generator update, batches of 32,
and twice its rate, which falls to zero; every recording is as loud as it can be.

The voices are those of six people, mixed; the recordings are short and made with several microphones, whose hiss is
learned, too. A network that knows real recordings understands nine in ten of the sounds; they differ from each other
much less than recordings do (recall), and now and then one has an echo, or breaks off.
"""

from kerasgan.registry import Recipe

_EPOCHS = 300
_SEEN = 3_000 * _EPOCHS

RECIPE = Recipe(
    name="wavegan_spoken_digits",
    gan_type="wavegan",
    makes="spoken digits, one second at 8 kHz",
    title="Spoken digits",
    page={"thumbnail": ["samples.png", 1048, 0, 1112, 64]},
    model={"length": 8192, "sample_rate": 8000, "width": 16, "num_classes": 10},
    compile={
        "learning_rate": f"linear(2e-4, 0, {_SEEN}, {_SEEN // 2})",
        "discriminator_steps": 3,
        "penalties": [{"class_name": "kerasgan>GradientPenalty", "config": {"weight": 10.0, "full_precision": False}}],
        "ema_half_life": 5_000,
    },
    data={
        "reader": "audio",
        "length": 8192,
        "sample_rate": 8000,
        "crop": "start",
        "normalize": True,
        "labels": "name",
    },
    data_name="Free Spoken Digit Dataset, 3,000 recordings of six speakers",
    data_license="CC BY-SA 4.0",
    license="CC BY-SA 4.0, as the recordings",
    batch_size=32,
    epochs=_EPOCHS,
    seed=1,
    dtype="mixed_bfloat16",
    class_names=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
)
