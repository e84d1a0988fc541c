"""Typical wrong answers to the assignment on cross-entropy, and parts of their messages."""

import numpy as np

from grader import wrong_answer


@wrong_answer("log_softmax", told="The exponential overflows")
def naive_log_softmax(scores):
    e = np.exp(scores)
    return np.log(e / e.sum(axis=1, keepdims=True))


@wrong_answer("log_softmax", told="rounded to 0")
def log_of_zero(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.log(e / e.sum(axis=1, keepdims=True))


@wrong_answer("log_softmax", told="the largest score of all rows")
def one_shift_for_all(scores):
    shifted = scores - scores.max()
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@wrong_answer("log_softmax", told="lie in a row, axis 1")
def wrong_axis(scores):
    shifted = scores - scores.max(axis=0)
    return shifted - np.log(np.exp(shifted).sum(axis=0))


@wrong_answer("cross_entropy", told="You return the sum")
def sum_for_mean(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.sum(logs[np.arange(len(labels)), labels])


@wrong_answer("cross_entropy", told="to base 10")
def base_ten(scores, labels):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.mean(np.log10(p[np.arange(len(labels)), labels]))


@wrong_answer("cross_entropy", told="The softmax is applied twice")
def double_softmax(scores, labels):
    p = scores
    for _ in range(2):
        e = np.exp(p - p.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(labels)), labels]))


@wrong_answer("cross_entropy", told="pair row i with label i")
def every_row_with_every_label(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean(logs[:, labels])


@wrong_answer("cross_entropy", told="You divide by m times K")
def mean_over_all_entries(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean(np.eye(scores.shape[1])[labels] * logs)


@wrong_answer("cross_entropy", told="You add a little to p")
def epsilon_in_the_log(scores, labels):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(labels)), labels] + 1e-12))


@wrong_answer("smoothed_gradient", told="over the wrong classes only")
def other_smoothing(X, labels, W, b, eps):
    e = np.exp(X @ W + b)
    Y = np.eye(W.shape[1])[labels]
    targets = np.where(Y == 1, 1 - eps, eps / (W.shape[1] - 1))
    error = (e / e.sum(axis=1, keepdims=True) - targets) / len(X)
    return X.T @ error, error.sum(axis=0)


@wrong_answer("smoothed_gradient", told="You subtract the labels' numbers")
def integers_for_one_hot(X, labels, W, b, eps):
    e = np.exp(X @ W + b)
    targets = (1 - eps) * labels.reshape(-1, 1) + eps / W.shape[1]
    error = (e / e.sum(axis=1, keepdims=True) - targets) / len(X)
    return X.T @ error, error.sum(axis=0)


@wrong_answer("smoothed_gradient", told="where the last class does not occur")
def classes_from_labels(X, labels, W, b, eps):
    K = labels.max() + 1
    e = np.exp(X @ W + b)
    targets = (1 - eps) * np.eye(K)[labels] + eps / K
    error = (e / e.sum(axis=1, keepdims=True) - targets) / len(X)
    return X.T @ error, error.sum(axis=0)


@wrong_answer("smoothed_gradient", told="The factor 1/m of the mean is lost")
def lost_mean(X, labels, W, b, eps):
    e = np.exp(X @ W + b)
    K = W.shape[1]
    error = e / e.sum(axis=1, keepdims=True) - (1 - eps) * np.eye(K)[labels] - eps / K
    return X.T @ error, error.sum(axis=0)


@wrong_answer("lowest_loss", told="leave targets of 0 out")
def zero_times_log_zero(eps, K):
    t = np.array([1 - eps + eps / K] + (K - 1) * [eps / K])
    return -np.sum(t * np.log(t))


@wrong_answer("lowest_loss", told="over the wrong classes only")
def entropy_of_other_smoothing(eps, K):
    t = np.array([1 - eps] + (K - 1) * [eps / (K - 1)])
    t = t[t > 0]
    return -np.sum(t * np.log(t))


@wrong_answer("lowest_loss", told="The wrong classes count K − 1 times, not once")
def one_wrong_class(eps, K):
    t = np.array([1 - eps + eps / K, eps / K])
    t = t[t > 0]
    return -np.sum(t * np.log(t))


@wrong_answer("smallest_weights", told="you make the first class zero")
def first_class_zero(W, b):
    return W - W[:, [0]], b - b[0]


@wrong_answer("smallest_weights", told="must be the same for all classes")
def means_of_columns(W, b):
    return W - W.mean(axis=0), b - b.mean()


@wrong_answer("smallest_weights", told="b has the same freedom")
def bias_left_alone(W, b):
    return W - W.mean(axis=1, keepdims=True), b.copy()


@wrong_answer("twin_rate", told="the sigmoid predicts class 1")
def probability_of_class_zero(X, labels, rate, steps, candidates):
    m, W = len(X), np.zeros((X.shape[1], 2))
    Y = np.column_stack([1 - labels, labels])
    for _ in range(steps):
        e = np.exp(X @ W)
        W -= rate * X.T @ (e / e.sum(axis=1, keepdims=True) - Y) / m
    e = np.exp(X @ W)
    P = e / e.sum(axis=1, keepdims=True)
    gaps = []
    for candidate in candidates:
        w = np.zeros(X.shape[1])
        for _ in range(steps):
            w -= candidate * X.T @ (1 / (1 + np.exp(-X @ w)) - labels) / m
        gaps.append(np.abs(P[:, 0] - 1 / (1 + np.exp(-X @ w))).max())
    return candidates[np.argmin(gaps)], -np.mean(np.log(P[np.arange(m), labels]))


@wrong_answer("twin_rate", told="lost in both gradients")
def sums_for_means(X, labels, rate, steps, candidates):
    m, W = len(X), np.zeros((X.shape[1], 2))
    Y = np.column_stack([1 - labels, labels])
    for _ in range(steps):
        e = np.exp(X @ W)
        W -= rate * X.T @ (e / e.sum(axis=1, keepdims=True) - Y)
    e = np.exp(X @ W)
    P = e / e.sum(axis=1, keepdims=True)
    gaps = []
    for candidate in candidates:
        w = np.zeros(X.shape[1])
        for _ in range(steps):
            w -= candidate * X.T @ (1 / (1 + np.exp(-X @ w)) - labels)
        gaps.append(np.abs(P[:, 1] - 1 / (1 + np.exp(-X @ w))).max())
    return candidates[np.argmin(gaps)], -np.mean(np.log(P[np.arange(m), labels]))


@wrong_answer("twin_rate", told="The loss is that before the last step")
def loss_too_early(X, labels, rate, steps, candidates):
    m, W = len(X), np.zeros((X.shape[1], 2))
    Y = np.column_stack([1 - labels, labels])
    for _ in range(steps):
        e = np.exp(X @ W)
        P = e / e.sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(P[np.arange(m), labels]))
        W -= rate * X.T @ (P - Y) / m
    e = np.exp(X @ W)
    P = e / e.sum(axis=1, keepdims=True)
    gaps = []
    for candidate in candidates:
        w = np.zeros(X.shape[1])
        for _ in range(steps):
            w -= candidate * X.T @ (1 / (1 + np.exp(-X @ w)) - labels) / m
        gaps.append(np.abs(P[:, 1] - 1 / (1 + np.exp(-X @ w))).max())
    return candidates[np.argmin(gaps)], loss
