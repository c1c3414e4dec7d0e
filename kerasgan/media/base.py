"""What every kind of sample has in common."""

import numpy as np


class Media:
    """A kind of sample: how it is checked, converted, shown and saved. The base of all kinds.

    Two representations meet here and nowhere else. The *model range* is what networks see: floats in [-1, 1]. The
    *natural units* are what people use: uint8 pixels, waveforms, tables, strings. A kind is a subclass, registered
    with Keras (`package="kerasgan"`), that sets the attributes below and has

    - `to_natural(samples)` and `to_model(samples)`: the conversions of batches, NumPy arrays in and out;
    - `save(samples, path, columns=None)`: writes a batch in natural units as one file, whole or not at all;
    - `show(samples, columns=None)`: displays a batch in natural units, returns the matplotlib figure;
    - `fitting(samples)`: the medium that a batch in natural units belongs to, or None;
    - `save_sheet(samples, path)`: writes what shows them at a glance, if that is not what `save` writes;
    - `animate(frames, path)`: shows a series of saved batches as one file, if the kind can;
    - `outline(samples)`: what samples are compared by where it must be cheap;
    - `described()`: what an app must know of a sample besides its shape and range;
    - `exported()`: the same of each output, where an exported network has several;
    - `finish(samples)`: the end of an exported network, Keras tensors from model range to `exported_range`.

    Args:
        shape: shape of one sample in model range, without the batch axis.

    Attributes:
        extension: ending of a saved batch, with its dot.
        extensions: every ending that `save` writes.
        sheet_extension: ending of what shows them at a glance; `extension` where it is the same.
        animation_extension: ending of an animation; None if the kind has none.
        plural: what several samples are called in messages and progress lines.
        kind: what a sample is, in one word, for programs that read the sidecar of an exported network.
        exported_range: what an exported network's output lies in, or None for any values.
    """

    extension = None
    extensions = ()
    animation_extension = None
    plural = "samples"
    kind = "array"
    exported_range = None

    def __init__(self, shape):
        self.shape = tuple(int(length) for length in shape)
        if any(length < 1 for length in self.shape):
            raise ValueError(f"shape={tuple(shape)} must have positive lengths only.")

    def finish(self, samples):
        """The end of an exported network: from model range to what an app uses at once. Here, the samples as they are.

        Args:
            samples: Keras tensor (batch, *shape) in model range.

        Returns:
            Keras tensor (batch, *shape) in `exported_range`.
        """
        return samples

    @property
    def sheet_extension(self):
        return self.extension

    def save_sheet(self, samples, path, columns=None):
        """Writes what shows samples at a glance, as a training does of its progress. Here, what `save` writes.

        Args:
            samples: a batch in natural units.
            path: file to write, ending in `sheet_extension`. A kind may put others of the same name beside it.
            columns: samples in a row, where the kind has rows; None chooses.

        Returns:
            The path as a `pathlib.Path`.
        """
        return self.save(samples, path, columns=columns)

    def outline(self, samples):
        """What samples are compared by where it must be cheap, float64 (n, d): here, all values.

        A network that sees a collapse is not needed: a collapse is coarse (see `kerasgan.callbacks.CollapseMonitor`).

        Args:
            samples: floats (n, *shape) in model range.
        """
        return np.asarray(samples, "float64").reshape(len(samples), -1)

    def described(self):
        """What an app must know of a sample besides its shape and range, for the sidecar of an exported network."""
        return {}

    def exported(self):
        """What an app must know of each output that `finish` gives, a list of JSON dicts: here, of the one.

        Each has its `name`, `kind` and `range` (lowest and highest value, or None for any), and what `described` adds.
        """
        bounds = None if self.exported_range is None else list(self.exported_range)
        return [{"name": self.plural, "kind": self.kind, "range": bounds, **self.described()}]

    @classmethod
    def fitting(cls, samples):
        """The medium that a batch in natural units belongs to; None if it is not of this kind."""
        return None

    def check(self, batch, name="samples"):
        """Raises a ValueError unless `batch` is a batch of samples in model range.

        Args:
            batch: array or tensor, expected as floats (batch, *shape) in [-1, 1].
            name: how the argument is called in the error.
        """
        batch = np.asarray(batch)
        self._check_shape(batch, name)
        self._check_dtype(batch, name)
        batch = batch.astype("float32")  # also makes ordinary numbers of bfloat16
        bad = batch.size - np.count_nonzero(np.isfinite(batch))
        if bad:
            raise ValueError(
                f"{name} holds {bad} NaN or infinite values among {batch.size}; clean the data before training."
            )
        self._check_range(batch, name)

    def begins_at_zero(self, samples):
        """Whether floats are all in [0, 1] where 0 might be meant as the lowest value. Here, never."""
        return False

    def in_model_range(self, samples):
        """An array as a user has it -> in model range, where its values say how. Here, as it is."""
        return samples

    def _finite(self, samples):
        """What a network gave, as float32; a `ValueError` for NaN or infinite values, which nothing can show."""
        samples = np.asarray(samples).astype("float32")
        bad = samples.size - np.count_nonzero(np.isfinite(samples))
        if bad:
            raise ValueError(
                f"samples holds {bad} NaN or infinite values among {samples.size}: the generator's weights are "
                "broken. Go back to an earlier checkpoint and train with a lower learning rate."
            )
        return samples

    def _check_shape(self, batch, name):
        if batch.ndim < 1 or batch.shape[1:] != self.shape:
            expected = ", ".join(str(length) for length in ("batch", *self.shape))
            raise ValueError(f"{name} has shape {batch.shape}; expected ({expected}).{self._shape_hint(batch)}")
        if not len(batch):
            raise ValueError(f"{name} is an empty batch; expected at least one of {self.plural}.")

    def _shape_hint(self, batch):
        """What to do about a batch of this wrong shape, as a sentence with a leading space, or nothing."""
        return ""

    def _check_dtype(self, batch, name):
        if batch.dtype.kind not in "fV":  # bfloat16 is kind V to NumPy
            raise ValueError(f"{name} has dtype {batch.dtype}; expected floats in [-1, 1].{self._advice(batch)}")

    def _check_range(self, batch, name):
        low, high = float(batch.min()), float(batch.max())
        if low < -1.01 or high > 1.01:  # room for rounding in half precision and for antialiased resizing
            raise ValueError(f"{name} lies in [{low:g}, {high:g}]; expected [-1, 1].{self._advice(batch)}")

    def _advice(self, batch):
        """What to do about values that are not in model range, as a sentence with a leading space, or nothing."""
        return ""

    def get_config(self):
        """The constructor's arguments."""
        return {"shape": list(self.shape)}

    @classmethod
    def from_config(cls, config):
        """The medium that `get_config` described."""
        return cls(**config)
