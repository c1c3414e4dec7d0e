"""`upscale`: images several times as large, and whatever else a task derived from this one knows."""

import click

from kerasgan import commands, files
from kerasgan.commands import Command
from kerasgan.tasks import pictures
from kerasgan.tasks.base import Task

_ALL_ENDINGS = (*pictures.ENDINGS, ".npz", ".gif")  # of any model: which ones its own are shows when it is open


@click.command(cls=Command)
@commands.model_argument()
@pictures.argument
@commands.out_option(
    "File to write, or the folder for several; default: the picture's name with _x4 (the scale) behind, as PNG, or "
    ".npz of a sequence."
)
@click.option("--tile", type=int, default=128, help="Edge of what is computed at a time, in pixels.")
@click.option("--overlap", type=int, default=16, help="Pixels that neighbouring tiles share on each side.")
@commands.trust_option
def upscale(name, paths, out, tile, overlap):
    """Makes pictures larger.

    The super-resolution model is a pretrained one, that of a run folder or a .keras file. Pictures may have any
    size; transparency stays. One picture becomes a file, several become files in a folder. A model of smoke takes
    sequences in .npz files in their place.

    Examples:
      kerasgan upscale runs/details photo.jpg
      kerasgan upscale runs/details photo.jpg -o large.png
      kerasgan upscale runs/details a.png b.png c.png --out large/
      kerasgan upscale runs/smoke low.npz -o high.webp
    """
    import kerasgan
    from kerasgan import tiles

    tiles.check_tiles(tile, overlap)
    kerasgan.runs.check_name(name)
    written = pictures.outputs(paths, out, "{scale}", _ALL_ENDINGS, "{ending}")
    pictures.check_outputs(written, paths, name)

    commands.import_tensorflow()
    gan = UPSCALING.open(name)
    task = gan.task
    for path in paths:  # what cannot be read must not show when half of the work is done
        task.read(path)
    written = [str(out).replace("{scale}", f"x{gan.scale}").replace("{ending}", task.endings[0]) for out in written]
    for place in written:
        files.check_output(place, task.endings, name="--out")
    pictures.check_outputs(written, paths, name)  # names with the scale in them were not known before
    for path, place in zip(paths, written, strict=True):
        low = task.read(path)
        larger = gan.upscale(low, tile=tile, overlap=overlap)
        place = task.save(larger, place)
        print(f"Saved {place}: {task.size(low)} -> {task.size(larger)}.")


class Upscaling(Task):
    """What a `kerasgan.Upscaler` is for.

    A type whose samples are no images has a task derived from this one, which has its files, examples and scores; the
    command is the same.

    Attributes:
        endings: of files that are written, the usual one first.
    """

    command = upscale
    verb = "upscale"
    hub_pipelines = {"image": "image-to-image"}
    does = "upscales images"
    starts_from = "images"
    metrics = ("psnr", "ssim")
    metrics_help = "of a model that upscales psnr, ssim; of one that upscales smoke spectrum, warp, mass, psnr"
    options = ("beside",)
    flags_of_use = "picture.png"
    endings = pictures.ENDINGS

    # Files -----------------------------------------------------------------------------------------------------------

    def read(self, path):
        """What a model makes larger, from a file: a picture, uint8 (height, width, channels)."""
        from kerasgan import data

        return data.picture(path)

    def save(self, larger, path):
        """Writes what a model made of what `read` gave; returns the path."""
        from kerasgan import media

        return media.save_samples(larger[None], path)

    def size(self, image):
        """The size of what was read or made, for people."""
        return f"{image.shape[1]}x{image.shape[0]}"

    # What others ask -------------------------------------------------------------------------------------------------

    def examples(self, gan, count, seed=None):
        from kerasgan.media.dead_leaves import dead_leaves

        low = [side // gan.scale for side in gan.media.shape[:2]]
        return gan.upscale(dead_leaves(count, (*low, 3), seed), tile=8, overlap=2)

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress, beside=None):
        """Scores a model on whole originals, by its `protocol`; no feature network is needed.

        `beside` is {what it is called: name or path} of others to score on the same originals.
        """
        import kerasgan

        beside = {label: kerasgan.runs.load(path, compile=False) for label, path in (beside or {}).items()}
        originals = self.originals(source, subset or recipe.data.get("subset"))
        about = {"beside": beside, "model": model, "split": split, "progress": progress}
        return self.protocol()(gan, originals.values(), metrics, **about)

    def originals(self, source, subset):
        """What it is scored on, {name: original}."""
        import kerasgan

        return kerasgan.runs.read_originals(source, subset)

    def protocol(self):
        """The function that scores it."""
        from kerasgan.metrics import evaluate_upscaler

        return evaluate_upscaler

    def show_data(self, gan, recipe, source, count):
        """Crops of images, which need not be those that it was trained on."""
        from kerasgan import data

        crops = data.crops(source, gan.media.shape[:2], count, per_image=count, flip=False, rotate=False, seed=1)
        gan.remember(gan.media.to_natural(next(iter(crops)).numpy()))

    def sheets_caption(self, gan, seeds, in_columns):
        shown = (
            "random crops as the bicubic kernel enlarges them, as the model does, and as they were before they were "
            "shrunk"
        )
        return shown, "More of them"

    def call(self, gan, data):
        return 'larger = gan.upscale(kerasgan.data.picture("picture.png"))'


UPSCALING = Upscaling()
