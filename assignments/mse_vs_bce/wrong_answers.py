"""Typical wrong answers to the assignment on squared error of a sigmoid, with parts of messages."""

import numpy as np

from grader import wrong_answer


@wrong_answer("both_gradients", told="Squared error is twice too steep")
def forgotten_half(z, targets):
    p = 1 / (1 + np.exp(-z))
    error = p - targets
    return 2 * error * p * (1 - p) / len(z), error / len(z)


@wrong_answer("both_gradients", told="The factor 1/m of the mean is lost")
def sum_for_mean(z, targets):
    p = 1 / (1 + np.exp(-z))
    return (p - targets) * p * (1 - p), p - targets


@wrong_answer("both_gradients", told="The signs are wrong")
def opposite_sign(z, targets):
    p = 1 / (1 + np.exp(-z))
    return (targets - p) * p * (1 - p) / len(z), (targets - p) / len(z)


@wrong_answer("both_gradients", told="In cross-entropy the slope of the sigmoid cancels")
def slope_in_both(z, targets):
    p = 1 / (1 + np.exp(-z))
    gradient = (p - targets) * p * (1 - p) / len(z)
    return gradient, gradient


@wrong_answer("both_gradients", told="divides inf by inf")
def overflowing_sigmoid(z, targets):
    p = np.exp(z) / (np.exp(z) + 1)
    return (p - targets) * p * (1 - p) / len(z), (p - targets) / len(z)


@wrong_answer("log_ratio", told="rounded to 0")
def log_of_zero(z):
    p = 1 / (1 + np.exp(-z))
    return np.log(p * (1 - p))


@wrong_answer("log_ratio", told="You keep p away from 0 and 1")
def clipped(z):
    p = np.clip(1 / (1 + np.exp(-z)), 1e-15, 1 - 1e-15)
    return np.log(p) + np.log(1 - p)


@wrong_answer("log_ratio", told="overflows where z is positive")
def one_sided(z):
    return z - 2 * np.log(1 + np.exp(z))


@wrong_answer("log_ratio", told="to base 10")
def base_ten(z):
    small = np.exp(-np.abs(z))
    return -np.abs(z) / np.log(10) - 2 * np.log10(1 + small)


@wrong_answer("steepest_point", told="the wrong sign")
def wrong_side(k, target):
    q = 1 / (k + 1)
    z = np.log((1 - q) / q)
    return (z if target == 1 else -z), (1 - q) ** k * q


@wrong_answer("steepest_point", told="a factor 1 − q, too")
def half_of_the_slope(k, target):
    q = 1 / k
    z = np.log(q / (1 - q))
    return (z if target == 1 else -z), (1 - q) ** (k - 1) * q


@wrong_answer("steepest_point", told="The 1/k of the loss is lost")
def lost_factor(k, target):
    q = 1 / (k + 1)
    return (1 - 2 * target) * np.log(k), k * (1 - q) ** k * q


@wrong_answer("smallest_curvature", told="the slope of the sigmoid changes with z")
def gauss_newton(X, targets, w):
    p = 1 / (1 + np.exp(-(X @ w)))
    J = (p * (1 - p))[:, None] * X
    return np.linalg.eigvalsh(J.T @ J / len(X))[0]


@wrong_answer("smallest_curvature", told="the curvature of cross-entropy")
def curvature_of_cross_entropy(X, targets, w):
    p = 1 / (1 + np.exp(-(X @ w)))
    return np.linalg.eigvalsh((X.T * (p * (1 - p))) @ X / len(X)).min()


@wrong_answer("smallest_curvature", told="You treat every label as 1")
def all_labels_one(X, targets, w):
    q = 1 / (1 + np.exp(-(X @ w)))
    curvature = q * (1 - q) ** 2 * (3 * q - 1)
    return np.linalg.eigvalsh((X.T * curvature) @ X / len(X)).min()


@wrong_answer("recovery_steps", told="one factor x is lost")
def one_x_lost(w, x, rate, cap):
    counts = []
    for slope in (lambda p: p - 1, lambda p: -((1 - p) ** 2) * p, lambda p: -(1 - p) * p):
        weight, count = w, 0
        while weight * x <= 0 and count < cap:
            weight -= rate * slope(1 / (1 + np.exp(-weight * x)))
            count += 1
        counts.append(count)
    return tuple(counts)


@wrong_answer("recovery_steps", told="is the sign of the step right")
def uphill(w, x, rate, cap):
    counts = []
    for slope in (lambda p: p - 1, lambda p: -((1 - p) ** 2) * p, lambda p: -(1 - p) * p):
        weight, count = w, 0
        while weight * x <= 0 and count < cap:
            weight += rate * slope(1 / (1 + np.exp(-weight * x))) * x
            count += 1
        counts.append(count)
    return tuple(counts)


@wrong_answer("recovery_steps", told="Stop when the count has reached the cap")
def one_more_than_the_cap(w, x, rate, cap):
    counts = []
    for slope in (lambda p: p - 1, lambda p: -((1 - p) ** 2) * p, lambda p: -(1 - p) * p):
        weight, count = w, 0
        while weight * x <= 0 and count <= cap:
            weight -= rate * slope(1 / (1 + np.exp(-weight * x))) * x
            count += 1
        counts.append(count)
    return tuple(counts)


@wrong_answer("absolute_error_time", told="the law of squared error")
def other_law(a, x, rate):
    time = np.exp(a) + 3 * a + 5 / 2 - 3 * np.exp(-a) - np.exp(-2 * a) / 2
    return time / (rate * x**2)


@wrong_answer("absolute_error_time", told="The input is lost")
def input_lost(a, x, rate):
    return (np.exp(a) + 2 * a - np.exp(-a)) / rate


@wrong_answer("absolute_error_time", told="the leading term alone")
def leading_term(a, x, rate):
    return np.exp(a) / (rate * x**2)
