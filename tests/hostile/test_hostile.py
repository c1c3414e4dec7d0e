"""Damaged and hostile files of every format: each ends in an error that names it, or in a result."""

import importlib.util
import pathlib

import pytest

COUNT = 1000


@pytest.mark.slow
@pytest.mark.timeout(1200)  # on two cores of its own it takes two minutes
def test_a_thousand_hostile_files():
    pytest.importorskip("soundfile")
    pytest.importorskip("ai_edge_litert")
    pytest.importorskip("onnxruntime")
    path = pathlib.Path(__file__).with_name("run.py")
    spec = importlib.util.spec_from_file_location("hostile_run", path)
    harness = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(harness)
    found, faults = harness.run(COUNT, seed=0)
    assert len(found) == COUNT and not faults, harness.summary(found, faults)
    assert {one["subject"] for one in found} == set(harness.sound.SUBJECTS)
