"""A game as a notebook shows it: what it is, some of its samples, what its weights may be used for."""

import inspect
import typing

from kerasgan.game.state import whole
from kerasgan.media import markup

SEED = 7  # of the samples
_CLASSES, _SCORES = 12, 4  # that are named
_MOST_BYTES = 4_000_000  # of a sheet that came with a model
_NOT_KNOWN = "not known to kerasgan: ask whoever made the file"


class Notebook:
    """The part of a `Game` that notebooks ask for.

    Attributes:
        origin: what is known of a model that was loaded, a `kerasgan.provenance.Origin`; None of one that was made
            here, and of a file, which says nothing of its training.
    """

    origin: typing.Any = None
    _samples_in_notebook = None  # (samples seen by then, the HTML of some samples): they are made once

    def _repr_html_(self):
        kind = type(self).__name__
        title = markup.escaped(self.name if self.origin is None else self.origin.name)
        about = markup.escaped((inspect.getdoc(type(self)) or "").partition("\n")[0])
        return f"<div><p><b>{title}</b> ({kind})<br>{about}</p>{_samples(self)}{markup.rows(_numbers(self))}</div>"


# Functions, for a type has methods and attributes of its own, which may have any name.


def _samples(game):
    """Some samples as HTML; others once the model has learned more."""
    seen = whole(game.samples_seen)
    if game._samples_in_notebook is None or game._samples_in_notebook[0] != seen:
        try:
            page = _sheet(game, seen) or game.media.html(game.preview(game.media.samples_at_a_glance, SEED))
        except (ValueError, NotImplementedError) as error:  # broken weights; a kind of game without samples
            page = f"<p>{markup.escaped(error)}</p>"
        object.__setattr__(game, "_samples_in_notebook", (seen, page))  # past Keras, which tracks what a model holds
    return game._samples_in_notebook[1]


def _sheet(game, seen):
    """The sheet that came with a model that makes samples from others, which it has none of here; or None."""
    path = game.origin.sheet if game.origin is not None and game.origin.samples_seen == seen else None
    if game.task.makes_new_samples or path is None or not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return None
    return markup.png(path.read_bytes(), f"{game.media.plural} of the model")


def _numbers(game):
    """{what: text} of what is known of the model."""
    seen, classes = whole(game.samples_seen), game.class_names
    found = {f"weights of the {name}": f"{getattr(game, name).count_params():,}" for name in reversed(game.players)}
    found["samples seen"] = f"{seen:,}"
    left = len(classes) - _CLASSES
    found["classes"] = ", ".join(classes[:_CLASSES]) + (f", and {left} more" if left > 0 else "")
    if game.origin is not None:
        found |= game.origin.said(seen)
    elif seen:
        found["licence of the weights"] = _NOT_KNOWN
    return {name: value for name, value in found.items() if value}
