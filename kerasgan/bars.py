"""Bars that show how far a work is, drawn by rich: on a terminal, and never in a file.

Several can be shown at once, one below the other; when the last one is done, they leave the screen as it was.
"""

import sys
import time

from kerasgan.console import printable, write

_PAUSE = 0.1  # seconds between two pictures of the bars
_screens = {}  # stream: the `rich.progress.Progress` that shows its bars, as long as there are any


class Bar:
    """A bar in a `with` statement, which `update` moves on.

    Args:
        doing: what is done, such as "Reading".
        total: how many steps there are; None is not known, and the bar only counts.
        unit: what is counted, such as "images"; "B" counts bytes.
        delay: seconds to wait before the bar appears: what ends earlier needs none.
        shown: whether to show it at all.
        stream: None is standard error.
    """

    def __init__(self, doing, total=None, unit="", delay=0.0, shown=True, stream=None):
        self._stream = sys.stderr if stream is None else stream
        self._task = None
        self._shown = shown and self._stream is not None and self._stream.isatty()
        self._about = {"description": self._printable(doing), "total": total, "unit": unit}
        self._done, self._delay, self._looked = 0, delay, 0.0

    def __enter__(self):
        self._began = time.monotonic()
        self._show()
        return self

    def __exit__(self, *_):
        if self._task is not None:
            screen = _screens[self._stream]
            screen.remove_task(self._task)
            if not screen.tasks:
                del _screens[self._stream]
                screen.stop()

    def update(self, steps=1, doing=None):
        """Moves on by so many steps; `doing` is what is done from now on."""
        self._done += steps
        if doing is not None:
            self._about["description"], self._looked = self._printable(doing), 0.0  # to be seen at once
        self._show()

    def _printable(self, text):
        return printable(text, getattr(self._stream, "encoding", None))

    def _show(self):
        now = time.monotonic()
        if not self._shown or now < self._began + self._delay or now < self._looked + _PAUSE:
            return
        self._looked = now
        if self._task is None:
            self._task = self._add()
        else:
            _screens[self._stream].update(self._task, completed=self._done, refresh=True, **self._about)

    def _add(self):
        """Puts the bar onto the screen, below those that are there."""
        if self._stream not in _screens:
            _screens[self._stream] = _screen(self._stream)
        screen = _screens[self._stream]
        task = screen.add_task(completed=self._done, **self._about)
        screen.start()
        return task


def over(items, doing, unit="", total=None, delay=0.0, shown=True, stream=None):
    """Yields the items under a `Bar` of these arguments; `total` is their number where they have one."""
    if total is None:
        try:
            total = len(items)
        except TypeError:  # a stream
            total = None
    with Bar(doing, total, unit, delay, shown, stream) as bar:
        for item in items:
            yield item
            bar.update()


def steps(items, doing, note=""):
    """Yields the items, each of which takes long: under a bar on a terminal, after a line each elsewhere.

    Args:
        items: texts, such as names.
        doing: what is done to them, such as "Exporting".
        note: what is said of all of them, once.
    """
    items = list(items)
    if sys.stdout is None or not sys.stdout.isatty():
        for number, item in enumerate(items, 1):
            write(f"{doing} {item} ({number} of {len(items)}{f'; {note}' if note and number == 1 else ''}) ...")
            yield item
        return
    with Bar(doing, len(items), stream=sys.stdout) as bar:
        for number, item in enumerate(items):
            bar.update(number and 1, doing=f"{doing} {item}")
            yield item
    if items:
        write(f"{doing}: {len(items)} done{f'; {note}' if note else ''}.")


def _screen(stream):
    import rich.console  # not before somebody looks: it takes a tenth of a second
    import rich.text
    from rich import progress

    class Count(progress.ProgressColumn):
        def render(self, task):
            return rich.text.Text(_counted(task.completed, task.total, task.fields["unit"]))

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(20),
        Count(),
        progress.TimeRemainingColumn(),
        console=rich.console.Console(file=stream, highlight=False),
        auto_refresh=False,  # no thread of its own: what is shown here may fork
        transient=True,
        redirect_stdout=False,  # what others write keeps its stream's encoding
        redirect_stderr=False,
    )


def _counted(done, total, unit):
    """Such as "3/10 images" or "1.5/12.0 MB"."""
    if unit == "B":
        done, total, unit = done / 1e6, total and total / 1e6, "MB"
    digits = 1 if unit == "MB" else 0
    of = "" if total is None else f"/{total:.{digits}f}"
    return f"{done:.{digits}f}{of} {unit}".rstrip()
