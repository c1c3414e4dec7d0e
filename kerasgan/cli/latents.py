"""What is done with latents: `project`, `train-encoder`, `directions`, `video`."""

import math
import os

import click
import numpy as np

from kerasgan import commands, files
from kerasgan.commands import COUNT, PLACE, POSITIVE, Command
from kerasgan.tasks import GENERATION, pictures
from kerasgan.tasks.generation import class_numbers, place

_KEPT = 6  # samples on the way to a picture
_RATE = 25  # frames a second
_MOST_FRAMES = 10_000


@click.command(cls=Command)
@commands.model_argument()
@pictures.argument
@click.option("--label", help="Class of the pictures, by number or name, of a GAN that has classes.")
@click.option("--steps", type=COUNT, default=200, help="Of the optimization.")
@click.option("--seed", type=int, default=0, help="Of the samples that it starts from.")
@click.option("--crop", default="center", help="center, or pad to keep all of a picture.")
@click.option("--save_latents", type=PLACE, help="File to keep the latents in, .npz, for kerasgan generate --latents.")
@commands.out_option("File to write; default: NAME_projected.png.")
@commands.trust_option
def project(name, paths, label, steps, seed, crop, save_latents, out):
    """Finds the samples that are nearest to pictures.

    Each row of the sheet is a picture, the samples on the way to it, and the one that is nearest. Pictures are cropped
    and resized as samples are. Faces that are placed as those of the data come out best.

    Examples:
      kerasgan project dcgan_celeba me.jpg -o nearest.png
      kerasgan project runs/my_photos a.jpg b.jpg --save_latents found.npz
    """
    if save_latents is not None:
        files.check_output(save_latents, (".npz",), name="--save_latents")
    gan = _opened(name, out)
    path = place(name, out, gan.media, "_projected")
    files.check_apart(path, paths, name="--out")
    _check_images(name, gan, "projection is for images")
    from kerasgan import data

    height, width, channels = gan.media.shape
    wanted = np.stack([data.picture(picture, (height, width), channels, crop) for picture in paths])
    label = None if label is None else class_numbers([label], gan.class_names)
    latents, way = gan.project(wanted, label, steps, seed, keep=_KEPT, progress=True)
    gan.media.save(
        np.concatenate([wanted[:, None], way], axis=1).reshape(-1, *gan.media.shape), path, columns=1 + _KEPT
    )
    print(f"Saved {len(paths)} pictures, each with the way to the sample that is nearest, to {path}.")
    if save_latents is not None:
        print(f"Saved their latents to {latents.save(save_latents)}.")


@click.command("train-encoder", cls=Command)
@commands.model_argument("RUN")
@click.option("--samples", type=COUNT, default=100_000, help="How many samples it learns from.")
@click.option("--seed", type=int, default=0, help="Of its weights and of the samples.")
@commands.out_option("File to write; default: encoder.weights.h5 in the run folder, where kerasgan project finds it.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@commands.trust_option
def train_encoder(name, samples, seed, out, overwrite):
    """Trains an encoder that guesses the latents of a picture.

    It learns from samples of the generator, which stays as it is; kerasgan project and gan.project start from what it
    guesses, where that is nearer than the nearest of some samples, and come nearer in fewer steps.

    Examples:
      kerasgan train-encoder runs/my_photos
    """
    from kerasgan import registry, runs

    if out is None:
        if name in registry.list_models():
            raise ValueError(f"{name!r} is a pretrained model, to which nothing is added: give a file by --out.")
        out = runs.check_run(name) / registry.ENCODER
    if not os.fspath(out).endswith(".weights.h5"):
        raise ValueError(f"--out {os.fspath(out)!r}: expected a file ending in .weights.h5.")
    files.check_output(out, name="--out")
    if os.path.exists(out) and not overwrite:
        raise FileExistsError(f"{str(out)!r} is there already; --overwrite replaces it.")
    gan = _opened(name, None)
    from kerasgan import inversion

    network, explained = inversion.train(gan, samples, seed, progress=True)
    print(f"Saved the encoder to {inversion.save(network, out)}: of new samples' latents it explains {explained:.0%}.")


@click.command(cls=Command)
@commands.model_argument()
@click.option("--method", type=click.Choice(["sefa", "ganspace"]), default="sefa", help="How they are found.")
@click.option("--count", "-n", type=COUNT, default=8, help="How many directions.")
@click.option("--positive", type=PLACE, help="Folder of pictures that have what the direction is to be about.")
@click.option("--negative", type=PLACE, help="Folder of pictures that have not; both in place of --method.")
@click.option("--samples", type=COUNT, default=3, help="How many samples are moved along each.")
@click.option("--seed", type=int, default=0, help="Of the samples.")
@commands.out_option("File to write; default: NAME_directions with its medium's ending.")
@commands.trust_option
def directions(name, method, count, positive, negative, samples, seed, out):
    """Shows along which directions samples change.

    They are ways through the latents of a GAN, those that change its samples most first, found without labels by SeFa
    or GANSpace. Each row of the sheet is a direction, and goes through some samples from -2.5 to 2.5 standard
    deviations. In Python, gan.directions() gives them, and gan.edit() moves latents along one. With pictures that have
    something and others that have not, the one direction is from these to those: all are projected first, which takes
    some seconds each.

    Examples:
      kerasgan directions dcgan_celeba -o directions.png
      kerasgan directions runs/my_photos --method ganspace -n 4 --samples 2
      kerasgan directions dcgan_celeba --positive smiling/ --negative serious/ -o smile.png
    """
    if (positive is None) != (negative is None):
        raise ValueError("--positive and --negative: give both, or leave both out.")
    for folder in filter(None, (positive, negative)):
        commands.check_there(folder, "a folder of pictures")
    gan = _opened(name, out)
    path = place(name, out, gan.media, "_directions")
    found = gan.directions(method, count) if positive is None else [_labelled(name, gan, positive, negative)]
    from kerasgan.directions import STRENGTHS, sweep

    gan.media.save(sweep(gan, found, samples, seed), path, columns=samples * len(STRENGTHS))
    what = f"{len(found)} direction{'s' * (len(found) > 1)}"
    print(f"Saved {what} to {path}: a row each, from {STRENGTHS[0]} to {STRENGTHS[-1]} deviations.")


def _labelled(name, gan, positive, negative):
    """The direction from pictures in one folder to those in another."""
    from kerasgan import data
    from kerasgan.directions import of_labels

    _check_images(name, gan, "--positive is for images")
    height, width, channels = gan.media.shape
    options = {"size": (height, width), "channels": channels, "batch_size": 1, "shuffle": False}
    sets = [np.concatenate([*data.images(folder, **options).as_numpy_iterator()]) for folder in (positive, negative)]
    return of_labels(*[gan.project(gan.media.to_natural(pictures), progress=True) for pictures in sets])


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
    _check_images(name, gan, "a video shows images that become others")
    from kerasgan.media import Video

    path = place(name, out, Video)
    steps = round(frames / legs)
    ways = gan.interpolate(count, steps + loop, seed=seed, keys=keys, closed=loop)
    clips = _opaque(ways).reshape(count, -1, *ways.shape[1:-1], min(ways.shape[-1], 3))
    Video(clips.shape[1:], _RATE).save(clips, path)
    print(f"Saved {clips.shape[1] / _RATE:g} seconds of {gan.media.counted(count)} to {path} (seed {seed}).")


def _opened(name, out):
    """The model; what can be said of the file before TensorFlow is imported is said before."""
    import kerasgan

    if out is not None:
        files.check_output(out, name="--out")
    kerasgan.runs.check_name(name)
    commands.import_tensorflow()
    return GENERATION.open(name)


def _check_images(name, gan, why):
    """Raises a ValueError for a model that makes something else."""
    if gan.media.kind != "image":
        raise ValueError(f"{name!r} makes {gan.media.plural}: {why}.")


def _opaque(images):
    """Images with transparency on white, uint8 (count, height, width, 1 or 3)."""
    if images.shape[-1] != 4:
        return images
    share = images[..., 3:] / 255
    return np.round(images[..., :3] * share + 255 * (1 - share)).astype("uint8")
