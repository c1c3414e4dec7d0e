"""One picture: opened, turned upright, cropped, resized and brought to the wanted channels, as uint8.

Pillow does the work for every kind of source, because `tf.io.decode_image` ignores EXIF rotation and cannot read
palettes with transparency, CMYK, 16-bit, TIFF or WebP files; so a picture has the same pixels wherever it came from.
"""

import contextlib
import io
import math
import os
import threading

import numpy as np
from PIL import Image, UnidentifiedImageError

from kerasgan import files
from kerasgan.data.files import BadSample, check_memory, reason, unusable

# Formats that Pillow decodes itself. EPS is left out on purpose: opening one starts Ghostscript. AVIF, WebP and
# JPEG 2000 are missing from some builds of Pillow.
Image.init()
FORMATS = [
    name
    for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000", "ICO")
    if name in Image.OPEN
]
JPEGS = ("JPEG", "MPO")
BYTES = 4  # of a pixel that Pillow has decoded
PACKED = 32  # as many bytes of pixels as this, one byte of an image file may well become
DARK = 4095  # of 65535: a picture of 16 bits that never exceeds this has 12 bits or less
ORIENTATION_TAG = 0x0112
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

FILTERS = ("bicubic", "lanczos", "bilinear", "box")


def to_pixels(raw, size, channels, crop, filter="bicubic"):
    """A picture as uint8 (height, width, channels). Raises `BadSample`.

    Args:
        raw: the content of an image file as bytes, or uint8 pixels (height, width) or (height, width, 1, 3 or 4).
        size: (height, width) of the result.
        channels: 1, 3 or 4.
        crop: "center", "pad" or a box (left, top, width, height) in pixels of the upright picture.
        filter: one of `FILTERS`; each is widened with the scale when it shrinks a picture (antialiasing).
    """
    target = size[::-1]
    with unusable():
        image = _opened(raw)
        with _in_turn(image):
            image, orientation = _first_look(image)
            upright = _upright(image, orientation)
            box = _box(upright, target, crop)
            if image.format in JPEGS:
                _decode_small(image, min((box[2] - box[0]) / target[0], (box[3] - box[1]) / target[1]))
                image = _loaded(image)
            image = _turned(_convert(image, channels), orientation)
            zoom = (image.width / upright[0], image.height / upright[1])
            box = tuple(edge * zoom[axis % 2] for axis, edge in enumerate(box))
            return _to_array(_resize(image, box, target, crop == "pad", Image.Resampling[filter.upper()]), channels)


def to_whole_pixels(raw, channels=None):
    """A picture at its full resolution as uint8 (height, width, channels). Raises `BadSample`.

    Args:
        raw: as in `to_pixels`.
        channels: 1, 3 or 4; None takes 4 where there is transparency, 1 where the picture is grey, else 3.
    """
    with unusable():
        image = _opened(raw)
        with _in_turn(image):
            image, orientation = _first_look(image)
            if image.format in JPEGS:
                image = _loaded(image)
            if channels is None:
                channels = 4 if image.has_transparency_data else 1 if image.mode in ("1", "L") else 3
            return _to_array(_turned(_convert(image, channels), orientation), channels)


def size_in_header(file):
    """(height, width) of the upright picture in an image file, which is closed. Raises `BadSample`."""
    with file, unusable():
        image = open_image(file)
        orientation = _orientation(image) if image.format in JPEGS else 1  # others may have to be decoded to tell
        return _upright(image, orientation)[::-1]


def size_of(raw):
    """(height, width) of a picture, upright. Arguments as of `to_pixels`; of a file, the header is read."""
    return size_in_header(io.BytesIO(raw)) if isinstance(raw, bytes) else raw.shape[:2]


def check_header(file, size, crop):
    """Opens an image file as far as its header and its place in the crop box; closes it. Raises `BadSample`."""
    with file, unusable():
        image = open_image(file)
        if image.format in JPEGS:  # others may have to be decoded to tell which way is up
            _box(_upright(image, _orientation(image)), size[::-1], crop)


_turn = threading.Lock()


def _in_turn(image):
    """Of huge pictures only one is in memory at a time, whatever the number of threads."""
    return _turn if BYTES * image.width * image.height > files.limit() else contextlib.nullcontext()


def _opened(raw):
    return open_image(io.BytesIO(raw)) if isinstance(raw, bytes) else _from_array(raw)


def _first_look(image):
    """The picture, decoded unless it is a photograph that may be decoded smaller, and which way is up."""
    if image.format in JPEGS:
        return image, _orientation(image)
    loaded = _loaded(image)
    return loaded, _orientation(image)  # a PNG may carry its EXIF data at the end


def is_image_file(content):
    """Whether bytes begin like an image file of a format that is read."""
    try:
        open_image(io.BytesIO(content)).close()
    except BadSample:
        return False
    return True


def look(file):
    """Reads the header of an open image file. Raises `BadSample` where it is none, or would take too much memory."""
    with unusable():
        open_image(file)


def open_image(file):
    """An open file as a picture of Pillow's, not decoded, or the first of an animation. Raises `BadSample`."""
    if BYTES * 2 * (Image.MAX_IMAGE_PIXELS or 0) < files.limit():  # the user has raised our bound, and so Pillow's
        Image.MAX_IMAGE_PIXELS = files.limit() // (BYTES * 2)
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise BadSample("not an image of a known format") from None
    except Image.DecompressionBombError as error:
        raise BadSample(f"{reason(error)} {files.LIMIT}, {BYTES} for a million pixels, raises the limit") from None
    size = BYTES * image.width * image.height
    if size > files.limit():
        place = file.tell()
        check_memory(size, file.seek(0, os.SEEK_END), PACKED)
        file.seek(place)
    return image


def _loaded(image):
    """A picture, decoded, with 8 bits a channel. Raises `BadSample` for pixels whose range nobody can tell."""
    tile = next(iter(getattr(image, "tile", ())), (None,) * 4)[3]
    stored = tile if isinstance(tile, str) else str((tile or ("",))[0])  # Pillow's word for it, such as "RGB;16B"
    image.load()
    tags = image.tag_v2 if image.format == "TIFF" else {}
    if image.mode == "F":
        raise BadSample("floating-point pixels; save it with 8 or 16 bits a channel")
    if image.mode == "I" and image.format not in ("PPM", "PNG"):
        raise BadSample("pixels of 32 bits or with a sign, of which white is unknown; save it with 8 or 16 bits")
    if 2 in np.atleast_1d(tags.get(_SAMPLE_FORMAT, 1)):
        raise BadSample("pixels with a sign, of which black is unknown; save it without")
    if image.mode.startswith("I"):
        return _from_16_bits(image, 4095 if ";12" in stored else 65535, inverted=tags.get(_PHOTOMETRIC) == 0)
    if image.mode == "LAB":
        return _from_lab(image)
    transparent = image.info.get("transparency")
    if ";16" in stored and image.mode in ("RGB", "RGBA"):  # Pillow has kept the upper halves
        _check_bright(max(high for low, high in image.getextrema()[:3]) * 256 + 255)  # 0 may be 8 bits in 16
        if isinstance(transparent, tuple):
            image.info["transparency"] = tuple(level >> 8 for level in transparent)
    elif stored in _GREYS and transparent is not None:
        image.info["transparency"] = transparent * _GREYS[stored]
    return image


_SAMPLE_FORMAT, _PHOTOMETRIC = 339, 262  # tags of TIFF files
_GREYS = {"L;2": 85, "L;4": 17}  # what a level of 2 or 4 bits is multiplied by


def _from_16_bits(image, white, inverted):
    """Grey of 16 bits, or 12, as mode L, or LA where one of its levels stands for transparency."""
    levels = np.asarray(image).astype(np.uint32)
    if white == 65535:
        _check_bright(levels.max())
    grey = Image.fromarray(((white - levels if inverted else levels) * 255 // white).clip(0, 255).astype(np.uint8))
    transparent = image.info.get("transparency")
    if transparent is None:
        return grey
    return Image.merge("LA", (grey, Image.fromarray(np.where(levels == transparent, 0, 255).astype(np.uint8))))


def _check_bright(highest):
    if 0 < highest <= DARK:
        raise BadSample(
            f"pixels of 16 bits of which none exceeds {DARK}, so that it would be all but black: it has 12 bits or "
            "less; scale its values to all of 0 to 65535"
        )


def _from_lab(image):
    from PIL import ImageCms

    profiles = (ImageCms.createProfile(space) for space in ("LAB", "sRGB"))
    return ImageCms.profileToProfile(image, *profiles, outputMode="RGB")


def _from_array(pixels):
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if not pixels.size or not (pixels.ndim == 2 or pixels.ndim == 3 and pixels.shape[-1] in (3, 4)):
        raise BadSample(f"shape {pixels.shape}, not (height, width) or (height, width, 1, 3 or 4)")
    return Image.fromarray(pixels)


def _orientation(image):
    try:
        return image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:
        return 1  # broken metadata must not cost the picture


def _upright(image, orientation):
    turned = orientation in (5, 6, 7, 8)
    return image.size[::-1] if turned else image.size


def _box(source, target, crop):
    """The part of the picture that is kept: (left, top, right, bottom). `source` and `target` are (width, height)."""
    width, height = source
    if crop == "pad":
        return 0, 0, width, height
    if crop == "center":
        kept_width = max(1, min(width, round(height * target[0] / target[1])))
        kept_height = max(1, min(height, round(width * target[1] / target[0])))
        left, top = (width - kept_width) // 2, (height - kept_height) // 2
    else:
        left, top, kept_width, kept_height = crop
    if left + kept_width > width or top + kept_height > height:
        raise BadSample(f"{width}x{height} pixels, so that the box crop={tuple(crop)} reaches outside")
    return left, top, left + kept_width, top + kept_height


def _decode_small(image, shrink):
    """Lets libjpeg decode large photographs at 1/2, 1/4 or 1/8, leaving twice the wanted resolution at least."""
    if shrink >= 4:
        image.draft(None, (int(image.width * 2 / shrink), int(image.height * 2 / shrink)))


def _convert(image, channels):
    """To mode L, RGB or, where alpha is wanted, RGBA, so that resizing is correct."""
    if channels == 4:
        return _as(image, "RGBA")
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), _as(image, "RGBA"))
    return _as(image, "L" if channels == 1 or image.mode in ("1", "L") else "RGB")


def _as(image, mode):
    return image if image.mode == mode else image.convert(mode)


def _turned(image, orientation):
    return image.transpose(TRANSPOSITIONS[orientation]) if orientation in TRANSPOSITIONS else image


def _resize(image, box, target, pad, filter):
    # Pillow's filters widen with the scale (antialiasing) and weight the colours of RGBA by their alpha.
    if pad:
        return _letterbox(image, target, filter)
    # Cut out first: given a box, Pillow's resize would let the pixels around it shine in at its edges.
    left, top = math.floor(box[0]), math.floor(box[1])
    right, bottom = min(box[2], image.width), min(box[3], image.height)
    image = image.crop((left, top, math.ceil(right), math.ceil(bottom)))
    if image.size == target:
        return image
    return image.resize(target, filter, (box[0] - left, box[1] - top, right - left, bottom - top))


def _letterbox(image, target, filter):
    scale = min(target[0] / image.width, target[1] / image.height)
    inner = tuple(max(1, min(edge, round(length * scale))) for length, edge in zip(image.size, target, strict=True))
    if inner != image.size:
        image = image.resize(inner, filter)
    canvas = Image.new(image.mode, target)  # black, or transparent where there is alpha
    canvas.paste(image, ((target[0] - inner[0]) // 2, (target[1] - inner[1]) // 2))
    return canvas


def _to_array(image, channels):
    wanted = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    pixels = np.array(_as(image, wanted), np.uint8)
    if channels == 1:
        return pixels[..., None]
    if channels == 4:
        pixels[pixels[..., 3] == 0] = 0  # painting programs leave random colours where nothing is visible
    return pixels
