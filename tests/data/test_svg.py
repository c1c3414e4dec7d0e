"""The lines of SVG files, of examples whose geometry is known."""

import numpy as np
import pytest

from kerasgan.data.files import BadSample
from kerasgan.data.svg import read_svg

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'


def lines(body):
    return read_svg(f"{HEAD}{body}</svg>".encode())


def path(data):
    return [line.tolist() for line in lines(f'<path d="{data}"/>')]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("M1 2L3 4", [[[1, 2], [3, 4]]]),
        ("m1,2 2,2 -1-1", [[[1, 2], [3, 4], [2, 3]]]),  # more pairs of a move are lines, relative ones
        ("M1 2 3 4", [[[1, 2], [3, 4]]]),
        ("M0 0H5V7h-2v-3", [[[0, 0], [5, 0], [5, 7], [3, 7], [3, 4]]]),
        ("M0 0 4 0 4 3z", [[[0, 0], [4, 0], [4, 3], [0, 0]]]),
        (
            "M1 1h2z v5",
            [[[1, 1], [3, 1], [1, 1]], [[1, 1], [1, 6]]],
        ),  # a line behind a closed one
        ("M0 0L1 1M5 5l1 0", [[[0, 0], [1, 1]], [[5, 5], [6, 5]]]),
        ("M.5.5L1e1-2E0", [[[0.5, 0.5], [10, -2]]]),
    ],
)
def test_straight_paths(data, expected):
    assert path(data) == expected


def test_a_cubic_curve_goes_through_the_middle_of_its_four_points():
    """At one half, (p0 + 3 p1 + 3 p2 + p3) / 8 (Bernstein)."""
    (line,) = lines('<path d="M0 0C0 8 8 8 8 0"/>')
    assert len(line) == 17
    np.testing.assert_allclose(line[8], [4, 6])
    np.testing.assert_allclose(line[[0, -1]], [[0, 0], [8, 0]])


def test_a_quadratic_curve_and_its_mirror_image():
    (line,) = lines('<path d="M0 0Q4 8 8 0T16 0"/>')
    np.testing.assert_allclose(line[8], [4, 4])
    np.testing.assert_allclose(line[24], [12, -4])  # T goes on smoothly, to the other side


def test_a_smooth_curve_begins_with_the_mirrored_control_point():
    smooth, written_out = (path(f"M0 0C0 4 4 4 4 0{rest}") for rest in ("S8-4 8 0", "C4 -4 8-4 8 0"))
    np.testing.assert_allclose(smooth[0], written_out[0])
    alone, line = path("M0 0S8-4 8 0"), path("M0 0C0 0 8-4 8 0")  # behind another command, the point itself
    np.testing.assert_allclose(alone[0], line[0])


@pytest.mark.parametrize(("flags", "highest"), [("0 1", -5), ("0 0", 5), ("1 1", -5), ("1 0", 5)])
def test_half_circles(flags, highest):
    """From (0, 0) to (10, 0) with radius 5: the upper or the lower half (y is down)."""
    (line,) = lines(f'<path d="M0 0A5 5 0 {flags} 10 0"/>')
    np.testing.assert_allclose(np.hypot(line[:, 0] - 5, line[:, 1]), 5)
    assert line[len(line) // 2].tolist() == pytest.approx([5, highest])


def test_the_large_arc_goes_around_and_flags_need_no_space():
    small, large = (lines(f'<path d="M0 0A5 5 0 {flags}5 5"/>')[0] for flags in ("01", "11"))
    length = [np.hypot(*np.diff(line, axis=0).T).sum() for line in (small, large)]
    np.testing.assert_allclose(length, [2.5 * np.pi, 7.5 * np.pi], rtol=0.01)  # a quarter, and three of them


def test_an_arc_that_does_not_reach_is_made_larger():
    (line,) = lines('<path d="M0 0A1 1 0 0 1 10 0"/>')
    np.testing.assert_allclose(np.hypot(line[:, 0] - 5, line[:, 1]), 5)


def test_basic_shapes():
    found = lines(
        '<line x1="1" x2="3px" y2="2"/><polyline points="0,0 1,1 2,0"/><polygon points="0 0 1 1 2 0"/>'
        '<rect x="1" y="2" width="3" height="4"/><circle cx="5" cy="5" r="2"/><ellipse rx="3" ry="1"/>'
    )
    expected = [[[1, 0], [3, 2]], [[0, 0], [1, 1], [2, 0]], [[0, 0], [1, 1], [2, 0], [0, 0]]]
    expected.append([[1, 2], [4, 2], [4, 6], [1, 6], [1, 2]])
    assert [line.tolist() for line in found[:4]] == expected
    np.testing.assert_allclose(np.hypot(*(found[4] - 5).T), 2)
    np.testing.assert_allclose(np.hypot(*(found[5] / [3, 1]).T), 1)


@pytest.mark.parametrize(
    ("transform", "place"),
    [
        ("translate(10)", [11, 2]),
        ("translate(10, 20)", [11, 22]),
        ("scale(2)", [2, 4]),
        ("scale(2 -1)", [2, -2]),
        ("rotate(90)", [-2, 1]),
        ("rotate(90 1 1)", [0, 1]),
        ("matrix(1 2 3 4 5 6)", [1 + 6 + 5, 2 + 8 + 6]),
        ("skewX(45)", [3, 2]),
        ("translate(10,0) scale(2)", [12, 4]),  # the last one comes first
    ],
)
def test_transformations(transform, place):
    (line,) = lines(f'<g transform="{transform}"><path d="M1 2 1 2"/></g>')
    np.testing.assert_allclose(line[0], place, atol=1e-12)


def test_groups_are_inside_of_each_other_and_end():
    found = lines('<g transform="scale(2)"><g transform="translate(1)"><path d="M1 1h1"/></g></g><path d="M1 1h1"/>')
    assert [line[0].tolist() for line in found] == [[4, 2], [1, 1]]


def test_what_is_not_drawn():
    found = lines(
        '<defs><path d="M0 0h9"/></defs><clipPath><rect width="5" height="5"/></clipPath><style>path{}</style>'
        '<script>alert(1)</script><g display="none"><path d="M0 0h9"/></g><text><path d="M0 0h9"/></text>'
        '<path d=""/><circle r="0"/><other:path xmlns:other="urn:other" d="M0 0h9"/><use href="#a"/>'
        '<image href="http://example.com/a.png"/><path d="M1 1h1"/>'
    )
    assert [line.tolist() for line in found] == [[[1, 1], [2, 1]]]


def test_a_document_type_is_passed_over_and_nothing_of_it_is_fetched():
    """As drawing programs write it, and KanjiVG with a declaration of attributes."""
    kind = (
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.0//EN" "http://example.invalid/a.dtd" [<!ATTLIST g a CDATA #IMPLIED>]>'
    )
    (line,) = read_svg(f'<?xml version="1.0"?>{kind}{HEAD}<path d="M1 1h1"/></svg>'.encode())
    assert line.tolist() == [[1, 1], [2, 1]]


BILLION = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f'<!DOCTYPE svg [<!ENTITY a0 "x">{BILLION}]>{HEAD}<text>&a9;</text></svg>', "entity 'a0'"),
        (f'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>{HEAD}&a;</svg>', "entity 'a'"),
        (f"{HEAD}<path d='M0 0h9'/>", "no element found"),
        ("", "no element found"),
        ("<svg", "unclosed token"),
        (f"{HEAD}</svg>", "no lines"),
        (f"{HEAD}<path d='L0 0'/></svg>", "begins with 'L'"),
        (f"{HEAD}<path d='M0 0L1'/></svg>", "wrong at ''"),
        (f"{HEAD}<path d='M0 0L1 banana'/></svg>", "wrong at ' banana'"),
        (f"{HEAD}<path d='M0 0L1e999 1'/></svg>", "no numbers"),
        (f"{HEAD}<rect width='50%' height='5'/></svg>", "width='50%' is no number of units"),
        (f"{HEAD}<path d='M0 0h1' transform='warp(3)'/></svg>", "transformation 'warp'"),
        (f"{HEAD}<path d='M0 0h1' transform='scale()'/></svg>", "argument"),
        (f"{HEAD}{'<g>' * 200}</svg>", "more than 100 elements"),
        (HEAD + "<path d='M0 0" + "h1" * 200_000 + "'/></svg>", "more than 5,000 lines or 100,000 points"),
        (HEAD + "<path d='M0 0h1'/>" * 6000 + "</svg>", "more than 5,000 lines"),
    ],
)
def test_bad_files_say_why(content, message):
    with pytest.raises(BadSample, match=message):
        read_svg(content.encode())
