"""TFRecord shards as a source: with the index of kerasgan convert, and those of others without one."""

import json
import shutil
import struct

import numpy as np
import pytest
import tensorflow as tf
from pictures import encode, plain, reds

from kerasgan.convert import convert
from kerasgan.data import images
from kerasgan.data.shards import open_shards

CACHES = pytest.mark.parametrize("cache", [True, False])


@pytest.fixture
def shards(folder, tmp_path):
    """The twelve pictures of `folder` in four shards; reds in the order of the records are 0, 20, ... 10, 30, ..."""
    convert(folder, tmp_path / "shards", 8, labels=True, shard_mb=0.001)
    return tmp_path / "shards"


REDS = [*range(0, 120, 20), *range(10, 120, 20)]


def epoch(source, **options):
    return [red for batch in images(source, 8, 1, shuffle=False, **options) for red in reds(batch)]


def change_index(folder, **changes):
    index = json.loads((folder / "shards.json").read_text())
    (folder / "shards.json").write_text(json.dumps({**index, **changes}))
    return index


def flip_byte(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


# With an index ------------------------------------------------------------------------------------------------------


def test_any_reader_of_tfrecords_reads_them(shards):
    index = json.loads((shards / "shards.json").read_text())
    names = [shard["file"] for shard in index["shards"]]
    assert names[0] == f"shards-00000-of-{len(names):05}.tfrecord" and len(names) > 2
    features = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "shape": tf.io.FixedLenFeature([3], tf.int64),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    found = []
    for record in tf.data.TFRecordDataset([str(shards / name) for name in names]):
        example = tf.io.parse_single_example(record, features)
        pixels = tf.reshape(tf.io.decode_raw(example["image"], tf.uint8), example["shape"]).numpy()
        np.testing.assert_array_equal(pixels, plain(pixels[0, 0, 0]))
        found.append((int(pixels[0, 0, 0]), index["class_names"][int(example["label"])]))
    assert found == [(red, ("cats", "dogs")[red // 10 % 2]) for red in REDS]


@CACHES
def test_images_classes_and_order_are_those_of_the_folder(folder, shards, cache):
    ours, theirs = (images(source, 8, 12, labels=True, shuffle=False, cache=cache) for source in (shards, folder))
    assert ours.class_names == theirs.class_names == ["cats", "dogs"]
    for a, b in zip(next(iter(ours)), next(iter(theirs)), strict=True):
        np.testing.assert_array_equal(a, b)
    assert epoch(shards, cache=cache) == REDS


def test_a_record_is_read_without_the_others(shards):
    source = open_shards(shards)
    index = json.loads((shards / "shards.json").read_text())
    first = len(index["shards"][0]["offsets"])
    for shard in (index["shards"][0], *index["shards"][2:]):
        (shards / shard["file"]).unlink()
    path = shards / index["shards"][1]["file"]
    path.write_bytes(bytes(index["shards"][1]["offsets"][1]) + path.read_bytes()[index["shards"][1]["offsets"][1] :])
    assert source.read(first + 1)[0, 0, 0] == REDS[first + 1]


def test_a_part_of_a_folder_of_shards(shards):
    assert epoch(shards.parent, subset="shards") == REDS
    with pytest.raises(ValueError, match="subset='train' means nothing in .*single set"):
        images(shards, 8, subset="train")


def test_fingerprints_tell_contents_of_the_same_size_apart(folder, shards, write, tmp_path):
    before = images(shards, 8, 1, cache=False).fingerprint
    assert images(shards, 8, 1, cache=False).fingerprint == before
    held = images(shards, 8, 1, labels=True).fingerprint
    assert held == images(folder, 8, 1, labels=True).fingerprint  # in memory, the pixels count
    write("cats/04.png", encode(plain(41)))
    shutil.rmtree(shards)
    convert(folder, shards, 8, labels=True, shard_mb=0.001)
    assert images(shards, 8, 1, cache=False).fingerprint != before


@CACHES
@pytest.mark.parametrize("position", [3, 100], ids=["header", "content"])
def test_a_flipped_byte_costs_one_named_image(shards, cache, position):
    index = json.loads((shards / "shards.json").read_text())
    flip_byte(shards / index["shards"][1]["file"], index["shards"][1]["offsets"][1] + position)
    bad = len(index["shards"][0]["offsets"]) + 1
    name = f"{index['shards'][1]['file']}, record 1"
    with pytest.warns(UserWarning, match=f"{name}.*damaged"):
        found = epoch(shards, cache=cache)
    if cache:
        assert found == [red for number, red in enumerate(REDS) if number != bad]
    else:
        assert [number for number in range(12) if found[number] != REDS[number]] == [bad]
    with pytest.raises(Exception, match=f"{name}.*damaged"):
        epoch(shards, cache=cache, on_error="raise")


def test_a_missing_truncated_or_foreign_shard_is_found_at_opening(shards):
    first, second, *_ = sorted(shards.glob("*.tfrecord"))
    content = second.read_bytes()
    second.write_bytes(content[:-1])
    with pytest.raises(ValueError, match=f"{second.name} in .* has {len(content) - 1} bytes.*cut short"):
        images(shards, 8)
    second.unlink()
    with pytest.raises(ValueError, match=f"{second.name} is missing"):
        images(shards, 8)
    second.write_bytes(content)
    shutil.copy(first, shards / "other-00000-of-00001.tfrecord")
    with pytest.raises(ValueError, match="other-00000-of-00001.tfrecord, of which shards.json knows nothing"):
        images(shards, 8)


def test_shards_of_different_sizes_do_not_mix(folder, shards, tmp_path):
    """Not even where their files are equally long."""
    convert(folder, tmp_path / "other", (4, 16), labels=True, shard_mb=0.001)
    for ours, theirs in zip(sorted(shards.glob("*.tfr*")), sorted((tmp_path / "other").glob("*.tfr*")), strict=True):
        shutil.copy(theirs, ours)
    with pytest.raises(ValueError, match="Nothing is left.*4x16x3, in shards of 8x8x3"):
        images(shards, 8)


def changed(key, value, shard=None):
    def change(index):
        (index if shard is None else index["shards"][shard])[key] = value
        return json.dumps(index)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda index: json.dumps(index)[:100], "Unterminated|delimiter|Expecting"),
        (lambda index: "[]", "indices must be"),
        (lambda index: "{}", "'version' is missing"),
        (changed("version", 2), "version 2, expected 1"),
        (changed("size", [8]), "not enough values"),
        (changed("channels", 0), "no shape of an image: 8, 8, 0"),
        (changed("shards", []), "no shards"),
        (changed("offsets", [0, 5], 1), "offsets of shards-00001.* do not fit"),
        (changed("offsets", [16, 300], 1), "offsets of shards-00001.* do not fit"),
        (changed("offsets", [], 1), "shards-00001.* with 0 records"),
        (changed("offsets", ["a"], 1), "invalid literal"),
        (changed("labels", [0], 1), "labels of shape"),
        (changed("class_names", ["cats"]), "have no class name"),
        (changed("class_names", ["cats", None]), "have no class name"),
        (changed("file", "../x", 1), "no shard: ../x"),
    ],
)
def test_a_damaged_index_is_refused(shards, change, message):
    path = shards / "shards.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(ValueError, match=f"shards.json' cannot be used .*({message}).*Convert again"):
        images(shards, 8, labels=True)


def test_an_index_of_other_records_is_found_out(shards):
    index = json.loads((shards / "shards.json").read_text())
    index["shards"][0]["offsets"] = [0, *(offset - 1 for offset in index["shards"][0]["offsets"][1:])]
    change_index(shards, shards=index["shards"])
    with pytest.warns(UserWarning, match="no record begins where one should"):
        assert set(epoch(shards)) < set(REDS)


def test_labels_need_a_conversion_with_labels(folder, tmp_path):
    convert(folder, tmp_path / "shards", 8)
    with pytest.raises(ValueError, match="was converted without labels"):
        images(tmp_path / "shards", 8, labels=True)


def test_shards_come_alone(folder, shards):
    with pytest.raises(ValueError, match="lists TFRecord shards, which come alone"):
        images([folder, shards], 8)
    for arguments, message in (({"key": "image"}, "key='image' means nothing"), ({"labels": "a"}, "labels='a' means")):
        with pytest.raises(ValueError, match=message):
            images(shards, 8, **arguments)


# Without an index ---------------------------------------------------------------------------------------------------


def feature(value):
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=np.atleast_1d(value)))


def write_records(path, examples, **options):
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path), **options) as writer:
        for example in examples:
            features = tf.train.Features(feature={name: feature(value) for name, value in example.items()})
            writer.write(tf.train.Example(features=features).SerializeToString())


@CACHES
@pytest.mark.parametrize(
    "example",
    [
        lambda red: {"image": encode(plain(red)), "label": red // 10},
        lambda red: {"image/encoded": encode(plain(red, 5, 7)), "image/class/label": red // 10, "image/height": 5},
        lambda red: {
            "image_raw": plain(red).tobytes(),
            "height": 8,
            "width": 8,
            "depth": 3,
            "label": red // 10,
        },
        lambda red: {"image": plain(red, 6, 9).tobytes(), "shape": [6, 9, 3], "label": red // 10},
    ],
    ids=["image files", "as of ImageNet", "as of CIFAR", "pixels with a shape"],
)
def test_records_of_others_are_found_by_reading_headers(tmp_path, example, cache):
    for shard in range(2):
        examples = [example(red) for red in range(30 * shard, 30 * shard + 30, 10)]
        write_records(tmp_path / "set" / f"a-{shard:05}-of-00002.tfrecord", examples)
    found = images(tmp_path / "set", 8, 6, labels=True, shuffle=False, cache=cache)
    ((batch, labels),) = found
    assert reds(batch) == list(range(0, 60, 10)) and labels.numpy().tolist() == list(range(6))
    assert found.class_names == list("012345")


def test_names_of_features_can_be_given(tmp_path):
    write_records(tmp_path / "set" / "a.tfrecords", [{"face": encode(plain(7)), "age": 3}])
    ((batch, labels),) = images(tmp_path / "set", 8, 1, key="face", labels="age")
    assert reds(batch) == [7] and labels.numpy().tolist() == [3]
    with pytest.raises(ValueError, match="key= must say which feature holds the images; a record .* has: age, face"):
        images(tmp_path / "set", 8, 1)
    with pytest.raises(ValueError, match="labels='year' is not there"):
        images(tmp_path / "set", 8, 1, key="face", labels="year")


def test_several_sets_in_one_folder_are_told_apart(tmp_path):
    for red, name in ((1, "faces-train.tfrecord-00000-of-00001"), (2, "faces-test.tfrecord-00000-of-00001")):
        write_records(tmp_path / "set" / name, [{"image": encode(plain(red))}])
    assert epoch(tmp_path / "set", subset="faces-test") == [2]
    for subset, message in ((None, "subset= must say which set"), ("valid", "subset='valid' is none of the sets")):
        with pytest.raises(ValueError, match=f"{message}.*faces-test, faces-train"):
            images(tmp_path / "set", 8, 1, subset=subset)


def test_records_of_others_that_cannot_be_read(tmp_path):
    path = tmp_path / "set" / "a-00000-of-00001.tfrecord"

    def refused(message, **options):
        with pytest.raises(ValueError, match=message):
            images(tmp_path / "set", 8, 1, **options)

    good = {"image": encode(plain(1)), "label": 0}
    write_records(path, [good] * 3)
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    refused(f"a-00000-of-00001.tfrecord' is cut short.* ends at byte {len(content)}, the file at {len(content) - 1}")
    path.write_bytes(content[:-1] + struct.pack("B", content[-1] ^ 1))
    with pytest.warns(UserWarning, match="record 2: its checksum is wrong"):
        assert epoch(tmp_path / "set") == [1, 1]
    with pytest.warns(UserWarning, match="record 2: "):
        assert images(tmp_path / "set", 8, 2, labels=True).count == 2
    path.write_bytes(content[: len(content) // 3] + b"x" * 20)
    refused("holds no record at byte")
    write_records(path, [good], options="GZIP")
    refused("holds no record at byte 0: .* compressed")
    write_records(path, [])
    refused("hold no records")
    write_records(path, [{"image": b"no image", "label": 0}])
    refused("'image' of .* is no image file, and no other feature tells the shape")
    write_records(path, [{"image": bytes(7), "shape": [2, 2, 3]}])
    refused("7 bytes, where 2x2x3 has 12")
    for shape in ([2**32, 2**32, 4], [-1, -1, 3], []):  # which NumPy would multiply to no bytes, or 3, or 1
        write_records(path, [{"image": bytes(3), "shape": shape}])
        refused("3 bytes, where")
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"\xff\xff")
    refused("no tf.train.Example")
    write_records(path, [good, {"image": encode(plain(1))}])
    refused("record 1: 'label' holds 0 integers", labels=True)
    write_records(path.with_name("a-00000-of-00004.tfrecord"), [good])
    path.unlink()
    refused("holds 1 of the 4 shards")


def test_without_their_index_our_own_shards_are_read_too(shards):
    (shards / "shards.json").unlink()
    assert epoch(shards) == REDS
    ((_, labels),) = images(shards, 8, 12, labels=True, shuffle=False)
    assert labels.numpy().tolist() == [0] * 6 + [1] * 6
