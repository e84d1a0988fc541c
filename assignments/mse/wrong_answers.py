"""Typical wrong answers to the assignment on squared error, and parts of their messages."""

import numpy as np

from grader import wrong_answer


@wrong_answer("mean_squared_error", told="You return the sum")
def sum_for_mean(scores, targets):
    return np.sum((scores - targets) ** 2)


@wrong_answer("mean_squared_error", told="You return the root")
def root_of_the_mean(scores, targets):
    return np.sqrt(np.mean((scores - targets) ** 2))


@wrong_answer("mean_squared_error", told="(m, 1) against (m,)")
def broadcast(scores, targets):
    return np.mean((scores.reshape(-1, 1) - targets) ** 2)


@wrong_answer("mean_squared_error", told="return` missing")
def no_return(scores, targets):
    np.mean((scores - targets) ** 2)


@wrong_answer("mse_gradient", told="The sign is wrong")
def opposite_sign(scores, targets):
    return 2 * (targets - scores) / len(scores)


@wrong_answer("mse_gradient", told="The factor 2 of the square is lost")
def lost_two(scores, targets):
    return (scores - targets) / len(scores)


@wrong_answer("mse_gradient", told="The factor 1/m of the mean is lost")
def lost_mean(scores, targets):
    return 2 * (scores - targets)


@wrong_answer("linear_gradient", told="The scores lack the bias")
def forgotten_bias(X, targets, w, b):
    upstream = 2 * (X @ w - targets) / len(targets)
    return X.T @ upstream, np.sum(upstream)


@wrong_answer("linear_gradient", told="one mean too many")
def two_means(X, targets, w, b):
    upstream = 2 * (X @ w + b - targets) / len(targets)
    return X.T @ upstream, np.mean(upstream)


@wrong_answer("least_squares", told="The bias is left out")
def through_the_origin(X, targets):
    return np.linalg.lstsq(X, targets, rcond=None)[0], 0.0


@wrong_answer("least_squares", told="b = mean(y) − mean(X)·w")
def centred(X, targets):
    w = np.linalg.lstsq(X - X.mean(0), targets - targets.mean(), rcond=None)[0]
    return w, targets.mean()


@wrong_answer("largest_working_rate", told="did a loss of nan count as smaller")
def nan_is_smaller(X, targets, rates):
    best = rates[0]
    for rate in rates:
        w = np.zeros(X.shape[1])
        with np.errstate(all="ignore"):
            for _ in range(5000):
                w = w - rate * 2 * X.T @ (X @ w - targets) / len(targets)
            if not np.mean((X @ w - targets) ** 2) > np.mean(targets**2):
                best = rate
    return best


@wrong_answer("critical_rate", told="the second derivative of the mean is 2XᵀX/m")
def lost_factor(X):
    return 2 / np.linalg.eigvalsh(X.T @ X / len(X))[-1]


@wrong_answer("critical_rate", told="take the largest")
def smallest_eigenvalue(X):
    return 2 / np.linalg.eigvalsh(2 * X.T @ X / len(X))[0]
