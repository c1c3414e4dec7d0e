"""Damaged and hostile files of every format: each ends in an error that names it, or in a result."""

import importlib.util
import pathlib

import pytest


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_each_kind_of_damage_to_each_file():
    pytest.importorskip("soundfile")
    pytest.importorskip("ai_edge_litert")
    pytest.importorskip("onnxruntime")
    pytest.importorskip("trimesh")
    pytest.importorskip("sklearn")
    pytest.importorskip("pyarrow")
    path = pathlib.Path(__file__).with_name("run.py")
    spec = importlib.util.spec_from_file_location("hostile_run", path)
    harness = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(harness)
    count = len(harness.EACH_ONCE)
    found, faults = harness.run(count, seed=0, processes=1)
    assert len(found) == count and not faults, harness.summary(found, faults)
    assert {one["subject"] for one in found} == set(harness.sound.SUBJECTS)
