"""Fréchet distance against closed forms and a naive matrix square root, whichever way it is computed."""

import warnings

import numpy as np
import pytest

from kerasgan.metrics import frechet
from kerasgan.metrics.frechet import FewSamples, frechet_distance
from kerasgan.metrics.moments import Moments


def gaussian(count, dimensions, seed):
    """Samples with full covariance."""
    random = np.random.default_rng(seed)
    return random.normal(size=(count, dimensions)) @ random.normal(size=(dimensions, dimensions)) + random.normal()


def samples_with(mean, root, seed=0):
    """100 samples whose mean is exactly `mean` and whose unbiased covariance is exactly root @ root.T."""
    noise = np.random.default_rng(seed).normal(size=(100, len(mean)))
    noise -= noise.mean(axis=0)
    noise = noise @ np.linalg.inv(np.linalg.cholesky(noise.T @ noise / 99)).T
    return noise @ np.asarray(root).T + mean


def naive(a, b):
    """By the definition; the eigenvalues of a product of covariances are real."""
    product = np.cov(a, rowvar=False) @ np.cov(b, rowvar=False)
    roots = np.sqrt(np.linalg.eigvals(product).astype(complex)).real
    return np.square(a.mean(0) - b.mean(0)).sum() + a.var(0, ddof=1).sum() + b.var(0, ddof=1).sum() - 2 * roots.sum()


def quiet(*arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewSamples)
        return frechet_distance(*arguments)


@pytest.mark.parametrize("form", [np.asarray, Moments.of])
def test_diagonal_covariances(form):
    real = samples_with([1.0, 2.0, 3.0], np.diag([1.0, 2.0, 3.0]))
    fake = samples_with([1.0, 0.0, 3.5], np.diag([2.0, 2.0, 0.5]), seed=1)
    expected = 0.0 + 4.0 + 0.25 + (1.0 + 0.0 + 2.5**2)
    assert frechet_distance(form(real), form(fake)) == pytest.approx(expected, rel=1e-10)


def test_covariances_that_do_not_commute():
    root1, root2 = np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([[1.0, 0.0], [-3.0, 0.5]])
    c1, c2 = root1 @ root1.T, root2 @ root2.T
    # In two dimensions tr(M^(1/2))^2 = tr(M) + 2 det(M)^(1/2).
    cross = np.sqrt(np.trace(c1 @ c2) + 2.0 * np.sqrt(np.linalg.det(c1) * np.linalg.det(c2)))
    value = frechet_distance(samples_with([0, 0], root1), samples_with([0, 0], root2))
    assert value == pytest.approx(np.trace(c1 + c2) - 2.0 * cross, rel=1e-10)


def test_one_dimension():
    value = frechet_distance(samples_with([1.0], [[3.0]]), samples_with([-1.0], [[0.5]]))
    assert value == pytest.approx(4.0 + 2.5**2, rel=1e-12)


def test_against_the_matrix_square_root():
    linalg = pytest.importorskip("scipy.linalg")
    a, b = gaussian(200, 40, 0), gaussian(150, 40, 1)
    c1, c2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(c1 + c2 - 2.0 * linalg.sqrtm(c1 @ c2).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("counts", [(300, 200), (300, 12), (12, 300), (12, 9), (9, 12), (2, 300), (25, 24)])
def test_every_route_gives_the_same(counts):
    """Arrays or Moments, more or fewer samples than the 25 dimensions."""
    a, b = gaussian(counts[0], 25, 2), gaussian(counts[1], 25, 3)
    values = [quiet(f(a), g(b)) for f in (np.asarray, Moments.of) for g in (np.asarray, Moments.of)]
    np.testing.assert_allclose(values, naive(a, b), rtol=1e-5)
    np.testing.assert_allclose(values, values[0], rtol=1e-6)


@pytest.mark.parametrize("block", [1, 7, 25, 256])
def test_blocks_leave_out_zeros_only(monkeypatch, block):
    monkeypatch.setattr(frechet, "_BLOCK", block)
    factor = np.linalg.cholesky(np.cov(gaussian(60, 25, 0), rowvar=False))
    covariance = np.cov(gaussian(60, 25, 1), rowvar=False)
    expected = np.tril(factor.T @ covariance @ factor)
    np.testing.assert_allclose(np.tril(frechet._between(factor, covariance)), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("counts", [(300, 300), (12, 12)])
@pytest.mark.parametrize("form", [np.asarray, Moments.of])
def test_set_beside_itself(counts, form):
    a = gaussian(counts[0], 25, 0)
    assert 0.0 <= quiet(form(a), form(a.copy())) < 1e-6 * a.var(axis=0).sum()


def test_symmetry_shift_scale_and_rotation():
    a, b = gaussian(200, 10, 0), gaussian(300, 10, 1)
    value = frechet_distance(a, b)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(10, 10)))
    assert frechet_distance(b, a) == pytest.approx(value, rel=1e-10)
    assert frechet_distance(3.0 * a, 3.0 * b) == pytest.approx(9.0 * value, rel=1e-10)
    assert frechet_distance(a @ rotation + 5.0, b @ rotation + 5.0) == pytest.approx(value, rel=1e-9)
    assert frechet_distance(a, a + np.full(10, 0.3)) == pytest.approx(10 * 0.09, rel=1e-6)


@pytest.mark.parametrize("form", [np.asarray, Moments.of])
def test_singular_covariances(form):
    """Features on a plane of fewer dimensions, turned into more, are as far apart as on the plane."""
    a, b = gaussian(200, 4, 0), gaussian(300, 4, 1)
    plane, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 4)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert frechet_distance(form(a @ plane.T), form(b @ plane.T)) == pytest.approx(frechet_distance(a, b), rel=1e-6)


def test_one_singular_covariance():
    real = samples_with([0.0, 0.0], [[2.0, 0.0], [0.0, 0.0]])
    fake = samples_with([0.0, 0.0], [[1.0, 0.0], [0.0, 3.0]])
    assert frechet_distance(real, fake) == pytest.approx(1.0 + 9.0, rel=1e-6)
    assert frechet_distance(fake, real) == pytest.approx(1.0 + 9.0, rel=1e-6)


def test_constant_features():
    ones = np.ones((20, 3))
    assert frechet_distance(ones, 3.0 * ones) == 12.0
    b = gaussian(50, 3, 0)
    assert frechet_distance(ones, b) == pytest.approx(np.square(b.mean(0) - 1.0).sum() + b.var(0, ddof=1).sum())


@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16"])
def test_dtypes(dtype):
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16
    a, b = gaussian(60, 4, 0).astype(dtype), gaussian(50, 4, 1).astype(dtype)
    expected = frechet_distance(a.astype("float64"), b.astype("float64"))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-12)


def test_arguments_are_left_alone():
    a, b = gaussian(20, 25, 0), gaussian(60, 25, 1)
    copies = a.copy(), b.copy()
    quiet(a, b)
    np.testing.assert_array_equal(a, copies[0])
    np.testing.assert_array_equal(b, copies[1])


def test_warning_about_few_samples():
    with pytest.warns(FewSamples, match="fake has 12 samples for 25 dimensions") as caught:
        frechet_distance(gaussian(300, 25, 0), gaussian(12, 25, 1))
    assert len(caught) == 1 and caught[0].filename == __file__
    with pytest.warns(FewSamples, match="real has 24 samples"):
        frechet_distance(Moments.of(gaussian(24, 25, 0)), gaussian(25, 25, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frechet_distance(gaussian(25, 25, 0), gaussian(25, 25, 1))


def test_errors():
    good = gaussian(10, 3, 0)
    with pytest.raises(ValueError, match="fake has 1 samples; expected 2"):
        frechet_distance(good, good[:1])
    with pytest.raises(ValueError, match="real are Moments of 1 samples"):
        frechet_distance(Moments.of(good[:1]), good)
    with pytest.raises(ValueError, match="real has 3 dimensions and fake has 2"):
        frechet_distance(good, Moments.of(good[:, :2]))
