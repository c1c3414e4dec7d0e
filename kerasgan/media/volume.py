"""Volumes: which cells of a cube are occupied, as of a small model made of blocks."""

import io

import keras
import numpy as np

from kerasgan import files
from kerasgan.checks import is_whole
from kerasgan.media import blocks, isometric
from kerasgan.media.image import Image
from kerasgan.media.pictured import Pictured

GAP = 2  # cells between models that stand in one file
FIELDS = 8  # of descriptors, along each edge
VIEW = 128  # pixels that a view is wide, about
MOST_CELLS = 256  # along an edge


@keras.saving.register_keras_serializable(package="kerasgan")
class Volume(Pictured):
    """Volumes: bool (x, y, z) for people, x to the right, y to the back, z up; for the model float32 (x, y, z, 1).

    The model sees -1 for empty and 1 for occupied; what a generator gives is occupied above 0.

    A sheet shows of each volume the view from the front and the right, and from behind; cells are darker at the bottom
    (see `kerasgan.media.isometric`).

    ```python
    volume = Volume(16)
    volume.save(gan.generate(1), "robot.glb")
    volume.save(gan.generate(25), "robots.png")
    ```

    Args:
        size: cells along each edge.
    """

    extension = ".glb"
    extensions = (".glb", ".obj", ".vox", ".npz", ".zip", ".png")
    animation_extension = ".gif"
    plural = "volumes"
    samples_at_a_glance = 9
    kind = "volume"
    range = (-1.0, 1.0)
    exported_range = (0.0, 1.0)
    default_metrics = ("occupancy", "connected", "mirror", "copies", "one_nn")

    similarity = "intersection over union"

    def __init__(self, size):
        if not is_whole(size, least=2) or size > MOST_CELLS:
            raise ValueError(f"size={size!r}: expected a whole number of cells along an edge, 2 to {MOST_CELLS}.")
        super().__init__((size, size, size, 1))

    @property
    def size(self):
        """Cells along each edge."""
        return self.shape[0]

    @classmethod
    def fitting(cls, samples):
        """The medium of a batch of cubes, bool (count, size, size, size); None for anything else."""
        samples = np.asarray(samples)
        if samples.dtype == np.bool_ and samples.ndim == 4 and samples.size and len(set(samples.shape[1:])) == 1:
            return cls(samples.shape[1])
        return None

    def check(self, batch, name="volumes"):
        """Raises a ValueError unless `batch` holds floats (batch, x, y, z, 1) in [-1, 1]."""
        super().check(batch, name)

    def _shape_hint(self, batch):
        if batch.ndim == 4 and batch.shape[1:] == self.shape[:3]:
            return " Add the channel axis: volumes[..., None]."
        if batch.ndim == 5:
            return f" Read the volumes with size={self.size}, or build the model for others."
        return ""

    def _advice(self, batch):
        return " Read files and arrays of cells with kerasgan.data.volumes, or convert them with gan.media.to_model."

    # Conversions -----------------------------------------------------------------------------------------------------

    def to_natural(self, samples):
        """What a network gave as bool (count, x, y, z): occupied where it is above 0.

        Raises:
            ValueError: values that are NaN or infinite.
        """
        return self._finite(samples)[..., 0] > 0

    def to_model(self, samples):
        """Cells, bool or whole numbers 0 and 1, (count, x, y, z), as float32 (count, x, y, z, 1) of -1 and 1.

        Raises:
            ValueError: floats, or other numbers.
        """
        samples = np.asarray(samples)
        if samples.dtype.kind not in "biu" or samples.size and not (samples.min() >= 0 and samples.max() <= 1):
            raise ValueError(
                f"samples has dtype {samples.dtype} and values up to {samples.max(initial=0)}; expected bool, or whole "
                "numbers 0 for empty and 1 for occupied."
            )
        return 2.0 * samples[..., None].astype("float32") - 1.0

    def finish(self, samples):
        """The end of an exported network: [-1, 1] -> [0, 1], clipped; occupied is what lies above 0.5."""
        return keras.ops.clip(0.5 * samples + 0.5, 0.0, 1.0)

    def descriptors(self, samples):
        """Means of at most 8x8x8 fields: where there is something counts, single cells do not."""
        fields = np.asarray(samples, "float64")
        starts = np.arange(min(FIELDS, self.size)) * self.size // min(FIELDS, self.size)
        lengths = np.diff([*starts, self.size])
        for axis in (1, 2, 3):
            fields = np.add.reduceat(fields, starts, axis=axis) / lengths.reshape(-1, *[1] * (4 - axis))
        return super().descriptors(fields)

    def similarities(self, samples, others):
        """The intersection over union of each of some volumes with each of others, or with its mirror image."""
        from kerasgan.metrics import volumes

        return volumes.similarities(samples, others)

    # Files -----------------------------------------------------------------------------------------------------------

    def save(self, samples, path, columns=None):
        """Saves volumes in one file, by its ending.

        - `.npz`: the array `voxels`, uint8 (count, x, y, z) of 0 and 1.
        - `.glb`, `.obj`: the faces of occupied cells, each cell of edge 1, for programs that show solid models. Several
          volumes stand side by side, as on the sheet.
        - `.vox`: the same for MagicaVoxel, at most 256 cells along an edge in all.
        - `.zip`: each in a `.vox` file of its own, called by its number; `kerasgan.data.volumes` reads it.
        - `.png`: a picture, see `sheet`.

        Args:
            samples: bool, or 0 and 1 (count, x, y, z).
            path: file to write. Missing folders are made.
            columns: volumes in a row.

        Returns:
            The path as a `pathlib.Path`.

        Raises:
            ValueError: samples that are no such array, or another ending; of `.vox`, too many of them.
            OSError: the file cannot be written.
        """
        samples = self._checked(samples)
        path = files.check_output(path, self.extensions)
        ending = path.suffix.lower()
        if ending == ".png":
            return self._save_sheet(samples, path, columns)
        content = self._content(samples, ending, columns)
        with files.atomic(path) as temporary:
            temporary.write_bytes(content)
        return path

    def _content(self, samples, ending, columns):
        """The bytes of a file."""
        if ending == ".glb":
            return blocks.glb(self._side_by_side(samples, columns))
        if ending == ".obj":
            return blocks.obj(self._side_by_side(samples, columns)).encode()
        if ending == ".vox":
            return blocks.vox(self._side_by_side(samples, columns))
        content = io.BytesIO()
        if ending == ".npz":
            np.savez_compressed(content, voxels=samples.astype("uint8"))
            return content.getvalue()
        files.write_zip(content, [blocks.vox(one) for one in samples], ".vox")
        return content.getvalue()

    def _side_by_side(self, samples, columns):
        """One grid in which all stand on the floor, row behind row; the first one stands at the back on the left."""
        count, size = len(samples), self.size
        columns = min(count, columns or int(np.ceil(np.sqrt(count))))
        rows = -(-count // columns)
        pitch = size + GAP
        floor = np.zeros((columns * pitch - GAP, rows * pitch - GAP, size), bool)
        for number, sample in enumerate(samples):
            row, column = divmod(number, columns)
            x, y = column * pitch, (rows - 1 - row) * pitch
            floor[x : x + size, y : y + size] = sample
        return floor

    # Pictures --------------------------------------------------------------------------------------------------------

    def _half(self):
        return max(2, VIEW // (2 * self.size) // 2 * 2)  # an even number of pixels

    def _pictures(self):
        edge = 2 * self.size * self._half()
        return Image((edge, 2 * edge, 3))

    def _drawn(self, samples):
        """uint8 (count, edge, 2 * edge, 3): both views of each."""
        turned = samples[:, ::-1, ::-1]  # by half a turn about the upright axis
        views = [
            np.concatenate([isometric.picture(view, self._half()) for view in both], axis=1)
            for both in zip(samples, turned, strict=True)
        ]
        return np.stack(views)

    def _checked(self, samples):
        samples = np.asarray(samples)
        if samples.shape[1:] != self.shape[:3] or not len(samples) or samples.dtype.kind not in "biu":
            expected = ", ".join(map(str, self.shape[:3]))
            raise ValueError(
                f"samples has shape {samples.shape} and dtype {samples.dtype}; expected bool (count, {expected}), as "
                "`generate` and `to_natural` return them."
            )
        return samples > 0

    def get_config(self):
        return {"size": self.size}
