"""Samples and models as notebooks show them."""

import base64
import html.parser
import io
import pickle
import re

import numpy as np
import PIL.Image
import pytest
from matplotlib import pyplot
from test_kinds import in_model_range, small

from kerasgan.media import Image, Music, Sketch, Text, Video, markup

WITHOUT_END = ("img", "br", "hr")


class Page(html.parser.HTMLParser):
    """Notes tags and what they say; an AssertionError for one that is not closed, or that runs or fetches."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.addresses, self.said = [], [], [], ""
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "iframe", "link", "style", "object")
        self.tags.append(tag)
        for name, value in attributes:
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert value.startswith("data:")
                self.addresses.append(value)
        if tag in ("img", "audio"):
            assert {"alt", "aria-label"} & dict(attributes).keys()
        self.open += [] if tag in WITHOUT_END else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said += data

    def files(self):
        """Bytes of what is embedded, each with its media type."""
        for address in self.addresses:
            kind, _, content = address.removeprefix("data:").partition(";base64,")
            yield kind, base64.b64decode(content)


@pytest.mark.parametrize("one", small(), ids=lambda one: f"{type(one).__name__} {one.shape_text}")
def test_every_kind_is_html_that_runs_and_fetches_nothing(one):
    natural = one.to_natural(in_model_range(one))
    page = Page(one.html(natural, columns=2))
    assert page.addresses or page.said.strip()
    for kind, content in page.files():
        if kind in ("image/png", "image/webp"):
            assert PIL.Image.open(io.BytesIO(content)).size > (1, 1)
        elif kind == "image/svg+xml":
            assert content.startswith(b"<svg") and b"<script" not in content
        else:
            assert kind == "audio/wav" and content.startswith(b"RIFF")
    shown = one.show(natural)
    assert Page(shown._repr_html_()).tags
    pyplot.close("all")


def test_a_figure_in_a_file_is_the_figure():
    figure = Image((8, 6, 3)).show(np.zeros((2, 8, 6, 3), "uint8"))
    again = pickle.loads(pickle.dumps(figure))
    assert again._repr_html_() is None and len(again.axes) == 1
    pyplot.close("all")


def test_what_moves_moves_and_what_sounds_is_heard_once_for_each():
    video, music = Video((5, 6, 8, 1)), Music(1, 2, 2, 60, 14, 1)
    ((_, clip),) = Page(video.html(video.to_natural(in_model_range(video)))).files()
    assert PIL.Image.open(io.BytesIO(clip)).n_frames == 5
    page = Page(music.html(music.to_natural(in_model_range(music, count=9))))
    assert page.tags.count("audio") == 8 and "first 8 of 9 pieces" in page.said
    sketch = Sketch(9)
    ((_, drawn),) = Page(sketch.html(sketch.to_natural(in_model_range(sketch)))).files()
    assert b"animation" in drawn  # inside of the picture: its style reaches nothing else on the page


def test_pixels_of_small_pictures_stay_sharp_and_transparency_is_seen():
    found = Image((8, 6, 4)).html(np.zeros((4, 8, 6, 4), "uint8"), columns=2)
    assert "width: 504px" in found and "pixelated" in found and "conic-gradient" in found
    found = Image((8, 600, 3)).html(np.zeros((1, 8, 600, 3), "uint8"))
    assert "width: 600px" in found and "pixelated" not in found and "gradient" not in found


def test_what_data_say_is_text():
    evil = "<script>alert(1)</script>\udcff"
    text = Text({"unit": "word", "vocabulary": ["", evil], "length": 5})
    page = Page(text.html([evil]))
    assert page.said == "<script>alert(1)</script>\\udcff" and "script" not in page.tags
    page = Page(markup.rows({evil: evil}))
    assert page.said.count("alert(1)") == 2 and "script" not in page.tags
    assert 'alt="&quot;&gt;"' in markup.image(b"", "image/png", '">', 8)
    Page(text.html([evil] * 101))


def test_rows_of_a_table_are_escaped_and_few():
    pandas = pytest.importorskip("pandas")
    from test_kinds import TABLE

    from kerasgan.media import Table

    evil = "<img src=x onerror=alert(1)>"
    columns = [{"name": evil, "kind": "categorical", "values": [evil, "b"], "counts": [3, 2]}]
    table = Table({"columns": columns, "associations": [[1.0]]})
    page = Page(table.html(pandas.DataFrame({evil: [evil] * 12})))
    assert "img" not in page.tags and page.said.count(evil) == 11 and "first 10 of 12 rows" in page.said
    rows = Table(TABLE).to_natural(in_model_range(Table(TABLE), 3))
    assert re.search(r"\d\d\.\d\d\.19\d\d", Page(Table(TABLE).html(rows)).said)  # dates as the data had them
