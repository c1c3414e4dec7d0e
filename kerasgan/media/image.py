"""Images: grey, RGB and RGBA, of any height and width."""

import math
import os
import warnings

import keras
import numpy as np

from kerasgan import files
from kerasgan.media import markup
from kerasgan.media.base import OF_IMAGES, Media
from kerasgan.media.dead_leaves import dead_leaves

GAP = 2  # pixels between the images of a sheet
FIELDS = 16  # of descriptors, along each edge
TOLERANCE = 1e-3  # rounding in half precision may step over the edge of a range this far
_IMAGE_DESCRIPTION = 0x010E  # EXIF
MOST_FRAMES = 120  # an animation of more epochs shows evenly spaced ones: longer GIFs are too heavy to open


def from_zero(low):
    """Whether floats of images, `low` being the lowest of all, are in [0, 1], not in [-1, 1]: where none is negative.

    It is the one rule by which `fit` and `kerasgan.data` take arrays of floats.
    """
    return low >= -TOLERANCE


@keras.saving.register_keras_serializable(package="kerasgan")
class Image(Media):
    """Images: float32 in [-1, 1] for the model, uint8 pixels for people, channels last.

    ```python
    image = Image((64, 64, 3))
    image.save(gan.generate(64), "faces.png")
    ```

    Args:
        shape: (height, width, channels), with 1 (grey), 3 (RGB) or 4 (RGBA) channels.
    """

    extension = ".png"
    extensions = (".png", ".webp", ".jpg", ".jpeg")
    animation_extension = ".gif"
    map_extension = ".png"
    plural = "images"
    kind = "image"
    variations = "shift, turn, scale, levels"
    range = (-1.0, 1.0)
    exported_range = (0.0, 1.0)
    default_metrics = ("fid", "kid", "prdc")
    augmentations = OF_IMAGES

    def __init__(self, shape):
        super().__init__(shape)
        if len(self.shape) != 3 or self.shape[-1] not in (1, 3, 4):
            raise ValueError(f"shape={tuple(shape)} must be (height, width, channels) with 1, 3 or 4 channels.")

    @property
    def edge(self):
        return max(self.shape[:2])

    def default_network(self):
        """Name of the best network for images that works on this machine, see `kerasgan.metrics.features.default`."""
        from kerasgan.metrics import features

        return features.default(self.shape)

    @classmethod
    def fitting(cls, samples):
        """The medium of uint8 images (count, height, width, channels); None for anything else."""
        samples = np.asarray(samples)
        if samples.dtype == np.uint8 and samples.ndim == 4 and samples.shape[-1] in (1, 3, 4) and samples.size:
            return cls(samples.shape[1:])
        return None

    def check(self, batch, name="images"):
        """Raises a ValueError unless `batch` holds floats (batch, height, width, channels) in [-1, 1]."""
        super().check(batch, name)

    def begins_at_zero(self, samples):
        """Whether floats hold nothing negative, and nothing above 1: where 0 is black then, see `from_zero`."""
        samples = np.asarray(samples)
        if samples.dtype.kind not in "fV" or samples.shape[1:] != self.shape or not samples.size:
            return False
        samples = samples.astype("float32")  # of bfloat16, too
        return bool(from_zero(samples.min()) and samples.max() <= 1 + TOLERANCE)

    def in_model_range(self, samples):
        """An array of images, of which floats may be in [0, 1] where none is negative: these are brought to [-1, 1]."""
        if not self.begins_at_zero(samples):
            return samples
        warnings.warn(
            "The images lie in the range [0, 1]: they are taken as 0 for black to 1 for white, as kerasgan.data.images "
            "takes them, and brought to the model range [-1, 1]. (If they are in model range, without anything darker "
            "than mid-grey, give them as uint8 pixels to kerasgan.data.images.)",
            stacklevel=5,
        )
        return 2.0 * np.asarray(samples).astype("float32") - 1.0

    def _shape_hint(self, batch):
        if batch.ndim == 4 and batch.shape[1:] == (self.shape[2], *self.shape[:2]) and batch.shape[1:] != self.shape:
            return " Channels come last: numpy.moveaxis(images, 1, -1)."
        if batch.shape[-1:] in ((1,), (3,), (4,)) and batch.ndim == 4 and batch.shape[-1] != self.shape[-1]:
            return f" Read the images with channels={self.shape[-1]}, or build the model for {batch.shape[1:]}."
        if batch.ndim == 3 and batch.shape[1:] == self.shape[:2] and self.shape[-1] == 1:
            return " Add the channel axis: images[..., None]."
        if batch.ndim == 3 and batch.shape == self.shape:
            return " Add the batch axis: images[None]; to a data set by batch(64)."
        if batch.ndim == 4:
            return f" Read the images with size={self.shape[:2]}, or build the model for {batch.shape[1:]}."
        return ""

    def _advice(self, batch):
        pixels = batch.dtype.kind in "fV" and batch.min() >= 0 and batch.max() <= 255
        return (
            f"{' They look like pixels in 0..255 fed as floats.' if pixels else ''} Read image files and pixel arrays "
            "with kerasgan.data.images, or convert integer pixels with kerasgan.media.Image(shape).to_model."
        )

    def finish(self, samples):
        """The end of an exported network: [-1, 1] -> [0, 1], clipped, so that an app only multiplies by 255."""
        return keras.ops.clip(0.5 * samples + 0.5, 0.0, 1.0)

    def begin(self, samples):
        """[0, 1] -> [-1, 1]."""
        return 2.0 * samples - 1.0

    def made_up(self, count, seed):
        """Pictures of discs that lie on each other like dead leaves, uint8; see `kerasgan.media.dead_leaves`."""
        return dead_leaves(count, self.shape, seed)

    def to_natural(self, samples):
        """Turns floats in [-1, 1] into uint8 pixels, rounded and clipped.

        Raises:
            ValueError: values that are NaN or infinite, which no pixel can show.
        """
        samples = self._finite(samples)
        return np.clip(np.rint((samples + 1.0) * 127.5), 0, 255).astype("uint8")

    def to_model(self, samples):
        """Turns pixels 0..255 of an integer dtype into float32 in [-1, 1].

        Raises:
            ValueError: floats, or integers outside 0..255.
        """
        samples = np.asarray(samples)
        if samples.dtype.kind not in "iu":
            raise ValueError(f"samples has dtype {samples.dtype}; expected integer pixels in 0..255.")
        if samples.size and (samples.min() < 0 or samples.max() > 255):
            raise ValueError(f"samples lies in [{samples.min()}, {samples.max()}]; expected pixels in 0..255.")
        return samples.astype("float32") / np.float32(127.5) - np.float32(1.0)

    def to_classifier(self, samples):
        """The pixels, float32 in [-1, 1]."""
        return self.to_model(samples)

    def varied(self, samples, random, mirror=False):
        """Moves, turns, scales, brightens and contrasts each image; what comes in at an edge is the edge again.

        Shifts of up to an eighth of height and width, turns of up to 10 degrees, 0.9 to 1.1 times the size (bilinear);
        every level to the power of 0.8 to 1.25.
        """
        samples = np.asarray(samples)
        count, height, width, _ = samples.shape
        angle = np.deg2rad(random.uniform(-10, 10, count))
        scale = random.uniform(0.9, 1.1, count)
        shift = random.uniform(-0.125, 0.125, (2, count)) * np.array([[height], [width]])
        side = np.where(random.random(count) < 0.5, -1.0, 1.0) if mirror else np.ones(count)
        moved = _moved(samples.astype("float32") / 255.0, angle, scale, shift, side)
        moved[..., :3] **= 1.25 ** random.uniform(-1, 1, (count, 1, 1, 1)).astype("float32")
        return np.rint(255.0 * moved).astype("uint8")

    def descriptors(self, samples):
        """The means of 16x16 fields, transparency laid over black: layout and colours count, fine noise does not.

        Fine noise is what a collapsed generator still varies.
        """
        samples = np.asarray(samples, "float64")
        if samples.shape[-1] == 4:
            colours, alpha = samples[..., :3], samples[..., 3:]
            samples = np.concatenate([(colours + 1) * (alpha + 1) / 2 - 1, alpha], axis=-1)
        return super().descriptors(_pooled(_pooled(samples, 1), 2))

    def sheet(self, samples, columns=None):
        """Lays images out on one sheet, row by row, with narrow gaps (white, or transparent for RGBA).

        Args:
            samples: uint8 (count, height, width, channels).
            columns: images in a row; None makes the sheet as square as it can.

        Returns:
            uint8 (sheet height, sheet width, channels).
        """
        samples = self._pixels(samples)
        count, height, width, channels = samples.shape
        if columns is None:
            columns = _columns(count, height, width)
            columns = max(1, round(columns / self.samples_per_example)) * self.samples_per_example
        if columns < 1:
            raise ValueError(f"columns is {columns}; expected 1 or more.")
        columns = min(int(columns), count)
        rows = math.ceil(count / columns)
        blank = 0 if channels == 4 else 255
        tiles = np.full((rows * columns, height + GAP, width + GAP, channels), blank, "uint8")
        tiles[:count, :height, :width] = samples
        tiles = tiles.reshape(rows, columns, height + GAP, width + GAP, channels).swapaxes(1, 2)
        return tiles.reshape(rows * (height + GAP), columns * (width + GAP), channels)[:-GAP, :-GAP]

    def save(self, samples, path, columns=None, note=True):
        """Saves images as one sheet. RGBA stays transparent in PNG and WebP and lies on white in JPEG.

        The file says, where people do not look but programs do, that it was "generated by kerasgan", and by which
        pretrained model: in PNG as the text "Description", in WebP and JPEG as the EXIF tag "ImageDescription".

        Args:
            samples: uint8 (count, height, width, channels).
            path: file to write, ending in .png, .webp, .jpg or .jpeg. Missing folders are made.
            columns: images in a row; None makes the sheet as square as it can.
            note: False leaves out that note, for images that were not generated.

        Returns:
            The path as a `pathlib.Path`.

        Raises:
            ValueError: samples that are no such array, or another ending.
            OSError: the file cannot be written.
        """
        path = files.check_output(path, self.extensions)
        picture = _picture(self.sheet(samples, columns))
        if path.suffix.lower() in (".jpg", ".jpeg"):
            picture = _on_white(picture)
        options = {"lossless": True} if path.suffix.lower() == ".webp" else {}
        if note:
            options |= _noted(f"generated by {self.made_by}", path.suffix.lower())
        with files.atomic(path) as temporary:
            picture.save(temporary, **options)
        return path

    def save_map(self, sample, where, path):
        """Writes an image in grey, red where it is strange: the redder, the more, full at half of all that it could be.

        Args:
            sample: uint8 (height, width, channels).
            where: float32 (height, width), 0 to 1.
            path: a `.png` file.
        """
        grey = np.repeat(np.asarray(sample, "float32")[..., :3].mean(-1, keepdims=True), 3, axis=-1)
        strength = np.clip(2.0 * np.asarray(where, "float32"), 0.0, 1.0)[..., None]
        blended = grey + strength * (np.array([255.0, 0.0, 0.0]) - grey)
        Image((*blended.shape[:2], 3)).save(np.rint(blended).astype("uint8")[None], path, note=False)

    def show(self, samples, columns=None):
        """Displays images through matplotlib; as the last line of a notebook cell they appear below it, as `html`.

        RGBA images lie on a checkerboard.

        Args:
            samples: uint8 (count, height, width, channels).
            columns: images in a row; None makes the sheet as square as it can.

        Returns:
            The `matplotlib.figure.Figure`.
        """
        import matplotlib
        from matplotlib import pyplot

        from kerasgan.media.shown import Shown  # which imports matplotlib

        sheet = self.sheet(samples, columns)
        if sheet.shape[-1] == 4:
            sheet = _on_checkerboard(sheet)
        inches = 6.4 * np.array(sheet.shape[1::-1]) / max(sheet.shape[:2])
        figure = pyplot.figure(figsize=inches, FigureClass=Shown)
        figure.html = lambda: self.html(samples, columns)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(sheet.squeeze(-1) if sheet.shape[-1] == 1 else sheet, cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
        if "inline" in matplotlib.get_backend():
            pyplot.close(figure)  # else a notebook shows it twice: as open figure and as returned value
        return figure

    def html(self, samples, columns=None, alt=None, wide=markup.WIDE):
        """Images as one picture in HTML, for notebooks: small ones enlarged, RGBA on a checkerboard.

        Args:
            samples: uint8 (count, height, width, channels).
            columns: images in a row; None makes the sheet as square as it can.
            alt: what it shows, in words; None says how many images.
            wide: pixels to which a small picture is enlarged, at most.
        """
        alt = self.counted(len(samples)) if alt is None else alt
        width = self.sheet(samples, columns).shape[1]
        content, transparent = self.content(samples, ".png", columns), self.shape[-1] == 4
        return markup.image(content, "image/png", alt, width, transparent, wide)

    def animate(self, frames, path, seconds=0.15):
        """Writes an animated GIF that rests on its last frame. RGBA lies on white: a GIF pixel is opaque or nothing.

        Args:
            frames: files of saved sheets, or uint8 batches (count, height, width, channels), in order.
            path: file to write, ending in .gif. Missing folders are made.
            seconds: how long a frame stays.

        Returns:
            The path as a `pathlib.Path`.
        """
        path = files.check_output(path, (self.animation_extension,))
        frames = _spread(list(frames), MOST_FRAMES)
        if not frames:
            raise ValueError("frames is empty; give at least one sheet.")
        pictures = [self._frame(frame) for frame in frames]
        durations = [round(1000 * seconds)] * (len(pictures) - 1) + [2000]
        with files.atomic(path) as temporary:
            pictures[0].save(temporary, save_all=True, append_images=pictures[1:], duration=durations, loop=0)
        return path

    def _frame(self, frame):
        import PIL.Image

        if isinstance(frame, (str, os.PathLike)):
            with PIL.Image.open(frame) as opened:
                picture = opened.copy()
        else:
            picture = _picture(self.sheet(frame))
        picture = _on_white(picture)
        return picture if picture.mode == "L" else picture.quantize(256, dither=PIL.Image.Dither.NONE)

    def _pixels(self, samples):
        samples = np.asarray(samples)
        height, width, channels = self.shape
        if samples.dtype != np.uint8 or samples.shape[1:] != self.shape or not len(samples):
            raise ValueError(
                f"samples has shape {samples.shape} and dtype {samples.dtype}; expected uint8 pixels "
                f"(count, {height}, {width}, {channels}), as `generate` and `to_natural` return them."
            )
        return samples


def _moved(images, angle, scale, shift, side):
    """Images, floats (n, height, width, channels), turned, scaled, moved and, where `side` is -1, mirrored."""
    count, height, width, _ = images.shape
    centre = np.array([height - 1, width - 1]) / 2
    rows, columns = np.indices((height, width)).reshape(2, 1, -1) - centre[:, None, None]
    sine, cosine = (part[:, None] for part in (np.sin(angle) / scale, np.cos(angle) / scale))
    from_row = cosine * rows - sine * columns * side[:, None] + shift[0][:, None] + centre[0]
    from_column = sine * rows + cosine * columns * side[:, None] + shift[1][:, None] + centre[1]
    from_row, from_column = np.clip(from_row, 0, height - 1), np.clip(from_column, 0, width - 1)
    row, column = from_row.astype(int), from_column.astype(int)
    below, right = np.minimum(row + 1, height - 1), np.minimum(column + 1, width - 1)
    down, across = (part.astype("float32")[..., None] for part in (from_row - row, from_column - column))
    each = np.arange(count)[:, None]
    upper = images[each, row, column] * (1 - across) + images[each, row, right] * across
    lower = images[each, below, column] * (1 - across) + images[each, below, right] * across
    return np.clip(upper * (1 - down) + lower * down, 0.0, 1.0).reshape(images.shape)


def _pooled(images, axis):
    """Means of at most 16 fields along an axis."""
    length = images.shape[axis]
    starts = np.arange(min(FIELDS, length)) * length // min(FIELDS, length)
    lengths = np.diff([*starts, length]).reshape(-1, *[1] * (images.ndim - axis - 1))
    return np.add.reduceat(images, starts, axis=axis) / lengths


def _columns(count, height, width):
    """Columns of the most nearly square sheet, preferring one without holes."""
    columns = min(count, math.ceil(math.sqrt(count * height / width)))
    full = next(more for more in range(columns, count + 1) if count % more == 0)
    return full if full * width <= 2 * (count // full) * height else columns


def _spread(items, most):
    """At most `most` items, evenly spaced, the first and the last among them."""
    if len(items) <= most:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, most).round().astype(int)]


def _picture(sheet):
    import PIL.Image

    return PIL.Image.fromarray(sheet.squeeze(-1) if sheet.shape[-1] == 1 else sheet)


def _noted(text, ending):
    """Options by which Pillow writes a text into a file of this ending, beside the picture."""
    import PIL.Image
    import PIL.PngImagePlugin

    if ending == ".png":
        known = PIL.PngImagePlugin.PngInfo()
        known.add_text("Description", text)
        return {"pnginfo": known}
    exif = PIL.Image.Exif()
    exif[_IMAGE_DESCRIPTION] = text
    return {"exif": exif}


def _on_white(picture):
    import PIL.Image

    if picture.mode == "RGBA":
        white = PIL.Image.new("RGBA", picture.size, "white")
        return PIL.Image.alpha_composite(white, picture).convert("RGB")
    return picture


def _on_checkerboard(sheet, side=8):
    """Blends a uint8 RGBA sheet with a light checkerboard into uint8 RGB."""
    rows, columns = np.ogrid[: sheet.shape[0], : sheet.shape[1]]
    board = np.where((rows // side + columns // side) % 2, 204.0, 255.0)[..., None]
    alpha = sheet[..., 3:] / 255.0
    return np.rint(sheet[..., :3] * alpha + board * (1 - alpha)).astype("uint8")
