"""Costly tests in turns: each of them comes within so many commits, and at once when what it is about was changed."""

import itertools
import subprocess

import costly
import numpy as np

from kerasgan import registry


def test_every_scope_has_a_turn():
    scopes = [("test_types.py", "", name) for name in registry.TYPES] + [("test_srgan.py", "", "")]
    taken = [costly.in_turn(scopes, turn) for turn in range(7, 7 + costly.TURNS)]
    assert set.union(*taken) == set(scopes) and sum(map(len, taken)) == len(scopes)
    assert max(map(len, taken)) - min(map(len, taken)) <= 1


def test_what_was_changed_is_tested_at_once():
    scopes = [("test_types.py", "", name) for name in registry.TYPES]
    scopes += [("test_srgan.py", "", ""), ("test_zoo.py", "", "srgan_x4"), ("test_zoo.py", "", "dcgan_celeba")]
    for turn in range(costly.TURNS):
        taken = costly.in_turn(scopes, turn, {"srgan", "srgan_x4"})
        assert {("test_types.py", "", "srgan"), ("test_srgan.py", "", ""), ("test_zoo.py", "", "srgan_x4")} <= taken
    assert "vanilla" in costly.subjects(("test_types.py", "", "vanilla_gan"))  # its file is models/vanilla.py
    assert costly.subjects(("test_zoo.py", "", "dcgan_celeba")) == {"test_zoo", "dcgan_celeba"}


def test_where_changes_take_the_time_fewer_others_come(monkeypatch):
    """However little time there is for them, each comes in as many rounds as there are parts."""
    page, scopes = ("test_page.py", "", ""), [("test_types.py", "", name) for name in list(registry.TYPES)[:24]]
    whole = costly.in_turn(scopes, 7)
    scopes.append(page)
    for room, count in ((4, 4), (3, 2), (2, 2), (1, 1), (0, 1)):  # a sixth are four, and at last a fourth of them comes
        monkeypatch.setattr(costly, "SECONDS", costly.cost(page) + room * costly.cost(scopes[0]))
        taken = costly.in_turn(scopes, 7, {"page"})
        assert page in taken and taken - {page} <= whole and len(taken) == 1 + count, room
    random, taken = np.random.default_rng(0), []
    for turn in range(7, 7 + costly.PARTS[-1] * costly.TURNS):
        monkeypatch.setattr(costly, "SECONDS", random.integers(1000))
        taken.append(costly.in_turn(scopes, turn, {"page"}))
    assert set.union(*taken) == set(scopes)
    assert all(after % before == 0 for before, after in itertools.pairwise(costly.PARTS))


def test_scopes():
    assert costly.scope("tests/data/test_svg.py::test_lines") is None
    assert costly.scope("tests/contract/test_types.py::test_trains[sngan]") == ("test_types.py", "", "sngan")
    assert costly.scope("tests/contract/test_zoo.py::test_exports[srgan_x4-int8]") == ("test_zoo.py", "", "srgan_x4")
    assert costly.scope("tests/test_resume.py::test_resumed[second-pyramid]") == ("resume", "second", "")
    assert costly.scope("tests/test_distribution.py::test_workers") == ("resume", "first", "")
    assert costly.scope("tests/models/test_srgan.py::test_terms[dcgan]") == ("test_srgan.py", "", "")


def test_the_state_of_a_repository(tmp_path):
    def git(*words):
        own = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", tmp_path, *own, *words], check=True, capture_output=True)

    assert costly.state(tmp_path / "nowhere") is None
    git("init", "-q")
    (tmp_path / "srgan.py").write_text("1")
    (tmp_path / "zoo" / "one").mkdir(parents=True)
    (tmp_path / "zoo" / "one" / "card.md").write_text("1")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    assert costly.state(tmp_path) == (1, {"srgan", "card", "one"})
    (tmp_path / "srgan.py").write_text("2")
    git("commit", "-q", "-a", "-m", "second")
    assert costly.state(tmp_path)[0] == 2
