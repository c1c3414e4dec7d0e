"""A small sound file of each format that kerasgan reads, and how a user's program reads it.

What `make` writes is the same at every call. Each subject is a folder; one file in it is damaged, and then the folder
is read by the function in `READERS`.
"""

import json
import pathlib
import warnings
import wave

import numpy as np

# {subject: the files in its folder that are damaged in turn}
SUBJECTS = {
    "picture.png": ["picture.png"],
    "picture.jpg": ["picture.jpg"],
    "picture.webp": ["picture.webp"],
    "picture.gif": ["picture.gif"],
    "picture.tif": ["picture.tif"],
    "picture.bmp": ["picture.bmp"],
    "pictures": ["set.zip"],
    "wav": ["sounds/a.wav"],
    "flac": ["sounds/a.flac"],
    "midi": ["songs/a.mid"],
    "chords": ["songs/a.json"],
    "rolls": ["songs/a.npz"],
    "vox": ["solids/a.vox"],
    "binvox": ["solids/a.binvox"],
    "obj": ["solids/a.obj"],
    "glb": ["solids/a.glb"],
    "svg": ["sketches/a.svg"],
    "ndjson": ["sketches/a.ndjson"],
    "strokes": ["sketches/a.npz"],
    "fields": ["flows/a.npz"],
    "lines": ["texts/a.txt"],
    "jsonl": ["texts/a.jsonl"],
    "captions": ["told/texts.csv", "told/0.png"],
    "captioned": ["told/texts.jsonl"],
    "csv": ["people.csv"],
    "parquet": ["people.parquet"],
    "gif": ["clips/a.gif"],
    "webp": ["clips/a.webp"],
    "apng": ["clips/a.apng"],
    "mp4": ["clips/a.mp4"],
    "npz": ["arrays.npz"],
    "npy": ["array.npy"],
    "shards": ["set/shards.json", "set/set-00000-of-00001.tfrecord"],
    "weights": ["generator.weights.h5"],
    "keras": ["model.keras"],
    "recipe": ["run/recipe.json"],
    "scores": ["run/scores.json"],
    "health": ["run/health.json"],
    "evaluation": ["run/evaluation.json"],
    "published": ["weights.json"],
    "shared": ["model/kerasgan.json"],
    "log": ["run/log.csv"],
    "report": ["run/recipe.json", "run/scores.json", "run/evaluation.json", "run/log.csv"],
    "sidecar": ["gan.tflite.json"],
    "tflite": ["gan.tflite"],
    "onnx": ["gan.onnx"],
    "saved_model": ["gan/saved_model.pb", "gan/variables/variables.index"],
    "page": ["page/zoo.json"],
}
# A hundred draws hold so many of each; what takes long to read is drawn less often.
SHARES = {"recipe": 12, "npz": 8, "npy": 6, "weights": 8, "keras": 7, "scores": 6, "health": 6, "evaluation": 6}
SHARES |= {
    "sidecar": 4,
    "page": 5,
    "shards": 5,
    "wav": 4,
    "flac": 3,
    "midi": 4,
    "chords": 2,
    "rolls": 3,
    "svg": 3,
    "ndjson": 2,
    "strokes": 3,
    "fields": 3,
    "captions": 2,
    "captioned": 2,
    "lines": 2,
    "jsonl": 2,
    "csv": 3,
    "parquet": 4,
    "report": 1,
    "saved_model": 2,
    "tflite": 3,
    "shared": 4,
}


def gan():
    """The model of all these files."""
    import keras

    from kerasgan.models import VanillaGAN

    keras.utils.set_random_seed(1)
    return VanillaGAN(image_shape=(8, 8, 1), latent_dim=4, units=8, maxout_units=8, seed=1)


def make(folder):
    """Writes all subjects into a folder."""
    import PIL.Image

    import kerasgan
    from kerasgan import publishing, runs, weights
    from kerasgan.convert import convert
    from kerasgan.registry import Recipe

    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (8, 12, 12, 3), dtype="uint8")
    for subject in SUBJECTS:
        (folder / subject).mkdir(parents=True)
    for subject in SUBJECTS:
        if subject.startswith("picture."):
            PIL.Image.fromarray(pictures[0]).save(folder / subject / subject)
    originals = folder / "originals"
    originals.mkdir()
    for number, picture in enumerate(pictures):
        PIL.Image.fromarray(picture).save(originals / f"{number}.png")
    convert(originals, folder / "pictures" / "set.zip", 12)
    convert(originals, folder / "shards" / "set", 12)
    _sounds(folder, random)
    _songs(folder, random)
    _solids(folder, random)
    _drawings(folder, random)
    _flows(folder, random)
    _clips(folder, random)
    _tables(folder, random)
    _texts(folder)
    _captions(folder, pictures)
    np.savez_compressed(folder / "npz" / "arrays.npz", images=pictures, labels=np.arange(8) % 2)
    np.save(folder / "npy" / "array.npy", pictures)
    model = gan()
    model.compile()
    weights.save_half(model.generator, folder / "weights" / "generator.weights.h5")
    model.save(folder / "keras" / "model.keras")
    sizes = {"image_shape": [8, 8, 1], "latent_dim": 4, "units": 8, "maxout_units": 8}
    data = {"reader": "images", "size": 8, "channels": 1}
    recipe = Recipe(name="small", gan_type="vanilla_gan", model=sizes, data=data, batch_size=4, epochs=2, seed=3)
    run = folder / "report" / "run"
    runs.train(recipe, folder / "npy" / "array.npy", run, minutes=0, score=["swd"], score_every=1)
    _write(run / "evaluation.json", [score.to_dict() for score in _scores(run)])
    for name in ("recipe.json", "scores.json", "evaluation.json", "health.json", "log.csv"):
        copy = folder / name.partition(".")[0] / "run" / name
        copy.parent.mkdir()
        copy.write_bytes((run / name).read_bytes())
    (folder / "recipe" / "run" / "model.keras").write_bytes(b"")  # which is not read
    listed = json.loads((run / "recipe.json").read_text())["recipe"]["weights"]
    _write(folder / "published" / "weights.json", {"samples_seen": 16, "weights": listed})
    publishing.publish(run, folder=folder / "shared" / "model", license="mit")
    kerasgan.export.tflite(model, folder / "tflite" / "gan.tflite")
    for name in ("gan.tflite", "gan.tflite.json"):
        (folder / "sidecar" / name).write_bytes((folder / "tflite" / name).read_bytes())
    (folder / "tflite" / "gan.tflite.json").unlink()  # else its sha256 finds all damage
    kerasgan.export.onnx(model, folder / "onnx" / "gan.onnx")
    (folder / "onnx" / "gan.onnx.json").unlink()
    kerasgan.export.saved_model(model, folder / "saved_model" / "gan")
    (folder / "saved_model" / "gan.json").unlink()
    kerasgan.export.web({"gan": folder / "sidecar" / "gan.tflite"}, folder / "page" / "page")


def _sounds(folder, random):
    import soundfile

    waves = random.integers(-20000, 20000, (2, 400), dtype="int16")
    for subject in ("wav", "flac"):
        (folder / subject / "sounds").mkdir()
    for name, samples in zip("ab", waves, strict=True):
        with wave.open(str(folder / "wav" / "sounds" / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        soundfile.write(folder / "flac" / "sounds" / f"{name}.flac", samples, 8000)


def _songs(folder, random):
    from kerasgan.media import Music

    media = Music(bars=2, beats=2, resolution=2, lowest=60, pitches=12, tracks=2)
    rolls = random.random((2, *media.shape)) < 0.3
    media.save(rolls[:1], folder / "midi" / "songs" / "a.mid")
    media.save(rolls[1:], folder / "midi" / "songs" / "b.mid")
    media.save(rolls, folder / "rolls" / "songs" / "a.npz")
    (folder / "chords" / "songs").mkdir()
    _write(folder / "chords" / "songs" / "a.json", random.integers(60, 72, (2, 8, 2)).tolist())


def _solids(folder, random):
    from kerasgan.media import blocks

    cells = random.random((5, 4, 6)) < 0.5
    runs = b"".join(bytes([value, 1]) for value in cells.ravel().astype(int))
    head = "#binvox 1\ndim {} {} {}\ntranslate 0 0 0\nscale 1\ndata\n".format(*cells.shape).encode()
    cube = np.ones((2, 2, 2), bool)  # of which the surface is closed: not every heap of cells has such a one
    contents = {
        "vox": blocks.vox(cells),
        "binvox": head + runs,
        "glb": blocks.glb(cube),
        "obj": blocks.obj(cube).encode(),
    }
    for kind, content in contents.items():
        (folder / kind / "solids").mkdir()
        (folder / kind / "solids" / f"a.{kind}").write_bytes(content)


def _drawings(folder, random):
    from kerasgan.media import Sketch

    media = Sketch(20)
    rows = [media.padded(media.rows([random.integers(0, 99, (5, 2)), random.integers(0, 99, (3, 2))])) for _ in "ab"]
    for subject, ending in (("svg", "svg"), ("ndjson", "ndjson"), ("strokes", "npz")):
        media.save(np.stack(rows), folder / subject / "sketches" / f"a.{ending}")


def _flows(folder, random):
    from kerasgan.media import Fields

    (folder / "fields" / "flows").mkdir()
    Fields((3, 8, 8)).save(random.random((1, 3, 8, 8, 3)), folder / "fields" / "flows" / "a.npz")


def _clips(folder, random):
    from kerasgan.media import Video

    clip = random.integers(0, 256, (1, 4, 8, 8, 3), dtype="uint8")
    for kind in ("gif", "webp", "apng", "mp4"):
        Video(clip.shape[1:]).save(clip, folder / kind / "clips" / f"a.{kind}")


def _tables(folder, random):
    import pandas

    rows = {"age": random.integers(20, 60, 40), "size": random.random(40).round(3), "word": ["a", "b, c"] * 20}
    table = pandas.DataFrame({**rows, "day": pandas.date_range("2020-01-01", periods=40)})
    table.to_csv(folder / "csv" / "people.csv", index=False)
    table.to_parquet(folder / "parquet" / "people.parquet", index=False)


def _texts(folder):
    from kerasgan.media import Text

    media = Text({"unit": "character", "vocabulary": ["", *" abcdeé"], "length": 20})
    for subject, ending in (("lines", "txt"), ("jsonl", "jsonl")):
        media.save(["a bad cab", "décade", "bead"] * 5, folder / subject / "texts" / f"a.{ending}")


def _captions(folder, pictures):
    import PIL.Image

    for subject in ("captions", "captioned"):
        (folder / subject / "told").mkdir()
        for number in range(4):
            PIL.Image.fromarray(pictures[number]).save(folder / subject / "told" / f"{number}.png")
    rows = [{"file": f"{number}.png", "text": f"a bad cab, décade {number}"} for number in range(4)]
    lines = ["file,text", *(f'{row["file"]},"{row["text"]}"' for row in rows)]
    (folder / "captions" / "told" / "texts.csv").write_text("\n".join(lines), encoding="utf-8")
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "captioned" / "told" / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")


def _scores(run):
    from kerasgan.callbacks import score

    return [one for row in score.read(run) for one in row["scores"]]


def _write(path, values):
    path.write_text(json.dumps(values, indent=1))


# Reading -------------------------------------------------------------------------------------------------------------


def _picture(folder):
    from kerasgan import data

    (path,) = folder.iterdir()
    return data.picture(path, size=8)


def _images(name, **options):
    def read(folder):
        from kerasgan import data

        dataset = data.images(folder / name, size=8, batch_size=2, shuffle=False, on_error="raise", **options)
        return [batch for batch in dataset.as_numpy_iterator()]

    return read


def _audio(folder):
    from kerasgan import data

    sounds = data.audio(folder / "sounds", length=64, sample_rate=8000, batch_size=1, on_error="raise")
    return [batch for batch in sounds.as_numpy_iterator()]


def _music(folder):
    from kerasgan import data

    form = {"bars": 2, "beats": 2, "resolution": 2, "lowest": 60, "pitches": 12, "tracks": 2}
    songs = data.music(folder / "songs", batch_size=1, on_error="raise", **form)
    return [batch for batch in songs.as_numpy_iterator()]


def _volumes(folder):
    from kerasgan import data

    solids = data.volumes(folder / "solids", size=8, batch_size=1, on_error="raise")
    return [batch for batch in solids.as_numpy_iterator()]


def _sketches(folder):
    from kerasgan import data

    sketches = data.sketches(folder / "sketches", points=20, batch_size=1, on_error="raise")
    return [batch for batch in sketches.as_numpy_iterator()]


def _fields(folder):
    from kerasgan import data

    tiles = data.fields(folder / "flows", size=8, batch_size=1, per_sequence=1, on_error="raise")
    return [batch for batch in tiles.as_numpy_iterator()]


def _video(folder):
    from kerasgan import data

    clips = data.video(folder / "clips", length=2, size=8, batch_size=1, frame_rate=10, on_error="raise")
    return [batch for batch in clips.as_numpy_iterator()]


def _table(name):
    def read(folder):
        from kerasgan import data

        rows = data.table(folder / name, batch_size=8, seed=1)
        return [batch for batch in rows.as_numpy_iterator()]

    return read


def _text(folder):
    from kerasgan import data

    texts = data.text(folder / "texts", batch_size=1, on_error="raise")
    return [batch for batch in texts.as_numpy_iterator()]


def _captioned(folder):
    from kerasgan import data

    told = data.captioned(folder / "told", 1, size=8, on_error="raise")
    return [batch for batch in told.as_numpy_iterator()]


def _weights(folder):
    from kerasgan import weights

    weights.load_into(_once(gan).generator, folder / "generator.weights.h5")


def _keras(folder):
    from kerasgan import runs

    return runs.load(str(folder / "model.keras")).generate(2, seed=1)


def _shared(folder):
    from kerasgan import runs

    return runs.load(str(folder / "model")).generate(2, seed=1)


def _recipe(folder):
    from kerasgan import runs

    recipe = runs.recipe_of(folder / "run")
    runs.changed(recipe, {"epochs": 3})
    return recipe


def _scored(folder):
    from kerasgan.callbacks import score

    return score.read(folder / "run")


def _health(folder):
    from kerasgan.callbacks import collapse

    return collapse.read(folder / "run")


def _evaluation(folder):
    from kerasgan.metrics import result

    return result.table(result.load(folder / "run" / "evaluation.json"))


def _published(folder):
    from kerasgan import registry

    return registry._with_published_weights(registry.resolve("vanilla_gan"), folder / "weights.json")


def _log(folder):
    from kerasgan.callbacks import log

    return log.read(folder / "run" / "log.csv")


def _report(folder):
    from kerasgan import report

    return report.write(folder / "run", folder / "report.html")


def _verified(name):
    def read(folder):
        from kerasgan import export

        return export.verify(_once(_exportable), folder / name, latency=False, samples=2)

    return read


def _exportable():
    from kerasgan.export.network import Exportable

    return Exportable.of(_once(gan))


def _page(folder):
    from kerasgan.serving import bundle

    return bundle.Bundle(folder / "page")


_made = {}


def _once(function):
    if function not in _made:
        _made[function] = function()
    return _made[function]


READERS = {
    **{subject: _picture for subject in SUBJECTS if subject.startswith("picture.")},
    "pictures": _images("set.zip"),
    "wav": _audio,
    "flac": _audio,
    "midi": _music,
    "chords": _music,
    "rolls": _music,
    **dict.fromkeys(("vox", "binvox", "obj", "glb"), _volumes),
    "svg": _sketches,
    "ndjson": _sketches,
    "strokes": _sketches,
    "fields": _fields,
    "captions": _captioned,
    "captioned": _captioned,
    "lines": _text,
    "jsonl": _text,
    "csv": _table("people.csv"),
    "parquet": _table("people.parquet"),
    **dict.fromkeys(("gif", "webp", "apng", "mp4"), _video),
    "npz": _images("arrays.npz", labels=True),
    "npy": _images("array.npy"),
    "shards": _images("set", labels=False),
    "weights": _weights,
    "keras": _keras,
    "recipe": _recipe,
    "scores": _scored,
    "health": _health,
    "evaluation": _evaluation,
    "published": _published,
    "shared": _shared,
    "log": _log,
    "report": _report,
    "sidecar": _verified("gan.tflite"),
    "tflite": _verified("gan.tflite"),
    "onnx": _verified("gan.onnx"),
    "saved_model": _verified("gan"),
    "page": _page,
}


def read(subject, folder):
    """Reads a subject's folder as a user's program does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return READERS[subject](pathlib.Path(folder))
