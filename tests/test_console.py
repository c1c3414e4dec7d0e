"""What is printed while something takes a while."""

import io
import sys

import pytest

from kerasgan import console


class Terminal(io.StringIO):
    encoding = "ascii"

    def isatty(self):
        return True


def test_steps_are_lines_in_a_file(capsys):
    assert list(console.steps(["a", "b"], "Exporting", "kept in c")) == ["a", "b"]
    assert capsys.readouterr().out.splitlines() == ["Exporting a (1 of 2; kept in c) ...", "Exporting b (2 of 2) ..."]


def test_steps_are_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert list(console.steps(["a", "\u00e9"], "Exporting", "kept in c")) == ["a", "\u00e9"]
    said = sys.stdout.getvalue()
    assert "Exporting a |" in said and "Exporting \\xe9 |" in said and "1 of 2" in said
    assert said.endswith("\rExporting: 2 done; kept in c.\n")
    assert said.isascii() and len(said.splitlines()[-1]) < 80


def test_no_steps_are_not_worth_a_word(capsys):
    assert list(console.steps([], "Exporting", "kept")) == [] and capsys.readouterr().out == ""


def test_a_step_that_fails_leaves_the_bar(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    with pytest.raises(OSError):
        for _ in console.steps(["a", "b"], "Exporting"):
            raise OSError
    assert "done" not in sys.stdout.getvalue()
