"""Videos: clips of a fixed number of frames, grey or RGB."""

import importlib
from fractions import Fraction

import keras
import numpy as np

from kerasgan import files
from kerasgan.checks import is_number, is_whole
from kerasgan.media import markup
from kerasgan.media.image import Image
from kerasgan.media.pictured import Pictured

EXTRA = 'pip install "kerasgan[video]"'
STRIP = 16  # frames of a clip that a filmstrip shows, at most
MOST_RATE = 1000.0  # frames a second: what animated files can say, which count milliseconds
QUALITY = "14"  # x264's constant rate factor: below 18, what is lost is not seen


@keras.saving.register_keras_serializable(package="kerasgan")
class Video(Pictured):
    """Clips: float32 (frames, height, width, channels) in [-1, 1] for the model, uint8 pixels for people.

    A sheet shows filmstrips: the frames of a clip beside each other, at most 16, evenly spaced over it, and, where
    nobody says how many clips are in a row, one clip below the other.

    ```python
    video = Video((16, 64, 64, 1), frame_rate=10)
    video.save(gan.generate(16), "digits.webp")  # all of them move side by side
    video.save(gan.generate(1), "digits.gif")
    video.save(gan.generate(8), "digits.png")  # filmstrips
    ```

    Args:
        shape: (frames, height, width, channels), with 2 frames or more, and 1 (grey) or 3 (RGB) channels.
        frame_rate: frames a second, above 0 and up to 1000.
    """

    extension = ".webp"
    extensions = (".webp", ".gif", ".apng", ".mp4", ".npz", ".png")
    animation_extension = ".gif"
    plural = "clips"
    samples_at_a_glance = 9
    kind = "video"
    range = (-1.0, 1.0)
    exported_range = (0.0, 1.0)
    default_metrics = ("motion",)

    def __init__(self, shape, frame_rate=10.0):
        super().__init__(shape)
        if len(self.shape) != 4 or self.shape[0] < 2 or self.shape[-1] not in (1, 3):
            raise ValueError(
                f"shape={tuple(shape)} must be (frames, height, width, channels) with 2 frames or more, and 1 or 3 "
                "channels."
            )
        if not is_number(frame_rate, 0, MOST_RATE) or not frame_rate:
            raise ValueError(f"frame_rate={frame_rate!r}: expected frames a second, above 0 and up to {MOST_RATE:.0f}.")
        self.frame_rate = float(frame_rate)
        self._image = Image(self.shape[1:])  # what one frame is

    @property
    def edge(self):
        return max(self.shape[1:3])

    @classmethod
    def fitting(cls, samples):
        """The medium of uint8 clips (count, frames, height, width, channels), 10 frames a second; None for others."""
        samples = np.asarray(samples)
        is_video = samples.dtype == np.uint8 and samples.ndim == 5 and samples.shape[-1] in (1, 3) and samples.size
        return cls(samples.shape[1:]) if is_video and samples.shape[1] >= 2 else None

    def check(self, batch, name="clips"):
        """Raises a ValueError unless `batch` holds floats (batch, frames, height, width, channels) in [-1, 1]."""
        super().check(batch, name)

    def _shape_hint(self, batch):
        if batch.ndim == 4 and batch.shape[1:] == self.shape[:3] and self.shape[3] == 1:
            return " Add the channel axis: clips[..., None]."
        if batch.shape == self.shape:
            return " Add the batch axis: clips[None]."
        frames, *size, channels = self.shape
        return (
            f" Read the clips with length={frames}, size={tuple(size)}, channels={channels}, or build the model for "
            "others."
        )

    def _advice(self, batch):
        return " Read files and arrays of pixels with kerasgan.data.video, or convert them with gan.media.to_model."

    # Conversions: those of images, frame by frame --------------------------------------------------------------------

    def to_natural(self, samples):
        """Floats in [-1, 1] as uint8 pixels, rounded and clipped; a `ValueError` for NaN and infinite values."""
        return self._image.to_natural(samples)

    def to_model(self, samples):
        """Pixels 0..255 of an integer dtype as float32 in [-1, 1]; a `ValueError` for anything else."""
        return self._image.to_model(samples)

    def finish(self, samples):
        """The end of an exported network: [-1, 1] -> [0, 1], clipped."""
        return self._image.finish(samples)

    def begin(self, samples):
        """[0, 1] -> [-1, 1]."""
        return self._image.begin(samples)

    def described(self):
        """The frames a second."""
        return {"frame_rate": self.frame_rate}

    def default_network(self):
        """`bouncing_digits` for grey clips of 16 frames or more, a network that knows moving digits alone."""
        from kerasgan.metrics import bouncing_digits

        if self.shape[-1] != 1 or self.shape[0] < bouncing_digits.FRAMES:
            return super().default_network()
        return "bouncing_digits"

    def descriptors(self, samples):
        """The means of 16x16 fields of each frame, see `kerasgan.media.Image.descriptors`."""
        samples = np.asarray(samples)
        return self._image.descriptors(samples.reshape(-1, *self.shape[1:])).reshape(len(samples), -1)

    # Files -----------------------------------------------------------------------------------------------------------

    def save(self, samples, path, columns=None):
        """Saves clips in one file, by its ending.

        - `.webp`, `.apng`: an animation without loss, repeated for ever; several clips move side by side.
        - `.gif`: the same, with up to 256 colours a frame (grey is not changed), and frames of whole hundredths of a
          second.
        - `.mp4`: H.264, at a quality at which no loss is seen; it needs `kerasgan[video]`.
        - `.npz`: the arrays `clips`, uint8 (count, frames, height, width, channels), and `frame_rate`.
        - `.png`: filmstrips, see `sheet`.

        Args:
            samples: uint8 (count, frames, height, width, channels).
            path: file to write. Missing folders are made.
            columns: clips in a row; None makes the picture as square as it can, and filmstrips one below the other.

        Returns:
            The path as a `pathlib.Path`.

        Raises:
            ValueError: samples that are no such array, or another ending.
            ImportError: `.mp4` needs a package that is not installed.
            OSError: the file cannot be written.
        """
        samples = self._checked(samples)
        path = files.check_output(path, self.extensions)
        write = {".png": self._save_sheet, ".npz": self._save_arrays, ".mp4": self._save_mp4}
        return write.get(path.suffix.lower(), self._save_animation)(samples, path, columns)

    def html(self, samples, columns=None):
        """Clips as HTML, for notebooks: they move side by side."""
        width = self._side_by_side(self._checked(samples)[:, :1], columns).shape[2]
        return markup.image(self.content(samples, ".webp", columns), "image/webp", self.counted(len(samples)), width)

    def _save_arrays(self, samples, path, columns):
        with files.atomic(path) as temporary, open(temporary, "wb") as file:  # savez would add an ending of its own
            np.savez_compressed(file, clips=samples, frame_rate=np.float64(self.frame_rate))
        return path

    def _save_animation(self, samples, path, columns):
        """Pillow's animated files. A frame that equals the one before is kept as that one shown for longer."""
        import PIL.Image

        pictures = [PIL.Image.fromarray(_squeezed(frame)) for frame in self._side_by_side(samples, columns)]
        options = {"duration": self._durations(10 if path.suffix.lower() == ".gif" else 1), "loop": 0}
        if path.suffix.lower() == ".gif":
            if self.shape[-1] == 3:
                pictures = [picture.quantize(256, dither=PIL.Image.Dither.NONE) for picture in pictures]
        elif path.suffix.lower() == ".webp":
            options |= {"lossless": True, "exact": True, "method": 4}
            pictures = [picture.convert("RGB") for picture in pictures]  # WebP has no grey
        kind = {".gif": "GIF", ".webp": "WEBP", ".apng": "PNG"}[path.suffix.lower()]
        with files.atomic(path) as temporary:
            pictures[0].save(temporary, kind, save_all=True, append_images=pictures[1:], **options)
        return path

    def _durations(self, unit):
        """Milliseconds of each frame, multiples of `unit`, that together last as long as the clip does."""
        ends = np.rint(np.arange(self.shape[0] + 1) * (1000.0 / self.frame_rate / unit)).astype(int) * unit
        return np.maximum(np.diff(ends), unit).tolist()

    def _save_mp4(self, samples, path, columns):
        av = import_av(f"path {path.name!r}: to write MP4")
        frames = self._side_by_side(samples, columns)
        with files.atomic(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=Fraction(self.frame_rate).limit_denominator(1001))
            stream.height, stream.width = (side + side % 2 for side in frames.shape[1:3])  # 4:2:0 halves both
            stream.pix_fmt, stream.options = "yuv420p", {"crf": QUALITY}
            for frame in frames:
                picture = av.VideoFrame.from_ndarray(_of_even_sides(_rgb(frame)), "rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        return path

    def _side_by_side(self, samples, columns):
        """uint8 (frames, sheet height, sheet width, channels): frame by frame, a sheet of all clips."""
        return np.stack([self._image.sheet(frame, columns) for frame in samples.swapaxes(0, 1)])

    # Pictures --------------------------------------------------------------------------------------------------------

    def _pictures(self):
        return self._image

    def _drawn(self, samples):
        """The frames that are shown, (count * shown, height, width, channels)."""
        shown = np.linspace(0, self.shape[0] - 1, min(STRIP, self.shape[0])).round().astype(int)
        return samples[:, shown].reshape(-1, *self.shape[1:])

    def _columns(self, count, columns):
        if columns is not None and not is_whole(columns):
            raise ValueError(f"columns is {columns}; expected 1 or more.")
        return min(STRIP, self.shape[0]) * (columns or 1)

    def _checked(self, samples):
        samples = np.asarray(samples)
        if samples.dtype != np.uint8 or samples.shape[1:] != self.shape or not len(samples):
            expected = ", ".join(map(str, self.shape))
            raise ValueError(
                f"samples has shape {samples.shape} and dtype {samples.dtype}; expected uint8 pixels "
                f"(count, {expected}), as `generate` and `to_natural` return them."
            )
        return samples

    def get_config(self):
        return {**super().get_config(), "frame_rate": self.frame_rate}


def import_av(purpose):
    """The package `av` (FFmpeg's libraries), or an ImportError that says what it is for and how to get it."""
    try:
        return importlib.import_module("av")
    except ImportError:
        raise ImportError(f"{purpose} needs the package av: {EXTRA}") from None


def _squeezed(frame):
    return frame[..., 0] if frame.shape[-1] == 1 else frame


def _rgb(frame):
    return np.repeat(frame, 3, axis=-1) if frame.shape[-1] == 1 else frame


def _of_even_sides(frame):
    """The frame, its last row or column repeated where their number is odd."""
    return np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), "edge")
