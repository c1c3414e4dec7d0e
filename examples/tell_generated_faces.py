"""Tells faces that the zoo's generators have made from photographs, and says how far that goes.

Two detectors: a logistic regression on the spectrum, 32 numbers (Durall, Keuper & Keuper, 2020, arXiv:2003.01826), and
a small convolutional network on pixels (after Wang et al., 2020, arXiv:1912.11035). Each learns on one generator and is
tested on every one, and learns on all but one; the table is of areas under the curve (0.5: a coin). Then those that
know all generators meet photographs and fakes that were changed.

Photographs were JPEG files, scaled down; fakes never were. A detector that sees this needs nothing else, so both go
through one chain of scaling and JPEG first, in training and in tests. `--chain=false` shows what it would say without.

What comes out holds for these generators. It says nothing of others, of diffusion models, or of faces that are put on
other heads; the generators have seen the photographs, the detectors have not seen those that they are tested on.

    python examples/tell_generated_faces.py --data celeba.zip --out fakes/
"""

import io
import pathlib

import keras
import numpy as np
from absl import app, flags
from matplotlib.figure import Figure
from PIL import Image, ImageFilter

import kerasgan
from kerasgan import files
from kerasgan.metrics.detection import auc, samples_of

_DATA = flags.DEFINE_string("data", None, "Photographs of faces, as the generators' recipes take them.", required=True)
_OUT = flags.DEFINE_string("out", "fakes", "Folder for table.md and spectra.png.")
_MODELS = flags.DEFINE_list("models", ["dcgan_celeba", "lapgan_celeba", "r3gan_celeba"], "The generators.")
_COUNT = flags.DEFINE_integer("count", 2000, "Photographs, and fakes of each generator.", lower_bound=8)
_EPOCHS = flags.DEFINE_integer("epochs", 8, "Of the convolutional network.", lower_bound=1)
_CHAIN = flags.DEFINE_boolean("chain", True, "Whether all pictures go through scaling and JPEG.")

SIZE, RADII = 64, 32
QUALITIES = (60, 96)  # of JPEG in the chain, drawn
SCALES = (0.75, 1.0)


# Pictures ------------------------------------------------------------------------------------------------------------


def photographs(gan, name, source, count):
    """So many pictures of the recipe's data, uint8 (count, height, width, 3), as the model knows them."""
    dataset = kerasgan.runs.read_whole(kerasgan.registry.get(name), source)
    return gan.media.to_natural(samples_of(dataset.take(count)))


def resized(picture, size):
    return picture.resize((size, size), Image.Resampling.BICUBIC)


def jpeg(picture, quality):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(quality))
    return Image.open(file)


def chained(pictures, native, random):
    """Pictures at the native size of a generator, scaled by chance, as JPEG, at 64x64: what all of them go through."""
    made = []
    for pixels in pictures:
        picture = resized(Image.fromarray(pixels), native)
        if random is not None:
            picture = resized(picture, round(native * random.uniform(*SCALES)))
            picture = jpeg(resized(picture, SIZE), random.integers(*QUALITIES))
        made.append(np.asarray(resized(picture, SIZE)))
    return np.stack(made)


CHANGES = {
    "JPEG 90": lambda picture: jpeg(picture, 90),
    "JPEG 70": lambda picture: jpeg(picture, 70),
    "JPEG 50": lambda picture: jpeg(picture, 50),
    "scaled to 48": lambda picture: resized(resized(picture, 48), SIZE),
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(1)),
    "noise": lambda picture: Image.fromarray(
        np.clip(np.asarray(picture) + np.random.default_rng(0).normal(0, 8, (SIZE, SIZE, 3)), 0, 255).astype("uint8")
    ),
}


def changed(pictures, change):
    return np.stack([np.asarray(change(Image.fromarray(pixels))) for pixels in pictures])


# Detectors -----------------------------------------------------------------------------------------------------------


def spectra(pictures):
    """How strong 32 frequencies are in pictures, in decibels, means over rings of the spectrum: float64 (n, 32)."""
    grey = pictures.astype("float64") @ [0.299, 0.587, 0.114]
    power = np.fft.fftshift(np.abs(np.fft.fft2(grey)), axes=(1, 2))
    places = np.indices((SIZE, SIZE)) - SIZE // 2
    radius = np.minimum(np.hypot(*places).astype(int), RADII)
    rings = [20 * np.log10(power[:, radius == ring] + 1e-8).mean(axis=1) for ring in range(RADII)]
    return np.stack(rings, axis=1)


class Spectrum:
    """Logistic regression on the spectrum."""

    def fit(self, pictures, is_fake):
        found = spectra(pictures)
        self._mean, self._deviation = found.mean(axis=0), found.std(axis=0)
        layers = [keras.Input((RADII,)), keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(1e-4))]
        self._model = keras.Sequential(layers)
        self._model.compile(keras.optimizers.Adam(0.02), keras.losses.BinaryCrossentropy(from_logits=True))
        self._model.fit(self._scaled(found), is_fake, batch_size=256, epochs=60, verbose=0)

    def _scaled(self, found):
        return (found - self._mean) / self._deviation

    def scores(self, pictures):
        return self._model.predict(self._scaled(spectra(pictures)), verbose=0)[:, 0]


class Convolutional:
    """A network of four strided convolutions on pixels, mirrored by chance."""

    def fit(self, pictures, is_fake):
        x = images = keras.Input((SIZE, SIZE, 3))
        x = keras.layers.Rescaling(1 / 127.5, -1.0)(keras.layers.RandomFlip("horizontal", seed=0)(x))
        for filters in (16, 32, 64, 96):
            x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
            x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
        x = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling2D()(x))
        self._model = keras.Model(images, keras.layers.Dense(1)(x))
        self._model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
        self._model.fit(pictures, is_fake, batch_size=32, epochs=_EPOCHS.value, verbose=0)

    def scores(self, pictures):
        return self._model.predict(pictures, verbose=0)[:, 0]


# The study -----------------------------------------------------------------------------------------------------------


def divided(pictures):
    """(training, test): the first half and the second one."""
    half = len(pictures) // 2
    return pictures[:half], pictures[half:]


def trained(kind, pairs):
    """A detector that has learned on the first halves of pairs (photographs, fakes)."""
    real, fake = (np.concatenate([divided(pair[side])[0] for pair in pairs]) for side in (0, 1))
    is_fake = np.repeat([0.0, 1.0], [len(real), len(fake)])[:, None]
    detector, order = kind(), np.random.default_rng(0).permutation(len(is_fake))
    detector.fit(np.concatenate([real, fake])[order], is_fake[order])
    return detector


def found(detector, pair, change=None):
    """The area under the curve on the second halves."""
    real, fake = (divided(one)[1] for one in pair)
    if change is not None:
        real, fake = changed(real, change), changed(fake, change)
    return auc(detector.scores(real), detector.scores(fake))


def study(kind, pairs):
    """Rows (what it learned on, areas under the curve on each generator); at last, of pictures that were changed."""
    rows = []
    for name in pairs:
        detector = trained(kind, [pairs[name]])
        rows.append((name, [found(detector, pairs[other]) for other in pairs]))
    for left in pairs if len(pairs) > 2 else ():
        detector = trained(kind, [pair for name, pair in pairs.items() if name != left])
        rows.append((f"all but {left}", [found(detector, pairs[other]) for other in pairs]))
    detector = trained(kind, list(pairs.values()))
    rows.append(("all", [found(detector, pairs[other]) for other in pairs]))
    for name, change in CHANGES.items():
        rows.append((f"all; {name}", [found(detector, pairs[other], change) for other in pairs]))
    return rows


def table(title, names, rows):
    lines = [f"| {title}, learned on | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    lines += [f"| {label} | {' | '.join(f'{value:.3f}' for value in values)} |" for label, values in rows]
    return "\n".join(lines)


def figure(pairs):
    """Mean spectra of photographs and of each generator's fakes, as differences from those of the photographs."""
    drawing = Figure(figsize=(7, 4))
    axes = drawing.add_subplot()
    for name, (real, fake) in pairs.items():
        axes.plot(spectra(fake).mean(axis=0) - spectra(real).mean(axis=0), label=name)
    axes.axhline(0, color="0.6", label="photographs")
    axes.set(xlabel="frequency (radius of the ring)", ylabel="decibels above photographs")
    axes.legend()
    return drawing


def main(_):
    keras.utils.set_random_seed(0)
    out, random = pathlib.Path(_OUT.value), np.random.default_rng(0) if _CHAIN.value else None
    pairs = {}
    for number, name in enumerate(_MODELS.value):
        gan = kerasgan.load(name)
        native = gan.media.shape[0]
        fake = gan.generate(_COUNT.value, seed=number)
        real = photographs(gan, name, _DATA.value, _COUNT.value)
        pairs[name] = chained(real, native, random), chained(fake, native, random)
        print(f"{name}: {len(real)} photographs, {len(fake)} fakes of {native} pixels", flush=True)
    parts = []
    for kind in (Spectrum, Convolutional):
        parts.append(table(kind.__name__, list(pairs), study(kind, pairs)))
        print(parts[-1], flush=True)
    out.mkdir(parents=True, exist_ok=True)
    with files.atomic(out / "table.md") as temporary:
        temporary.write_text("\n\n".join(parts) + "\n")
    figure(pairs).savefig(out / "spectra.png")
    print(f"Saved the table and the spectra in {out}.")


if __name__ == "__main__":
    app.run(main)
