"""Typical wrong answers to the assignment on maximum likelihood, and parts of their messages."""

import numpy as np

from grader import wrong_answer


@wrong_answer("coin_log_likelihood", told="underflows to 0")
def log_of_the_product(p, tosses):
    with np.errstate(divide="ignore"):
        return np.log(np.prod(p**tosses * (1 - p) ** (1 - tosses)))


@wrong_answer("coin_log_likelihood", told="0 · log 0 counts as 0")
def zero_times_infinity(p, tosses):
    heads = np.sum(tosses)
    with np.errstate(all="ignore"):
        return heads * np.log(p) + (len(tosses) - heads) * np.log(1 - p)


@wrong_answer("coin_log_likelihood", told="You return the mean of the logarithms")
def mean_for_sum(p, tosses):
    with np.errstate(divide="ignore"):
        return np.mean(np.log(np.where(tosses == 1, p, 1 - p)))


@wrong_answer("coin_log_likelihood", told="natural logarithm")
def base_ten(p, tosses):
    with np.errstate(divide="ignore"):
        return np.sum(np.log10(np.where(tosses == 1, p, 1 - p)))


@wrong_answer("coin_log_likelihood", told="You clip p")
def clipped(p, tosses):
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return np.sum(tosses * np.log(p) + (1 - tosses) * np.log(1 - p))


@wrong_answer("gaussian_fit", told="by m, not by m − 1")
def unbiased(scores, targets):
    sigma = np.sqrt(np.sum((targets - scores) ** 2) / (len(targets) - 1))
    nll = (targets - scores) ** 2 / (2 * sigma**2) + np.log(sigma * np.sqrt(2 * np.pi))
    return sigma, np.mean(nll)


@wrong_answer("gaussian_fit", told="You subtract the mean error first")
def spread_of_the_errors(scores, targets):
    sigma = np.std(targets - scores)
    nll = (targets - scores) ** 2 / (2 * sigma**2) + np.log(sigma * np.sqrt(2 * np.pi))
    return sigma, np.mean(nll)


@wrong_answer("gaussian_fit", told="The factor √(2π) of the density is lost")
def lost_constant(scores, targets):
    sigma = np.sqrt(np.mean((targets - scores) ** 2))
    return sigma, np.mean((targets - scores) ** 2 / (2 * sigma**2)) + np.log(sigma)


@wrong_answer("gaussian_fit", told="You return the sum")
def sum_for_mean(scores, targets):
    sigma = np.sqrt(np.mean((targets - scores) ** 2))
    nll = (targets - scores) ** 2 / (2 * sigma**2) + np.log(sigma * np.sqrt(2 * np.pi))
    return sigma, np.sum(nll)


@wrong_answer("laplace_location", told="That is the plain median")
def plain_median(y, widths):
    return np.median(y)


@wrong_answer("laplace_location", told="You weight by the widths")
def weighted_by_width(y, widths):
    order = np.argsort(y)
    below = np.cumsum(widths[order])
    return y[order][np.argmax(below >= below[-1] / 2)]


@wrong_answer("laplace_location", told="but not their widths")
def unsorted_widths(y, widths):
    below = np.cumsum(1 / widths)
    return np.sort(y)[np.argmax(below >= below[-1] / 2)]


@wrong_answer("censored_rate", told="as broken")
def all_have_ended(times, ended):
    return 1 / np.mean(times)


@wrong_answer("censored_rate", told="You leave out the machines that still run")
def left_out(times, ended):
    over = times[ended == 1]
    return len(over) / np.sum(over) if len(over) else 0.0


@wrong_answer("variance_ratios", told="You divide by j − 1")
def corrected(noise, true_values, sigma):
    measured = true_values[:, None] + sigma * noise
    sizes = range(2, noise.shape[1] + 1)
    return np.array([measured[:, :j].var(axis=1, ddof=1).mean() / sigma**2 for j in sizes])


@wrong_answer("variance_ratios", told="You take the means over the objects")
def other_axis(noise, true_values, sigma):
    measured = true_values[:, None] + sigma * noise
    sizes = range(2, noise.shape[1] + 1)
    return np.array([measured[:, :j].var(axis=0).mean() / sigma**2 for j in sizes])


@wrong_answer("variance_ratios", told="which nobody knows")
def true_values_known(noise, true_values, sigma):
    measured = true_values[:, None] + sigma * noise
    squares = (measured - true_values[:, None]) ** 2 / sigma**2
    return np.array([squares[:, :j].mean() for j in range(2, noise.shape[1] + 1)])


@wrong_answer("expected_variance", told="Each object has its own")
def one_mean_for_all(sigma, counts):
    total = np.sum(counts)
    return sigma**2 * (total - 1) / total


@wrong_answer("expected_variance", told="all sums are divided by M")
def mean_of_ratios(sigma, counts):
    return np.mean(sigma**2 * (counts - 1) / counts)
