"""One HTML file about a training: pictures first, then losses and scores with their protocol.

The file holds everything in itself, so it can be passed on or kept; it asks nothing of the network.
"""

import base64
import functools
import html
import io
import pathlib
import tempfile

from kerasgan import console, files, runs
from kerasgan.callbacks import log, score
from kerasgan.directions import STRENGTHS
from kerasgan.metrics import result

_SHEETS = 6  # shown of the progress
_WAYS, _STEPS = 6, 9
_MOST_CLASSES = 20  # that each have a way of their own
_DIRECTIONS = 5
_MIXED = 5
_NEIGHBOURS = 5
_TRIED, _EXTREMES = 64, 4  # new samples, and how many of them are shown of the most typical and of the strangest
_READ = 64  # samples of the data at a time
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
body { overflow-wrap: anywhere }
img { max-width: 100%; height: auto; background: #eee }
@media (min-width: 40rem) { figure > img { image-rendering: pixelated } } /* where sheets are not made smaller */
svg, audio, video { max-width: 100% }
svg { height: auto }
figure { display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; max-width: 100% }
.sheets figure { width: 30%; min-width: 10rem } .sheets img { image-rendering: auto }
.scores td:not(:first-child) { white-space: nowrap }
.recipe td:first-child { width: 18rem; color: #666 }
@media (max-width: 40rem) { .recipe td { display: block } .recipe td:first-child { width: auto; padding-top: 0.5rem } }
figcaption, .protocol { color: #666; font-size: 0.85rem }
table { border-collapse: collapse } td, th { padding: 0.2rem 0.8rem 0.2rem 0; text-align: left; vertical-align: top }
"""
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
<h1>{title}</h1>
{body}
</html>
"""


def write(folder, path, source=None, network=None, seed=0):
    """Writes the report of a run folder.

    Args:
        folder: the run folder.
        path: the HTML file.
        source: the data that it was trained on; with it, the real samples nearest to new ones are shown.
        network: feature network for these, as in `kerasgan.metrics.evaluate`; None takes the best available offline.
        seed: of new samples.

    Returns:
        The path of the file.

    Raises:
        FileNotFoundError: no run folder, or no data.
        ValueError: the data do not fit the model.
    """
    folder = runs.check_run(folder)
    path = files.check_output(path, (".html",))
    recipe = runs.recipe_of(folder)
    gan = runs.load(str(folder), compile=False)
    sections = [
        ("New samples", _samples(gan, seed)),
        ("Samples over time", _progress(folder / runs.SAMPLES, gan.media)),
        ("Losses", _losses(folder / runs.LOG)),
        ("Scores", _scores(folder)),
        ("From one sample to another", _ways(gan, seed)),
        ("Along directions", _directions(gan, seed)),
        ("Styles mixed", _mixtures(gan, seed)),
        ("With truncation", _truncations(gan, seed)),
        ("Nearest real samples", _neighbours(gan, recipe, source, network, seed)),
        ("Recipe", _recipe(recipe)),
    ]
    body = "\n".join(f"<section><h2>{title}</h2>\n{content}</section>" for title, content in sections if content)
    title = html.escape(console.printable(f"{runs.called(folder)}: {recipe.makes}"))
    page = _PAGE.format(title=title, style=_STYLE, body=body)
    with files.atomic(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


# Sections: each returns HTML, or "" where there is nothing to show ---------------------------------------------------


def _samples(gan, seed):
    write = functools.partial(gan.save_preview, count=gan.media.samples_on_sheet, seed=seed)
    return _figure(_written(gan.media, write), f"Not picked: the first of seed {seed}.")


def _progress(folder, media):
    sheets = sorted(folder.glob(f"epoch_*{media.sheet_extension}"))
    if not sheets:
        return ""
    wanted = {round(i * (len(sheets) - 1) / (_SHEETS - 1)) for i in range(_SHEETS)}
    figures = [_figure(_embedded(sheets[i]), sheets[i].stem.replace("_", " ")) for i in sorted(wanted)]
    animations = [path for path in sorted(folder.glob("animation.*")) if path.stat().st_size < 8e6]
    animation = [_figure(_embedded(path), "every sheet") for path in animations]
    return f'<div class="sheets">{"".join([*figures, *animation])}</div>'


def _losses(path):
    rows = log.read(path)
    if not rows:
        return ""
    names = [name for name in dict.fromkeys(n for row in rows for n in row) if name.endswith("_loss")]
    return _plot({name.removesuffix("_loss"): [(r["samples"], r[name]) for r in rows if name in r] for name in names})


def _scores(folder):
    parts = []
    if (folder / runs.EVALUATION).is_file():
        parts.append(_evaluation(result.load(folder / runs.EVALUATION)))
    rows = [row for row in score.read(folder) if row["epoch"]]
    if rows:
        for label in dict.fromkeys(s.label for row in rows for s in row["scores"]):
            points = [(row["epoch"], s.value) for row in rows for s in row["scores"] if s.label == label]
            parts.append(_plot({label: points}, "epoch"))
        parts.append(f'<p class="protocol">{html.escape(" · ".join(map(str, rows[-1]["scores"])))}</p>')
    return "\n".join(parts) or "<p>None yet: <code>kerasgan evaluate</code> makes them.</p>"


def _evaluation(scores):
    """Scores as a table, and below it how they were made."""
    shown = [("", "score", "real against real"), *result.rows(scores)]
    protocol = "".join(f'<p class="protocol">{html.escape(line)}</p>' for line in result.protocols(scores))
    return f'<table class="scores">{_rows(shown)}</table>{protocol}'


def _ways(gan, seed):
    classes = gan.num_classes and min(gan.num_classes, _MOST_CLASSES)
    ways = gan.task.ways(gan, classes or _WAYS, _STEPS, seed)
    if ways is None:
        return ""
    names = list(gan.class_names[:classes]) if classes else []
    of_class = f", of one class: {', '.join(names) or f'0 to {classes - 1}'}" if classes else ""
    return _figure(
        _saved(gan.media, ways, columns=_STEPS), f"Each row goes from one latent vector to another{of_class}."
    )


def _directions(gan, seed):
    sweeps = gan.task.sweeps(gan, _DIRECTIONS, seed)
    if sweeps is None:
        return ""
    text = (
        "Each row is a direction, those that change samples most first (SeFa); it goes through two samples, from -2.5 "
        "to 2.5 standard deviations."
    )
    return _figure(_saved(gan.media, sweeps, columns=2 * len(STRENGTHS)), text)


def _mixtures(gan, seed):
    grid = gan.task.mixtures(gan, _MIXED, seed)
    if grid is None:
        return ""
    text = "Each has the shapes of the first sample of its row, and the details of the first of its column."
    return _figure(_saved(gan.media, grid, columns=_MIXED + 1), text)


def _truncations(gan, seed):
    rows = gan.task.truncations(gan, _STEPS, seed)
    if rows is None:
        return ""
    import numpy as np

    text = f"Samples with truncation {', '.join(f'{value:g}' for value, _ in rows)}, a row each."
    return _figure(_saved(gan.media, np.concatenate([samples for _, samples in rows]), columns=_STEPS), text)


def _neighbours(gan, recipe, source, network, seed):
    # What is made from images is like them, and should be; what no network sees has scores of its own for copies.
    if source is None or not gan.task.shows_nearest:
        return ""
    import numpy as np

    from kerasgan import metrics

    fakes, media = gan.task.examples(gan, _TRIED, seed), gan.media
    if network is None and media.similarity:
        reals, seen_by = np.concatenate(list(_reals(recipe, source, media))), f"by their {media.similarity}"
        alike = media.similarities(fakes, reals)
        indices = np.argsort(-alike, axis=1, kind="stable")[:, :_NEIGHBOURS]
        strangeness = -np.take_along_axis(alike, indices, axis=1).mean(axis=1)
    else:
        network = metrics.features.get(media.default_network() if network is None else network)
        reals, found = zip(*((real, network.features(real)) for real in _reals(recipe, source, media)), strict=True)
        reals, seen_by = np.concatenate(reals), f"as {network.name} sees them"
        k = min(_NEIGHBOURS, len(reals))
        distances, indices = metrics.nearest(network.features(fakes), np.concatenate(found), k=k)
        strangeness = distances.mean(axis=1)
    order, count = np.argsort(strangeness, kind="stable"), indices.shape[1]
    shown = [*order[:_EXTREMES], *order[_EXTREMES:][-_EXTREMES:]]
    rows = np.concatenate([np.concatenate([fakes[i : i + 1], reals[indices[i]]]) for i in shown])
    caption = (
        f"First column: of {len(fakes)} new samples the {_EXTREMES} that are most like real ones, and below them the "
        f"{_EXTREMES} that are least. Beside each, the {count} nearest of {len(reals):,} real ones, {seen_by}. A new "
        "sample that equals its neighbour was memorized; the last show what the network does not know how to make."
    )
    return _figure(_saved(media, rows, columns=count + 1), caption)


def _reals(recipe, source, media):
    """The data of a recipe in natural units, some at a time."""
    for batch in runs.read_whole(recipe, source).rebatch(_READ, drop_remainder=False):
        samples = batch[0] if isinstance(batch, tuple) else batch
        yield media.to_natural(samples.numpy())


def _recipe(recipe):
    rows = [
        ("recipe, type", f"{recipe.name}, {recipe.gan_type}"),
        ("data", f"{recipe.data_name} (licence: {recipe.data_license})"),
        ("licence of the weights", recipe.license),
        *([("classes", ", ".join(recipe.class_names))] if recipe.class_names else []),
        ("epochs", f"{recipe.epochs} of batches of {recipe.batch_size}"),
        ("precision, seed", f"{recipe.dtype}, {recipe.seed}"),
        *((f"{f}.{name}", value) for f in ("model", "compile", "data") for name, value in getattr(recipe, f).items()),
    ]
    return f'<table class="recipe">{_rows(rows)}</table>'


# Parts ---------------------------------------------------------------------------------------------------------------


def _saved(media, samples, columns=None):
    """Samples, as their medium shows them, inside the page."""
    return _written(media, lambda path: media.save_sheet(samples, path, columns=columns))


def _written(media, write):
    """What `write` writes into a sheet's file, inside the page."""
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder) / f"samples{media.sheet_extension}")
        return "<br>".join(_embedded(path) for path in sorted(pathlib.Path(folder).iterdir()))


def _embedded(path):
    path = pathlib.Path(path)
    data = base64.b64encode(path.read_bytes()).decode()
    kind = {".png": "image/png", ".gif": "image/gif", ".wav": "audio/wav", ".mp4": "video/mp4"}.get(path.suffix)
    if kind and kind.startswith("image"):
        return f'<img src="data:{kind};base64,{data}" alt="">'
    if kind:
        tag = kind.partition("/")[0]
        return f'<{tag} controls src="data:{kind};base64,{data}"></{tag}>'
    return f'<a download="{path.name}" href="data:application/octet-stream;base64,{data}">{path.name}</a>'


def _rows(rows):
    """Rows of a table, each of some texts."""
    cells = ("".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) for row in rows)
    return "".join(f"<tr>{row}</tr>" for row in cells)


def _figure(content, caption):
    return f"<figure>{content}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _plot(lines, across="samples seen"):
    """{name: [(x, y)]} as an SVG picture: the same text for the same lines."""
    import matplotlib
    from matplotlib.figure import Figure  # without pyplot: no window, no state

    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots()
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), label=name, marker="." if len(points) < 30 else None)
    axes.set_xlabel(across)
    axes.legend()
    axes.grid(alpha=0.3)
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "kerasgan"}):  # else its ids are drawn at random
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
