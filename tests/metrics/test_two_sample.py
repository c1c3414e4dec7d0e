"""The two-sample test on sets whose answer can be counted."""

import numpy as np
import pytest

from kerasgan.metrics.two_sample import nearest_neighbour_accuracy, nearness


def test_nearest_neighbour_accuracy():
    """Two distant sets are told apart; a set that alternates with another is always taken for it."""
    near, far = np.array([[0.0], [1.0], [2.0]]), np.array([[100.0], [101.0], [103.0]])
    assert nearest_neighbour_accuracy(near, far, nearness) == 1.0
    assert nearest_neighbour_accuracy(near, near + 0.1, nearness) == 0.0
    # 0 and 1 are nearest to each other; 2.6 to 1, which is of the other set; 9 to 2.6
    assert nearest_neighbour_accuracy(np.array([[0.0], [1.0]]), np.array([[2.6], [9.0]]), nearness) == 0.75
    with pytest.raises(ValueError, match="3 and 2; expected equally many"):
        nearest_neighbour_accuracy(near, far[:2], nearness)
