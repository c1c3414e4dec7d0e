"""`continue`: the frames of a clip that come next."""

import os
import random

import click
import numpy as np

from kerasgan import commands, files
from kerasgan.commands import COUNT, PLACE, Command
from kerasgan.tasks.base import Task

_ENDINGS = (".webp", ".gif", ".apng", ".mp4", ".npz", ".png")
_MOST = 256  # clips that are scored, unless more are asked for


@click.command("continue", cls=Command)
@commands.model_argument()
@click.argument("clip", metavar="CLIP", type=PLACE)
@commands.out_option("File to write; default: the clip's name with _next behind.")
@click.option("--length", type=COUNT, help="How many frames; default: as many as at a time.")
@click.option("--seed", type=int, help="The same seed gives the same frames; default: chosen.")
@commands.trust_option
def continue_clip(name, clip, out, length, seed):
    """Makes the frames that come next.

    They follow the last frames of an animation, a video, or a folder of numbered pictures. The model is a pretrained
    one, that of a run folder or a .keras file. The file shows what was given, then what comes next.

    Examples:
      kerasgan continue runs/waves clip.gif
      kerasgan continue runs/waves clip.mp4 --length 40 -o next.mp4
      kerasgan continue runs/waves frames/ --seed 7 -o next.webp
    """
    import kerasgan

    commands.check_there(clip, "the path of a clip")
    kerasgan.runs.check_name(name)
    base = os.path.splitext(os.path.basename(os.path.normpath(clip)))[0]
    path = files.check_output(out or f"{base}_next.webp", _ENDINGS, name="--out")
    files.check_apart(path, [clip], name="--out")
    kerasgan.runs.check_outside_data(name, path)

    commands.import_tensorflow()
    gan = CONTINUATION.open(name)
    media = gan.media
    frames = kerasgan.data.clip(clip, media.shape[1:3], channels=media.shape[3], frame_rate=media.frame_rate)
    seed = random.randrange(2**31) if seed is None else seed
    made = gan.continue_video(frames, length, seed=seed)
    whole = np.concatenate([frames[-gan.given_frames :], made])
    type(media)(whole.shape, media.frame_rate).save(whole[None], path)
    print(f"Saved {path}: {gan.given_frames} frames of {clip}, then {len(made)} new ones (seed {seed}).")


class Continuation(Task):
    """What a `kerasgan.continuer.Continuer` is for."""

    command = continue_clip
    verb = "continue"
    method = "continue_video"  # the verb is a word of Python's
    does = "continues clips"
    starts_from = "the first frames of clips"
    metrics = ("psnr", "ssim", "fid")
    metrics_help = "of a model that continues clips psnr, ssim; fid where asked for"
    options = ("count", "seed")
    flags_of_use = "clip.gif"

    def examples(self, gan, count, seed=None):
        seed = 0 if seed is None else seed
        given = gan.made_up(gan.media, count, seed)[:, : gan.given_frames]
        return np.concatenate([given, gan.continue_video(given, seed=seed)], axis=1)

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress, count=None, seed=0):
        """Scores a model by `kerasgan.metrics.evaluate_continuer`."""
        import kerasgan
        from kerasgan import metrics as scores

        clips = kerasgan.runs.read_whole(recipe, source, subset).take(count or _MOST)
        natural = (gan.media.to_natural(batch)[0] for batch in clips.as_numpy_iterator())
        about = {"model": model, "split": split, "network": network, "seed": seed, "progress": progress}
        return scores.evaluate_continuer(gan, natural, metrics, **about)

    def show_data(self, gan, recipe, source, count):
        """Whole clips, of which it then goes on from the first frames."""
        import kerasgan

        clips = kerasgan.runs.read_whole(recipe, source).take(count)
        gan.remember(np.concatenate([gan.media.to_natural(batch) for batch in clips.as_numpy_iterator()]))

    def sheets_caption(self, gan, seeds, in_columns):
        given = f"of its first {gan.given_frames} frames"
        return f"clips of the data as filmstrips, and below each one what the model makes {given}", "More of them"

    def call(self, gan, data):
        size, channels = tuple(gan.media.shape[1:3]), gan.media.shape[3]
        return f'next_frames = gan.continue_video(kerasgan.data.clip("clip.gif", {size}, channels={channels}))'


CONTINUATION = Continuation()
