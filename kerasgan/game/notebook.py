"""A game as a notebook shows it: what it is, some of its samples, what its weights may be used for."""

import inspect

from kerasgan.game.state import whole
from kerasgan.media import markup

SEED = 7  # of the samples
_CLASSES, _SCORES = 12, 4  # that are named
_NOT_KNOWN = "not known to kerasgan: ask whoever made the file"


class Notebook:
    """The part of a `Game` that notebooks ask for.

    Attributes:
        origin: what is known of a model that was loaded, a `kerasgan.provenance.Origin`; None of one that was made
            here, and of a file, which says nothing of its training.
    """

    origin = None
    _page = None  # (samples seen by then, the HTML of the samples): they are made once

    def _repr_html_(self):
        kind = type(self).__name__
        title = markup.escaped(self.name if self.origin is None else self.origin.name)
        about = markup.escaped(f"{kind}: {(inspect.getdoc(type(self)) or '').partition(chr(10))[0]}")
        numbers = markup.rows(self._numbers())
        return f"<div><p><b>{title}</b><br>{about}</p>{self._glance()}{numbers}</div>"

    def _glance(self):
        """Some samples as HTML; others once the model has learned more."""
        seen = whole(self.samples_seen)
        if self._page is None or self._page[0] != seen:
            try:
                page = self.media.html(self.preview(self.media.samples_at_a_glance, SEED))
            except (ValueError, NotImplementedError) as error:  # broken weights; a kind of game without samples
                page = f"<p>{markup.escaped(error)}</p>"
            object.__setattr__(self, "_page", (seen, page))  # past Keras, which keeps track of what a model holds
        return self._page[1]

    def _numbers(self):
        """{what: text} of what is known of the model."""
        seen, classes = whole(self.samples_seen), self.class_names
        found = {f"weights of the {name}": f"{getattr(self, name).count_params():,}" for name in reversed(self.players)}
        found["samples seen"] = f"{seen:,}"
        left = len(classes) - _CLASSES
        found["classes"] = ", ".join(classes[:_CLASSES]) + (f", and {left} more" if left > 0 else "")
        if self.origin is not None:
            found |= self.origin.said(seen)
        elif seen:
            found["licence of the weights"] = _NOT_KNOWN
        return {name: value for name, value in found.items() if value}
