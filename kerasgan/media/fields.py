"""Fields: sequences of frames of what flows, such as smoke: its density and its velocity in each cell."""

import keras
import numpy as np

from kerasgan import files
from kerasgan.media import markup
from kerasgan.media.image import Image
from kerasgan.media.pictured import Pictured

COLORS = ("magma", "grey")
FIELDS = 8  # of descriptors, along each edge
STRIP = 6  # frames of a sequence that a sheet shows
SECONDS = 0.06  # that a frame of an animation stays
MOST_ANIMATED = 600  # frames


@keras.saving.register_keras_serializable(package="kerasgan")
class Fields(Pictured):
    """Sequences of density and velocity, float32 (frames, height, width, 3), the same for the model and for people.

    The first channel is the density, at least 0, where 1 is shown as the brightest; the others are the velocity, to the
    right and downward, in cells a frame. Rows go downward, as in images.

    A sheet shows the density: of each sequence up to six frames from its first to its last, in a row.

    ```python
    fields = Fields((120, 128, 128))
    fields.save(sequences, "smoke.webp")
    ```

    Args:
        shape: (frames, height, width).
        colors: of pictures: "magma", from black through red to a light yellow, or "grey".
    """

    extension = ".npz"
    extensions = (".npz", ".webp", ".gif", ".png")
    animation_extension = ".gif"
    plural = "sequences"
    samples_at_a_glance = 4
    kind = "fields"

    def __init__(self, shape, colors="magma"):
        shape = tuple(shape)
        if len(shape) != 3:
            raise ValueError(f"shape={shape}: expected (frames, height, width).")
        if colors not in COLORS:
            raise ValueError(f"colors={colors!r}: expected {' or '.join(map(repr, COLORS))}.")
        super().__init__((*shape, 3))
        self.colors = colors

    @property
    def edge(self):
        return max(self.shape[1:3])

    @classmethod
    def fitting(cls, samples):
        """The medium of float sequences (count, frames, height, width, 3); None for anything else."""
        samples = np.asarray(samples)
        if samples.dtype.kind == "f" and samples.ndim == 5 and samples.shape[-1] == 3 and samples.size:
            return cls(samples.shape[1:4])
        return None

    def check(self, batch, name="sequences"):
        """Raises a ValueError unless `batch` holds finite floats (batch, frames, height, width, 3)."""
        super().check(batch, name)

    def _shape_hint(self, batch):
        if batch.shape == self.shape:
            return " Add the batch axis: sequences[None]."
        if batch.ndim == 5 and batch.shape[1:3] != self.shape[1:3]:
            return (
                f" Read the sequences with size={self.edge} and frames={self.shape[0]}, or build the model for others."
            )
        return ""

    # Conversions -----------------------------------------------------------------------------------------------------

    def to_natural(self, samples):
        """What a network gave, as float32; a density below 0, which nothing has, becomes 0.

        Raises:
            ValueError: values that are NaN or infinite.
        """
        samples = np.array(self._finite(samples))
        np.maximum(samples[..., 0], 0, out=samples[..., 0])
        return samples

    def descriptors(self, samples):
        """Means of the density over at most 8x8 fields of each frame: where smoke is counts, its detail does not."""
        fields = np.asarray(samples, "float64")[..., 0]
        for axis in (2, 3):
            length = fields.shape[axis]
            starts = np.arange(min(FIELDS, length)) * length // min(FIELDS, length)
            lengths = np.diff([*starts, length]).reshape(-1, *[1] * (3 - axis))
            fields = np.add.reduceat(fields, starts, axis=axis) / lengths
        return super().descriptors(fields)

    # Files and pictures ----------------------------------------------------------------------------------------------

    def save(self, samples, path, columns=None):
        """Saves sequences in one file, by its ending.

        - `.npz`: the arrays `density`, float32 (frames, height, width), and `velocity`, (frames, height, width, 2); of
          several sequences with one axis more in front. `kerasgan.data.fields` reads it.
        - `.webp`, `.gif`: an animation of the density, all sequences beside each other.
        - `.png`: a picture, see `sheet`.

        Args:
            samples: float (count, frames, height, width, 3).
            path: file to write. Missing folders are made.
            columns: sequences in a row; None makes a picture as square as it can.

        Returns:
            The path as a `pathlib.Path`.

        Raises:
            ValueError: samples that are no such array, or another ending; of an animation, too many frames.
            OSError: the file cannot be written.
        """
        samples = self._checked(samples)
        path = files.check_output(path, self.extensions)
        ending = path.suffix.lower()
        if ending == ".png":
            return self._save_sheet(samples, path, columns)
        if ending == ".npz":
            found = samples[0] if len(samples) == 1 else samples
            with files.atomic(path) as temporary:
                np.savez_compressed(temporary, density=found[..., 0], velocity=found[..., 1:])
            return path
        return self._save_animation(samples, path, columns)

    def html(self, samples, columns=None):
        """Sequences as HTML, for notebooks: an animation of the density, up to 600 frames of it."""
        samples = self._checked(samples)
        shown = Fields((min(MOST_ANIMATED, self.shape[0]), *self.shape[1:3]), self.colors)
        shown.samples_per_example = self.samples_per_example
        samples = samples[:, :MOST_ANIMATED]
        width = self._frames(self.shape[2]).sheet(self._colored(samples[:, 0]), columns).shape[1]
        content = shown.content(samples, ".webp", columns)
        return markup.image(content, "image/webp", self.counted(len(samples)), width)

    def _save_animation(self, samples, path, columns):
        import PIL.Image

        if samples.shape[1] > MOST_ANIMATED:
            raise ValueError(
                f"samples has {samples.shape[1]} frames; animations are written of at most {MOST_ANIMATED}. Save a "
                "part of them, samples[:, :600], or all as .npz."
            )
        frames = self._frames(samples.shape[3])
        pictures = [
            PIL.Image.fromarray(frames.sheet(self._colored(frame), columns)) for frame in samples.swapaxes(0, 1)
        ]
        options = {"lossless": True} if path.suffix.lower() == ".webp" else {}
        duration = round(1000 * SECONDS)
        with files.atomic(path) as temporary:
            pictures[0].save(temporary, save_all=True, append_images=pictures[1:], duration=duration, loop=0, **options)
        return path

    def _frames_shown(self):
        """Numbers of the frames that a sheet shows."""
        frames = self.shape[0]
        return np.linspace(0, frames - 1, min(STRIP, frames)).round().astype(int)

    def _pictures(self):
        return self._frames(len(self._frames_shown()) * self.shape[2])

    def _frames(self, width):
        pictures = Image((self.shape[1], width, 3))
        pictures.samples_per_example = self.samples_per_example
        return pictures

    def _drawn(self, samples):
        """uint8 (count, height, shown frames * width, 3)."""
        return np.concatenate([self._colored(samples[:, frame]) for frame in self._frames_shown()], axis=2)

    def _colored(self, frames):
        """The density of frames (count, height, width, 3) in colours, uint8 (count, height, width, 3)."""
        levels = np.rint(255 * np.clip(frames[..., 0], 0, 1)).astype("uint8")
        if self.colors == "grey":
            return np.repeat(levels[..., None], 3, axis=-1)
        import matplotlib

        table = matplotlib.colormaps[self.colors](np.arange(256), bytes=True)[:, :3]
        return table[levels]

    def _checked(self, samples):
        samples = np.asarray(samples)
        if samples.shape[1:] != self.shape or not len(samples) or samples.dtype.kind != "f":
            expected = ", ".join(map(str, self.shape))
            raise ValueError(
                f"samples has shape {samples.shape} and dtype {samples.dtype}; expected floats (count, {expected}), "
                "the density and the velocity of each cell."
            )
        return samples.astype("float32")

    def get_config(self):
        return {"shape": list(self.shape[:3]), "colors": self.colors}
