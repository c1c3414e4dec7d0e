"""What commands that make pictures from pictures have in common."""

import os

import click

from kerasgan import commands, files

ENDINGS = (".png", ".webp", ".jpg", ".jpeg")


class Picture(click.Path):
    """The path of a file."""

    def convert(self, value, param, ctx):
        files.check_given(value, commands.called(param))
        if os.path.isdir(value):
            self.fail(f"{value!r} is a folder; name the pictures in it, such as {value.rstrip('/')}/*.jpg", param, ctx)
        return super().convert(value, param, ctx)


argument = click.argument(
    "paths", metavar="PICTURE ...", type=Picture(exists=True, dir_okay=False), nargs=-1, required=True
)


def outputs(paths, out, suffix, endings=ENDINGS, ending=".png"):
    """The file that each picture's result goes to: `out`, or one of its own in the folder `out`.

    Args:
        paths: of the pictures.
        out: what `--out` says, or None.
        suffix: what is put behind the names of pictures, with "_" between.
        endings: that `out` may have, if it is a file.
        ending: of the files in a folder.
    """
    is_file = out is not None and len(paths) == 1 and os.path.splitext(out)[1] and not os.path.isdir(out)
    if is_file:
        return [files.check_output(out, endings, name="--out")]
    folder = files.check_folder(out or ".", name="--out")
    names = [f"{os.path.splitext(os.path.basename(path))[0]}_{suffix}" for path in paths]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(
            f"Several pictures would be saved as {twice!r}: give pictures of one name one by one, with --out."
        )
    return [os.path.join(folder, f"{name}{ending}") for name in names]


def check_outputs(written, read, name):
    """Raises an error if a file to write is one of those that are read, or would become data of the run `name`."""
    import kerasgan

    for path in written:
        files.check_apart(path, read, name="--out")
    kerasgan.runs.check_outside_data(name, *written)
