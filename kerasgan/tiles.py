"""Images of any size through a network that enlarges tiles of one size: grey, RGB and RGBA, in bounded memory."""

import math

import numpy as np

from kerasgan.bars import Bar
from kerasgan.checks import is_whole

_FIELD = 8  # pixels over which colours are spread into what is transparent


def upscale(network, images, scale, tile, overlap, reach):
    """Images `scale` times as large.

    Args:
        network: function, float32 (1, tile, tile, 3) in [-1, 1] -> (1, scale * tile, scale * tile, 3).
        images: uint8 (height, width), (height, width, 1, 3 or 4), or a batch (count, height, width, 1, 3 or 4).
        scale: whole number.
        tile, overlap, reach: see `in_tiles`.

    Returns:
        uint8 with the axes of `images`, height and width `scale` times as long. Grey goes through the network as three
        equal colours, of which the mean is taken. Transparency is enlarged by the bicubic kernel, and what is wholly
        transparent takes the colours around it, so that no hidden ones shine in at the edges.

    Raises:
        ValueError: `images` is something else, or the tiles do not fit together.
    """
    images = np.asarray(images)
    shape = images.shape
    known = images.ndim == 2 or (images.ndim in (3, 4) and shape[-1] in (1, 3, 4))
    if images.dtype != np.uint8 or not known or not images.size:
        raise ValueError(
            f"images has shape {shape} and dtype {images.dtype}; expected uint8 pixels (height, width), (height, "
            "width, channels) or (count, height, width, channels) with 1, 3 or 4 channels."
        )
    check_tiles(tile, overlap)
    if images.ndim == 2:
        return _upscale(network, images[..., None], scale, tile, overlap, reach)[..., 0]
    if images.ndim == 3:
        return _upscale(network, images, scale, tile, overlap, reach)
    return np.stack([_upscale(network, image, scale, tile, overlap, reach) for image in images])


def check_tiles(tile, overlap):
    """Raises a ValueError unless tiles of this size and overlap fit together."""
    for name, value, least in (("tile", tile, 8), ("overlap", overlap, 0)):
        if not is_whole(value, least):
            raise ValueError(f"{name}={value!r}: expected a whole number of pixels, at least {least}.")
    if tile < 4 * overlap or tile == 2 * overlap:
        raise ValueError(f"tile={tile} with overlap={overlap}: a tile must be at least four times as long.")


def _upscale(network, image, scale, tile, overlap, reach):
    """One image (height, width, channels)."""
    channels = image.shape[-1]
    colours = {1: lambda: np.repeat(image, 3, axis=-1), 3: lambda: image, 4: lambda: _filled(image)}[channels]()
    larger = in_tiles(network, colours, scale, tile, overlap, reach)
    if channels == 1:
        return np.rint(larger.mean(axis=-1, keepdims=True, dtype="float32")).astype("uint8")
    if channels == 4:
        return np.concatenate([larger, _enlarged(image[..., 3], scale)[..., None]], axis=-1)
    return larger


def in_tiles(network, image, scale, tile, overlap, reach):
    """An RGB image through a network, tile by tile, so that no seam shows.

    Beyond its edges an image is mirrored, so that every pixel has its surroundings. A tile sees `overlap` pixels more
    on each side than it is there for. With an overlap of the network's reach, the result is that of the whole image at
    once; with less, neighbours fade into each other where both see some surroundings.

    Args:
        network: as in `upscale`.
        image: uint8 (height, width, 3).
        scale: whole number.
        tile: height and width of a tile, in pixels of `image`.
        overlap: pixels of `image`, at most a quarter of the tile.
        reach: how far the network sees, in pixels of `image`.

    Returns:
        uint8 (scale * height, scale * width, 3). Besides it, memory holds one row of tiles.
    """
    height, width, _ = image.shape
    step = tile - 2 * overlap
    rows, columns = math.ceil(height / step), math.ceil(width / step)
    result = np.empty((height * scale, width * scale, 3), "uint8")
    strip = np.zeros((tile * scale, (columns * step + 2 * overlap) * scale, 3), "float32")
    with Bar("Upscaling", rows * columns, "tiles", delay=3) as bar:
        for row in range(rows):
            seen = image[_mirrored(row * step - overlap, tile, height)]
            fade = _window(scale, tile, overlap, reach, row == 0, row == rows - 1)[:, None, None]
            for column in range(columns):
                pixels = seen[:, _mirrored(column * step - overlap, tile, width)]
                larger = np.asarray(network(pixels[None].astype("float32") / np.float32(127.5) - np.float32(1)))[0]
                sideways = _window(scale, tile, overlap, reach, column == 0, column == columns - 1)[:, None]
                left = column * step * scale
                strip[:, left : left + tile * scale] += larger * (fade * sideways)
                bar.update()
            # Rows that the next tiles do not reach are finished.
            done = slice((overlap if row == 0 else 0) * scale, (tile if row == rows - 1 else step) * scale)
            first = max(0, row * step - overlap) * scale
            finished = strip[done, overlap * scale : (overlap + width) * scale][: len(result) - first]
            result[first : first + len(finished)] = np.clip(np.rint((finished + 1.0) * 127.5), 0, 255)
            strip = np.concatenate([strip[step * scale :], np.zeros_like(strip[: step * scale])])
    return result


def _mirrored(start, length, size):
    """Places start, start + 1, ... of an axis that is mirrored at both ends, again and again."""
    places = np.arange(start, start + length) % (2 * size)
    return np.minimum(places, 2 * size - 1 - places)


def _window(scale, tile, overlap, reach, is_first, is_last):
    """How much a tile counts along one axis, float32 (scale * tile,): with its neighbours', 1 everywhere.

    It fades where both tiles see what they need; if there is no such place, in the middle half of what they share.
    """
    places = (np.arange(tile * scale) + 0.5) / scale
    margin = reach if overlap >= reach else overlap / 2
    width = 2 * (overlap - margin)

    def fade(places):
        return np.clip((places - margin) / width, 0, 1) if width else (places >= overlap).astype("float64")

    window = np.ones(tile * scale)
    window *= 1 if is_first else fade(places)
    window *= 1 if is_last else fade(places)[::-1]
    return window.astype("float32")


def _filled(image):
    """The colours of an RGBA image; where it is wholly transparent, those of the surroundings."""
    import PIL.Image

    picture = PIL.Image.fromarray(image)
    coarse = tuple(max(1, side // _FIELD) for side in picture.size)
    spread = picture.resize(coarse, PIL.Image.Resampling.BOX).resize(picture.size, PIL.Image.Resampling.BILINEAR)
    return np.where(image[..., 3:] > 0, image[..., :3], np.asarray(spread)[..., :3])


def _enlarged(plane, scale):
    """uint8 (height, width) by the bicubic kernel. (Pillow's, which needs little memory for large images.)"""
    import PIL.Image

    size = (plane.shape[1] * scale, plane.shape[0] * scale)
    return np.asarray(PIL.Image.fromarray(plane).resize(size, PIL.Image.Resampling.BICUBIC))
