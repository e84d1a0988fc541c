"""Hidden tests of the assignment on squared error of a sigmoid."""

import numpy as np

from grader import compare, hidden_test


def sigmoid(z):
    """Sigmoid as in the chapter; large logits overflow."""
    return 1 / (1 + np.exp(-z))


def labels(rng, m):
    """Random labels; both classes occur."""
    return rng.permutation(np.arange(m) % 2)


@hidden_test("both_gradients", points=3, message="Both gradients at random logits.")
def gradients_at_random_logits(student, reference, rng):
    m = 9
    z, y = rng.uniform(-3, 3, size=m), labels(rng, m)
    p = sigmoid(z)
    slope, bce = p * (1 - p), (p - y) / m
    mse = bce * slope
    mistakes = {
        "The signs are wrong: a gradient points to where the loss grows.": (-mse, -bce),
        "The factor 1/m of the mean is lost.": (m * mse, m * bce),
        "Squared error is twice too steep: its ½ cancels the 2 of the square.": (2 * mse, bce),
        "The slope of the sigmoid is lost: squared error's chain has one factor more.": (bce, bce),
        "In cross-entropy the slope of the sigmoid cancels; yours still has it.": (mse, mse),
        "Squared error comes first in the pair.": (bce, mse),
        "Return one entry for each logit, not their sum.": (np.sum(mse), np.sum(bce)),
    }
    compare(student.both_gradients(z, y), reference.both_gradients(z, y), mistakes=mistakes)


@hidden_test("both_gradients", points=1, message="Both gradients at logits of ±800, among others.")
def gradients_at_large_logits(student, reference, rng):
    z = rng.permutation([-800.0, 800.0, -800.0, 800.0, rng.uniform(-3, -1), rng.uniform(1, 3)])
    y = np.where(z > 0, 0, 1)  # all wrong
    up = np.exp(z) / (1 + np.exp(z))
    mistakes = {
        "The signs are wrong: a gradient points to where the loss grows.": (
            -reference.both_gradients(z, y)[0],
            -reference.both_gradients(z, y)[1],
        ),
        "Your sigmoid divides inf by inf where the logit is large: take exp(−|z|).": (
            (up - y) * up * (1 - up) / len(z),
            (up - y) / len(z),
        ),
    }
    compare(student.both_gradients(z, y), reference.both_gradients(z, y), mistakes=mistakes)


def ratio_mistakes(z):
    """Results of typical mistakes in the logarithm of the ratio."""
    p, size = sigmoid(z), np.abs(z)
    soft = np.log1p(np.exp(-size))
    right = -size - 2 * soft
    return {
        "The sign is wrong: the factor is below 1, so its logarithm is negative.": -right,
        "That is the factor itself; return its logarithm.": np.exp(right),
        "That is the logarithm to base 10; use the natural one.": right / np.log(10),
        "The slope of the sigmoid is p(1 − p); one of its two factors is lost.": -np.logaddexp(
            0, -z
        ),
        "The denominator of the sigmoid's slope is squared: a factor 2 is lost.": -size - soft,
        "The logarithm of a number that was rounded to 0: do not compute the factor itself.": (
            np.log(p * (1 - p))
        ),
        "You keep p away from 0 and 1: that hides the overflow, but the result is wrong.": (
            np.log(np.clip(p, 1e-15, 1 - 1e-15) * (1 - np.clip(p, 1e-15, 1 - 1e-15)))
        ),
        "Your exponential overflows where z is positive: use that the factor is even in z.": (
            z - 2 * np.log1p(np.exp(z))
        ),
        "Your exponential overflows where z is negative: use that the factor is even in z.": (
            -z - 2 * np.log1p(np.exp(-z))
        ),
        "You divide inf by inf: expand the logarithm of the fraction before you compute.": (
            np.log(np.exp(z) / (1 + np.exp(z)) ** 2)
        ),
    }


@hidden_test("log_ratio", points=1, message="The ratio at random logits.")
def ratio_at_random_logits(student, reference, rng):
    z = rng.uniform(-4, 4, size=9)
    compare(student.log_ratio(z), reference.log_ratio(z), mistakes=ratio_mistakes(z))


@hidden_test("log_ratio", points=2, message="The ratio at logits up to ±800, small ones included.")
def ratio_at_large_logits(student, reference, rng):
    large = np.array([40, -40, 800, -800, rng.uniform(100, 700)])
    z = rng.permutation(np.append(large, rng.uniform(-2, 2, size=2)))
    compare(student.log_ratio(z), reference.log_ratio(z), mistakes=ratio_mistakes(z))


@hidden_test("steepest_point", points=3, message="The steepest point of random powers.")
def steepest_of_random_powers(student, reference, rng):
    for target in rng.permutation(2).tolist():
        k = rng.uniform(2.5, 6)
        side = 1 - 2 * target  # for label 0, a mistake has a positive logit
        z, size = side * np.log(k), k**k / (k + 1) ** (k + 1)
        less = side * np.log(k - 1), (k - 1) ** (k - 1) / k**k
        mistakes = {
            "The logit has the wrong sign: for label 0 a mistake has a positive logit.": (
                -z,
                size,
            ),
            "Return the size of the gradient, without its sign.": (z, -size),
            "Return the logit first, not the probability.": (sigmoid(z), size),
            "The 1/k of the loss is lost: it cancels the k that the power brings down.": (
                z,
                k * size,
            ),
            "The power falls by one, but the slope of the sigmoid has a factor 1 − q, too.": less,
            "At z = 0 the sigmoid is steepest, but not this loss.": (0.0, 0.5 ** (k + 1)),
            "That is the point for k = 2; the answer depends on k.": (side * np.log(2), 4 / 27),
            "The two numbers are swapped: return the logit first.": (size, z),
        }
        compare(
            student.steepest_point(k, target),
            reference.steepest_point(k, target),
            mistakes=mistakes,
        )


def curvature_mistakes(X, y, w):
    """Results of typical mistakes in the smallest eigenvalue of the Hessian."""
    p = sigmoid(X @ w)
    q = np.where(y == 1, p, 1 - p)
    each = q * (1 - q) ** 2 * (3 * q - 1)

    def eigenvalues(h):
        return np.linalg.eigvalsh(X.T @ (h[:, None] * X) / len(X))

    return {
        "The factor 1/m of the mean is lost.": len(X) * eigenvalues(each)[0],
        "Squared error has a ½ here; you return twice its curvature.": 2 * eigenvalues(each)[0],
        "That is the largest eigenvalue: the smallest shows whether the loss is convex.": (
            eigenvalues(each)[-1]
        ),
        "That is the curvature of cross-entropy, which is never negative.": (
            eigenvalues(p * (1 - p))[0]
        ),
        "A term is lost: the slope of the sigmoid changes with z, too.": (
            eigenvalues((p * (1 - p)) ** 2)[0]
        ),
        "You treat every label as 1: q is the probability of the true label.": (
            eigenvalues(p * (1 - p) ** 2 * (3 * p - 1))[0]
        ),
        "That is the second derivative in z of one example; the Hessian in w has X twice.": (
            each.min()
        ),
    }


@hidden_test("smallest_curvature", points=3, message="The Hessian of random examples.")
def curvature_of_random_examples(student, reference, rng):
    X, y, w = rng.normal(size=(13, 3)), labels(rng, 13), rng.normal(size=3)
    right = reference.smallest_curvature(X, y, w)
    compare(student.smallest_curvature(X, y, w), right, mistakes=curvature_mistakes(X, y, w))


@hidden_test("smallest_curvature", points=1, message="The Hessian where all examples are wrong.")
def curvature_where_all_is_wrong(student, reference, rng):
    X, w = rng.normal(size=(11, 2)), 2 * rng.normal(size=2)
    y = np.where(X @ w > 0, 0, 1)
    right = reference.smallest_curvature(X, y, w)
    compare(student.smallest_curvature(X, y, w), right, mistakes=curvature_mistakes(X, y, w))


def walks(z, pace, cap, slopes=None):
    """Number of steps from z to above 0 for each loss, and how close to 0 any step ends."""
    slopes = slopes or (lambda p: 1 - p, lambda p: (1 - p) ** 2 * p, lambda p: (1 - p) * p)
    counts, nearest = [], np.inf
    for slope in slopes:
        at, count = z, 0
        while at <= 0 and count < cap:
            at, count = at + pace * slope(sigmoid(at)), count + 1
            nearest = min(nearest, abs(at))
        counts.append(count)
    return tuple(counts), nearest


def experiment_mistakes(w, x, rate, cap):
    """Results of typical mistakes in the experiment."""
    z, pace = w * x, rate * x**2
    right = walks(z, pace, cap)[0]
    with_two = (lambda p: 1 - p, lambda p: 2 * (1 - p) ** 2 * p, lambda p: (1 - p) * p)
    without_slope = (lambda p: 1 / p, lambda p: 1 - p, lambda p: 1.0)
    return {
        "Stop when the count has reached the cap.": tuple(
            np.where(np.equal(right, cap), cap + 1, right).tolist()
        ),
        "The order is wrong: cross-entropy, squared error, absolute error.": (
            right[1],
            right[0],
            right[2],
        ),
        "The start is not a step: you count one too many.": tuple(np.add(right, 1).tolist()),
        "You count one too few: the step that crosses counts.": tuple(
            np.subtract(right, 1).tolist()
        ),
        "No walk arrives: is the sign of the step right?": (cap, cap, cap),
        "The gradient with respect to w has a factor x, and z = wx has one more.": (
            walks(z, rate, cap)[0]
        ),
        "z moves by x times the step of w: one factor x is lost.": walks(z, rate * x, cap)[0],
        "Squared error has a ½ here: you descend on twice the loss.": (
            walks(z, pace, cap, with_two)[0]
        ),
        "The slope of the sigmoid is lost: differentiate with respect to w, not p.": (
            walks(z, pace, cap, without_slope)[0]
        ),
    }


@hidden_test("recovery_steps", points=2, message="The experiment from random starts.")
def experiment(student, reference, rng):
    while True:
        x, rate = rng.uniform(1.7, 2.5), rng.uniform(0.1, 0.15)
        w = -rng.uniform(3.5, 4.5) / x
        if walks(w * x, rate * x**2, 10_000)[1] > 1e-6:  # no step ends near 0
            break
    compare(
        student.recovery_steps(w, x, rate, 10_000),
        reference.recovery_steps(w, x, rate, 10_000),
        mistakes=experiment_mistakes(w, x, rate, 10_000),
    )


@hidden_test("recovery_steps", points=1, message="The experiment where the cap is reached.")
def experiment_with_a_cap(student, reference, rng):
    cases = {}  # by the first count, so that no number is right in all of them
    while len(cases) < 3:
        x, rate = rng.uniform(1.7, 2.5), rng.uniform(0.05, 0.3)
        given = -rng.uniform(14, 16) / x, x, rate, int(rng.integers(200, 300))
        counts, nearest = walks(given[0] * x, rate * x**2, given[-1])
        if nearest > 1e-6:
            cases[counts[0]] = given
    for given in cases.values():
        right = reference.recovery_steps(*given)
        compare(student.recovery_steps(*given), right, mistakes=experiment_mistakes(*given))


@hidden_test("absolute_error_time", points=3, message="The law at random starts and rates.")
def law_of_the_absolute_error(student, reference, rng):
    for low, high in ((0.5, 1.5), (2, 5)):
        a, x, rate = rng.uniform(low, high), rng.uniform(1.6, 3), rng.uniform(0.1, 0.4)
        right = np.exp(a) + 2 * a - np.exp(-a)
        squared = np.exp(a) + 3 * a + 5 / 2 - 3 * np.exp(-a) - np.exp(-2 * a) / 2
        pace = rate * x**2
        mistakes = {
            "The input is lost: z moves by x times the step of w, which has a factor x.": (
                right / rate
            ),
            "One factor x is lost: w moves by x times the pull, and z by x times that.": (
                right / (rate * x)
            ),
            "The learning rate is lost.": right / x**2,
            "A larger rate takes less time: divide by the rate and by x².": right * pace,
            "That is the law of squared error: absolute error has one factor 1 − p less.": (
                squared / pace
            ),
            "That is the law of cross-entropy: absolute error keeps the sigmoid's slope.": (
                (a + 1 - np.exp(-a)) / pace
            ),
            "That is the leading term alone; the others count where a is small.": (
                np.exp(a) / pace
            ),
            "The sign of the last term is wrong: at a = 0 the time must be 0.": (
                (np.exp(a) + 2 * a + np.exp(-a)) / pace
            ),
            "The time cannot be negative: integrate from −a up to 0.": -right / pace,
        }
        compare(
            student.absolute_error_time(a, x, rate),
            reference.absolute_error_time(a, x, rate),
            mistakes=mistakes,
        )
