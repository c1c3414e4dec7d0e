"""What every kind of sample promises. A kind that is new in `kerasgan.media` is tested as soon as it is there."""

import inspect
import json

import keras
import matplotlib
import numpy as np
import pytest

from kerasgan import augmentation, media, metrics
from kerasgan.media import Arrays, Audio, Fields, Image, Media, Music, Sketch, Table, Text, Video, Volume

matplotlib.use("Agg")

SMALL = [Image((8, 6, 1)), Image((8, 6, 3)), Image((6, 8, 4)), Audio(64, 1000), Audio(64, 8000, 2)]
SMALL += [Music(2, 3, 2, 60, 14, 3), Music(2, 2, 4, 40, 24, 2, (0, -1), monophonic=True), Volume(4), Sketch(9, 12.5)]
TABLE = {
    "columns": [
        {
            **{"name": "size", "kind": "number", "least": -2.5, "most": 9.0, "decimals": 2, "missing": 0},
            **{"modes": [[0.5, 0.0, 1.0], [0.4, 5.0, 2.0], [0.1, 9.0, 0.0]], "shares": [0.05] * 20},
        },
        {"name": "word", "kind": "categorical", "values": ["a", "b", None], "counts": [3, 2, 1]},
        {
            **{"name": "day", "kind": "datetime", "least": 0.0, "most": 864e5, "step": 86_400, "missing": 0},
            **{"format": "%d.%m.%Y", "modes": [[1.0, 432e5, 108e5]], "shares": [0.05] * 20},
        },
        {"name": "flag", "kind": "boolean", "values": [False, True], "counts": [1, 1]},
        {"name": "number", "kind": "identifier"},
        {"name": "land", "kind": "constant", "values": ["x"], "counts": [6]},
    ],
    "associations": [[1.0] * 4] * 4,
}
SMALL += [Table(TABLE)]
SMALL += [Text({"unit": "character", "vocabulary": ["", *"abcdefgh"], "length": 6})]
SMALL += [Text({"unit": "word", "vocabulary": ["", "(", ")", ",", "red", "heart"], "length": 5})]
SMALL += [Text({"unit": "word", "vocabulary": [str(n) for n in range(30)], "length": 200})]
SMALL += [Fields((3, 6, 8)), Fields((8, 4, 4), "grey")]
SMALL += [Video((5, 6, 8, 1)), Video((3, 8, 6, 3), 12.5)]
SMALL += [Arrays((3,)), Arrays((5, 4, 3)), Arrays((2, 3, 4, 1))]
FIRST_ARGUMENTS = ((8, 6, 3), 64, (3,))  # one of which a kind that is not listed may take


@keras.saving.register_keras_serializable(package="tests")
class Rows(Media):
    """A kind of several parts, of the attributes alone: whole numbers and floats, of ranges of their own."""

    kind, plural, extension, extensions = "row", "rows", ".json", (".json",)
    dtype = {"words": "int32", "numbers": "float32"}
    range = {"words": (0, 9), "numbers": None}

    def save(self, samples, path, columns=None):
        rows = self.map_parts(lambda values, _: values.tolist(), samples)
        path.write_text(json.dumps(rows))
        return path


def small():
    """An instance or more of every kind."""
    listed = [*SMALL, Rows({"words": (4,), "numbers": (2, 3)})]
    known = {type(one) for one in listed}
    for name in media.__all__:
        kind = getattr(media, name)
        if inspect.isclass(kind) and kind is not Media and kind not in known:
            listed.append(made(kind))
    return listed


def made(kind):
    for argument in FIRST_ARGUMENTS:
        try:
            return kind(argument)
        except (TypeError, ValueError):
            pass
    raise AssertionError(f"Add a small {kind.__name__} to SMALL in {__file__}.")


@pytest.fixture(params=small(), ids=lambda one: f"{type(one).__name__} {one.shape_text}")
def one(request):
    return request.param


def in_model_range(one, count=5, seed=0):
    """Random samples: whatever a kind's shape, dtype and range allow."""
    random = np.random.default_rng(seed)

    def draw(_, part):
        least, most = part.range or (-3, 3)
        if part.is_float:
            return random.uniform(least, most, (count, *part.shape)).astype(part.dtype)
        return random.integers(least, most + 1, (count, *part.shape)).astype(part.dtype)

    return one.map_parts(draw, dict.fromkeys(one.parts))


def equal(first, second):
    keras.tree.map_structure(np.testing.assert_array_equal, first, second)
    keras.tree.map_structure(lambda a, b: np.testing.assert_equal(kinds_of(a), kinds_of(b)), first, second)


def kinds_of(values):
    """The dtype of an array, or those of a data frame's columns; the type of a string."""
    if isinstance(values, str):
        return str
    return values.dtype if hasattr(values, "dtype") else list(values.dtypes)


def test_what_it_says_of_its_model_range_holds(one):
    samples = in_model_range(one)
    one.check(samples)
    natural = one.to_natural(samples)
    again = one.to_model(natural)
    one.check(again)
    equal(one.to_natural(again), natural)  # what people have, a model gives back
    keras.tree.map_structure(lambda a, b: np.testing.assert_equal(a.dtype, np.dtype(b)), again, dtypes(one))
    for name, part in one.parts.items():
        assert np.dtype(part.dtype).kind in "fiu" and all(length > 0 for length in part.shape)
        assert part.range is None or part.range[0] < part.range[1]
        for wrong, message in wrong_values(samples if name is None else samples[name], part):
            changed = wrong if name is None else {**samples, name: wrong}
            with pytest.raises(ValueError, match=message):
                one.check(changed, "these")


def dtypes(one):
    return one.map_parts(lambda _, part: part.dtype, dict.fromkeys(one.parts))


def wrong_values(values, part):
    yield values[:0], "these.* is an empty batch"
    yield values[..., None], "these.* has shape"
    yield values.astype("int16" if part.is_float else "float32"), "these.* has dtype"
    if part.is_float:
        broken = values.copy()
        broken.flat[0] = np.nan
        yield broken, "these.* holds 1 NaN"
    if part.range is not None:
        yield np.full_like(values, part.range[1] + 1), "these.* lies in"


def test_it_is_shown_and_saved_in_its_natural_units(one, tmp_path):
    natural = one.to_natural(in_model_range(one))
    assert one.extension in one.extensions
    for extension in one.extensions:
        path = one.save(natural, tmp_path / f"samples{extension}", columns=2)
        assert path.stat().st_size
    assert one.save_sheet(natural, tmp_path / f"sheet{one.sheet_extension}").stat().st_size
    sheet = one.sheet(natural, columns=2)
    assert sheet is None or (sheet.dtype == np.uint8 and sheet.ndim == 3)
    if one.animation_extension:
        sheets = [one.save_sheet(natural, tmp_path / f"{n}{one.sheet_extension}") for n in range(2)]
        assert one.animate(sheets, tmp_path / f"all{one.animation_extension}").stat().st_size
    found = type(one).fitting(natural)
    assert found is None or (type(found), found.shape) == (type(one), one.shape)


def test_descriptors_tell_samples_apart(one):
    samples = in_model_range(one)
    found = one.descriptors(samples)
    assert found.dtype == np.float64 and found.ndim == 2 and len(found) == 5 and np.isfinite(found).all()
    assert len(np.unique(found, axis=0)) == 5
    equal(one.descriptors(samples), found)


def test_what_others_ask_of_it(one):
    assert one.kind.isidentifier() and one.plural.islower()
    assert one.counted(2) == f"2 {one.plural}" and one.plural in (one.counted(1)[2:] + "s", one.counted(1)[2:] + "es")
    assert one.edge is None or one.edge in one.shape
    assert set(one.default_metrics) <= set(metrics.METRICS)
    for name in one.augmentations:
        assert callable(augmentation.get(name, one))
    json.dumps(one.described())
    assert all(isinstance(name, str) for name in one.described())
    try:
        assert one.default_network() in metrics.features.names()
        assert one.default_metrics
    except ValueError as error:
        assert "give a" in str(error)
    except ImportError as error:  # of a network that is not installed here
        assert "kerasgan[" in str(error)


def test_an_exported_network_ends_in_the_range_that_it_says(one):
    if len(one.parts) > 1:
        return
    samples = in_model_range(one)
    finished = keras.ops.convert_to_numpy(one.finish(keras.ops.convert_to_tensor(samples)))
    assert finished.shape == samples.shape
    if one.exported_range is not None:
        least, most = one.exported_range
        assert least <= finished.min() and finished.max() <= most


def test_it_is_saved_with_its_model(one):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(one)))
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(one) and again.shape == one.shape and again.get_config() == one.get_config()


def test_augmentations_of_images_are_refused_for_other_kinds():
    for name in ("color", "adaptive"):
        with pytest.raises(ValueError, match=f"{name} makes no sense for sounds of shape 64x1; they take none"):
            augmentation.get(name, Audio(64))
        assert augmentation.get(name, Image((8, 8, 3))) and augmentation.get(name, Arrays((8, 8, 3)))
    own = lambda samples, seed: samples  # noqa: E731
    assert augmentation.get(own, Audio(64)) is own and augmentation.get(None, Audio(64)) is None


def test_parts_are_checked_by_their_names():
    rows = Rows({"words": (4,), "numbers": (2, 3)})
    samples = in_model_range(rows)
    assert rows.shape_text == "words 4, numbers 2x3" and rows.descriptors(samples).shape == (5, 10)
    for wrong, message in (
        (samples["words"], "these is ndarray; expected a dictionary of words, numbers"),
        ({"words": samples["words"]}, r"these is \['words'\]; expected a dictionary"),
        ({**samples, "words": samples["words"][:2]}, r"parts of \[2, 5\] samples"),
        ({**samples, "words": samples["words"] + 10}, r"these\['words'\] lies in .* expected \[0, 9\]"),
        ({**samples, "words": samples["numbers"]}, r"these\['words'\] has shape \(5, 2, 3\); expected \(batch, 4\)"),
        ({**samples, "words": samples["words"] / 1}, r"these\['words'\] .* expected whole numbers in \[0, 9\]"),
    ):
        with pytest.raises(ValueError, match=message):
            rows.check(wrong, "these")
    with pytest.raises(ValueError, match="positive lengths"):
        Rows({"words": (0,), "numbers": (1,)})
