"""Typical wrong answers to the assignment on robust losses, and parts of their messages."""

import numpy as np

from grader import wrong_answer


@wrong_answer("quantile_loss", told="The sides are swapped: what is missing costs τ")
def other_side(scores, targets, tau):
    r = scores - targets
    loss = np.maximum(tau * r, (tau - 1) * r)
    return np.mean(loss), np.where(r > 0, tau, np.where(r < 0, tau - 1, 0)) / len(r)


@wrong_answer("quantile_loss", told="The sign is wrong")
def slope_of_the_target(scores, targets, tau):
    e = targets - scores
    slope = np.where(e > 0, tau, np.where(e < 0, tau - 1, 0))
    return np.mean(slope * e), slope / len(e)


@wrong_answer("quantile_loss", told="The factor 1/m of the mean is lost in the gradient")
def gradient_of_the_sum(scores, targets, tau):
    r = scores - targets
    slope = np.where(r > 0, 1 - tau, np.where(r < 0, -tau, 0))
    return np.mean(slope * r), slope


@wrong_answer("quantile_loss", told="At the kink take the slope 0.")
def slope_from_below(scores, targets, tau):
    r = scores - targets
    slope = np.where(r > 0, 1 - tau, -tau)
    return np.mean(slope * r), slope / len(r)


@wrong_answer("quantile_loss", told="not the middle of the two others")
def middle_slope(scores, targets, tau):
    r = scores - targets
    slope = np.heaviside(r, 0.5) - tau
    return np.mean(slope * r), slope / len(r)


@wrong_answer("quantile_loss", told="(m, 1) against (m,)")
def broadcast(scores, targets, tau):
    r, each = scores - targets, scores.reshape(-1, 1) - targets
    gradient = np.where(r > 0, 1 - tau, np.where(r < 0, -tau, 0)) / len(r)
    return np.mean(np.maximum(-tau * each, (1 - tau) * each)), gradient


@wrong_answer("quantile_loss", told="That is twice the loss")
def like_the_absolute_error(scores, targets, tau):
    r = scores - targets
    slope = 2 * np.where(r > 0, 1 - tau, np.where(r < 0, -tau, 0))
    return np.mean(slope * r), slope / len(r)


@wrong_answer("log_cosh", told="cosh and sinh overflow")
def as_it_is_written(residuals):
    with np.errstate(over="ignore"):
        return np.log(np.cosh(residuals))


@wrong_answer("log_cosh", told="Near 0 the digits are lost: log 2 is subtracted")
def right_far_away_alone(residuals):
    size = np.abs(residuals)
    return size + np.log1p(np.exp(-2 * size)) - np.log(2)


@wrong_answer("log_cosh", told="cosh and sinh overflow")
def right_near_zero_alone(residuals):
    with np.errstate(over="ignore"):
        return np.log1p(2 * np.sinh(residuals / 2) ** 2)


@wrong_answer("log_cosh", told="One of the two signs overflows")
def without_absolute_value(residuals):
    with np.errstate(over="ignore"):
        far = residuals + np.log1p(np.exp(-2 * residuals)) - np.log(2)
        return np.where(np.abs(residuals) < 0.1, np.log1p(2 * np.sinh(residuals / 2) ** 2), far)


@wrong_answer("log_cosh", told="Between the two limits")
def two_limits(residuals):
    size = np.abs(residuals)
    return np.where(size < 1, size**2 / 2, size - np.log(2))


@wrong_answer("log_cosh", told="That is the slope")
def tanh(residuals):
    return np.tanh(residuals)


@wrong_answer("huber_centre", told="divide it by 0.6745")
def undivided(y):
    s = np.median(y)
    delta = 1.35 * np.median(np.abs(y - s))
    for _ in range(100):
        s = np.average(y, weights=delta / np.maximum(delta, np.abs(y - s)))
    return s, delta


@wrong_answer("huber_centre", told="whatever the unit")
def fixed_delta(y):
    s = np.median(y)
    for _ in range(100):
        s = np.average(y, weights=1.35 / np.maximum(1.35, np.abs(y - s)))
    return s, 1.35


@wrong_answer("huber_centre", told="The standard deviation is no measure here")
def dragged_along(y):
    s, delta = np.median(y), 1.35 * np.std(y)
    for _ in range(100):
        s = np.average(y, weights=delta / np.maximum(delta, np.abs(y - s)))
    return s, delta


@wrong_answer("huber_centre", told="from the median, not from the mean")
def distances_from_the_mean(y):
    s, delta = np.median(y), 1.35 / 0.6745 * np.median(np.abs(y - np.mean(y)))
    for _ in range(100):
        s = np.average(y, weights=delta / np.maximum(delta, np.abs(y - s)))
    return s, delta


@wrong_answer("huber_centre", told="A far value is not thrown away")
def thrown_away(y):
    s = np.median(y)
    delta = 1.35 / 0.6745 * np.median(np.abs(y - s))
    for _ in range(100):
        s = np.mean(y[np.abs(y - s) <= delta])
    return s, delta


@wrong_answer("huber_centre", told="infinite or not a number")
def divided_by_zero(y):
    s = np.median(y)
    delta = 1.35 / 0.6745 * np.median(np.abs(y - s))
    with np.errstate(all="ignore"):
        for _ in range(100):
            slope = np.clip(s - y, -delta, delta)
            s = np.average(y, weights=slope / (s - y))
    return s, delta


@wrong_answer("student_centres", told="The weights lack the width")
def width_of_one(y, heights, nu, width):
    centres = []
    for height in heights:
        values = np.append(y[:-1], y[-1] + height)
        s = np.median(values)
        for _ in range(200):
            s = np.average(values, weights=(nu + 1) / (nu + (s - values) ** 2))
        centres.append(s)
    return np.array(centres)


@wrong_answer("student_centres", told="ν + 1 is a factor")
def one_too_many(y, heights, nu, width):
    centres = []
    for height in heights:
        values = np.append(y[:-1], y[-1] + height)
        s = np.median(values)
        for _ in range(200):
            s = np.average(values, weights=1 / ((nu + 1) * width**2 + (s - values) ** 2))
        centres.append(s)
    return np.array(centres)


@wrong_answer("student_centres", told="yours add up")
def heights_add_up(y, heights, nu, width):
    values, centres = y.copy(), []
    for height in heights:
        values[-1] += height
        s = np.median(values)
        for _ in range(200):
            s = np.average(values, weights=1 / (nu * width**2 + (s - values) ** 2))
        centres.append(s)
    return np.array(centres)


@wrong_answer("student_centres", told="do not put it in its place")
def replaced(y, heights, nu, width):
    centres = []
    for height in heights:
        values = np.append(y[:-1], height)
        s = np.median(values)
        for _ in range(200):
            s = np.average(values, weights=1 / (nu * width**2 + (s - values) ** 2))
        centres.append(s)
    return np.array(centres)


@wrong_answer("student_centres", told="Go on for 200 rounds")
def one_round(y, heights, nu, width):
    values = np.tile(y, (len(heights), 1))
    values[:, -1] += heights
    residuals = np.median(values, axis=1, keepdims=True) - values
    return np.average(values, axis=1, weights=1 / (nu * width**2 + residuals**2))


@wrong_answer("gaussian_nll", told="0 times inf and 0 over 0 are nan")
def as_the_formula_stands(means, log_vars, targets):
    m, r = len(targets), means - targets
    with np.errstate(all="ignore"):
        precision = np.exp(-log_vars)
        loss = np.mean(log_vars + precision * r**2) / 2
        return loss, precision * r / m, (1 - precision * r**2) / (2 * m)


@wrong_answer("gaussian_nll", told="0 times inf and 0 over 0 are nan")
def divided_by_the_variance(means, log_vars, targets):
    m, r = len(targets), means - targets
    with np.errstate(all="ignore"):
        variance = np.exp(log_vars)
        loss = np.mean(log_vars + r**2 / variance) / 2
        return loss, r / variance / m, (1 - r**2 / variance) / (2 * m)


@wrong_answer("gaussian_nll", told="You clip the variance")
def clipped(means, log_vars, targets):
    m, log_vars = len(targets), np.maximum(log_vars, np.log(1e-6))
    precision = np.exp(-log_vars / 2)
    z = precision * (means - targets)
    return np.mean(log_vars + z**2) / 2, precision * z / m, (1 - z**2) / (2 * m)


@wrong_answer("gaussian_nll", told="not of σ.")
def logarithm_of_sigma(means, log_sigmas, targets):
    m, precision = len(targets), np.exp(-log_sigmas)
    z = precision * (means - targets)
    return np.mean(2 * log_sigmas + z**2) / 2, precision * z / m, (1 - z**2) / (2 * m)


@wrong_answer("gaussian_nll", told="not to its logarithm")
def slope_of_the_variance(means, log_vars, targets):
    m, precision = len(targets), np.exp(-log_vars / 2)
    z = precision * (means - targets)
    loss = np.mean(log_vars + z**2) / 2
    return loss, precision * z / m, (1 - z**2) * precision**2 / (2 * m)


@wrong_answer("gaussian_nll", told="v lacks it")
def half_of_the_square_alone(means, log_vars, targets):
    m, precision = len(targets), np.exp(-log_vars / 2)
    z = precision * (means - targets)
    return np.mean(log_vars + z**2 / 2), precision * z / m, (1 - z**2 / 2) / m


@wrong_answer("gaussian_nll", told="The factor 1/m of the mean is lost in the gradients")
def lost_mean(means, log_vars, targets):
    precision = np.exp(-log_vars / 2)
    z = precision * (means - targets)
    return np.mean(log_vars + z**2) / 2, precision * z, (1 - z**2) / 2


@wrong_answer("gaussian_nll", told="The constant ½ log 2π is left out")
def whole_likelihood(means, log_vars, targets):
    m, precision = len(targets), np.exp(-log_vars / 2)
    z = precision * (means - targets)
    loss = np.mean(log_vars + z**2 + np.log(2 * np.pi)) / 2
    return loss, precision * z / m, (1 - z**2) / (2 * m)


@wrong_answer("steps_to_learn", told="rounded to 1")
def rounded_to_one(log_vars, rate, share, beta):
    with np.errstate(all="ignore"):
        return np.ceil(np.log(share) / np.log(1 - rate * np.exp((beta - 1) * log_vars)))


@wrong_answer("steps_to_learn", told="The remedy is missing")
def no_remedy(log_vars, rate, share, beta):
    return np.ceil(np.log(share) / np.log1p(-rate * np.exp(-log_vars)))


@wrong_answer("steps_to_learn", told="is a whole number")
def not_rounded(log_vars, rate, share, beta):
    return np.log(share) / np.log1p(-rate * np.exp((beta - 1) * log_vars))


@wrong_answer("steps_to_learn", told="Rounded down")
def rounded_down(log_vars, rate, share, beta):
    return np.log(share) // np.log1p(-rate * np.exp((beta - 1) * log_vars))


@wrong_answer("steps_to_learn", told="not its root")
def root_of_the_variance(log_vars, rate, share, beta):
    return np.ceil(np.log(share) / np.log1p(-rate * np.exp((beta - 0.5) * log_vars)))


@wrong_answer("steps_to_learn", told="nearly right for tiny numbers")
def first_order(log_vars, rate, share, beta):
    return np.ceil(-np.log(share) / (rate * np.exp((beta - 1) * log_vars)))
