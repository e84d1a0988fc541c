"""MSE: accuracy, limits and minimum."""

import numpy as np
from numpy.testing import assert_array_equal

from lossutils.losses import MSELoss
from tests.reference import assert_accurate, precisions, score_rows, widths


@precisions
def test_accuracy(dtype):
    pairs = score_rows(dtype, 2)
    assert_accurate(MSELoss(), pairs[:, 0], pairs[:, 1], eps=4)


@precisions
@widths
def test_accuracy_of_several_scores(dtype, K):
    rows = score_rows(dtype, K)
    assert_accurate(MSELoss(), rows, rows[::-1], eps=4)


def test_limits():
    assert_accurate(MSELoss(), [np.inf, -np.inf, 1.0, 1.0], [0.5, 0.5, np.inf, -np.inf], eps=0)
    assert_accurate(MSELoss(), [[np.inf, -np.inf]], [[0.5, 0.5]], eps=0)


def test_gradient_at_the_minimum_is_exactly_zero():
    assert_array_equal(MSELoss().grad([[1.5, -2.0]], [[1.5, -2.0]]), [[0.0, 0.0]])
    assert MSELoss()([[1.5, -2.0]], [[1.5, -2.0]]) == 0.0
