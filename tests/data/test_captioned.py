"""Pictures with texts: where texts come from, what is drawn, and what cannot be read."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan.captions import normalized, texts_of, tokens_of
from kerasgan.data import captioned


def picture(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((12, 12, 3), value, "uint8")).save(path)


@pytest.fixture
def folder(tmp_path):
    for number in range(12):
        picture(tmp_path / "set" / f"{number:02}.png", 20 * number)
        (tmp_path / "set" / f"{number:02}.txt").write_text(f"Shade  {number}\n\ngrey {number}\n", encoding="utf-8")
    return tmp_path / "set"


def read(source, **options):
    """{text: value of the picture's pixels} of what a reader gives once."""
    data = captioned(source, **{"batch_size": 1, "size": 8, "shuffle": False, **options})
    return {texts_of(tokens)[0]: round(float(images.mean() + 1) * 127.5) for images, tokens in data.as_numpy_iterator()}


def refused(source, *parts, **options):
    with pytest.raises(ValueError) as error:
        captioned(source, 2, **{"size": 8, **options})
    for part in parts:
        assert part in str(error.value)


def test_texts_beside_pictures(folder):
    assert read(folder) == {f"shade {number}": 20 * number for number in range(12)}
    data = captioned(folder, 6, size=8, seed=1)
    assert data.count == 12 and data.fitted == {"length": 8}
    assert data.model_arguments == {"image_shape": [8, 8, 3], "length": 8}
    drawn = [pair for _, pair in zip(range(40), data.endless(0).as_numpy_iterator(), strict=False)]
    said = {text for _, tokens in drawn for text in texts_of(tokens)}
    assert said == {f"{word} {number}" for word in ("shade", "grey") for number in range(12)}  # each of both texts
    for images, tokens in drawn:
        values = np.round((images.mean(axis=(1, 2, 3)) + 1) * 127.5 / 20)
        assert [int(text.split()[1]) for text in texts_of(tokens)] == values.tolist()
    again = next(data.endless(17).as_numpy_iterator())
    np.testing.assert_array_equal(again[0], drawn[17][0])
    np.testing.assert_array_equal(again[1], drawn[17][1])


def test_texts_in_a_list(folder, tmp_path):
    for number in range(12):
        (folder / f"{number:02}.txt").unlink()
    rows = [(f"{number:02}.png", f"tone {number}") for number in range(12)]
    expected = {f"tone {number}": 20 * number for number in range(12)}
    (folder / "texts.csv").write_text("file,text\n" + "".join(f'{f},"{t}"\n' for f, t in rows), encoding="utf-8-sig")
    assert read(folder) == expected
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"in/{file.name}")
    assert read(tmp_path / "set.zip") == expected
    lines = "".join(json.dumps({"file": f, "texts": [t, "another"]}) + "\n" for f, t in rows[:3])
    (folder / "more.jsonl").write_text(lines)
    refused(folder, "holds the lists", "texts='more.jsonl'")
    with pytest.warns(UserWarning, match="9 of 12 items .* it has no text"):
        assert read(folder, texts="more.jsonl") == {f"tone {number}": 20 * number for number in range(3)}


def test_texts_in_arrays_and_styles(tmp_path):
    shades = np.arange(8, dtype="uint8")[:, None, None, None] * np.ones((1, 8, 8, 3), "uint8")
    names = np.array(["HEART 1F3FB", "HEART 1F3FC", "Cat", "Dog", "Cow", "Owl", "Bee", "Ant"])
    np.savez(tmp_path / "set.npz", one=shades, two=shades + 100, names=names)
    options = {"key": ["one", "two"], "texts": "names", "styles": ["thin", "bold"]}
    options |= {"replace": {"1F3FB": "light", "1F3FC": "dark"}, "variants": ["light", "dark"]}
    data = captioned(tmp_path / "set.npz", 16, size=8, seed=1, **options)
    assert data.count == 16
    drawn = [part for _, part in zip(range(60), data.endless(0).as_numpy_iterator(), strict=False)]
    said = [text for _, tokens in drawn for text in texts_of(tokens)]
    assert {"cat", "cat, thin", "cat, bold", "heart light, thin"} <= set(said)
    hearts = sum(text.startswith("heart") for text in said) / len(said)
    assert abs(hearts - 1 / 7) < 0.04  # seven things, of which hearts are one, whatever their shade
    for images, tokens in drawn[:5]:
        for image, text in zip(images, texts_of(tokens), strict=True):
            assert not text.endswith(("thin", "bold")) or (image.mean() > -0.5) == text.endswith("bold")
    parts = [set(read(tmp_path / "set.npz", part=part, batch_size=1, **options)) for part in (None, "train")]
    assert parts[1] <= parts[0]
    pair = (shades, ["a", ["b", "c"], *"defghi"])
    assert list(read(pair))[:3] == ["a", "b", "d"]


def test_parts_share_no_thing():
    shades = np.zeros((40, 8, 8, 3), "uint8")
    texts = [f"thing {number // 2} {('light', 'dark')[number % 2]}" for number in range(40)]
    train, test = (set(read((shades, texts), part=p, variants=["light", "dark"])) for p in ("train", "test"))
    assert len(test) == 4 and len(train) == 36
    assert not {text.split()[1] for text in test} & {text.split()[1] for text in train}


def test_bad_input(folder, tmp_path):
    refused(folder, "size=0", size=0)
    refused(folder, "part='half'", part="half")
    refused(folder, "texts='gone.csv'", texts="gone.csv")
    refused(folder, "styles", styles=["a"])
    refused((np.zeros((2, 8, 8, 3), "uint8"), ["a"]), "2 pictures and 1 texts")
    refused((np.zeros((2, 8, 8, 3), "uint8"), ["a", []]), "picture 1 has no text")
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 8, 8, 3), "uint8"), names=np.array(["a", "b"]))
    refused(tmp_path / "a.npz", "texts=None", "images, names")
    refused(tmp_path / "a.npz", "'nothing'", texts="nothing")
    for name, content, parts in (
        ("texts.csv", b"file,text\n03.png,a\nno.png,b\n", ["texts.csv, line 3", "no picture 'no.png'"]),
        ("texts.csv", b"picture,words\n", ["texts.csv, line 1", "file or file_name"]),
        ("texts.csv", b'file,text\n03.png,"a\n', ["texts.csv, line"]),
        ("texts.csv", b"file,text\n03.png\n", ["texts.csv, line 2: 1 values in 2 columns"]),
        ("texts.csv", b"file,text\n03.png,\xff\n", ["texts.csv is no text of UTF-8: byte 17 is 0xff"]),
        ("texts.csv", b"file,text\n03.png,a\x07b\n", ["texts.csv, line 2", "control character '\\x07'"]),
        ("texts.jsonl", b'{"file": "03.png"}\n', ["texts.jsonl, line 1", "expected {"]),
    ):
        (folder / name).write_bytes(content)
        refused(folder, *parts)
        (folder / name).unlink()
    (folder / "03.txt").unlink()
    refused(folder, "03.png: it has no text", on_error="raise")
    with pytest.warns(UserWarning, match="03.png: it has no text"):
        assert len(read(folder)) == 11
    for file in folder.glob("*.txt"):
        file.unlink()
    refused(folder, "it has no text")


def test_texts_become_bytes():
    tokens = tokens_of(["Red  heart\n", "Ähre", "", "心"], 12)
    assert tokens.shape == (4, 12) and tokens.dtype == np.int32
    assert texts_of(tokens) == ["red heart", "Ähre", "", "心"]  # only ASCII's letters become small ones
    assert bytes(tokens[3][:3].astype("uint8")) == "心".encode() and not tokens[3][3:].any()
    assert texts_of(tokens_of(["abc心"], 4, cut=True)) == ["abc\ufffd"]
    assert normalized("\tA\u202eb ") == "a\u202eb"  # right to left is no control character of the old kind
    with pytest.raises(ValueError, match="has 10,000 bytes; the model reads 64"):
        tokens_of(["x" * 10_000], 64)
    for wrong in ("a\x00b", "\ud800", 3, None):
        with pytest.raises(ValueError, match="text="):
            kerasgan.captions.tokens_of([wrong], 8)
    with pytest.raises(ValueError, match=r"texts='red': expected a list of texts; write \['red'\]."):
        tokens_of("red", 8)
