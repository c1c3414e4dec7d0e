"""Records of scores: what they say, and which of them compare."""

import dataclasses
import json

import pytest

from kerasgan.metrics import efficientnet, result
from kerasgan.metrics.result import REAL, Result

FID = Result(
    "fid",
    77.63,
    higher_is_better=False,
    model="dcgan",
    n_real=5000,
    n_fake=5000,
    data="ab" * 32,
    split="all, half of it",
    size="64x64x3",
    feature_network="digits",
    feature_sha256="cd" * 32,
    resizer="none",
    ema=True,
    seed=3,
    version="0.1.0",
)
KID = dataclasses.replace(FID, metric="kid", value=0.5, error=0.01, error_is="standard error over blocks")
FLOOR = dataclasses.replace(FID, value=13.5, model=REAL, ema=None, seed=None)


def test_one_line_says_everything_that_the_number_depends_on():
    line = str(dataclasses.replace(KID, truncation=0.8, labels="in turn", parameters={"block_size": 1000}))
    assert "\n" not in line
    for part in (
        "kid (digits) 0.5 ± 0.01 (standard error over blocks)",
        "5,000 generated",
        "5,000 real (all, half of it)",
        "64x64x3",
        "digits cdcdcdcdcdcd",
        "moving average",
        "truncation 0.8",
        "labels in turn",
        "seed 3",
        "block_size 1000",
        "data abababababab",
        "kerasgan 0.1.0",
    ):
        assert part in line
    assert "no moving average" in str(dataclasses.replace(FID, ema=False))
    assert "no truncation" in str(FID)


def test_scores_of_one_protocol_compare():
    better = dataclasses.replace(FID, value=50.0, seed=4, model="other", version="0.2.0")
    assert better.better_than(FID) and not FID.better_than(better)
    recall = dataclasses.replace(FID, metric="recall", higher_is_better=True)
    assert dataclasses.replace(recall, value=99.0).better_than(recall)
    assert FLOOR.better_than(FID)  # that real data have no moving average is no other protocol


def test_scores_by_the_same_weights_in_another_file_compare():
    """EfficientNet-Lite0's of before, and those rounded to 15 bits; each goes on to say which it is of."""
    before = dataclasses.replace(FID, feature_sha256=efficientnet.FORMER_SHA256)
    now = dataclasses.replace(FID, feature_sha256=efficientnet.WEIGHTS.sha256, value=50.0)
    assert now.better_than(before) and not before.better_than(now)
    assert efficientnet.WEIGHTS.sha256[:12] in str(now) and efficientnet.FORMER_SHA256[:12] in str(before)


@pytest.mark.parametrize(
    "change",
    [
        {"n_fake": 1000},
        {"n_real": 1000},
        {"data": "00"},
        {"resizer": "bilinear"},
        {"feature_network": "inception_2015"},
        {"feature_sha256": "00"},
        {"ema": False},
        {"truncation": 0.5},
        {"size": "32x32x3"},
        {"parameters": {"k": 3}},
        {"metric": "kid"},
    ],
)
def test_scores_of_different_protocols_are_refused(change):
    other = dataclasses.replace(FID, **change)
    with pytest.raises(ValueError, match=next(iter(change))):
        FID.better_than(other)
    with pytest.raises(ValueError, match="do not compare"):
        result.mean([FID, FID, other])


def test_metric_without_a_direction():
    neither = dataclasses.replace(FID, higher_is_better=None)
    with pytest.raises(ValueError, match="neither"):
        neither.better_than(neither)


def test_mean_and_deviation():
    found = result.mean([dataclasses.replace(FID, value=value, seed=i) for i, value in enumerate((1.0, 2.0, 3.0))])
    assert found.value == 2.0 and found.error == 1.0 and found.error_is == "deviation over 3 results"
    assert result.mean([KID]) is KID
    with pytest.raises(ValueError, match="empty"):
        result.mean([])
    with pytest.raises(ValueError, match="different models"):
        result.mean([FID, dataclasses.replace(FID, model="other")])


def test_json_round_trip(tmp_path):
    result.save([FID, KID], tmp_path / "scores.json")
    assert result.load(tmp_path / "scores.json") == [FID, KID]
    (tmp_path / "scores.json").write_text(json.dumps([{"value": 1}]))
    with pytest.raises(ValueError, match="metric"):
        result.load(tmp_path / "scores.json")
    (tmp_path / "scores.json").write_text("{")
    with pytest.raises(ValueError, match="no JSON"):
        result.load(tmp_path / "scores.json")


def test_table_says_the_protocol_once():
    text = result.table([FID, FLOOR, KID])
    lines = text.splitlines()
    assert lines[1].split() == ["fid", "(digits)", "↓", "77.63", "13.5"]
    assert lines[2].split() == ["kid", "(digits)", "↓", "0.5", "±", "0.01"]
    assert text.count("5,000 real") == 1
    assert "±" not in result.table([dataclasses.replace(KID, error=None)])


def test_table_names_a_second_network():
    """Its scores stand beside floors of their own. The network of papers is the one that is not named."""
    known = {"efficientnet_lite0": "fid (Lite0)", "inception_2015": "fid", "hed_vgg16": "fid (hed_vgg16)"}
    others = [dataclasses.replace(r, feature_network="hed_vgg16", value=r.value / 7) for r in (FID, FLOOR)]
    lines = result.table([FID, FLOOR, *others]).splitlines()
    assert lines[1].split() == ["fid", "(digits)", "↓", "77.63", "13.5"]
    assert lines[2].split() == ["fid", "(hed_vgg16)", "↓", "11.09", "1.929"]
    assert "| fid (hed_vgg16) ↓ | 11.09 | 1.929 |" in result.markdown([FID, FLOOR, *others])
    named = {name: dataclasses.replace(FID, feature_network=name).label for name in (*known, None)}
    assert named == {**known, None: "fid"}


def test_markdown():
    text = result.markdown([FID, FLOOR, KID])
    assert "| fid (digits) ↓ | 77.63 | 13.5 |" in text and "| kid (digits) ↓ | 0.5 ± 0.01 |  |" in text
    assert "5,000 real (all, half of it)" in text
    assert "| metric | score |\n| --- | --- |\n| fid (digits) ↓ | 77.63 |\n" in result.markdown([FID])
    assert "not been scored" in result.markdown([])
