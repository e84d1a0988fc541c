"""Hidden tests of the assignment on maximum likelihood."""

import numpy as np

from grader import compare, hidden_test


def coin_mistakes(p, y):
    """Results of typical mistakes in the log-likelihood of a coin."""
    factors = np.where(y == 1, p, 1 - p)
    with np.errstate(all="ignore"):
        logs = np.log(factors)
        naive = np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
        mistakes = {
            "0 · log 0 counts as 0, but NumPy makes it nan: choose before you multiply.": naive,
            "The product of so many factors underflows to 0: sum their logarithms.": (
                np.log(np.prod(factors))
            ),
            "You return the likelihood: take its logarithm.": np.prod(factors),
            "The sign is wrong: no minus is asked for here.": -np.sum(logs),
            "You return the mean of the logarithms: sum them.": np.mean(logs),
            "Mean and sign: no 1/m and no minus are asked for here.": -np.mean(logs),
            "Use the natural logarithm, np.log.": np.sum(np.log10(factors)),
            "p is the probability of heads, of y = 1.": np.sum(np.log(np.where(y == 1, 1 - p, p))),
            "The tails count as well: each contributes log(1 − p).": np.sum(y) * np.log(p),
        }
    for power in range(5, 17):
        clipped = np.clip(p, 10.0**-power, 1 - 10.0**-power)
        with np.errstate(all="ignore"):
            mistakes[f"You clip p by 1e-{power}: an impossible record has −∞."] = np.sum(
                np.log(np.where(y == 1, clipped, 1 - clipped))
            )
    return mistakes


def tosses(rng, p, m):
    """Random tosses with at least two heads and two tails."""
    return rng.permutation(np.append([1, 1, 0, 0], rng.random(m - 4) < p).astype(int))


@hidden_test("coin_log_likelihood", points=1, message="A short record and a random probability.")
def short_record(student, reference, rng):
    p = rng.uniform(0.15, 0.35)
    y = tosses(rng, p, 13)
    right = reference.coin_log_likelihood(p, y)
    compare(student.coin_log_likelihood(p, y), right, mistakes=coin_mistakes(p, y))


@hidden_test("coin_log_likelihood", points=1, message="A record of thousands of tosses.")
def long_record(student, reference, rng):
    p = rng.uniform(0.3, 0.4)
    y = tosses(rng, p, 5000)
    right = reference.coin_log_likelihood(p, y)
    compare(student.coin_log_likelihood(p, y), right, mistakes=coin_mistakes(p, y))


@hidden_test(
    "coin_log_likelihood", points=1, message="The probabilities 0 and 1, and one in between."
)
def certain_coin(student, reference, rng):
    mixed, heads, tails = tosses(rng, 0.5, 11), np.ones(7, int), np.zeros(7, int)
    between = rng.uniform(0.6, 0.8), mixed
    for p, y in ((1.0, mixed), (0.0, mixed), (1.0, heads), (0.0, tails), between):
        right = reference.coin_log_likelihood(p, y)
        compare(student.coin_log_likelihood(p, y), right, mistakes=coin_mistakes(p, y))


def gaussian_mistakes(s, y):
    """Results of typical mistakes in the best sigma and its loss."""
    m, mse = len(y), np.mean((y - s) ** 2)

    def pair(variance, constant=2 * np.pi):
        return np.sqrt(variance), mse / (2 * variance) + 0.5 * np.log(constant * variance)

    sigma, loss = pair(mse)
    unbiased, spread = mse * m / (m - 1), np.var(y - s)
    return {
        "Maximum likelihood divides the sum of squares by m, not by m − 1.": pair(unbiased),
        "Maximum likelihood divides by m, not by m − 1, for σ as for the loss.": (
            np.sqrt(unbiased),
            0.5 + 0.5 * np.log(2 * np.pi * unbiased),
        ),
        "You return the variance: σ is its root.": (mse, loss),
        "You subtract the mean error first: the scores are given, and stay.": pair(spread),
        "You subtract the mean error in σ and in the loss: the scores are given, and stay.": (
            np.sqrt(spread),
            0.5 + 0.5 * np.log(2 * np.pi * spread),
        ),
        "The factor √(2π) of the density is lost.": pair(mse, constant=1),
        "The loss has √(2π) inside the logarithm, not 2π.": pair(mse, constant=(2 * np.pi) ** 2),
        "The term with the squares is lost: at the best σ it is not 0.": (sigma, loss - 0.5),
        "The ½ in front of the squares is lost.": (sigma, loss + 0.5),
        "You return the sum of the negative logarithms: return their mean.": (sigma, m * loss),
        "The sign is wrong: return the negative log-likelihood.": (sigma, -loss),
        "Use the natural logarithm, np.log.": (sigma, 0.5 + 0.5 * np.log10(2 * np.pi * mse)),
        "The best σ² is the mean of the squares, not their sum.": pair(m * mse),
        "The best σ is the root of the mean square, not the mean absolute error.": pair(
            np.mean(np.abs(y - s)) ** 2
        ),
        "The pair is in the wrong order: first σ, then the loss.": (loss, sigma),
    }


@hidden_test("gaussian_fit", points=3, message="Sigma and loss of random scores, all too low.")
def unknown_sigma(student, reference, rng):
    s = rng.normal(size=9)
    y = s + 3 + 2 * rng.normal(size=9)
    right = reference.gaussian_fit(s, y)
    compare(student.gaussian_fit(s, y), right, mistakes=gaussian_mistakes(s, y))


@hidden_test("gaussian_fit", points=1, message="Scores so close that the loss is negative.")
def close_scores(student, reference, rng):
    s = rng.normal(size=8)
    y = s + rng.uniform(0.005, 0.05, size=8)
    right = reference.gaussian_fit(s, y)
    compare(student.gaussian_fit(s, y), right, mistakes=gaussian_mistakes(s, y))


def weighted_median(y, weights):
    """Weighted median of y, its places in y and in ascending order, and how far a tie is."""
    order = np.argsort(y)
    share = np.cumsum(weights[order]) / np.sum(weights)
    rank = np.searchsorted(share, 0.5)
    return y[order[rank]], (order[rank], rank), np.min(np.abs(share - 0.5))


def location_mistakes(y, widths):
    """Results of typical mistakes in the place of the highest likelihood."""
    return {
        "That is the plain median: an instrument with a small width pulls harder.": np.median(y),
        "You weight by the widths, so that the worst instrument pulls hardest.": (
            weighted_median(y, widths)[0]
        ),
        "You weight by the square of the width, as Gaussian noise would.": (
            weighted_median(y, widths**-2)[0]
        ),
        "You sort the measurements, but not their widths along with them.": (
            weighted_median(np.sort(y), 1 / widths)[0]
        ),
        "That is a weighted mean: Laplace noise leads to a weighted median.": (
            np.average(y, weights=1 / widths)
        ),
        "That is the plain mean: Laplace noise leads to a weighted median.": np.mean(y),
        "That is the weighted mean of Gaussian noise: a median is needed.": (
            np.average(y, weights=widths**-2)
        ),
    }


def revealing(rng):
    """Random measurements and widths with which each mistake has a result of its own.

    Neither the most nor the least precise instrument shows what is right.
    """
    while True:
        y, widths = rng.normal(size=11), np.exp(rng.normal(size=11))
        s, (place, _), _ = weighted_median(y, 1 / widths)
        results = [s, *location_mistakes(y, widths).values()]
        if np.min(np.diff(np.sort(results))) > 1e-3 and place not in (
            np.argmin(widths),
            np.argmax(widths),
        ):
            return y, widths


def compare_locations(student, reference, cases):
    """Compare the results for several records of measurements."""
    for y, widths in cases:
        compare(
            student.laplace_location(y, widths),
            reference.laplace_location(y, widths),
            mistakes=location_mistakes(y, widths),
        )


def apart(first, second):
    """Whether the right results stand at different places of two records, and no tie is near.

    Otherwise it could be right to return one entry of every record.
    """
    (_, places, tie), (_, others, other_tie) = (
        weighted_median(y, 1 / widths) for y, widths in (first, second)
    )
    return not np.any(np.equal(places, others)) and min(tie, other_tie) > 0.01


@hidden_test("laplace_location", points=3, message="Random measurements of different precision.")
def different_widths(student, reference, rng):
    while True:
        cases = [revealing(rng) for _ in range(2)]
        if apart(*cases):
            break
    compare_locations(student, reference, cases)


@hidden_test(
    "laplace_location",
    points=1,
    message="One instrument is the most precise. In one record it outweighs all others.",
)
def one_precise_instrument(student, reference, rng):
    while True:
        cases = []
        for precise, ranks in ((0.01, [0, 1, 6, 7]), (0.5, [0, 7])):
            y, widths = rng.normal(size=8), rng.uniform(1, 2, size=8)
            widths[np.argsort(y)[rng.choice(ranks)]] = precise
            cases.append((y, widths))
        if apart(*cases):
            break
    compare_locations(student, reference, cases)


def waiting_mistakes(times, ended):
    """Results of typical mistakes in the rate."""
    events, total = np.sum(ended), np.sum(times)
    with np.errstate(all="ignore"):
        return {
            "You count machines that still run as broken: they add time, but no event.": (
                len(times) / total
            ),
            "You leave out the machines that still run: their time counts as well.": (
                events / np.sum(times[ended == 1])
            ),
            "That is one over the rate.": total / events,
            "You divide by the mean of the times: divide by their sum.": events / np.mean(times),
            "You count the machines that still run instead of those that broke down.": (
                np.sum(1 - ended) / total
            ),
            "You divide by the time of those that still run alone: all time counts.": (
                events / np.sum(times[ended == 0])
            ),
        }


@hidden_test("censored_rate", points=2, message="Random waiting times, some not over.")
def some_have_ended(student, reference, rng):
    ended = rng.permutation([1] * 7 + [0] * 4)
    times = rng.uniform(1, 5, size=11)
    right = reference.censored_rate(times, ended)
    compare(student.censored_rate(times, ended), right, mistakes=waiting_mistakes(times, ended))


@hidden_test("censored_rate", points=1, message="No waiting time is over yet; then two are.")
def none_has_ended(student, reference, rng):
    for events in (0, 2):
        times, ended = rng.uniform(1, 5, size=6), rng.permutation(np.arange(6) < events).astype(int)
        right = reference.censored_rate(times, ended)
        compare(student.censored_rate(times, ended), right, mistakes=waiting_mistakes(times, ended))


@hidden_test("variance_ratios", points=4, message="The experiment on random noise.")
def experiment(student, reference, rng):
    k, m = 40, 7
    noise, true_values, sigma = rng.normal(size=(k, m)), 3 * rng.normal(size=k), rng.uniform(2, 3)
    right = reference.variance_ratios(noise, true_values, sigma)
    measured = true_values[:, None] + sigma * noise
    firsts = [measured[:, :j] for j in range(2, m + 1)]
    sizes = np.arange(2, m + 1)
    from_all = np.array([np.mean((f - measured.mean(1)[:, None]) ** 2) for f in firsts])
    mistakes = {
        "You divide by j − 1; maximum likelihood divides by j.": right * sizes / (sizes - 1),
        "You subtract the true values, which nobody knows: subtract the estimates.": np.array(
            [np.mean(noise[:, :j] ** 2) for j in sizes]
        ),
        "You subtract one mean of all objects: each object has its own.": np.array(
            [np.var(first) for first in firsts]
        )
        / sigma**2,
        "You take the means over the objects: each row is an object.": np.array(
            [np.mean(np.var(first, axis=0)) for first in firsts]
        )
        / sigma**2,
        "You estimate the values from all m measurements: only the first j are there.": (
            from_all / sigma**2
        ),
        "You return the estimates: divide them by σ².": right * sigma**2,
        "You divide by σ: the ratio of variances needs σ².": right * sigma,
        "You compare standard deviations: return the ratio of the variances.": np.sqrt(right),
        "You sum over the objects: divide by their number as well.": right * k,
        "Your ratios start with j = 1: a single measurement is not asked for.": np.append(0, right),
        "Your last ratio is missing: j runs up to m.": right[:-1],
    }
    compare(student.variance_ratios(noise, true_values, sigma), right, mistakes=mistakes)


@hidden_test("expected_variance", points=2, message="Objects that are measured differently often.")
def formula_of_the_variance(student, reference, rng):
    sigma = rng.uniform(2, 4)
    for counts in (rng.permutation([2, 3, 4, 9, 12]), rng.permutation([1, 1, 2, 6])):
        k, total, variance = len(counts), np.sum(counts), sigma**2
        mistakes = {
            "That is the true variance: the estimated means take some of it away.": variance,
            "One estimated mean for all objects? Each object has its own.": (
                variance * (1 - 1 / total)
            ),
            "That is the mean of the objects' own expectations: all sums are divided by M.": (
                variance * np.mean(1 - 1 / counts)
            ),
            "The variance is σ², not σ.": sigma * (1 - k / total),
            "That is what corrects the estimate: you divide where you should multiply.": (
                variance * total / (total - k)
            ),
            "That is the part that is lost: return what is left.": variance * k / total,
            "That is the expected sum of squares: divide by M.": variance * (total - k),
        }
        right = reference.expected_variance(sigma, counts)
        compare(student.expected_variance(sigma, counts), right, mistakes=mistakes)
