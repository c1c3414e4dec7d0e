"""How large the pictures of a source are, by a look at some of them."""

from kerasgan.data.files import BadSample
from kerasgan.data.pixels import size_in_header, size_of
from kerasgan.data.sources import find, spread

LOOKED_AT = 64


def picture_sizes(source, subset=None, key=None, data_dir=None, download=False):
    """The sizes, a set of (height, width), of pictures all over the source (of a stream: of its first ones), upright.

    Args:
        source, subset, key, data_dir, download: as in `kerasgan.data.images`.
    """
    found = find(source, subset=subset, key=key, data_dir=data_dir, download=download)
    sizes = set()
    for item in spread(found, LOOKED_AT):
        try:
            sizes.add(size_in_header(found.open(item)) if found.has_files else size_of(found.read(item)))
        except BadSample:  # which the reader names
            continue
    return sizes
