"""The data sets depend on the seed alone, and have the documented shape, scale and moments."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils.data import (
    breast_cancer,
    diabetes,
    digits,
    flip_labels,
    gaussian_clouds,
    noisy_line,
    split,
    zen_of_python,
)

MANY = 100_000


@pytest.mark.parametrize("draw", [gaussian_clouds, noisy_line])
def test_the_seed_decides_the_draw(draw):
    same, again, other = draw(20), draw(20, seed=0), draw(20, seed=1)
    for a, b, c in zip(same, again, other, strict=True):
        assert_array_equal(a, b)
        assert not np.array_equal(a, c)


def test_clouds_have_their_means_and_unit_variance():
    X, y = gaussian_clouds(MANY)
    assert (X.shape, y.shape) == ((MANY, 2), (MANY,))
    assert y.dtype.kind == "i"
    for label, mean in ((0, -2.0), (1, 2.0)):
        cloud = X[y == label]
        assert_allclose(cloud.mean(axis=0), [mean, mean], atol=0.02)
        assert_allclose(np.cov(cloud.T), np.eye(2), atol=0.02)


def test_clouds_have_the_bayes_error_of_their_distance():
    """Phi(-2 sqrt 2) = 0.0023 is the smallest error of any classifier."""
    X, y = gaussian_clouds(MANY, seed=1)
    assert np.mean((X.sum(axis=1) > 0) != y) == pytest.approx(0.0023389, rel=0.2)


@pytest.mark.parametrize(
    ("m", "share", "positives"),
    [(10, 0.5, 5), (10, 0.3, 3), (100, 0.01, 1), (100, 0.001, 1), (100, 0.999, 99), (2, 0.9, 1)],
)
def test_clouds_have_their_share_of_positives(m, share, positives):
    _, y = gaussian_clouds(m, positive_share=share)
    assert np.bincount(y).tolist() == [m - positives, positives]


def test_clouds_come_in_random_order():
    y = gaussian_clouds(100)[1]
    assert 0 < np.sum(y[:50]) < 50
    assert not np.array_equal(y, np.sort(y))


def test_clouds_in_more_dimensions():
    X, y = gaussian_clouds(MANY, means=((0.0, 0.0, 0.0), (5.0, 0.0, -5.0)))
    assert X.shape == (MANY, 3)
    assert_allclose(X[y == 1].mean(axis=0), [5.0, 0.0, -5.0], atol=0.03)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"m": 1}, "m must be a whole number of at least 2, got 1"),
        ({"positive_share": 0}, "positive_share must lie between 0 and 1, got 0"),
        ({"positive_share": 1.0}, "positive_share must lie between 0 and 1, got 1.0"),
        (
            {"means": ((1.0, 2.0),)},
            "means must be two points of the same length, got ((1.0, 2.0),)",
        ),
        ({"means": (1.0, 2.0)}, "means must be two points of the same length, got (1.0, 2.0)"),
        (
            {"means": ((1.0, 2.0), (3.0,))},
            "means must be two points of the same length, got ((1.0, 2.0), (3.0,))",
        ),
    ],
)
def test_clouds_refuse_bad_input(options, text):
    with pytest.raises(ValueError, match="must") as caught:
        gaussian_clouds(**{"m": 10, **options})
    assert str(caught.value) == text


# The fourth moment distinguishes the kinds of noise; mean and standard deviation do not.
@pytest.mark.parametrize(("noise", "kurtosis"), [("gaussian", 3.0), ("laplace", 6.0)])
def test_noise_has_its_moments(noise, kurtosis):
    X, y = noisy_line(MANY, noise=noise, slope=2.0, intercept=1.0, scale=0.5)
    assert (X.shape, y.shape) == ((MANY, 1), (MANY,))
    eta = (y - 2.0 * X[:, 0] - 1.0) / 0.5
    assert np.mean(eta) == pytest.approx(0.0, abs=0.02)
    assert np.std(eta) == pytest.approx(1.0, rel=0.02)
    assert np.mean(eta**4) == pytest.approx(kurtosis, rel=0.1)
    assert_allclose([X.min(), X.mean(), X.max()], [-3.0, 0.0, 3.0], atol=0.02)


@pytest.mark.parametrize(("m", "outliers"), [(2, 1), (10, 1), (105, 10)])
def test_a_tenth_are_outliers(m, outliers):
    X, y = noisy_line(m, noise="outliers", slope=1.0, intercept=0.0, scale=0.5)
    raised = y - X[:, 0] > 5.0
    assert raised.sum() == outliers
    assert np.abs((y - X[:, 0])[raised] - 10.0).max() < 2.5


def test_a_line_without_noise():
    X, y = noisy_line(5, scale=0.0, slope=-1.0, intercept=3.0)
    assert_array_equal(y, 3.0 - X[:, 0])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"m": 1}, "m must be a whole number of at least 2, got 1"),
        ({"scale": -1.0}, "scale must be non-negative and finite, got -1.0"),
        ({"scale": np.inf}, "scale must be non-negative and finite, got inf"),
        ({"scale": np.nan}, "scale must be non-negative and finite, got nan"),
        ({"noise": "cauchy"}, "noise must be 'gaussian', 'laplace' or 'outliers', got 'cauchy'"),
    ],
)
def test_lines_refuse_bad_input(options, text):
    with pytest.raises(ValueError, match="must") as caught:
        noisy_line(**{"m": 10, **options})
    assert str(caught.value) == text


# ---- real data -----------------------------------------------------------------------------------

REAL = pytest.mark.parametrize(
    ("load", "m", "n", "names"),
    [
        (digits, 1797, 64, tuple("0123456789")),
        (breast_cancer, 569, 30, ("benign", "malignant")),
        (diabetes, 442, 10, ("progression",)),
    ],
)


@REAL
def test_shapes_and_names(load, m, n, names):
    pytest.importorskip("sklearn")
    split = load(test_share=0.25)
    assert len(split.X_test) == len(split.y_test) == np.ceil(m / 4)
    assert len(split.X_train) == len(split.y_train) == m - np.ceil(m / 4)
    assert split.X_train.shape[1] == split.X_test.shape[1] == len(split.feature_names) == n
    assert split.target_names == names
    assert all(type(name) is str for name in split.feature_names + split.target_names)


@REAL
def test_the_seed_decides_the_split(load, m, n, names):
    pytest.importorskip("sklearn")
    for a, b, c in zip(load()[:4], load(seed=0)[:4], load(seed=1)[:4], strict=True):
        assert_array_equal(a, b)
        assert not np.array_equal(a, c)


@pytest.mark.parametrize("load", [breast_cancer, diabetes])
def test_features_are_scaled_by_the_training_part_alone(load):
    pytest.importorskip("sklearn")
    split = load(test_share=0.4)
    assert_allclose(split.X_train.mean(axis=0), 0.0, atol=1e-12)
    assert_allclose(split.X_train.std(axis=0), 1.0, rtol=1e-12)
    assert np.abs(split.X_test.mean(axis=0)).min() > 1e-6
    assert np.abs(split.X_test.mean(axis=0)).max() < 0.5


def test_pixels_lie_between_0_and_1():
    pytest.importorskip("sklearn")
    split = digits()
    both = np.concatenate([split.X_train, split.X_test])
    assert (both.min(), both.max()) == (0.0, 1.0)
    assert_array_equal(both * 16, np.round(both * 16))


@pytest.mark.parametrize("load", [digits, breast_cancer])
def test_the_split_keeps_the_share_of_each_class(load):
    pytest.importorskip("sklearn")
    split = load(test_share=0.2, seed=5)
    train, tested = (np.bincount(y) / len(y) for y in (split.y_train, split.y_test))
    assert_allclose(train, tested, atol=0.01)
    assert len(train) == len(split.target_names)


def test_class_1_is_malignant():
    """212 of the 569 tumours are malignant, and these have the larger radius."""
    pytest.importorskip("sklearn")
    split = breast_cancer()
    X, y = np.concatenate([split.X_train, split.X_test]), np.append(split.y_train, split.y_test)
    assert np.bincount(y).tolist() == [357, 212]
    radius = X[:, split.feature_names.index("mean radius")]
    assert radius[y == 1].mean() > radius[y == 0].mean() + 1


def test_progression_is_not_scaled():
    pytest.importorskip("sklearn")
    split = diabetes()
    y = np.append(split.y_train, split.y_test)
    assert (y.min(), y.max()) == (25.0, 346.0)


@pytest.mark.parametrize("load", [digits, breast_cancer, diabetes])
@pytest.mark.parametrize("share", [0, 1, -0.5, np.nan])
def test_the_share_of_the_test_set_must_lie_between_0_and_1(load, share):
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match="test_share") as caught:
        load(test_share=share)
    assert str(caught.value) == f"test_share must lie between 0 and 1, got {share!r}"


def test_a_split_uses_every_example_once_and_keeps_the_class_shares():
    pytest.importorskip("sklearn")
    X, y = np.arange(80.0).reshape(40, 2), np.repeat([0, 1], [30, 10])
    parts = split(X, y, test_share=0.2, seed=3)
    assert_array_equal(np.sort(np.concatenate([parts.X_train, parts.X_test]), axis=0), X)
    assert np.bincount(parts.y_test).tolist() == [6, 2]
    assert not np.array_equal(parts.X_test, split(X, y, test_share=0.2, seed=4).X_test)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("share", [0, 0.1, 0.4, 1])
def test_the_requested_share_of_labels_is_flipped(classes, share):
    y = np.arange(1000) % classes
    noisy = flip_labels(y, share, classes=classes, seed=1)
    assert np.sum(noisy != y) == round(1000 * share)
    assert set(noisy) <= set(range(classes))
    assert_array_equal(y, np.arange(1000) % classes)


def test_flipped_labels_are_spread_evenly_over_the_other_classes():
    noisy = flip_labels(np.zeros(9000, dtype=int), 1.0, classes=4)
    assert_allclose(np.bincount(noisy) / 9000, [0, 1 / 3, 1 / 3, 1 / 3], atol=0.02)


@pytest.mark.parametrize(
    ("labels", "share", "classes", "message"),
    [
        ([0.0, 1.0], 0.1, 2, "labels must be integers, shape (m,), got float64 of shape (2,)"),
        ([0, 2], 0.1, 2, "labels must be 0 to 1 for 2 classes, got labels from 0 to 2"),
        ([-1, 1], 0.1, 2, "labels must be 0 to 1 for 2 classes"),
        ([0, 0], 0.1, 1, "classes must be a whole number of at least 2, got 1"),
        ([0, 1], 1.1, 2, "share must lie in [0, 1], got 1.1"),
    ],
)
def test_labels_that_cannot_be_flipped_are_refused(labels, share, classes, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        flip_labels(labels, share, classes=classes)
    assert str(error.value).startswith(message)


def test_the_zen_of_python_is_read_and_not_printed(capsys):
    lines = zen_of_python()
    assert capsys.readouterr().out == ""
    assert len(lines) == 19
    assert lines[0] == "beautiful is better than ugly.\n"
    assert all(line.endswith("\n") and line == line.lower() for line in lines)
