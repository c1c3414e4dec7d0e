"""HTML of samples, as notebooks show it: by itself, without scripts, whatever the data say."""

import base64
import html
import io

from kerasgan.console import printable

WIDE = 512  # pixels to which a small picture is enlarged, at most
BESIDE = 256  # the same of one that stands beside others
_CHECKERBOARD = "background: repeating-conic-gradient(#ccc 0 25%, #fff 0 50%) 0 0/16px 16px"


class Html:
    """A piece of HTML that a notebook shows, as the last line of a cell.

    Args:
        text: the HTML.
        plain: what is printed elsewhere.
    """

    def __init__(self, text, plain=""):
        self.text, self.plain = text, plain

    def _repr_html_(self):
        return self.text

    def __repr__(self):
        return self.plain or "HTML, which a notebook shows"


def escaped(value):
    """A text of the data, such as a name, as HTML that shows it and nothing else."""
    return html.escape(printable(str(value)))


def embedded(content, kind):
    """Bytes as an address that holds them; `kind` is their media type, such as "image/png"."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def image(content, kind, alt, width, transparent=False, wide=WIDE):
    """A picture file as HTML.

    Args:
        content: its bytes.
        kind: media type, such as "image/png".
        alt: what it shows, for who does not see it.
        width: of the picture, in pixels. A small one is enlarged by a whole number, and its pixels stay sharp.
        transparent: whether it lies on a checkerboard.
        wide: pixels to which a small one is enlarged, at most.
    """
    zoom = max(1, wide // width)
    style = f"width: {zoom * width}px; max-width: 100%; height: auto"
    style += "; image-rendering: pixelated" if zoom > 1 else ""
    style += f"; {_CHECKERBOARD}" if transparent else ""
    return f'<img src="{embedded(content, kind)}" alt="{escaped(alt)}" style="{style}">'


def png(content, alt):
    """A PNG file, whoever wrote it, as HTML; None of what is none."""
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(content), formats=["PNG"]) as opened:
            width = opened.width
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        return None
    return image(content, "image/png", alt, width)


def sound(content, label):
    """A WAV file as a player; `label` says which sound it is."""
    return f'<audio controls aria-label="{escaped(label)}" src="{embedded(content, "audio/wav")}"></audio>'


def side_by_side(parts):
    """Pieces of HTML beside each other, as many in a line as there is room for."""
    style = "display: inline-block; margin: 0 12px 12px 0; vertical-align: top; max-width: 100%"
    return "".join(f'<div style="{style}">{part}</div>' for part in parts)


def lines(texts):
    """Texts as a list, in columns where they are short."""
    items = "".join(f"<li>{escaped(text)}</li>" for text in texts)
    width = 1 + max(map(len, texts), default=0)
    return f'<ul style="columns: {min(60, width)}ch; list-style: none; padding: 0; margin: 0">{items}</ul>'


def preformatted(text):
    """A text as it is printed, with its lines."""
    return f"<pre>{escaped(text)}</pre>"


def more(count, shown, plural):
    """What is said below samples that are not all shown; nothing where they are."""
    return f"<p>The first {shown:,} of {count:,} {escaped(plural)}.</p>" if count > shown else ""


def rows(named):
    """{name: text} as a table of two columns."""
    style = "text-align: left; vertical-align: top; padding: 2px 12px 2px 0"
    head = f"{style}; font-weight: normal; opacity: 0.7; white-space: nowrap"
    cells = "".join(
        f'<tr><th scope="row" style="{head}">{escaped(name)}</th><td style="{style}">{escaped(value)}</td></tr>'
        for name, value in named.items()
    )
    return f'<table style="border: 0">{cells}</table>'
