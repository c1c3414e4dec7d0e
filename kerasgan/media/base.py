"""What every kind of sample has in common."""

import pathlib
import tempfile
from typing import NamedTuple

import numpy as np

from kerasgan.media import markup

OF_IMAGES = ("color", "translation", "cutout", "adaptive")  # augmentations
_PRINTED = 4000  # letters of samples that a notebook shows as text
_SLACK = 0.005  # of a range's width: room for rounding in half precision and for antialiased resizing


class Part(NamedTuple):
    """What one array of a batch in model range is: the shape of its rows, their dtype, and (least, most) or None."""

    shape: tuple
    dtype: str
    range: tuple | None

    @property
    def is_float(self):
        return np.dtype(self.dtype).kind == "f"

    def __str__(self):
        numbers = "floats" if self.is_float else "whole numbers"
        return numbers if self.range is None else f"{numbers} in {self.interval}"

    @property
    def interval(self):
        return "[{:g}, {:g}]".format(*self.range)


class Media:
    """A kind of sample: how it is checked, converted, shown and saved. The base of all kinds.

    Two representations meet here and nowhere else. The *model range* is what networks see: arrays of `shape`, `dtype`
    and `range`, such as floats in [-1, 1]. The *natural units* are what people use: uint8 pixels, waveforms, tables,
    strings. A kind is a subclass, registered with Keras (`package="kerasgan"`), that sets the attributes below and has

    - `to_natural(samples)` and `to_model(samples)`: the conversions of batches, NumPy arrays in and out;
    - `save(samples, path, columns=None)`: writes a batch in natural units as one file, whole or not at all;
    - `html(samples, columns=None)`: a batch in natural units as a notebook shows it: a picture, players, a table;
    - `show(samples, columns=None)`: displays a batch in natural units, returns what a notebook shows: of kinds that are
      drawn, the matplotlib figure;
    - `fitting(samples)`: the medium that a batch in natural units belongs to, or None;
    - `save_sheet(samples, path)`: writes what shows them at a glance, if that is not what `save` writes;
    - `sheet(samples)`: the same as a picture, if they can be drawn;
    - `animate(frames, path)`: shows a series of saved batches as one file, if the kind can;
    - `descriptors(samples)`: what samples are compared by where it must be cheap;
    - `similarities(samples, others)`: how alike two samples are, where no network is needed to tell;
    - `default_network()`: the feature network that scores see them through, if there is one;
    - `described()`: what an app must know of a sample besides its shape and range;
    - `exported()`: the same of each output, where an exported network has several;
    - `compared(output)`: what of an exported network's output has to be Keras's besides the numbers themselves;
    - `finish(samples)`: the end of an exported network, Keras tensors from model range to `exported_range`;
    - `begin(samples)`: the beginning of one that is given samples, from `exported_range` to model range.

    A sample may have several parts, such as the numbers and the words of a row: then `shape`, batches in model range,
    and `dtype` and `range` where the parts differ, are dictionaries of the same names.

    Args:
        shape: shape of one sample in model range, without the batch axis, or {name: shape} of its parts.

    Attributes:
        dtype: of the model range, a floating-point or integer dtype; of floats, others than float32 will do, too.
        range: (least, most) value in model range, or None for any finite ones.
        edge: the longest side of an image, a whole number, by which starting values of a training are chosen; None for
            what has no such side.
        default_metrics: names of the scores that are taken of them unless others are asked for.
        similarity: what `similarities` measures, in words; None where only a feature network tells how alike two are.
        augmentations: names that `compile(augmentation=...)` takes for them.
        extension: ending of a saved batch, with its dot.
        extensions: every ending that `save` writes.
        sheet_extension: ending of what shows them at a glance; `extension` where it is the same.
        animation_extension: ending of an animation; None if the kind has none.
        animated_extensions: endings of files that show samples as they come about, where `save(..., animated=True)`
            asks for it; a kind without any needs no such argument.
        fitted: what a reader learned of the data that the medium is made of, as `kerasgan.data.dataset.Dataset.fitted`;
            None of a kind without.
        variations: what `varied` does to samples, in words; None of a kind that it leaves as they are.
        made_by: who made the samples, "kerasgan" or, of a pretrained model, "kerasgan, NAME": what saved pictures say.
        map_extension: ending of a picture of where a sample is strange; None if the kind has none.
        plural: what several samples are called in messages and progress lines.
        singular: what one is called there; without it, as `plural` without its s.
        kind: what a sample is, in one word, for programs that read the sidecar of an exported network, such as the page
            that `kerasgan serve` shows.
        exported_range: what an exported network's output lies in, or None for any values; as the `range` of all parts
            unless `finish` changes it.
        samples_per_example: how many samples of a preview belong to one example, one after the other, such as an image
            and its translation: a sheet has them in the same row.
        samples_on_sheet: how many a sheet is made of, unless others are asked for.
        samples_at_a_glance: how many a model shows of itself in a notebook.
    """

    dtype = "float32"
    range = None
    edge = None
    default_metrics = ()
    similarity = None
    augmentations = ()
    extension = None
    extensions = ()
    animation_extension = None
    map_extension = None
    made_by = "kerasgan"
    fitted = None
    variations = None
    animated_extensions = ()
    plural = "samples"
    kind = "array"
    samples_per_example = 1
    samples_on_sheet = 64
    samples_at_a_glance = 16

    def __init__(self, shape):
        if isinstance(shape, dict):
            self.shape = {name: tuple(int(length) for length in part) for name, part in shape.items()}
        else:
            self.shape = tuple(int(length) for length in shape)
        if any(length < 1 for part in self.parts.values() for length in part.shape):
            given = shape if isinstance(shape, dict) else tuple(shape)
            raise ValueError(f"shape={given} must have positive lengths only.")

    @property
    def singular(self):
        return self.plural.removesuffix("s")

    def counted(self, count):
        """So many samples in words: "1 image", "2 images"."""
        return f"{count} {self.singular if count == 1 else self.plural}"

    @property
    def parts(self):
        """{name: `Part`} of a batch in model range; samples of one part have the name None."""

        def own(value, name):
            return value[name] if isinstance(value, dict) else value

        shapes = self.shape if isinstance(self.shape, dict) else {None: self.shape}
        return {name: Part(shape, own(self.dtype, name), own(self.range, name)) for name, shape in shapes.items()}

    @property
    def shape_text(self):
        """The shape of a sample for people, such as "64x64x3", or "numbers 5, words 8" of several parts."""
        return ", ".join(f"{name or ''} {'x'.join(map(str, p.shape))}".strip() for name, p in self.parts.items())

    def map_parts(self, function, samples):
        """What `function` (of an array and its `Part`) makes of each part of a batch, in the same structure."""
        if not isinstance(self.shape, dict):
            return function(samples, self.parts[None])
        return {name: function(samples[name], part) for name, part in self.parts.items()}

    # Conversions -----------------------------------------------------------------------------------------------------

    def to_natural(self, samples):
        """What a network gave, in natural units. Here, the samples themselves."""
        return self.map_parts(lambda values, part: np.asarray(values, part.dtype), samples)

    def to_model(self, samples):
        """Samples in natural units, in model range. Here, the samples themselves."""
        return self.map_parts(lambda values, part: np.asarray(values, part.dtype), samples)

    def finish(self, samples):
        """The end of an exported network: from model range to what an app uses at once. Here, the samples as they are.

        Args:
            samples: Keras tensor (batch, *shape) in model range.

        Returns:
            Keras tensor (batch, *shape) in `exported_range`.
        """
        return samples

    def begin(self, samples):
        """The beginning of an exported network that is given samples, the inverse of `finish`. Here, as they are."""
        return samples

    @property
    def exported_range(self):
        return None if isinstance(self.range, dict) else self.range

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

    # Files and pictures ----------------------------------------------------------------------------------------------

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

    def check_animated(self, path, name="animated"):
        """Raises a ValueError unless a file of this ending shows samples as they come about.

        Args:
            path: a `pathlib.Path`.
            name: how the argument that asks for it is called in the error.
        """
        if path.suffix.lower() in self.animated_extensions:
            return
        endings = ", ".join(self.animated_extensions)
        able = f"files of {self.plural} that do end in {endings}" if endings else f"no file of {self.plural} does"
        raise ValueError(f"{name}: {path.name!r} does not show how samples come about; {able}.")

    def sheet(self, samples, columns=None):
        """A picture of samples in natural units, uint8 (height, width, channels); None if they cannot be drawn."""
        return None

    def html(self, samples, columns=None):
        """Samples in natural units as a notebook shows them: HTML without scripts. Here, as Python prints them.

        Args:
            samples: a batch in natural units.
            columns: samples in a row, where the kind has rows; None chooses.
        """
        return markup.preformatted(repr(samples)[:_PRINTED])

    def show(self, samples, columns=None):
        """Displays samples in natural units: as the last line of a notebook cell they appear below it, as `html`."""
        return markup.Html(self.html(samples, columns), repr(samples))

    def content(self, samples, extension, columns=None):
        """The bytes of the file with this ending that `save` writes of samples in natural units."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / f"samples{extension}"
            return self.save(samples, path, columns=columns).read_bytes()

    @classmethod
    def fitting(cls, samples):
        """The medium that a batch in natural units belongs to; None if it is not of this kind."""
        return None

    def save_map(self, sample, where, path):
        """Writes a picture of where a sample is strange, ending in `map_extension`. Not of a kind without one.

        Args:
            sample: one sample in natural units.
            where: float32, 0 to 1, as `kerasgan.scorer.Scores.maps` has it.
            path: file to write.
        """
        raise NotImplementedError(f"{type(self).__name__} does not show where a sample is strange.")

    # What others ask of a kind ---------------------------------------------------------------------------------------

    def descriptors(self, samples):
        """What samples are compared by where it must be cheap, float64 (n, d): here, all values.

        A network that sees a collapse is not needed: a collapse is coarse (see `kerasgan.callbacks.CollapseMonitor`).

        Args:
            samples: a batch in model range.
        """
        rows = []
        self.map_parts(lambda values, _: rows.append(np.asarray(values, "float64").reshape(len(values), -1)), samples)
        return np.concatenate(rows, axis=1)

    def similarities(self, samples, others):
        """How alike samples are, in natural units: float64 (n, m), higher where they are more so; see `similarity`."""
        raise NotImplementedError(f"{type(self).__name__} does not say how alike two samples are.")

    def default_network(self):
        """Name of the feature network that scores see samples through, unless another is asked for.

        Raises:
            ValueError: none is for such samples.
            ImportError: none is installed.
        """
        raise ValueError(
            f"network: no feature network is for {self.plural} of shape {self.shape_text}; give a function from "
            "samples to features."
        )

    def described(self):
        """What an app must know of a sample besides its shape and range, for the sidecar of an exported network."""
        return {}

    def exported(self):
        """What an app must know of each output that `finish` gives, a list of JSON dicts: here, of each part.

        Each has its `name` (of samples of one part, `plural`), `kind` and `range` (lowest and highest value, or None
        for any), and what `described` adds.
        """
        if isinstance(self.shape, dict):
            ranges = {name: part.range for name, part in self.parts.items()}
        else:
            ranges = {self.plural: self.exported_range}
        return [
            {"name": name, "kind": self.kind, "range": bounds and list(bounds), **self.described()}
            for name, bounds in ranges.items()
        ]

    def compared(self, output):
        """What of an exported network's output has to be Keras's besides the numbers. Here, nothing.

        Args:
            output: its name, as in `exported`.

        Returns:
            {what it is called: function from the output, an array, to an array}. Whole numbers, which name something,
            such as a class or a pitch, have to be the same but for a small share (`kerasgan.export.tolerance`).
        """
        return {}

    def made_up(self, count, seed):
        """Samples in natural units that stand in for data, the same for the same seed. Here, noise in `range`."""
        random = np.random.default_rng(seed)

        def noise(_, part):
            least, most = part.range or (-1, 1)
            if part.is_float:
                return random.uniform(least, most, (count, *part.shape)).astype(part.dtype)
            return random.integers(least, most, (count, *part.shape), part.dtype, endpoint=True)

        return self.to_natural(self.map_parts(noise, dict.fromkeys(self.parts)))

    # Classifiers -----------------------------------------------------------------------------------------------------

    def to_classifier(self, samples):
        """Samples in natural units as a small classifier sees them, float32 (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: of a kind that nothing here classifies.
        """
        raise ValueError(f"There is no classifier of {self.plural}; there are some of images and sounds.")

    def varied(self, samples, random, mirror=False):
        """Samples in natural units, each changed as is usual in the training of classifiers. Here, as they are.

        Args:
            samples: a batch in natural units.
            random: `numpy.random.Generator`.
            mirror: whether every other one is mirrored, where the kind has mirror images.
        """
        return samples

    # Checks ----------------------------------------------------------------------------------------------------------

    def check(self, batch, name="samples"):
        """Raises a ValueError unless `batch` is a batch of samples in model range.

        Args:
            batch: array or tensor (batch, *shape), or a dictionary of them, as `shape` is.
            name: how the argument is called in the error.
        """
        if isinstance(self.shape, dict) and set(getattr(batch, "keys", tuple)()) != set(self.shape):
            found = sorted(batch) if isinstance(batch, dict) else type(batch).__name__
            raise ValueError(f"{name} is {found}; expected a dictionary of {', '.join(self.shape)}.")
        lengths = set()
        for label, part in self.parts.items():
            called = name if label is None else f"{name}[{label!r}]"
            values = np.asarray(batch if label is None else batch[label])
            self._check_shape(values, part, called)
            self._check_values(values, part, called)
            lengths.add(len(values))
        if len(lengths) > 1:
            raise ValueError(f"{name} has parts of {sorted(lengths)} samples; expected as many in each.")

    def _check_shape(self, values, part, name):
        if values.ndim < 1 or values.shape[1:] != part.shape:
            expected = ", ".join(str(length) for length in ("batch", *part.shape))
            raise ValueError(f"{name} has shape {values.shape}; expected ({expected}).{self._shape_hint(values)}")
        if not len(values):
            raise ValueError(f"{name} is an empty batch; expected at least one of {self.plural}.")

    def _check_values(self, values, part, name):
        """Raises a ValueError unless values have the dtype of a part, are finite, and in its range."""
        if values.dtype.kind not in ("fV" if part.is_float else "iu"):  # bfloat16 is kind V to NumPy
            raise ValueError(f"{name} has dtype {values.dtype}; expected {part}.{self._advice(values)}")
        if part.is_float:
            values = values.astype("float32")  # also makes ordinary numbers of bfloat16
        bad = values.size - np.count_nonzero(np.isfinite(values))
        if bad:
            raise ValueError(
                f"{name} holds {bad} NaN or infinite values among {values.size}; clean the data before training."
            )
        if part.range is None or not values.size:
            return
        (least, most), (low, high) = part.range, (float(values.min()), float(values.max()))
        slack = _SLACK * (most - least) if part.is_float else 0
        if low < least - slack or high > most + slack:
            raise ValueError(f"{name} lies in [{low:g}, {high:g}]; expected {part.interval}.{self._advice(values)}")

    def _shape_hint(self, values):
        """What to do about a batch of this wrong shape, as a sentence with a leading space, or nothing."""
        return ""

    def _advice(self, values):
        """What to do about values that are not in model range, as a sentence with a leading space, or nothing."""
        return ""

    # Keras -----------------------------------------------------------------------------------------------------------

    def get_config(self):
        """The constructor's arguments."""
        is_parts = isinstance(self.shape, dict)
        return {"shape": {name: list(part) for name, part in self.shape.items()} if is_parts else list(self.shape)}

    @classmethod
    def from_config(cls, config):
        """The medium that `get_config` described."""
        return cls(**config)
