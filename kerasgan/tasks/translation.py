"""`translate`: images of one domain as they would look in another one."""

import click

from kerasgan import commands
from kerasgan.commands import Command
from kerasgan.tasks import pictures
from kerasgan.tasks.base import Task


@click.command(cls=Command)
@commands.model_argument()
@pictures.argument
@commands.out_option("File, or folder for several pictures; default: beside you.")
@click.option("--direction", help="a_to_b or, where a model has it, b_to_a.")
@click.option("--crop", default="center", help="center, or pad to keep all of a picture.")
@commands.trust_option
def translate(name, paths, out, direction, crop):
    """Turns pictures into others.

    Emoji of one style into those of another, photographs into drawings: what the model has learned. Pictures of any
    size are cropped and resized to that of the model. One goes into a file, several into a folder.

    Examples:
      kerasgan translate pix2pix_noto2twemoji smile.png -o twemoji.png
      kerasgan translate runs/horses photo.jpg --crop pad
      kerasgan translate runs/horses --direction b_to_a zebras/*.jpg -o horses/
    """
    import kerasgan

    written = pictures.outputs(paths, out, kerasgan.runs.called(name))
    kerasgan.runs.check_name(name)
    pictures.check_outputs(written, paths, name)

    commands.import_tensorflow()
    from kerasgan import data

    gan = TRANSLATION.open(name)
    source, target = gan.media_of(gan.check_direction(direction))
    images = [data.picture(path, source.shape[:2], source.shape[2], crop) for path in paths]
    for image, path in zip(images, written, strict=True):
        translated = gan.translate(image[None], direction=direction)
        print(f"Saved {target.save(translated, path)}.")


class Translation(Task):
    """What a `kerasgan.Translator` is for."""

    command = translate
    verb = "translate"
    hub_pipelines = {"image": "image-to-image"}
    does = "translates images"
    starts_from = "images"
    metrics = ("psnr", "ssim", "l1", "kid")
    metrics_help = "of a translator some of psnr, ssim, l1, kid"
    options = ("paired",)
    score_options = (
        click.Option(
            ["--paired/--no_paired"], default=None, help="Of a translator: whether images of the domains are pairs."
        ),
    )
    flags_of_use = "picture.png"

    def examples(self, gan, count, seed=None):
        from kerasgan.media.dead_leaves import dead_leaves

        return gan.translate(dead_leaves(count, gan.source_media.shape, seed))

    def evaluate(self, gan, recipe, source, metrics, *, subset, split, model, network, progress, paired=None):
        """Scores translations by `kerasgan.metrics.evaluate_translator`, on the part that the recipe keeps apart.

        `paired` says whether images of the two domains belong together; None: if it was trained on pairs.
        """
        import kerasgan
        from kerasgan import metrics as scores

        paired = recipe.data.get("reader") == "pairs" if paired is None else paired
        split = "test" if recipe.data.get("part") else split
        pairs = kerasgan.runs.read_apart(recipe, source, subset, paired)
        about = {"paired": paired, "network": network, "model": model, "split": split, "progress": progress}
        return scores.evaluate_translator(gan, pairs, metrics, **about)

    def show_data(self, gan, recipe, source, count):
        """Of the part of the data that it was not trained on, if there is one."""
        import kerasgan

        (batch,) = kerasgan.runs.read_apart(recipe, source, paired=gan.paired).unbatch().batch(64 * count).take(1)
        parts = zip(gan.media_of_data, batch, strict=True)
        gan.remember(*(media.to_natural(part.numpy()) for media, part in parts))

    def sheets_caption(self, gan, seeds, in_columns):
        third = ", and what it should be" if gan.paired else ""
        return f"what the model was given, what it made of it{third}", "More of them"

    def call(self, gan, data):
        return f'translated = gan.translate(kerasgan.data.picture("picture.png", size={data.get("size")}))'


TRANSLATION = Translation()
