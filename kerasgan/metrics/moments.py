"""Mean and covariance of features that come in batches."""

import numpy as np

from kerasgan.metrics import checks

_BLOCK = 2**22  # numbers that are converted in one go, 32 MB


class Moments:
    """Mean and covariance of features, in float64, without keeping the features.

    Batches are joined by the pairwise formula of Chan, Golub and LeVeque (1983), which loses no digits where the mean
    is large beside the deviations. Memory depends on the dimensions only: three matrices at most.

    ```python
    moments = kerasgan.metrics.Moments(2048)
    for images in batches:
        moments.update(network.features(images))
    kerasgan.metrics.frechet_distance(moments, fake_features)
    ```

    Args:
        dimensions: length of a feature vector.

    Attributes:
        dimensions: length of a feature vector.
        count: how many samples there have been.

    Raises:
        ValueError: if `dimensions` is not a whole number above 0.
    """

    def __init__(self, dimensions):
        self.dimensions = checks.whole(dimensions, "dimensions", 1)
        self.count = 0
        self._mean = np.zeros(self.dimensions)
        self._scatter = np.zeros((self.dimensions, self.dimensions))  # sum of outer products of the deviations

    @classmethod
    def of(cls, features):
        """The moments of one array of features, (samples, dimensions)."""
        features = checks.features(features, "features")
        moments = cls(features.shape[1])
        moments._add(features)
        return moments

    def update(self, features):
        """Adds a batch.

        Args:
            features: floats (samples, dimensions), finite.

        Raises:
            ValueError: if they are anything else; nothing has been added then.
        """
        features = checks.features(features, "features", rows=0)
        checks.same_dimensions(self.dimensions, features.shape[1], ("Moments", "features"))
        self._add(features)

    def merge(self, other):
        """Adds all samples of another `Moments`.

        Raises:
            ValueError: if it is none, or one of other dimensions.
        """
        if not isinstance(other, Moments):
            raise ValueError(f"other is of type {type(other).__name__}; expected Moments. Use update for features.")
        checks.same_dimensions(self.dimensions, other.dimensions, ("Moments", "other"))
        if other.count:
            shift, weight = other._mean - self._mean, self._weight(other.count)
            self._scatter += other._scatter + weight * np.outer(shift, shift)
            self._advance(shift, other.count)

    @property
    def mean(self):
        """float64 (dimensions,)."""
        self._need(1)
        return self._mean.copy()

    @property
    def covariance(self):
        """float64 (dimensions, dimensions), unbiased: divided by count - 1."""
        self._need(2)
        return self._scatter / (self.count - 1)

    def to_arrays(self):
        """The state as a dictionary of arrays, for `numpy.savez`."""
        return {"count": np.int64(self.count), "mean": self._mean.copy(), "scatter": self._scatter.copy()}

    @classmethod
    def from_arrays(cls, arrays):
        """The `Moments` whose `to_arrays` gave `arrays`: a dictionary, or what `numpy.load` opened.

        Raises:
            ValueError: if something is missing, or of the wrong shape, or not finite.
        """
        missing = [name for name in ("count", "mean", "scatter") if name not in arrays]
        if missing:
            raise ValueError(f"arrays lacks {', '.join(missing)}; expected what Moments.to_arrays() gave.")
        count, mean, scatter = (np.asarray(arrays[name]) for name in ("count", "mean", "scatter"))
        if count.ndim or mean.ndim != 1 or scatter.shape != 2 * mean.shape:
            shapes = f"count {count.shape}, mean {mean.shape} and scatter {scatter.shape}"
            raise ValueError(f"arrays has {shapes}; expected the shapes (), (d,) and (d, d).")
        if count < 0 or not (np.isfinite(mean).all() and np.isfinite(scatter).all()):
            raise ValueError("arrays holds a negative count or NaN or infinite moments; compute them again.")
        moments = cls(len(mean))
        moments.count = int(count)
        moments._mean, moments._scatter = mean.astype(np.float64), scatter.astype(np.float64)
        return moments

    def _add(self, features):
        rows = max(256, _BLOCK // self.dimensions)
        for start in range(0, len(features), rows):
            self._add_block(features[start : start + rows])

    def _add_block(self, features):
        count = len(features)
        deviations = np.empty((count + 1, self.dimensions))
        deviations[:count] = features
        mean = deviations[:count].mean(axis=0)
        deviations[:count] -= mean
        # The shift between the means is one more row: its outer product costs nothing beside the others.
        shift = mean - self._mean
        deviations[count] = np.sqrt(self._weight(count)) * shift
        self._scatter += deviations.T @ deviations
        self._advance(shift, count)

    def _weight(self, count):
        """Factor of the outer product of the shift between the old mean and that of `count` new samples."""
        return self.count * count / (self.count + count)

    def _advance(self, shift, count):
        self.count += count
        self._mean += shift * (count / self.count)

    def _need(self, count):
        if self.count < count:
            raise ValueError(f"These Moments have {self.count} samples; expected {count} or more. Call update first.")
