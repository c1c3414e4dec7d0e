"""Measures how near projection comes to pictures, and writes it onto the card of an entry.

    python tools/score_projection.py --name dcgan_celeba --data celeba.zip

Into `card.md` goes the section "Projection": for pictures of the data, and for samples of the model, which it can make
exactly, PSNR and perceptual distance after some steps, from the nearest of some samples and from the encoder's guess.
"""

import pathlib
import re
import sys
import textwrap

import numpy as np
from absl import app, flags

from kerasgan import files, metrics, projection, registry, runs

ZOO = pathlib.Path(__file__).resolve().parents[1] / "zoo"
SECTION = re.compile(r"^## Projection\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
STEPS = (1, 30, 100)
TEXT = (
    "How near `gan.project` comes, in the mean of {count}: PSNR, and the distance in pixels and on maps of "
    "EfficientNet-Lite0 that it makes small. Its own samples, which it can make exactly, are the ceiling. The pictures "
    "are of the data that it was trained on. Measured by `{command}`."
)


def measure(name, source, count=16, steps=STEPS):
    """{(what, start, steps): (PSNR in dB, perceptual distance)}, means of `count` pictures.

    Args:
        name: of an entry that makes images; with an encoder beside it, it is measured with and without.
        source: the data that it was trained on, of which the first pictures in order are taken.
        count: how many pictures, and samples.
        steps: of the optimization.
    """
    gan = registry.load(name)
    recipe = registry.get(name)
    data = runs.read_whole(recipe, source).unbatch().take(count)
    real = np.stack([image[0] if isinstance(image, tuple) else image for image in data.as_numpy_iterator()])
    sets = {"pictures of the data": gan.media.to_natural(real), "its own samples": gan.generate(count, seed=1)}
    encoder, found = gan.encoder_file, {}
    for what, pictures in sets.items():
        for start in ("nearest sample", "encoder")[: 1 + (encoder is not None)]:
            gan.encoder_file = encoder if start == "encoder" else None
            for number in steps:
                made = gan.decode(gan.project(pictures, steps=number))
                psnr = float(np.mean(metrics.psnr(made, pictures)))
                found[what, start, number] = psnr, float(np.mean(projection.distances(gan, made, pictures)))
    return found


def section(found, count, name, source):
    """The section of the card, Markdown."""
    steps = sorted({number for *_, number in found})
    heads = [f"{number} step{'s' * (number > 1)}" for number in steps]
    rows = [f"| of | from | {' | '.join(heads)} |", f"| --- | --- | {' | '.join('---' for _ in steps)} |"]
    for what, start in dict.fromkeys((what, start) for what, start, _ in found):
        values = [found[what, start, number] for number in steps]
        rows.append(f"| {what} | {start} | {' | '.join(f'{psnr:.1f} dB, {far:.2f}' for psnr, far in values)} |")
    command = f"python tools/score_projection.py --name {name} --data {pathlib.Path(source).name} --count {count}"
    text = textwrap.fill(TEXT.format(count=count, command=command), 120, break_on_hyphens=False)
    return "\n".join(["## Projection", "", text, "", *rows, "", ""])


def write(name, source, count=16, steps=STEPS, zoo=ZOO):
    """Measures an entry, and writes the section onto its card, before that about phones. Returns the section."""
    card = zoo / name / "card.md"
    text = section(measure(name, source, count, steps), count, name, source)
    kept = SECTION.sub("", card.read_text(encoding="utf-8"))
    head, mark, tail = kept.partition("## On a phone\n")
    with files.atomic(card) as temporary:
        temporary.write_text(head + text + mark + tail, encoding="utf-8")
    return text


def main(_):
    try:
        print(write(flags.FLAGS.name, flags.FLAGS.data, flags.FLAGS.count))
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f"score_projection: error: {error}")


if __name__ == "__main__":
    flags.DEFINE_string("name", None, "The zoo entry.", required=True)
    flags.DEFINE_string("data", None, "The data that it was trained on.", required=True)
    flags.DEFINE_integer("count", 16, "Pictures, and samples.", lower_bound=1)
    app.run(main)
