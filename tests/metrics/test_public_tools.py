"""The same features through the public tools, where they are installed: equal to 1e-4, and to rounding in most."""

import numpy as np
import pytest

from kerasgan.metrics.frechet import frechet_distance
from kerasgan.metrics.inception_score import inception_score
from kerasgan.metrics.kernel import kernel_distance
from kerasgan.metrics.neighbours import neighbour_scores, precision_recall

RANDOM = np.random.default_rng(0)
MIX = RANDOM.normal(size=(48, 48)) / 7.0
REAL = np.maximum(RANDOM.normal(size=(400, 48)) @ MIX, 0.0).astype("float32")
FAKE = np.maximum(RANDOM.normal(size=(400, 48)) @ MIX + 0.05, 0.0).astype("float32")


def statistics():
    return [moment for side in (REAL, FAKE) for moment in (side.mean(axis=0), np.cov(side, rowvar=False))]


def tool(name):
    return pytest.importorskip(name, exc_type=ImportError)


def test_pytorch_fid():
    expected = tool("pytorch_fid.fid_score").calculate_frechet_distance(*statistics())
    assert frechet_distance(REAL, FAKE) == pytest.approx(expected, rel=1e-5)


def test_clean_fid():
    fid = tool("cleanfid.fid")
    assert frechet_distance(REAL, FAKE) == pytest.approx(fid.fid_from_feats(REAL, FAKE), rel=1e-5)
    expected = fid.kernel_distance(*(side.astype("float64") for side in (REAL, FAKE)), 1, len(FAKE))
    assert kernel_distance(REAL, FAKE).value == pytest.approx(expected, rel=1e-5)


def test_torch_fidelity():
    torch = tool("torch")
    real, fake = torch.from_numpy(REAL), torch.from_numpy(FAKE)

    fid = tool("torch_fidelity.metric_fid")
    found = fid.fid_statistics_to_metric(*map(fid.fid_features_to_statistics, (real, fake)), verbose=False)
    assert frechet_distance(REAL, FAKE) == pytest.approx(found["frechet_inception_distance"], rel=1e-5)

    kid = tool("torch_fidelity.metric_kid").kid_features_to_metric
    found = kid(real.double(), fake.double(), kid_subsets=1, kid_subset_size=len(FAKE), rng_seed=0, verbose=False)
    assert kernel_distance(REAL, FAKE).value == pytest.approx(found["kernel_inception_distance_mean"], rel=1e-5)

    found = tool("torch_fidelity.metric_isc").isc_features_to_metric(5.0 * fake, splits=10, shuffle=False)
    expected = found["inception_score_mean"], found["inception_score_std"]
    assert inception_score(5.0 * FAKE, seed=None) == pytest.approx(expected, rel=1e-6)

    prc = tool("torch_fidelity.metric_prc").prc_features_to_metric  # takes the fakes first
    arguments = {"prc_neighborhood": 3, "prc_batch_size": 1000, "save_cpu_ram": False, "verbose": False}
    found = prc(fake, real, **arguments)
    assert precision_recall(REAL, FAKE) == pytest.approx((found["precision"], found["recall"]), rel=1e-4)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_prdc(k):
    found = tool("prdc").compute_prdc(REAL, FAKE, k)
    expected = [found[name] for name in ("precision", "recall", "density", "coverage")]
    assert neighbour_scores(REAL, FAKE, k) == pytest.approx(expected, rel=1e-12)
