"""A model that scores as an estimator of scikit-learn's."""

from sklearn.base import BaseEstimator


class Detector(BaseEstimator):
    """A model that scores, as the last step of a pipeline for example, with the methods of PyOD's detectors.

    Args:
        gan: the model, a `kerasgan.scorer.Scorer`.
        quantile: the share of normal samples that are to count as normal.
    """

    def __init__(self, gan, quantile=0.95):
        self.gan = gan
        self.quantile = quantile

    def fit(self, samples, labels=None):
        """Calibrates the model on normal samples in natural units; it does not train. Labels are ignored.

        Returns:
            The detector.
        """
        self.gan.calibrate(samples)
        return self

    def decision_function(self, samples):
        """How strange samples are, float32 (count,)."""
        return self.gan.score(samples).scores

    def predict(self, samples):
        """1 for samples that are stranger than the share `quantile` of normal ones, else 0: int (count,)."""
        return (self.decision_function(samples) > self.threshold_).astype(int)

    @property
    def threshold_(self):
        """The score above which samples count as strange."""
        return self.gan.threshold(self.quantile)

    def __sklearn_is_fitted__(self):
        return self.gan.is_calibrated
