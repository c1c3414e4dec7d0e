"""What a folder of pictures holds, by a look at some of them."""

import hashlib
import statistics
import typing

import numpy as np

from kerasgan.data.files import BadSample
from kerasgan.data.other_kinds import suggestion
from kerasgan.data.pixels import to_whole_pixels
from kerasgan.data.reading import in_parallel
from kerasgan.data.sources import find, spread

_LOOKED_AT = 256
_DRAWN = 0.3  # share of neighbouring pixels that are equal, above which a picture is a drawing; of photographs 0.05


class Look(typing.NamedTuple):
    """What a look at some pictures tells of all.

    Attributes:
        count: of the pictures; None of a stream.
        height, width: medians, in pixels.
        channels: 1 where all are grey, 4 where some have transparent parts, else 3.
        drawn: share of them that are drawings, with large parts of one colour to the bit.
        distinct: how many of them differ.
    """

    count: int | None
    height: int
    width: int
    channels: int
    drawn: float
    distinct: int


def look(source, **options):
    """Looks at up to 256 pictures all over the source (of a stream: at its first ones), at their full resolution.

    Args:
        source, options: as of `kerasgan.data.images`: `subset`, `key`, `data_dir`, `download`.

    Raises:
        ValueError: none of them is a picture.
    """
    found = find(source, **options)
    items = spread(found, _LOOKED_AT)
    looks = list(in_parallel(lambda item: _look_at(to_whole_pixels(found.read(item))), items))
    looks = [one for one in looks if not isinstance(one, BadSample)]
    if not looks:
        hint = suggestion([found.item_name(number) for number in range(len(items))], "images")
        raise ValueError(
            f"data={str(source)!r}: none of the {len(items)} files that were looked at is a picture.{hint}"
        )
    heights, widths, channels, equal, digests = zip(*looks, strict=True)
    return Look(
        count=found.count,
        height=round(statistics.median(heights)),
        width=round(statistics.median(widths)),
        channels=4 if channels.count(4) > len(looks) / 20 else 1 if set(channels) == {1} else 3,
        drawn=sum(share > _DRAWN for share in equal) / len(looks),
        distinct=len({*digests}),
    )


def _look_at(pixels):
    """(height, width, channels that are used, share of neighbouring pixels that are equal, digest) of a picture."""
    height, width, channels = pixels.shape
    if channels == 4 and pixels[..., 3].min() == 255:
        pixels, channels = pixels[..., :3], 3
    if channels == 3 and not np.ptp(pixels, axis=2).any():
        channels = 1
    equal = (pixels[:, 1:] == pixels[:, :-1]).all(axis=2)
    return height, width, channels, equal.mean() if equal.size else 1.0, hashlib.sha256(pixels.tobytes()).digest()
