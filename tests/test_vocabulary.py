"""Cross-entropy by blocks of classes gives the same result in less memory."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lossutils.linear import linear_value_and_grad
from lossutils.losses import CrossEntropyLoss
from lossutils.verify import numerical_gradient
from lossutils.vocabulary import cross_entropy_by_classes
from tests.cases import assert_same


def problem(m=9, n=4, K=13, scale=1.0):
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(m, n)), rng.integers(K, size=m)
    return X, labels, scale * rng.normal(size=(n, K)), scale * rng.normal(size=K)


@pytest.mark.parametrize("block_classes", [None, 1, 2, 5, 12, 13, 1000])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1000.0])
def test_blocks_give_the_result_of_all_classes_at_once(block_classes, scale):
    X, labels, W, b = problem(scale=scale)
    actual = cross_entropy_by_classes(X, labels, W, b, block_classes=block_classes)
    expected = linear_value_and_grad(CrossEntropyLoss(), X, labels, W, b)
    assert_same(actual, expected, rtol=1e-12, atol=1e-14)


def test_gradient_agrees_with_finite_differences():
    X, labels, W, b = problem()

    def value(W, b):
        return cross_entropy_by_classes(X, labels, W, b, block_classes=5)[0]

    _, dW, db = cross_entropy_by_classes(X, labels, W, b, block_classes=5)
    assert_allclose(dW, numerical_gradient(lambda t: value(t, b), W), atol=1e-8)
    assert_allclose(db, numerical_gradient(lambda t: value(W, t), b), atol=1e-8)


def test_layouts_and_precisions_of_the_input():
    X, labels, W, b = problem()
    expected = cross_entropy_by_classes(X, labels, W, b, block_classes=5)
    columns = cross_entropy_by_classes(
        np.asfortranarray(X), labels.astype(np.uint8), np.asfortranarray(W), b, block_classes=5
    )
    assert_same(columns, expected)
    X, W, b = (array.astype(np.float32) for array in (X, W, b))
    value, dW, db = cross_entropy_by_classes(X, labels, W, b)
    assert dW.dtype == db.dtype == np.float32
    assert_allclose(value, expected[0], rtol=1e-6)
    assert_allclose(dW, expected[1], atol=1e-6)


def test_inputs_are_unchanged():
    inputs = problem()
    copies = [array.copy() for array in inputs]
    cross_entropy_by_classes(*inputs, block_classes=3)
    for array, copy in zip(inputs, copies, strict=True):
        assert np.array_equal(array, copy)


@pytest.mark.filterwarnings("error")
def test_classes_masked_by_an_infinite_intercept():
    """A first block in which all scores are minus infinity must not cause NaN."""
    X, labels, W, b = problem()
    labels = np.where(labels < 4, labels + 4, labels)
    b[:4] = -np.inf
    actual = cross_entropy_by_classes(X, labels, W, b, block_classes=2)
    few = cross_entropy_by_classes(X, labels - 4, W[:, 4:], b[4:])
    assert_allclose(actual[0], few[0], rtol=1e-12)
    assert_allclose(actual[1][:, 4:], few[1], atol=1e-14)
    assert not actual[1][:, :4].any()


def test_the_logits_are_never_in_memory_at_once():
    X, labels, W, b = problem(m=200, n=5, K=20_000)
    tracemalloc.start()
    cross_entropy_by_classes(X, labels, W, b)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    logits, gradient = 8 * 200 * 20_000, W.nbytes + b.nbytes
    assert gradient < peak < gradient + logits / 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.zeros(3)}, r"X must have shape \(m, n\)"),
        ({"X": np.zeros((0, 4))}, r"X must have shape \(m, n\)"),
        ({"W": np.zeros((5, 13))}, r"got \(9, 4\) and \(5, 13\)"),
        ({"W": np.zeros((4, 0)), "b": np.zeros(0)}, "none of them 0"),
        ({"b": np.zeros((13, 1))}, r"b must have shape \(13,\)"),
        ({"labels": np.zeros(8, dtype=int)}, r"X has 9 rows but labels have shape \(8,\)"),
        ({"labels": np.zeros(9)}, "labels must be whole numbers from 0 to 12, got float64"),
        ({"labels": np.full(9, 13)}, "from 13 to 13"),
        ({"labels": np.full(9, -1)}, "from -1 to -1"),
        ({"block_classes": 0}, "block_classes must be a whole number of at least 1"),
    ],
)
def test_bad_input_is_refused(change, message):
    X, labels, W, b = problem()
    with pytest.raises(ValueError, match=message):
        cross_entropy_by_classes(**{"X": X, "labels": labels, "W": W, "b": b, **change})
