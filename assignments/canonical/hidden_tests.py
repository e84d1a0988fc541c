"""Hidden tests of the assignment on prediction minus label."""

import numpy as np

from grader import hidden_test, judge


def log_factorials(counts):
    return np.array([np.sum(np.log(np.arange(1, y + 1))) for y in counts])


def stirling(counts):
    """Stirling's approximation of log y!, where y is above 1."""
    y = np.maximum(counts, 1)
    return np.where(counts > 1, y * np.log(y) - y + 0.5 * np.log(2 * np.pi * y), 0.0)


def nll_mistakes(s, y):
    """Results of typical mistakes in the loss of counts."""
    with np.errstate(all="ignore"):
        mu, logs = np.exp(s), log_factorials(y)
        loss = mu - np.where(y == 0, 0.0, y * s) + logs
        mistakes = {
            "0 · (−∞) counts as 0, but NumPy makes it nan: choose before you multiply.": (
                np.mean(mu - y * s + logs)
            ),
            "y! overflows: sum the logarithms of its factors.": np.mean(
                loss - logs + np.log([np.prod(np.arange(1.0, k + 1)) for k in y])
            ),
            "You return the sum: divide by the number of examples.": np.sum(loss),
            "The sign is wrong: return the negative log-likelihood.": -np.mean(loss),
            "The logarithm of y! is left out.": np.mean(loss - logs),
            "Stirling's formula is not exact for small counts.": (
                np.mean(loss - logs + stirling(y))
            ),
            "The mean itself, e to the power of s, is left out.": np.mean(loss - mu),
            "Use the natural logarithm, np.log.": np.mean(loss) / np.log(10),
        }
        for power in range(5, 17):
            tiny = 10.0**-power
            for told, used in (
                (f"You add {tiny} to μ: what is impossible costs ∞.", mu + tiny),
                (f"You clip μ at {tiny}: what is impossible costs ∞.", np.maximum(mu, tiny)),
            ):
                mistakes[told] = np.mean(mu - y * np.log(used) + logs)
    return mistakes


@hidden_test("poisson_nll", points=1, message="Random scores and small counts.")
def small_counts(student, reference, rng):
    s = rng.normal(size=11)
    y = rng.permutation(np.append([0, 0, 2, 3, 5], rng.poisson(2, size=6)))
    judge(student, reference, "poisson_nll", (s, y), nll_mistakes)


@hidden_test("poisson_nll", points=1, message="Counts in the hundreds and thousands.")
def large_counts(student, reference, rng):
    s = rng.uniform(6, 8, size=7)
    y = rng.poisson(np.exp(s))
    judge(student, reference, "poisson_nll", (s, y), nll_mistakes)


@hidden_test("poisson_nll", points=1, message="Scores of −∞, with counts that are 0 and others.")
def nothing_can_happen(student, reference, rng):
    y = rng.permutation(np.array([0, 0, 0, 1, 2, 4]))
    certain = np.where(y == 0, -np.inf, rng.normal(size=6))
    impossible = np.where(y == 1, -np.inf, rng.normal(size=6))
    unlikely = np.where(y == 2, rng.uniform(-800, -500), certain)
    for s in (certain, impossible, unlikely):
        judge(student, reference, "poisson_nll", (s, y), nll_mistakes)


def gradient_mistakes(X, y, t, w, b):
    """Results of typical mistakes in the gradient of a linear model of counts."""
    m, rate = len(y), np.exp(X @ w + b)
    mu = t * rate

    def pair(errors, size=m):
        return X.T @ errors / size, np.sum(errors) / size

    dw, db = pair(mu - y)
    with np.errstate(all="ignore"):
        return {
            "The factor 1/m of the mean is lost.": pair(mu - y, 1),
            "The sign is wrong: the gradient points to where the loss grows.": pair(y - mu),
            "The times are left out.": pair(rate - y),
            "To divide the counts by the times is another loss: each hour must count, not each "
            "row.": pair(rate - y / t),
            "The time multiplies what is expected, but not the count.": pair(t * (rate - y)),
            "In a longer time more is expected: multiply by the time.": pair(rate / t - y),
            "The slope of the exponential cancels: with log-rates it is not in the gradient.": (
                pair((mu - y) * mu)
            ),
            "The scores lack the bias b.": pair(t * np.exp(X @ w) - y),
            "db is a sum over the examples; you take one mean too many.": (dw, db / m),
        }


@hidden_test("poisson_gradient", points=2, message="A random linear model, with random times.")
def gradient_of_a_linear_model(student, reference, rng):
    m, n = 11, 3
    X, w, b = rng.normal(size=(m, n)), 0.5 * rng.normal(size=n), rng.uniform(0.5, 1)
    given = X, rng.poisson(3, size=m), rng.uniform(0.4, 2.5, size=m), w, b
    judge(student, reference, "poisson_gradient", given, gradient_mistakes)


@hidden_test("poisson_gradient", points=1, message="Times from a few minutes to some days.")
def gradient_with_unequal_times(student, reference, rng):
    X, w, b = rng.normal(size=(7, 2)), 0.5 * rng.normal(size=2), rng.uniform(-1, 1)
    times = rng.permutation(10 ** np.linspace(-1.3, 1.7, 7))
    given = X, rng.poisson(2 * times), times, w, b
    judge(student, reference, "poisson_gradient", given, gradient_mistakes)


def family_mistakes(s, y, v, log_h):
    """Results of typical mistakes in both derivatives."""
    m = len(s)

    def shares(log_weights):
        tilted = s[:, None] * v + log_weights
        P = np.exp(tilted - tilted.max(axis=1, keepdims=True))
        return P / P.sum(axis=1, keepdims=True)

    def pair(P):
        mean = P @ v
        return (mean - y) / m, np.sum(P * (v - mean[:, None]) ** 2, axis=1) / m

    P = shares(log_h)
    first, second = pair(P)
    likeliest = v[np.argmax(P, axis=1)]
    with np.errstate(all="ignore"):
        naive = np.exp(s[:, None] * v + log_h)
        naive = naive / naive.sum(axis=1, keepdims=True)
        raw = log_h * np.exp(s[:, None] * v)
        raw = raw / raw.sum(axis=1, keepdims=True)
        return {
            "The sign of the first derivative is wrong.": (-first, second),
            "The factor 1/m of the mean is lost.": (m * first, m * second),
            "The second derivative has the factor 1/m of the mean as well.": (first, m * second),
            "The weights are left out.": pair(shares(0.0)),
            "The exponentials overflow: shift the exponents of each row first.": pair(naive),
            "The weights come as logarithms: take the exponential.": pair(raw),
            "That is the standard deviation, not the variance.": (first, np.sqrt(m * second) / m),
            "Measure the deviations from the mean, not from the outcome that was seen.": (
                first,
                np.sum(P * (v - y[:, None]) ** 2, axis=1) / m,
            ),
            "The mean of the squares is not the variance: the mean is to be subtracted.": (
                first,
                P @ v**2 / m,
            ),
            "The difference of the mean square and the squared mean has lost its digits: average "
            "the squared deviations.": (first, (P @ v**2 - (P @ v) ** 2) / m),
            "That is the likeliest outcome minus what was seen: take the mean outcome.": (
                (likeliest - y) / m,
                second,
            ),
        }


@hidden_test("family_derivatives", points=2, message="Random scores, values and weights.")
def random_family(student, reference, rng):
    v, log_h = 2 * rng.normal(size=5), rng.normal(size=5)
    given = rng.normal(size=7), rng.choice(v, size=7), v, log_h
    judge(student, reference, "family_derivatives", given, family_mistakes)


@hidden_test("family_derivatives", points=1, message="Large scores and large log-weights.")
def large_exponents(student, reference, rng):
    v = rng.permutation(6) + rng.uniform(0.1, 0.3, size=6)
    for s, shift in ((700, 1500), (-700, -1500)):
        log_h = shift - s * v + rng.normal(size=6)
        given = s + 0.5 * rng.normal(size=5), rng.choice(v, size=5), v, log_h
        judge(student, reference, "family_derivatives", given, family_mistakes)


@hidden_test("family_derivatives", points=1, message="Values around a million.")
def large_values(student, reference, rng):
    v, log_h = 1e6 + rng.permutation(4) + rng.uniform(0, 0.3, size=4), rng.normal(size=4)
    s = 1e-4 * rng.normal(size=6)
    given = s, rng.choice(v, size=6), v, log_h
    judge(student, reference, "family_derivatives", given, family_mistakes)


def trap_mistakes(s, y):
    """Results of typical mistakes in the gradient behind the complementary log-log link."""
    m, mu = len(s), np.exp(s)
    with np.errstate(all="ignore"):
        p, rounded = -np.expm1(-mu), 1 - np.exp(-mu)
        right = np.where(y == 1, -mu / np.expm1(mu), mu)
        mistakes = {
            "p − y is the gradient of the canonical link: here a factor stays.": p - y,
            "The factor 1/m of the mean is lost.": m * right,
            "The sign is wrong: the gradient points to where the loss grows.": -right,
            "That is the slope of half the squared error: the factor lacks 1/(p(1 − p)).": (
                (p - y) * mu * (1 - p)
            ),
            "That is the derivative with respect to μ: μ changes with the score, too.": right / mu,
            "That is the derivative with respect to p: p changes with the score, too.": (
                (p - y) / (p * (1 - p))
            ),
            "A trap without a beetle has a loss, too.": np.where(y == 1, right, 0.0),
            "μ − y is for counts: all that is noted is whether there were any.": mu - y,
            "That is the gradient of a sigmoid.": 1 / (1 + np.exp(-s)) - y,
            "1 − exp(−μ) is rounded to 0 for a tiny μ: use np.expm1.": (rounded - y) * mu / rounded,
            "Something is rounded to 0 for a tiny μ: use np.expm1.": np.where(
                y == 1, -mu * np.exp(-mu) / rounded, mu
            ),
            "exp(μ) − 1 is rounded to 0 for a tiny μ: use np.expm1.": np.where(
                y == 1, -mu / (np.exp(mu) - 1), mu
            ),
        }
    return {told: value / m for told, value in mistakes.items()}


@hidden_test("trap_gradient", points=2, message="Random scores.")
def random_traps(student, reference, rng):
    y = rng.permutation(np.arange(13) % 2)
    judge(student, reference, "trap_gradient", (rng.normal(size=13), y), trap_mistakes)


@hidden_test("trap_gradient", points=1, message="Very low and very high scores.")
def extreme_traps(student, reference, rng):
    low, middle, high = [-700, -60, -42], [-1, -1, 0], [8, 16, 24]
    s = np.repeat([*low, *middle, *high], 2) + rng.uniform(0, 1, size=18)
    order = rng.permutation(18)
    given = s[order], (np.arange(18) % 2)[order]
    judge(student, reference, "trap_gradient", given, trap_mistakes)


def walk(X, y, w, cap, gradient=1.0, weights=lambda mu: mu, matrix=lambda H: H):
    """Newton's method without a stop, with mistakes in the gradient and the matrix: all w."""
    path = [w]
    with np.errstate(all="ignore"):
        for _ in range(cap):
            mu = np.exp(X @ w)
            H = matrix(X.T @ (weights(mu)[:, None] * X) / len(y))
            if not np.isfinite(H).all() or np.linalg.matrix_rank(H) < len(w):
                return [*path, *[np.full(len(w), np.nan)] * (cap + 1 - len(path))]
            w = w - gradient * np.linalg.solve(H, X.T @ (mu - y) / len(y))
            path.append(w)
    return path


def slopes(X, y, path):
    """Largest entry of the gradient at each place of a path."""
    return np.array([np.max(np.abs(X.T @ (np.exp(X @ w) - y))) / len(y) for w in path])


def newton_mistakes(X, y, w, tol, cap):
    """Results of typical mistakes in Newton's method."""
    path, m = walk(X, y, w, cap + 1), len(y)
    below = np.flatnonzero(slopes(X, y, path) < tol)
    steps = below[0] if len(below) and below[0] < cap else cap
    mistakes = {
        "The start is not a step: you count one too many.": (path[steps], steps + 1),
        "You make one step more than is needed: look at the gradient before the step.": (
            path[steps + 1],
            steps + 1,
        ),
        "You always make all the steps: stop when the gradient is below tol.": (path[cap], cap),
        "The gradient is a mean, but the second derivatives are a sum.": walk(X, y, w, cap, 1 / m),
        "The second derivatives are means, but the gradient is a sum.": walk(X, y, w, cap, m),
        "The sign is wrong: subtract the step.": walk(X, y, w, cap, -1.0),
        "The second derivatives lack the factors μ.": walk(X, y, w, cap, weights=np.ones_like),
        "The factors of the second derivatives are μ, not 1/μ.": (
            walk(X, y, w, cap, weights=lambda mu: 1 / mu)
        ),
        "The factors are those of a sigmoid: the variance of a count is μ.": (
            walk(X, y, w, cap, weights=lambda mu: np.abs(mu * (1 - mu)))
        ),
        "The second derivatives are a whole matrix, not its diagonal alone.": (
            walk(X, y, w, cap, matrix=lambda H: np.diag(np.diag(H)))
        ),
        "That is a step of gradient descent: solve with the second derivatives.": (
            walk(X, y, w, cap, matrix=lambda H: np.eye(len(H)))
        ),
    }
    return {told: ended(X, y, found, tol, cap) for told, found in mistakes.items()}


def ended(X, y, found, tol, cap):
    """Pair of w and steps where a walk stops; what is a pair already stays."""
    if isinstance(found, tuple):
        return found
    with np.errstate(all="ignore"):
        below = np.flatnonzero(slopes(X, y, found) < tol)
    return (found[below[0]], below[0]) if len(below) else (found[cap], cap)


def clear(X, y, w, tol):
    """Whether no gradient on the way is so close to tol that rounding could change the count."""
    found = slopes(X, y, walk(X, y, w, 40))
    return found[-1] < tol / 10 and not np.any((found > tol / 5) & (found < 5 * tol))


def compare_newton(student, reference, X, y, w, tol):
    # After three steps the start still shows, and the result of a mistake has not yet run away.
    for cap in (3, 40):
        judge(student, reference, "newton", (X, y, w, tol, cap), newton_mistakes)


@hidden_test(
    "newton",
    points=3,
    message="Three random weights and a start that is too high, with few steps and with many.",
)
def high_start(student, reference, rng):
    while True:
        X = np.column_stack([rng.normal(size=(12, 2)), np.ones(12)])
        y = rng.poisson(np.exp(X @ [0.4, -0.3, 0.7]))
        w = rng.uniform([-0.3, -0.3, 2.5], [0.3, 0.3, 3.5])
        if np.sum(y) > 12 and clear(X, y, w, 1e-7):
            break
    compare_newton(student, reference, X, y, w, 1e-7)


@hidden_test("newton", points=1, message="A start that is too low, with few steps and with many.")
def low_start(student, reference, rng):
    while True:
        X = np.column_stack([rng.uniform(-0.3, 0.3, size=9), np.ones(9)])
        y = rng.poisson(4 + 2 * X[:, 0], size=9)
        w = np.array([rng.uniform(-0.2, 0.2), rng.uniform(-0.9, -0.6)])
        if np.sum(y) > 20 and clear(X, y, w, 1e-7):
            break
    compare_newton(student, reference, X, y, w, 1e-7)


def honesty_mistakes(r, rain, dry):
    """Results of typical mistakes in the cost of honesty."""
    q = r[:, None]
    with np.errstate(all="ignore"):
        naive = q * rain + (1 - q) * dry
        expected = np.where(q > 0, q * rain, 0) + np.where(q < 1, (1 - q) * dry, 0)
        swapped = np.where(q > 0, q * dry, 0) + np.where(q < 1, (1 - q) * rain, 0)
        honest, least = np.diag(expected), expected.min(axis=1)
        return {
            "0 · ∞ counts as 0, but NumPy makes it nan.": np.diag(naive) - naive.min(axis=1),
            "A nan is not the smallest: 0 · ∞ counts as 0.": honest - np.nanmin(naive, axis=1),
            "That is what honesty pays: subtract the smallest expected penalty.": honest,
            "That is the smallest expected penalty: subtract it from what honesty pays.": least,
            "The sign is wrong: honesty never costs less than the best report.": least - honest,
            "The belief is fixed and the report varies: take the minimum over the reports.": (
                honest - expected.min(axis=0)
            ),
            "Rain has the probability q, dry weather 1 − q: you swap the penalties.": (
                np.diag(swapped) - swapped.min(axis=1)
            ),
            "Return what honesty costs, not the report that is best.": r[expected.argmin(axis=1)],
        }


@hidden_test("cost_of_honesty", points=2, message="Random reports and random penalties.")
def random_rules(student, reference, rng):
    for _ in range(2):
        given = rng.uniform(0.05, 0.95, size=6), *rng.normal(size=(2, 6))
        judge(student, reference, "cost_of_honesty", given, honesty_mistakes)


@hidden_test(
    "cost_of_honesty",
    points=1,
    message="Rules with infinite penalties, one proper and one not.",
)
def infinite_penalties(student, reference, rng):
    r = rng.permutation([0, 1, *rng.uniform([0.1, 0.4, 0.7], [0.3, 0.6, 0.9])])
    with np.errstate(divide="ignore"):
        rain, dry = -np.log(r), -np.log(1 - r)
    for given in ((r, rain, dry), (r, rain, rng.uniform(2, 4) * dry)):
        judge(student, reference, "cost_of_honesty", given, honesty_mistakes)
