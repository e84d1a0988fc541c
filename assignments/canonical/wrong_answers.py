"""Typical wrong answers on prediction minus label, and parts of their messages."""

import numpy as np

from grader import wrong_answer


@wrong_answer("poisson_nll", told="The logarithm of y! is left out")
def without_factorial(log_rates, counts):
    with np.errstate(invalid="ignore"):
        return np.mean(np.exp(log_rates) - np.where(counts == 0, 0, counts * log_rates))


@wrong_answer("poisson_nll", told="y! overflows")
def factorial_overflows(log_rates, counts):
    factorials = np.array([np.prod(np.arange(1.0, y + 1)) for y in counts])
    with np.errstate(all="ignore"):
        products = np.where(counts == 0, 0, counts * log_rates)
        return np.mean(np.exp(log_rates) - products + np.log(factorials))


@wrong_answer("poisson_nll", told="0 · (−∞) counts as 0")
def zero_times_infinity(log_rates, counts):
    with np.errstate(invalid="ignore"):
        losses = np.exp(log_rates) - counts * log_rates
    return np.mean(losses + [np.log(np.arange(1, y + 1)).sum() for y in counts])


@wrong_answer("poisson_nll", told="You add 1e-08 to μ")
def tiny_added(log_rates, counts):
    rates = np.exp(log_rates)
    losses = rates - counts * np.log(rates + 1e-8)
    return np.mean(losses + [np.log(np.arange(1, y + 1)).sum() for y in counts])


@wrong_answer("poisson_nll", told="Stirling's formula")
def stirling(log_rates, counts):
    y = np.maximum(counts, 1)
    logs = np.where(counts > 1, y * np.log(y) - y + 0.5 * np.log(2 * np.pi * y), 0)
    with np.errstate(invalid="ignore"):
        products = np.where(counts == 0, 0, counts * log_rates)
    return np.mean(np.exp(log_rates) - products + logs)


@wrong_answer("poisson_gradient", told="The times are left out")
def no_times(X, counts, times, w, b):
    error = (np.exp(X @ w + b) - counts) / len(counts)
    return X.T @ error, error.sum()


@wrong_answer("poisson_gradient", told="each hour must count, not each row")
def counts_per_hour(X, counts, times, w, b):
    error = (np.exp(X @ w + b) - counts / times) / len(counts)
    return X.T @ error, error.sum()


@wrong_answer("poisson_gradient", told="The factor 1/m of the mean is lost")
def lost_mean(X, counts, times, w, b):
    error = times * np.exp(X @ w + b) - counts
    return X.T @ error, error.sum()


@wrong_answer("poisson_gradient", told="The sign is wrong")
def uphill(X, counts, times, w, b):
    error = (counts - times * np.exp(X @ w + b)) / len(counts)
    return X.T @ error, error.sum()


@wrong_answer("poisson_gradient", told="The slope of the exponential cancels")
def slope_of_the_link(X, counts, times, w, b):
    means = times * np.exp(X @ w + b)
    error = (means - counts) * means / len(counts)
    return X.T @ error, error.sum()


@wrong_answer("family_derivatives", told="The exponentials overflow")
def not_shifted(scores, outcomes, values, log_weights):
    with np.errstate(all="ignore"):
        P = np.exp(np.outer(scores, values) + log_weights)
        P /= P.sum(axis=1, keepdims=True)
    mean = P @ values
    variance = np.sum(P * (values - mean[:, None]) ** 2, axis=1)
    return (mean - outcomes) / len(scores), variance / len(scores)


@wrong_answer("family_derivatives", told="Values around a million")
def cancelling_variance(scores, outcomes, values, log_weights):
    tilted = np.outer(scores, values) + log_weights
    P = np.exp(tilted - tilted.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    mean = P @ values
    return (mean - outcomes) / len(scores), (P @ values**2 - mean**2) / len(scores)


@wrong_answer("family_derivatives", told="The weights are left out")
def equal_weights(scores, outcomes, values, log_weights):
    tilted = np.outer(scores, values)
    P = np.exp(tilted - tilted.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    mean = P @ values
    variance = np.sum(P * (values - mean[:, None]) ** 2, axis=1)
    return (mean - outcomes) / len(scores), variance / len(scores)


@wrong_answer("family_derivatives", told="not the variance")
def deviation(scores, outcomes, values, log_weights):
    tilted = np.outer(scores, values) + log_weights
    P = np.exp(tilted - tilted.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    mean = P @ values
    variance = np.sum(P * (values - mean[:, None]) ** 2, axis=1)
    return (mean - outcomes) / len(scores), np.sqrt(variance) / len(scores)


@wrong_answer("trap_gradient", told="here a factor stays")
def canonical(scores, caught):
    return (-np.expm1(-np.exp(scores)) - caught) / len(scores)


@wrong_answer("trap_gradient", told="That is the slope of half the squared error")
def variance_not_divided(scores, caught):
    rates = np.exp(scores)
    return (1 - np.exp(-rates) - caught) * rates * np.exp(-rates) / len(scores)


@wrong_answer("trap_gradient", told="That is the derivative with respect to μ")
def by_the_mean(scores, caught):
    with np.errstate(over="ignore"):
        return np.where(caught == 1, -1 / np.expm1(np.exp(scores)), 1.0) / len(scores)


@wrong_answer("trap_gradient", told="use np.expm1")
def rounded_to_zero(scores, caught):
    p, rates = 1 - np.exp(-np.exp(scores)), np.exp(scores)
    with np.errstate(all="ignore"):
        return (p - caught) * rates / p / len(scores)


@wrong_answer("newton", told="The second derivatives lack the factors μ")
def least_squares(X, counts, w, tol, cap):
    with np.errstate(all="ignore"):
        for steps in range(cap):
            gradient = X.T @ (np.exp(X @ w) - counts) / len(X)
            if np.abs(gradient).max() < tol:
                return w, steps
            w = w - np.linalg.solve(X.T @ X / len(X), gradient)
    return w, cap


@wrong_answer("newton", told="the second derivatives are a sum")
def short_steps(X, counts, w, tol, cap):
    for steps in range(cap):
        rates = np.exp(X @ w)
        gradient = X.T @ (rates - counts) / len(X)
        if np.abs(gradient).max() < tol:
            return w, steps
        w = w - np.linalg.solve(X.T @ np.diag(rates) @ X, gradient)
    return w, cap


@wrong_answer("newton", told="not its diagonal alone")
def diagonal(X, counts, w, tol, cap):
    for steps in range(cap):
        rates = np.exp(X @ w)
        gradient = X.T @ (rates - counts)
        if np.abs(gradient).max() < tol * len(X):
            return w, steps
        w = w - gradient / (rates @ X**2)
    return w, cap


@wrong_answer("newton", told="you count one too many")
def start_counted(X, counts, w, tol, cap):
    steps = 1
    while steps <= cap:
        rates = np.exp(X @ w)
        gradient = X.T @ (rates - counts) / len(X)
        if np.abs(gradient).max() < tol:
            break
        w = w - np.linalg.solve((X.T * rates) @ X / len(X), gradient)
        steps += 1
    return w, steps


@wrong_answer("cost_of_honesty", told="0 · ∞ counts as 0")
def nan_from_infinity(reports, if_rain, if_dry):
    q = reports[:, None]
    with np.errstate(invalid="ignore"):
        expected = q * if_rain + (1 - q) * if_dry
    return np.diag(expected) - expected.min(axis=1)


@wrong_answer("cost_of_honesty", told="take the minimum over the reports")
def minimum_over_beliefs(reports, if_rain, if_dry):
    expected = np.outer(reports, if_rain) + np.outer(1 - reports, if_dry)
    return np.diag(expected) - expected.min(axis=0)


@wrong_answer("cost_of_honesty", told="you swap the penalties")
def swapped(reports, if_rain, if_dry):
    expected = np.outer(reports, if_dry) + np.outer(1 - reports, if_rain)
    return np.diag(expected) - expected.min(axis=1)
