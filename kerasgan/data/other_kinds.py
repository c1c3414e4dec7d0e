"""Which type a file's samples are for, by the ending of its name: for whoever gave them to another one."""

import os

_KINDS = (  # what they are, a type that learns from them, endings
    ("images", "dcgan", (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")),
    ("sounds", "wavegan", (".wav", ".flac", ".ogg", ".mp3")),
    ("music", "musegan", (".mid", ".midi")),
    ("sketches", "skegan", (".svg", ".ndjson")),
    ("clips", "dvd_gan", (".gif", ".apng", ".mp4", ".mov", ".avi", ".mkv", ".webm")),
    ("volumes", "gan_3d", (".vox", ".binvox", ".obj", ".stl", ".glb")),
    ("tables", "ctgan", (".csv", ".tsv", ".parquet")),
    ("texts", "relgan", (".txt",)),
)


def suggestion(names, plural):
    """What to try with files of which none is one of these samples: a sentence, or "" where they are of many kinds.

    Args:
        names: of the files.
        plural: what several samples that were looked for are called.
    """
    endings = {os.path.splitext(name)[1].lower() for name in names}
    for kind, gan_type, known in _KINDS:
        if endings and endings <= set(known) and kind != plural:
            return f" They may be {kind}: kerasgan train {gan_type} learns from them."
    return ""
