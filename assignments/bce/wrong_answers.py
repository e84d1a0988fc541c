"""Typical wrong answers to the assignment on binary cross-entropy, and parts of their messages."""

import numpy as np

from grader import wrong_answer


@wrong_answer("binary_cross_entropy", told="You return the sum")
def sum_for_mean(probabilities, targets):
    p, y = probabilities, targets
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


@wrong_answer("binary_cross_entropy", told="The sign is wrong")
def forgotten_minus(probabilities, targets):
    p, y = probabilities, targets
    return np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@wrong_answer("binary_cross_entropy", told="base 10")
def base_ten(probabilities, targets):
    p, y = probabilities, targets
    return -np.mean(y * np.log10(p) + (1 - y) * np.log10(1 - p))


@wrong_answer("binary_cross_entropy", told="(m, 1) against (m,)")
def broadcast(probabilities, targets):
    p, y = probabilities.reshape(-1, 1), targets
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@wrong_answer("binary_cross_entropy", told="You treat a soft label as 0 or 1")
def soft_as_hard(probabilities, targets):
    costs = [
        -np.log(p) if y == 1 else -np.log(1 - p)
        for p, y in zip(probabilities, targets, strict=True)
    ]
    return sum(costs) / len(costs)


@wrong_answer("bce_with_logits", told="0 · ∞ is nan")
def through_the_probability(logits, targets):
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-logits))
        return -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))


@wrong_answer("bce_with_logits", told="exp(z) overflows")
def overflow(logits, targets):
    with np.errstate(all="ignore"):
        return np.mean(np.log(1 + np.exp(logits)) - targets * logits)


@wrong_answer("bce_with_logits", told="for labels −1 and +1")
def labels_of_the_wrong_set(logits, targets):
    return np.mean(np.logaddexp(0, -targets * logits))


@wrong_answer("bce_with_logits", told="serves labels 0 and 1 only")
def hard_labels_only(logits, targets):
    u = (1 - 2 * targets) * logits
    return np.mean(np.maximum(u, 0) + np.log1p(np.exp(-np.abs(u))))


@wrong_answer("bce_with_logits", told="You clip p")
def clipped(logits, targets):
    with np.errstate(over="ignore"):
        p = np.clip(1 / (1 + np.exp(-logits)), 1e-12, 1 - 1e-12)
    return -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))


@wrong_answer("bce_with_logits", told="subtracting y·z loses those of class 1")
def cancellation(logits, targets):
    return np.mean(np.logaddexp(0, logits) - targets * logits)


@wrong_answer("bce_with_logits", told="see np.log1p")
def rounded_away(logits, targets):
    large = np.maximum(logits, 0) - targets * logits
    return np.mean(large + np.log(1 + np.exp(-np.abs(logits))))


@wrong_answer("logit_gradient", told="The sign is wrong")
def opposite_sign(logits, targets):
    with np.errstate(over="ignore"):
        return (targets - 1 / (1 + np.exp(-logits))) / len(targets)


@wrong_answer("logit_gradient", told="The factor 1/m of the mean is lost")
def lost_mean(logits, targets):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-logits)) - targets


@wrong_answer("logit_gradient", told="divide by 1 + exp(−z)")
def nan_at_large_logits(logits, targets):
    with np.errstate(all="ignore"):
        return (np.exp(logits) / (1 + np.exp(logits)) - targets) / len(targets)


@wrong_answer("logit_gradient", told="You apply the sigmoid twice")
def double_sigmoid(logits, targets):
    with np.errstate(over="ignore"):
        p = 1 / (1 + np.exp(-logits))
    return (1 / (1 + np.exp(-p)) - targets) / len(targets)


@wrong_answer("weighted_gradient", told="p − ωy in place of p − y")
def weight_on_the_label(X, targets, w, b, pos_weight):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    error = (p - pos_weight * targets) / len(targets)
    return X.T @ error, np.sum(error)


@wrong_answer("weighted_gradient", told="You divide by the sum of the weights")
def weighted_mean(X, targets, w, b, pos_weight):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    weights = np.where(targets == 1, pos_weight, 1.0)
    error = weights * (p - targets) / np.sum(weights)
    return X.T @ error, np.sum(error)


@wrong_answer("weighted_gradient", told="one mean too many")
def two_means(X, targets, w, b, pos_weight):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    error = np.where(targets == 1, pos_weight, 1.0) * (p - targets) / len(targets)
    return X.T @ error, np.mean(error)


@wrong_answer("trained_probabilities", told="The weight has no effect")
def unweighted_descent(X, targets, pos_weight, rate, steps):
    w, b = np.zeros(X.shape[1]), 0.0
    for _ in range(steps):
        error = (1 / (1 + np.exp(-(X @ w + b))) - targets) / len(targets)
        w, b = w - rate * X.T @ error, b - rate * np.sum(error)
    return 1 / (1 + np.exp(-(X @ w + b)))


@wrong_answer("trained_probabilities", told="at the new w")
def in_turn(X, targets, pos_weight, rate, steps):
    w, b = np.zeros(X.shape[1]), 0.0
    for _ in range(steps):
        w = w - rate * weighted_gradient(X, targets, w, b, pos_weight)[0]  # noqa: F821
        b = b - rate * weighted_gradient(X, targets, w, b, pos_weight)[1]  # noqa: F821
    return 1 / (1 + np.exp(-(X @ w + b)))


@wrong_answer("unweighted", told="That is p from q")
def weighted_again(probabilities, pos_weight):
    p = probabilities
    return pos_weight * p / (pos_weight * p + 1 - p)


@wrong_answer("unweighted", told="not the probability")
def divided(probabilities, pos_weight):
    return probabilities / pos_weight
