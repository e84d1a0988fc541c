"""Hidden tests of the assignment on squared error."""

from functools import partial

import numpy as np

from grader import compare, hidden_test


def data(rng, m=9, n=3):
    """Random features, targets, weights and bias; m = 9, so that a missing 1/m or 2 shows."""
    return rng.normal(size=(m, n)), rng.normal(size=m), rng.normal(size=n), rng.normal()


def loss_mistakes(s, y):
    """Results of typical mistakes in the loss."""
    return {
        "You return the sum: divide by the number of examples.": np.sum((s - y) ** 2),
        "You return the root of the mean: leave the root out.": np.sqrt(np.mean((s - y) ** 2)),
        "You halve it: this course's squared error has no ½.": np.mean((s - y) ** 2) / 2,
        "That is the mean of the absolute differences: square them.": np.mean(np.abs(s - y)),
        "You compare every score with every target: (m, 1) against (m,) makes an (m, m) array.": (
            np.mean((s[:, None] - y) ** 2)
        ),
        "You square the mean difference; take the mean of the squares.": np.mean(s - y) ** 2,
    }


@hidden_test("mean_squared_error", points=2, message="The loss of random scores.")
def loss_of_random_scores(student, reference, rng):
    _, y, *_ = data(rng)
    s = rng.normal(size=y.shape)
    right = reference.mean_squared_error(s, y)
    compare(student.mean_squared_error(s, y), right, mistakes=loss_mistakes(s, y))


@hidden_test("mean_squared_error", points=1, message="The loss of large scores and of integers.")
def loss_of_large_scores(student, reference, rng):
    y = rng.integers(-9, 9, size=7)
    for s in (1e6 * rng.normal(size=7), y + rng.integers(1, 9, size=7)):
        right = reference.mean_squared_error(s, y)
        compare(student.mean_squared_error(s, y), right, mistakes=loss_mistakes(s, y))


@hidden_test("mse_gradient", points=3, message="The gradient at random scores.")
def gradient_at_random_scores(student, reference, rng):
    _, y, *_ = data(rng)
    s = rng.normal(size=y.shape)
    mistakes = {
        "The sign is wrong: the gradient points to where the loss grows.": 2 * (y - s) / len(s),
        "The factor 2 of the square is lost.": (s - y) / len(s),
        "The factor 1/m of the mean is lost.": 2 * (s - y),
        "The factors 2 and 1/m are lost.": s - y,
        "Return one entry for each score, not their sum.": np.sum(2 * (s - y) / len(s)),
    }
    compare(student.mse_gradient(s, y), reference.mse_gradient(s, y), mistakes=mistakes)


def linear_mistakes(X, y, w, b):
    """Results of typical mistakes in the gradient of a linear model."""
    m, difference = len(y), X @ w + b - y
    without_bias = X @ w - y
    return {
        "The sign is wrong: the gradient points to where the loss grows.": (
            -2 * X.T @ difference / m,
            -2 * np.mean(difference),
        ),
        "The factor 2 of the square is lost.": (X.T @ difference / m, np.mean(difference)),
        "The factor 1/m of the mean is lost.": (2 * X.T @ difference, 2 * np.sum(difference)),
        "The scores lack the bias b.": (2 * X.T @ without_bias / m, 2 * np.mean(without_bias)),
        "db is a sum over the examples; you take one mean too many.": (
            2 * X.T @ difference / m,
            2 * np.mean(difference) / m,
        ),
    }


@hidden_test("linear_gradient", points=3, message="The gradient of a random linear model.")
def gradient_of_a_linear_model(student, reference, rng):
    given = data(rng)
    right = reference.linear_gradient(*given)
    compare(student.linear_gradient(*given), right, mistakes=linear_mistakes(*given))


@hidden_test(
    "linear_gradient", points=1, message="At the best line the gradient is zero, beside it not."
)
def gradient_at_the_minimum(student, reference, rng):
    X, y, *away = data(rng)
    w, b = reference.least_squares(X, y)
    compare(student.linear_gradient(X, y, w, b), (np.zeros(3), 0.0))
    beside = X, y, w + away[0], b + away[1]
    right = reference.linear_gradient(*beside)
    compare(student.linear_gradient(*beside), right, mistakes=linear_mistakes(*beside))


@hidden_test("least_squares", points=3, message="The best weights and bias for random data.")
def best_line(student, reference, rng):
    X, y, *_ = data(rng, m=20)
    X, y = X + 1, y + 5
    w, b = reference.least_squares(X, y)
    centred = np.linalg.lstsq(X - X.mean(0), y - y.mean(), rcond=None)[0]
    mistakes = {
        "The bias is left out.": (np.linalg.lstsq(X, y, rcond=None)[0], 0.0),
        "The bias comes last: return (w, b).": (b, w),
        "Centring X is right for w, but then b = mean(y) − mean(X)·w.": (centred, y.mean()),
    }
    compare(student.least_squares(X, y), (w, b), mistakes=mistakes)


@hidden_test("least_squares", points=1, message="Two columns that are nearly the same.")
def nearly_equal_columns(student, reference, rng):
    x = rng.normal(size=30)
    X = np.column_stack([x, x + 1e-7 * rng.normal(size=30)])
    w, b = rng.uniform([1, 2], [1.5, 3]), rng.uniform(2, 4)
    y = X @ w + b
    # The normal equations square the condition number, and lose all digits here.
    compare(student.least_squares(X, y), (w, b), tol=1e-4)


def rate_mistakes(X, y, rates, critical):
    """Results of typical mistakes in the largest rate that works."""
    working = rates[rates < critical]

    def loss(rate):
        w = np.zeros(X.shape[1])
        for _ in range(500):
            w = w - rate * 2 * X.T @ (X @ w - y) / len(y)
        return np.mean((X @ w - y) ** 2)

    return {
        "That is the smallest rate that breaks; return the largest that works.": (
            rates[len(working)]
        ),
        "That is the largest rate of all: did a loss of nan count as smaller?": rates[-1],
        "Your descent breaks too late: its gradient lacks a factor 2, or has 1/m twice.": (
            rates[rates < 2 * critical].max()
        ),
        "Your descent breaks too early: its gradient lacks 1/m.": rates[0],
        "That is the rate with the smallest loss; return the largest that works.": (
            min(working, key=loss)
        ),
    }


@hidden_test("largest_working_rate", points=3, message="The experiment on random data.")
def experiment(student, reference, rng):
    # No place among the rates, counted from either end or the middle, is right in both cases.
    for working, breaking in rng.permutation([(rng.integers(1, 3), 3), (3, 2)]):
        X, y, *_ = data(rng, m=12)
        critical = reference.critical_rate(X)
        below = rng.uniform(0.3, 0.97, size=working)
        above = np.append(rng.uniform(1.04, 1.9, size=breaking - 1), 2.5)
        rates = critical * np.sort(np.append(below, above))
        right = reference.largest_working_rate(X, y, rates)
        mistakes = partial(rate_mistakes, X, y, rates, critical)
        compare(student.largest_working_rate(X, y, rates), right, mistakes=mistakes)


@hidden_test("critical_rate", points=3, message="The critical rate of random features.")
def formula_of_the_rate(student, reference, rng):
    X, *_ = data(rng)
    eigenvalues = np.linalg.eigvalsh(X.T @ X)
    m, largest = len(X), eigenvalues[-1]
    mistakes = {
        "A factor is lost: the second derivative of the mean is 2XᵀX/m.": 2 * m / largest,
        "The factor 1/m of the mean is lost.": 1 / largest,
        "The smallest eigenvalue limits nothing: take the largest.": m / eigenvalues[0],
        "The rate is 2 over the eigenvalue, not 1 over it.": m / (2 * largest),
        "Singular values of X are roots of the eigenvalues of XᵀX: square them.": (
            m / np.sqrt(largest)
        ),
    }
    compare(student.critical_rate(X), reference.critical_rate(X), mistakes=mistakes)
