"""`upscale`: images several times as large."""

from absl import flags

from kerasgan import commands
from kerasgan.tasks import pictures
from kerasgan.tasks.base import Task


class Upscaling(Task):
    """What a `kerasgan.Upscaler` is for."""

    verb = "upscale"
    does = "upscales images"
    starts_from = "images"
    metrics = ("psnr", "ssim")
    metrics_help = "of a model that upscales psnr, ssim"
    options = ("beside",)
    flags_of_use = "picture.png"

    def command(self, words):
        """upscale NAME|RUN|FILE PICTURE ...

        Makes pictures larger with a super-resolution model: a pretrained one, that of a run folder or a .keras file.
        They may have any size; transparency stays. One picture becomes a file, several become files in a folder.

        Examples:
          kerasgan upscale runs/details photo.jpg
          kerasgan upscale runs/details photo.jpg -o large.png
          kerasgan upscale runs/details a.png b.png c.png --out large/
        """
        import kerasgan

        values = flags.FlagValues()
        pictures.define_out(
            values,
            "File to write, or the folder for several; default: the picture's name with _x4 (the scale) behind, as "
            "PNG.",
        )
        flags.DEFINE_integer("tile", 128, "Edge of what is computed at a time, in pixels.", flag_values=values)
        flags.DEFINE_integer("overlap", 16, "Pixels that neighbouring tiles share on each side.", flag_values=values)
        name, paths = pictures.parse(self.command, values, words)
        from kerasgan import tiles

        tiles.check_tiles(values.tile, values.overlap)
        kerasgan.runs.check_name(name)
        written = pictures.outputs(paths, values.out, "{scale}")
        pictures.check_outputs(written, paths, name)

        commands.import_tensorflow()
        from kerasgan import data, media

        for path in paths:  # what cannot be read must not show when half of the work is done
            data.picture(path)
        gan = self.open(name)
        written = [str(out).replace("{scale}", f"x{gan.scale}") for out in written]
        pictures.check_outputs(written, paths, name)  # names with the scale in them were not known before
        for path, out in zip(paths, written, strict=True):
            pixels = data.picture(path)
            larger = gan.upscale(pixels, tile=values.tile, overlap=values.overlap)
            out = media.save_samples(larger[None], out)
            sizes = (f"{image.shape[1]}x{image.shape[0]}" for image in (pixels, larger))
            print(f"Saved {out}: {' -> '.join(sizes)}.")

    def examples(self, gan, count, seed=None):
        from kerasgan.media.dead_leaves import dead_leaves

        low = [side // gan.scale for side in gan.media.shape[:2]]
        return gan.upscale(dead_leaves(count, (*low, 3), seed), tile=8, overlap=2)

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress, beside=None):
        """Scores a model on whole images, by `kerasgan.metrics.evaluate_upscaler`; no feature network is needed.

        `beside` is {what it is called: name or path} of others to score on the same images.
        """
        import kerasgan
        from kerasgan import metrics as scores

        beside = {label: kerasgan.runs.load(path, compile=False) for label, path in (beside or {}).items()}
        originals = kerasgan.runs.read_originals(source, subset or recipe.data.get("subset"))
        about = {"beside": beside, "model": model, "split": split, "progress": progress}
        return scores.evaluate_upscaler(gan, originals.values(), metrics, **about)

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
