"""What a run says of its data: what is known of them, and never what an entry says of its own."""

import dataclasses
import types

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from kerasgan import provenance, registry, runs
from kerasgan.data.dataset import Dataset
from kerasgan.media import Image

GAN = types.SimpleNamespace(media=Image((8, 8, 1)), num_classes=None)


def dataset(**known):
    return Dataset(tf.data.Dataset.range(1), **{"fingerprint": "of these", **known})


def of_run(asked, data, source, gan=GAN, start=None):
    return provenance.of_run(asked, asked, data, source, gan, start)


def test_an_entry_on_other_data_says_nothing_of_its_own():
    entry = registry.get("dcgan_celeba")
    found = of_run(entry, dataset(), "/home/me/flowers/")
    assert (found.makes, found.data_name) == ("images like those of flowers", "flowers")
    assert found.data_license == found.license == provenance.UNKNOWN
    assert found.fingerprint == "of these" and found.compile == entry.compile


def test_an_entry_on_its_own_data_says_what_it_knows():
    entry = dataclasses.replace(registry.get("cgan_fashion_mnist"), fingerprint="of these")
    found = of_run(entry, dataset(class_names=["0", "1"]), "clothes.npz")
    assert runs.what_is_trained(found) == runs.what_is_trained(entry)
    assert (found.makes, found.license, found.class_names) == (entry.makes, entry.license, entry.class_names)


def test_what_fine_tuning_starts_from_goes_on_to_hold():
    faces = registry.get("dcgan_celeba")
    first = of_run(runs.for_other_data(faces), dataset(), ["a/flowers", "b/trees.zip"], start="dcgan_celeba")
    assert first.data_name == "flowers and trees.zip" and "faces" not in first.makes
    assert "fine-tuned from dcgan_celeba, whose licences go on to hold" in first.license
    assert faces.license in first.license and faces.data_license in first.license
    # From one run to the next, none is forgotten.
    second = of_run(first, dataset(fingerprint="of others"), "leaves", start="runs/plants")
    assert "fine-tuned from plants" in second.license and faces.license in second.license
    assert second.data_name == "leaves"


def test_names_of_data():
    asked = registry.resolve("dcgan")
    assert of_run(asked, dataset(), "tfds:celeb_a").data_name == "tfds:celeb_a"
    assert of_run(asked, dataset(), np.zeros(3)).data_name == "data given in Python"
    part = runs.changed(asked, {"data.subset": "train"})
    assert of_run(part, dataset(), "x/photos").data_name == "photos (train)"
    of_run(asked, dataset(), "photos\udcff").data_name.encode()  # no letter to anybody, but a name


@pytest.mark.parametrize(
    "names, classes, expected",
    [
        (["cats", "dogs"], 2, ("cats", "dogs")),
        (["cats", "dogs"], 4, ("cats", "dogs", "2", "3")),  # fine-tuned from a model of four classes
        (["0", "1", "2"], 3, ()),
        (["3", "7"], 2, ("3", "7")),
        (None, 2, ()),
        (["cats", "dogs"], None, ()),
    ],
)
def test_names_of_classes_are_those_of_the_data(names, classes, expected):
    gan = types.SimpleNamespace(media=GAN.media, num_classes=classes)
    entry = registry.get("cgan_fashion_mnist")
    assert of_run(entry, dataset(class_names=names), "pets", gan).class_names == expected


def test_every_published_entry_knows_its_data():
    assert all(registry.get(name).fingerprint for name in registry.ZOO)


def pictures(folder, width, height, count=3):
    folder.mkdir(exist_ok=True)
    for i in range(count):
        PIL.Image.new("RGB", (width, height)).save(folder / f"{width}_{i}.png")
    return str(folder)


def test_a_box_for_other_pictures_is_left_out_in_one_line(tmp_path, capsys):
    entry = registry.get("dcgan_celeba")
    source = pictures(tmp_path / "photos", 40, 30)
    found = runs.for_pictures_of(source, entry)
    assert "crop" not in found.data and found.data["flip"] and runs.for_pictures_of(source, found) == found
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "is for pictures of 89x109, and there are some of 40x30" in said
    # Scores read the same pictures.
    assert next(iter(runs.read_whole(entry, source))).shape == (1, 64, 64, 3)


def test_a_box_stays_for_its_own_pictures_and_for_those_who_ask_for_it(tmp_path, capsys):
    entry = registry.get("dcgan_celeba")
    own = pictures(tmp_path / "faces", 89, 109)
    assert runs.for_pictures_of(own, entry) == entry
    mine = runs.changed(entry, {"data.crop": [0, 0, 20, 20]})
    other = pictures(tmp_path / "photos", 40, 30)
    assert runs.for_pictures_of(other, mine).data["crop"] == [0, 0, 20, 20]
    assert capsys.readouterr().out == ""
    pictures(tmp_path / "faces", 40, 30, 1)  # one of another size among them
    assert "crop" not in runs.for_pictures_of(own, entry).data


def test_boxes_and_arrays(tmp_path):
    entry = registry.get("lapgan_celeba")
    faces = np.zeros((70, 109, 89, 3), "uint8")
    assert runs.for_pictures_of(faces, entry) == entry
    assert "crop" not in runs.for_pictures_of(faces[:, :60], entry).data
