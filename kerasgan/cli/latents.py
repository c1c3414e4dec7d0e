"""What is done with latents: `directions`, `video`."""

import math

import click
import numpy as np

from kerasgan import commands, files
from kerasgan.commands import COUNT, POSITIVE, Command
from kerasgan.tasks import GENERATION

_STRENGTHS = (-2.5, -1.25, 0.0, 1.25, 2.5)  # of the samples in a row
_RATE = 25  # frames a second
_MOST_FRAMES = 10_000


@click.command(cls=Command)
@commands.model_argument()
@click.option("--method", type=click.Choice(["sefa", "ganspace"]), default="sefa", help="How they are found.")
@click.option("--count", "-n", type=COUNT, default=8, help="How many directions.")
@click.option("--samples", type=COUNT, default=3, help="How many samples are moved along each.")
@click.option("--seed", type=int, default=0, help="Of the samples.")
@commands.out_option("File to write; default: NAME_directions with its medium's ending.")
@commands.trust_option
def directions(name, method, count, samples, seed, out):
    """Shows along which directions samples change.

    They are ways through the latents of a GAN, those that change its samples most first, found without labels by SeFa
    or GANSpace. Each row of the sheet is a direction, and goes through some samples from -2.5 to 2.5 standard
    deviations. In Python, gan.directions() gives them, and gan.edit() moves latents along one.

    Examples:
      kerasgan directions dcgan_celeba -o directions.png
      kerasgan directions runs/my_photos --method ganspace -n 4 --samples 2
    """
    gan = _opened(name, out)
    path = _place(name, out, "_directions", gan.media)
    _, latents = gan.generate(samples, seed=seed, return_latents=True)
    rows = []
    for direction in gan.directions(method, count):
        moved = [gan.edit(latents, direction, strength) for strength in _STRENGTHS]
        values = np.stack([one.values for one in moved], axis=1)  # (samples, strengths, latent_dim)
        which = np.repeat(np.arange(samples), len(_STRENGTHS))
        rows.append(gan.decode(moved[0][which].replaced(values.reshape(len(which), -1))))
    gan.media.save(np.concatenate(rows), path, columns=samples * len(_STRENGTHS))
    print(f"Saved {count} directions to {path}: a row each, from {_STRENGTHS[0]} to {_STRENGTHS[-1]} deviations.")


@click.command(cls=Command)
@commands.model_argument()
@click.option("--seconds", type=POSITIVE, default=10.0, help="How long it is.")
@click.option("--count", "-n", type=COUNT, default=9, help="Samples that move side by side.")
@click.option("--keys", type=click.IntRange(min=2), default=5, help="Samples that each goes through.")
@click.option("--loop/--no_loop", default=True, help="Ends where it began.")
@click.option("--seed", type=int, default=0, help="The same seed gives the same video.")
@commands.out_option("File to write: .webp, .gif, .apng, .mp4; default: NAME.webp.")
@commands.trust_option
def video(name, seconds, count, keys, loop, seed, out):
    """Makes a video of samples that become others.

    Latents go from one to the next, and in the end back to the first.

    Examples:
      kerasgan video dcgan_celeba -o faces.webp --seconds 10
      kerasgan video runs/my_photos -n 1 --keys 8 --no_loop -o way.mp4
    """
    legs = keys if loop else keys - 1
    frames = round(seconds * _RATE)
    if not 2 * legs <= frames <= _MOST_FRAMES:
        raise ValueError(
            f"--seconds {seconds:g}: with --keys {keys} expected {math.ceil(2 * legs / _RATE * 10) / 10:g} to "
            f"{_MOST_FRAMES / _RATE:g} seconds."
        )
    gan = _opened(name, out)
    if gan.media.kind != "image":
        raise ValueError(f"{name!r} makes {gan.media.plural}: a video shows images that become others.")
    from kerasgan.media import Video

    path = _place(name, out, "", Video)
    steps = round(frames / legs)
    ways = gan.interpolate(count, steps + loop, seed=seed, keys=keys, closed=loop)
    clips = _opaque(ways).reshape(count, -1, *ways.shape[1:-1], min(ways.shape[-1], 3))
    Video(clips.shape[1:], _RATE).save(clips, path)
    print(f"Saved {clips.shape[1] / _RATE:g} seconds of {count} {gan.media.plural} to {path} (seed {seed}).")


def _opened(name, out):
    """The model; what can be said of the file before TensorFlow is imported is said before."""
    import kerasgan

    if out is not None:
        files.check_output(out, name="--out")
    kerasgan.runs.check_name(name)
    commands.import_tensorflow()
    return GENERATION.open(name)


def _place(name, out, suffix, media):
    """The path of the file, for a kind of sample; `suffix` is that of its name, where `out` does not say it."""
    import kerasgan

    path = out or f"{kerasgan.runs.called(name)}{suffix}{media.extension}"
    path = files.check_output(path, media.extensions, name="--out")
    kerasgan.runs.check_outside_data(name, path)
    return path


def _opaque(images):
    """Images with transparency on white, uint8 (count, height, width, 1 or 3)."""
    if images.shape[-1] != 4:
        return images
    share = images[..., 3:] / 255
    return np.round(images[..., :3] * share + 255 * (1 - share)).astype("uint8")
