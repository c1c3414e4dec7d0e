"""What `show` returns: a figure of matplotlib, which a notebook shows as HTML."""

from matplotlib.figure import Figure


class Shown(Figure):
    """A figure that knows the HTML of what it shows, such as a player where the figure has a waveform.

    Notebooks take the HTML; to everything else it is the figure.
    """

    html = None  # function that returns it; asked when something is to be shown

    def __getstate__(self):
        return {**super().__getstate__(), "html": None}  # a copy, or one in a file, is the figure alone

    def _repr_html_(self):
        return None if self.html is None else self.html()
