"""What commands that make pictures from pictures have in common."""

import os

from absl import flags

from kerasgan import commands, files

ENDINGS = (".png", ".webp", ".jpg", ".jpeg")


def define_out(values, about):
    """Adds the flag `--out`, which is a file for one picture and a folder for several."""
    flags.DEFINE_string("out", None, about, short_name="o", flag_values=values)


def parse(command, values, words):
    """(name of the model, paths of pictures) from the words of a command; flags go into `values`.

    Raises:
        ValueError, OSError: the model or pictures are missing, or pictures are no files.
    """
    name, *paths = commands.parse(command, values, words, takes=None) or [None]
    if not paths:
        usage, _, _ = commands.help_of(command)
        raise ValueError(f"Expected kerasgan {usage}: {'a picture' if name else 'a model and a picture'} is missing.")
    for path in paths:
        if os.path.isdir(path):
            raise IsADirectoryError(f"{path!r} is a folder; name the pictures in it, such as {path.rstrip('/')}/*.jpg")
        if not os.path.isfile(path):
            raise FileNotFoundError(f"{path!r} does not exist; give the path of a picture.")
    return name, paths


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
