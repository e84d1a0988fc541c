"""Hidden tests of the assignment on outliers, quantiles and noise that varies."""

import numpy as np

from grader import hidden_test, judge


def in_part(right, k, wrong):
    """Right results of which one part is replaced by each of the wrong ones."""
    return {text: (*right[:k], part, *right[k + 1 :]) for text, part in wrong.items()}


def quantile_mistakes(s, y, tau):
    """Results of typical mistakes in the quantile loss and its gradient."""
    m, r = len(y), s - y

    def losses(tau, r=r):
        return np.maximum(-tau * r, (1 - tau) * r)

    def slopes(tau, at_kink=0.0):
        return np.where(r == 0, at_kink, np.where(r > 0, 1 - tau, -tau)) / m

    loss, grad = right = np.mean(losses(tau)), slopes(tau)
    wrong_losses = {
        "You return the sum of the losses: divide by the number of examples.": m * loss,
        "Take the maximum for each example, and then the mean.": losses(tau, np.mean(r)),
        "You compare every score with every target: (m, 1) against (m,) makes an (m, m) array.": (
            np.mean(losses(tau, s[:, None] - y))
        ),
    }
    wrong_gradients = {
        "The factor 1/m of the mean is lost in the gradient.": m * grad,
        "The sides are swapped in the gradient: too low a score has the slope −τ.": slopes(1 - tau),
        "The sign is wrong: the gradient points to where the loss grows.": -grad,
        "At the kink take the slope 0.": slopes(tau, -tau),
        "At the kink take the slope 0, from whichever side you come.": slopes(tau, 1 - tau),
        "At the kink take the slope 0, not the middle of the two others.": slopes(tau, 0.5 - tau),
        "The slope does not grow with the error: only its side counts.": grad * np.abs(r),
    }
    in_both = {
        "The factor 1/m of the mean is lost in both results.": (m * loss, m * grad),
        "The sides are swapped: what is missing costs τ, what is too much 1 − τ.": (
            np.mean(losses(1 - tau)),
            slopes(1 - tau),
        ),
        "That is twice the loss: for τ = ½ it is half of the absolute error.": (2 * loss, 2 * grad),
        "First the loss, then the gradient.": (grad, loss),
    }
    return in_both | in_part(right, 0, wrong_losses) | in_part(right, 1, wrong_gradients)


def sides(rng, m):
    """Random targets, and scores of which as many lie above as below."""
    y = 3 * rng.normal(size=m)
    return y + rng.permutation(np.where(np.arange(m) % 2, 1, -1)) * rng.uniform(0.2, 3, size=m), y


@hidden_test("quantile_loss", points=2, message="Random scores, with a low and a high level.")
def quantiles_of_random_scores(student, reference, rng):
    for tau in rng.uniform([0.05, 0.7], [0.3, 0.95]):
        judge(student, reference, "quantile_loss", (*sides(rng, 10), tau), quantile_mistakes)


@hidden_test("quantile_loss", points=1, message="Some scores are exactly right.")
def quantiles_at_the_kink(student, reference, rng):
    s, y = sides(rng, 11)
    right = rng.permutation(11)[:4]
    s[right] = y[right]
    judge(student, reference, "quantile_loss", (s, y, rng.uniform(0.1, 0.4)), quantile_mistakes)


def log_cosh_mistakes(r):
    """Results of typical mistakes in the log-cosh loss."""
    size, log_2 = np.abs(r), np.log(2)
    with np.errstate(all="ignore"):
        near, far = np.log1p(2 * np.sinh(size / 2) ** 2), size + np.log1p(np.exp(-2 * size)) - log_2
        right = np.where(size < 1, near, far)
        return {
            "That is the slope: return the loss.": np.tanh(r),
            "cosh and sinh overflow: take the larger exponential out of the sum.": near,
            "Near 0 the digits are lost: log 2 is subtracted from nearly the same number.": far,
            "One of the two signs overflows: use |r|.": r + np.log1p(np.exp(-2 * r)) - log_2,
            "The ½ of the cosh is lost.": right + log_2,
            "The log 2 is lost far from 0.": np.where(size < 1, near, far + log_2),
            "That is the limit far from 0, which is not the loss everywhere.": size - log_2,
            "That is the limit near 0, which is not the loss everywhere.": r**2 / 2,
            "Between the two limits the loss is neither of them.": (
                np.where(size < 1, r**2 / 2, size - log_2)
            ),
            "Near 0 the digits are lost: |r| and the logarithm cancel.": (
                size + np.log1p(np.expm1(-2 * size) / 2)
            ),
            "That is the Huber loss with δ = 1, which has seams.": (
                np.where(size <= 1, r**2 / 2, size - 0.5)
            ),
            "Use the natural logarithm, np.log.": right / np.log(10),
        }


def signed(rng, sizes):
    """Sizes in random order, half of them negative, as the only argument."""
    return (rng.permutation(sizes * rng.choice([-1, 1]) * (-1) ** np.arange(len(sizes))),)


@hidden_test("log_cosh", points=1, message="Residuals of usual size.")
def log_cosh_of_usual_residuals(student, reference, rng):
    sizes = rng.uniform([0.1] * 6 + [1.2] * 6, [0.9] * 6 + [4.0] * 6)
    judge(student, reference, "log_cosh", signed(rng, sizes), log_cosh_mistakes)


@hidden_test("log_cosh", points=1, message="Residuals far from 0 on both sides, and usual ones.")
def log_cosh_far_away(student, reference, rng):
    sizes = rng.uniform([0.2] * 3 + [1.2] * 3 + [800] * 6, [0.9] * 3 + [3.0] * 3 + [9000] * 6)
    judge(student, reference, "log_cosh", signed(rng, sizes), log_cosh_mistakes)


@hidden_test("log_cosh", points=1, message="Six digits of the losses of residuals near 0.")
def log_cosh_near_zero(student, reference, rng):
    sizes = np.append(10 ** rng.uniform(-12, -9, size=6), rng.uniform(0.01, 3, size=6))
    judge(student, reference, "log_cosh", signed(rng, sizes), log_cosh_mistakes, floor=0.0)


def huber_mistakes(y):
    """Results of typical mistakes in Huber's centre."""
    middle, mean = np.median(y), np.mean(y)
    distance = np.abs(y - middle)

    def weight(s, delta):
        return delta / np.maximum(delta, np.abs(s - y))

    def result(sigma, weight=weight, rounds=100):
        s, delta = middle, 1.35 * sigma
        for _ in range(rounds):
            s = np.average(y, weights=weight(s, delta))
        return s, delta

    mad = np.median(distance)
    right = result(mad / 0.6745)
    scales = {
        "The median distance is not yet σ̂: divide it by 0.6745.": mad,
        "Divide by 0.6745; do not multiply.": 0.6745 * mad,
        "The standard deviation is no measure here: the outlier has dragged it along.": np.std(y),
        "δ is 1.35 σ̂, and not 1.35 whatever the unit.": 1,
        "The factor 1.35 is lost.": mad / 0.6745 / 1.35,
        "Take the distances from the median, not from the mean.": (
            np.median(np.abs(y - mean)) / 0.6745
        ),
        "Take the median of the distances, not their mean.": np.mean(distance) / 0.6745,
    }
    weights = {
        "A far value is not thrown away: it pulls as hard as one at distance δ.": (
            lambda s, delta: np.abs(s - y) <= delta
        ),
        "The weight falls like the distance, not like its square.": (
            lambda s, delta: weight(s, delta) ** 2
        ),
    }
    return (
        {text: result(sigma) for text, sigma in scales.items()}
        | {text: result(mad / 0.6745, wrong) for text, wrong in weights.items()}
        | {
            "Go on for 100 rounds, each with new weights.": result(mad / 0.6745, rounds=1),
            "The median is only the start: the rounds are missing.": (middle, right[1]),
            "All weights are 1: that is the mean.": (mean, right[1]),
            "First the centre, then δ.": right[::-1],
        }
    )


def with_outliers(rng, m=11, wrong=3):
    """Values around a centre far from 0, some of which are far too high."""
    y, noise = rng.uniform(20, 60) + np.zeros(m), rng.uniform(1.5, 4)
    y += noise * rng.normal(size=m)
    y[:wrong] += noise * rng.uniform(6, 30, size=wrong)
    return rng.permutation(y)


@hidden_test("huber_centre", points=3, message="Random values, some of them far off.")
def centre_of_random_values(student, reference, rng):
    for m in (11, 14):
        judge(student, reference, "huber_centre", (with_outliers(rng, m),), huber_mistakes)


@hidden_test(
    "huber_centre",
    points=1,
    message="Whole numbers, some of them the same; then other values, in a unit a million times "
    "as large.",
)
def centre_in_other_units(student, reference, rng):
    near = rng.integers([-9, -9, -9, -9, 2, 2, 2], [-1, -1, -1, -1, 9, 9, 9])
    values = np.concatenate([[0, 0, 0], near, rng.integers(40, 90, size=2)])
    whole = rng.permutation(rng.integers(20, 60) + values)
    for y in (whole, 1e-6 * with_outliers(rng)):
        judge(student, reference, "huber_centre", (y,), huber_mistakes, floor=0.0)


def centres(y, heights, weight, rounds=200, place=-1):
    """Centres of values of which one is raised by each of the heights."""
    found = []
    for height in heights:
        values = y + 0.0
        values[place] += height
        s = np.median(values)
        for _ in range(rounds):
            s = np.average(values, weights=weight(s - values))
        found.append(s)
    return np.array(found)


def astray_mistakes(y, heights, nu, width):
    """Results of typical mistakes in the experiment with one value that goes astray."""

    def right(r):
        return 1 / (nu * width**2 + r**2)

    wrong_weights = {
        "The weights lack the width b.": lambda r: 1 / (nu + r**2),
        "Beside r² stands νb², not νb.": lambda r: 1 / (nu * width + r**2),
        "The weights lack ν.": lambda r: 1 / (width**2 + r**2),
        "Beside r² stands νb²; ν + 1 is a factor that all weights share.": (
            lambda r: 1 / ((nu + 1) * width**2 + r**2)
        ),
        "The weights have r² below the line, not |r|.": lambda r: 1 / (nu * width**2 + np.abs(r)),
        "The weight is the slope over the residual, not the slope.": lambda r: np.abs(r) * right(r),
        "The weights are not squared.": lambda r: right(r) ** 2,
        "Those are the weights of a Huber loss: differentiate the loss above.": (
            lambda r: width / np.maximum(width, np.abs(r))
        ),
        "All weights are the same: that is the mean.": np.ones_like,
    }
    return {text: centres(y, heights, weight) for text, weight in wrong_weights.items()} | {
        "The median is only the start: the rounds are missing.": centres(y, heights, right, 0),
        "Go on for 200 rounds, each with new weights.": centres(y, heights, right, 1),
        "Add the height to the last value; do not put it in its place.": (
            centres(np.append(y[:-1], 0), heights, right)
        ),
        "Add each height to the original value: yours add up.": (
            centres(y, np.cumsum(heights), right)
        ),
        "The last value goes astray, not the first.": centres(y, heights, right, place=0),
        "The last value goes astray, not the largest.": (
            centres(y, heights, right, place=np.argmax(y))
        ),
        "Add the height to the last value, not to all of them.": (
            centres(y, heights, right, place=slice(None))
        ),
    }


@hidden_test("student_centres", points=3, message="One of several random values goes astray.")
def experiment(student, reference, rng):
    for m in (8, 9):
        nu, width = rng.uniform(1.5, 4), rng.uniform(1.3, 2)
        y = rng.uniform(3, 8) + width * rng.normal(size=m)
        order = np.argsort(y)  # neither the first nor the last value is the largest
        y = np.insert(rng.permutation(y[order[:-1]]), rng.integers(1, m - 1), y[order[-1]])
        heights = width * rng.uniform([0.5, 2, 5, 20, 300], [1, 4, 9, 60, 900])
        judge(student, reference, "student_centres", (y, heights, nu, width), astray_mistakes)


def nll_mistakes(mu, v, y):
    """Results of typical mistakes in the Gaussian loss and its gradients."""
    m, r = len(y), mu - y

    def results(v, square=0.5, log=0.5):
        root = np.exp(-v / 2)
        z = root * r
        loss = np.mean(log * v + square * z**2)
        return loss, 2 * square * z * root / m, (log - square * z**2) / m

    with np.errstate(all="ignore"):
        loss, by_mu, by_v = right = results(v)
        losses = {
            "The constant ½ log 2π is left out here.": loss + np.log(2 * np.pi) / 2,
            "You return the sum of the losses: divide by the number of examples.": m * loss,
        }
        slopes_of_means = {
            "The sign of the slope with respect to μ is wrong: it is that of μ − y.": -by_mu,
            "The 2 of the square cancels the ½: the slope with respect to μ lacks it.": by_mu / 2,
            "The 2 of the square cancels the ½: you have it once more.": 2 * by_mu,
        }
        slopes_of_v = {
            "The sign of the slope with respect to v is wrong: a larger v costs more.": -by_v,
            "That is the slope with respect to σ², not to its logarithm.": by_v * np.exp(-v),
            "That is the slope with respect to log σ, twice that to v.": 2 * by_v,
            "v stands in both terms: the slope of the first is lost.": by_v - 1 / (2 * m),
        }
        in_all = {
            "0 times inf and 0 over 0 are nan: take the exponential of −v/2, times the error.": (
                np.mean(v + np.exp(-v) * r**2) / 2,
                np.exp(-v) * r / m,
                (1 - np.exp(-v) * r**2) / (2 * m),
            ),
            "You clip the variance: do not clip anything.": results(np.maximum(v, np.log(1e-6))),
            "The ½ is lost in all results.": results(v, 1, 1),
            "The ½ belongs to both terms: the square lacks it.": results(v, 1, 0.5),
            "The ½ belongs to both terms: v lacks it.": results(v, 0.5, 1),
            "v is the logarithm of σ², not of σ.": results(2 * v),
            "v is the logarithm of σ², not σ² itself.": (
                np.mean(np.log(v) + r**2 / v) / 2,
                r / v / m,
                (1 / v - r**2 / v**2) / (2 * m),
            ),
            "The square is divided by σ², not by σ.": results(v / 2, log=1),
            "The factor 1/m of the mean is lost in the gradients.": (loss, m * by_mu, m * by_v),
            "The factor 1/m of the mean is lost in all results.": tuple(m * x for x in right),
            "First come the slopes of the means, then those of v.": (loss, by_v, by_mu),
        }
        return (
            in_all
            | in_part(right, 0, losses)
            | in_part(right, 1, slopes_of_means)
            | in_part(right, 2, slopes_of_v)
        )


@hidden_test("gaussian_nll", points=3, message="Random means, log-variances and targets.")
def nll_of_random_numbers(student, reference, rng):
    v = rng.permutation(rng.uniform([-2] * 4 + [0.3] * 4, [-0.3] * 4 + [2] * 4))
    y = 2 * rng.normal(size=8)
    mu = y + np.exp(v / 2) * rng.normal(size=8)
    judge(student, reference, "gaussian_nll", (mu, v, y), nll_mistakes)


@hidden_test(
    "gaussian_nll",
    points=1,
    message="Log-variances up to ±900. Some targets are predicted exactly, or nearly so.",
)
def nll_at_both_ends(student, reference, rng):
    v = rng.uniform([-900, -900, -900, 700, 700, -2, 1, -1], [-800, -800, -800, 900, 900, -1, 2, 1])
    y = 2 * rng.normal(size=8)
    mu = y + rng.normal(size=8)
    mu[:2] = y[:2]
    y[2], mu[2] = 0, np.exp(v[2] / 2) * rng.uniform(1, 2)
    order = rng.permutation(8)
    judge(student, reference, "gaussian_nll", (mu[order], v[order], y[order]), nll_mistakes)


def step_mistakes(v, rate, share, beta):
    """Results of typical mistakes in the number of steps."""

    def steps(size, share=share):
        return np.ceil(np.log(share) / np.log1p(-size))

    with np.errstate(all="ignore"):
        size = rate * np.exp((beta - 1) * v)
        exact = np.log(share) / np.log1p(-size)
        return {
            "1 minus a tiny number is rounded to 1: use log1p.": (
                np.ceil(np.log(share) / np.log(1 - size))
            ),
            "That is nearly right for tiny numbers alone.": np.ceil(-np.log(share) / size),
            "The number of steps is a whole number: round up.": exact,
            "Rounded down, the number leaves too large an error: round up.": np.floor(exact),
            "Rounded up, the number is enough: no further step is needed.": steps(size) + 1,
            "The remedy is missing: β plays no part.": steps(rate * np.exp(-v)),
            "The remedy makes the gradient larger where v is large: you make it smaller.": (
                steps(rate * np.exp(-(1 + beta) * v))
            ),
            "e^v is the variance, not its root.": steps(rate * np.exp((beta - 0.5) * v)),
            "The remedy is e^(βv), not e^(βv/2).": steps(rate * np.exp((beta / 2 - 1) * v)),
            "The ½ of the loss and the 2 of the square cancel: you have a 2.": steps(2 * size),
            "The ½ of the loss and the 2 of the square cancel: you have a ½.": steps(size / 2),
            "The error falls to the share, not by it.": steps(size, 1 - share),
            "A number of steps is positive: both logarithms are negative.": -steps(size),
        }


def numbers_for_steps(rng, low, high):
    """Random arguments with which no number of steps is close to a whole one before rounding."""
    while True:
        v = rng.permutation(rng.uniform(low, high))
        rate, share, beta = rng.uniform([0.05, 0.002, 0.2], [0.2, 0.02, 0.4])
        exact = np.log(share) / np.log1p(-rate * np.exp((beta - 1) * v))
        few = exact[exact < 1e5]
        if np.all(np.abs(few - np.round(few)) > 0.01):
            return v, rate, share, beta


@hidden_test("steps_to_learn", points=2, message="Random log-variances, rates and shares.")
def steps_for_usual_variances(student, reference, rng):
    for _ in range(2):
        given = numbers_for_steps(rng, [-0.9, 0, 0.5, 1], [0, 1, 2, 3])
        judge(student, reference, "steps_to_learn", given, step_mistakes)


@hidden_test("steps_to_learn", points=1, message="Some log-variances are large.")
def steps_for_large_variances(student, reference, rng):
    given = numbers_for_steps(rng, [0, 1, 70, 70, 70], [1, 2, 80, 90, 99])
    judge(student, reference, "steps_to_learn", given, step_mistakes)
