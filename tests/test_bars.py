"""Bars, on a terminal and in a file."""

import io
import re
import sys

import pytest

from kerasgan import bars


class Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True

    def lines(self):
        """What was drawn, each picture of it, without colours and movements of the cursor."""
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())
        return [line.strip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(bars.time, "monotonic", lambda: Clock.now)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    return Clock


def work(bar, clock, steps=5, seconds=1.0):
    with bar:
        for _ in range(steps):
            clock.now += seconds
            bar.update()


def test_how_far_it_is(clock):
    screen = Screen()
    work(bars.Bar("Reading", 5, "images", stream=screen), clock)
    assert [re.search(r"\d/5 images", line)[0] for line in screen.lines()][:6] == [f"{n}/5 images" for n in range(6)]
    assert screen.lines()[2].startswith("Reading ━") and re.search(r" \d:\d\d:\d\d$", screen.lines()[2])
    shown, hidden = screen.getvalue().rfind("\x1b[?25h"), screen.getvalue().rfind("\x1b[?25l")
    assert shown > hidden >= 0 and screen.getvalue().endswith(
        "\x1b[2K\x1b[?25h\r"
    )  # the cursor is back, the line is gone


def test_files_and_short_works_see_none(clock):
    file, screen = io.StringIO(), Screen()
    work(bars.Bar("Reading", 5, stream=file), clock)
    work(bars.Bar("Reading", 5, stream=screen, shown=False), clock)
    work(bars.Bar("Reading", 5, delay=3, stream=screen), clock, seconds=0.5)
    assert file.getvalue() == screen.getvalue() == ""
    work(bars.Bar("Reading", 5, delay=3, stream=screen), clock)
    assert "3/5" in screen.lines()[0] and not bars._screens


def test_a_fast_work_is_not_drawn_at_each_step(clock):
    screen = Screen()
    work(bars.Bar("Reading", 1000, stream=screen), clock, steps=1000, seconds=0.001)
    assert 5 <= len(screen.lines()) <= 12


def test_bytes_and_unknown_lengths():
    assert bars._counted(1_500_000, 12_000_000, "B") == "1.5/12.0 MB"
    assert bars._counted(3, None, "samples") == "3 samples" and bars._counted(3, 10, "") == "3/10"


def test_one_within_another_and_one_that_fails(clock):
    screen = Screen()
    with pytest.raises(KeyError), bars.Bar("Outer", 2, stream=screen):
        for each in bars.over(["a", "b"], "Inner [red]", "letters", stream=screen):
            clock.now += 1
            if each == "b":
                raise KeyError(each)
    assert any("Inner [red]" in line and "1/2 letters" in line for line in screen.lines())
    assert not bars._screens and screen.getvalue().rfind("\x1b[?25h") > screen.getvalue().rfind("\x1b[?25l")


def test_items_of_a_stream_are_counted(clock):
    screen, given = Screen(), []
    for each in bars.over(iter("abc"), "Reading", stream=screen):
        clock.now += 1
        given.append(each)
    assert given == ["a", "b", "c"] and screen.lines()[-1].startswith("Reading")


def test_what_is_done_is_told_at_once(clock):
    screen = Screen()
    with bars.Bar("Exporting", 2, stream=screen) as bar:
        bar.update(0, doing="Exporting faces")
    assert any(line.startswith("Exporting faces") for line in screen.lines())


def test_steps_are_lines_in_a_file(capsys):
    assert list(bars.steps(["a", "b"], "Exporting", "kept in c")) == ["a", "b"]
    assert capsys.readouterr().out.splitlines() == ["Exporting a (1 of 2; kept in c) ...", "Exporting b (2 of 2) ..."]


def test_steps_are_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Screen())
    monkeypatch.setattr(Screen, "encoding", "ascii")
    assert list(bars.steps(["a", "\u00e9"], "Exporting", "kept in c")) == ["a", "\u00e9"]
    said = sys.stdout.getvalue()
    assert "Exporting a " in said and "Exporting \\xe9 " in said and "1/2" in said
    assert said.endswith("\rExporting: 2 done; kept in c.\n")
    assert said.isascii() and len(said.splitlines()[-1]) < 80


def test_no_steps_are_not_worth_a_word(capsys):
    assert list(bars.steps([], "Exporting", "kept")) == [] and capsys.readouterr().out == ""


def test_a_step_that_fails_leaves_the_bar(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Screen())
    with pytest.raises(OSError):
        for _ in bars.steps(["a", "b"], "Exporting"):
            raise OSError
    assert "done" not in sys.stdout.getvalue()
