"""Typical wrong answers to the assignment on the hinge, and parts of their messages."""

import numpy as np

from grader import wrong_answer


@wrong_answer("hinge_loss", told="You return the sum")
def sum_for_mean(scores, targets, margin):
    return np.maximum(0, margin - targets * scores).sum()


@wrong_answer("hinge_loss", told="what the argument says")
def margin_of_one(scores, targets, margin):
    return np.mean(np.maximum(0, 1 - targets * scores))


@wrong_answer("hinge_loss", told="do not convert them")
def labels_converted_twice(scores, targets, margin):
    signs = 2 * targets - 1
    return np.mean(np.maximum(0, margin - signs * scores))


@wrong_answer("hinge_loss", told="class 0 teaches nothing")
def labels_zero_and_one(scores, targets, margin):
    labels = (targets == 1).astype(float)
    return np.mean(np.maximum(0, margin - labels * scores))


@wrong_answer("hinge_loss", told="(m, 1) against (m,)")
def broadcast(scores, targets, margin):
    return np.mean(np.maximum(0, margin - targets * scores.reshape(-1, 1)))


@wrong_answer("hinge_loss", told="Take the maximum for each example")
def maximum_of_the_mean(scores, targets, margin):
    return max(0.0, margin - np.mean(targets * scores))


@wrong_answer("hinge_gradient", told="At the kink ys = 1 this course takes the slope 0")
def slope_at_the_kink(scores, targets):
    return np.where(targets * scores <= 1, -targets, 0) / len(scores)


@wrong_answer("hinge_gradient", told="not half of the other")
def half_at_the_kink(scores, targets):
    return -targets * np.heaviside(1 - targets * scores, 0.5) / len(scores)


@wrong_answer("hinge_gradient", told="The sign is wrong")
def opposite_sign(scores, targets):
    return targets * (targets * scores < 1) / len(scores)


@wrong_answer("hinge_gradient", told="right, but not by the margin")
def only_the_wrong_ones(scores, targets):
    return -targets * (targets * scores < 0) / len(scores)


@wrong_answer("hinge_gradient", told="The factor 1/m of the mean is lost")
def lost_mean(scores, targets):
    return -targets * (targets * scores < 1)


@wrong_answer("svm_gradient", told="The factor 2 of the square is lost")
def lost_two(X, targets, w, b, l2):
    missing = np.maximum(0, 1 - targets * (X @ w + b))
    push = -targets * missing / len(targets)
    return X.T @ push + l2 * w, push.sum()


@wrong_answer("svm_gradient", told="λw, not 2λw")
def penalty_without_half(X, targets, w, b, l2):
    missing = np.maximum(0, 1 - targets * (X @ w + b))
    push = -2 * targets * missing / len(targets)
    return X.T @ push + 2 * l2 * w, push.sum()


@wrong_answer("svm_gradient", told="do not divide it by m")
def penalty_in_the_mean(X, targets, w, b, l2):
    missing = np.maximum(0, 1 - targets * (X @ w + b))
    push = -2 * targets * missing
    return (X.T @ push + l2 * w) / len(targets), push.sum() / len(targets)


@wrong_answer("svm_gradient", told="does not contain b")
def penalty_on_the_bias(X, targets, w, b, l2):
    missing = np.maximum(0, 1 - targets * (X @ w + b))
    push = -2 * targets * missing / len(targets)
    return X.T @ push + l2 * w, push.sum() + l2 * b


@wrong_answer("svm_gradient", told="here it is squared")
def of_the_hinge(X, targets, w, b, l2):
    push = np.where(targets * (X @ w + b) < 1, -targets, 0) / len(targets)
    return X.T @ push + l2 * w, push.sum()


@wrong_answer("multiclass_hinges", told="Leave the right class out")
def right_class_included(scores, labels):
    right = scores[np.arange(len(labels)), labels]
    violations = np.maximum(0, 1 + scores - right[:, None])
    return violations.max(axis=1).mean(), violations.sum(axis=1).mean()


@wrong_answer("multiclass_hinges", told="without a factor 1/K")
def mean_over_classes(scores, labels):
    violations = []
    for row, label in zip(scores, labels, strict=True):
        of_row = np.maximum(0, 1 + row - row[label])
        of_row[label] = 0
        violations.append(of_row)
    return np.mean(np.max(violations, axis=1)), np.mean(violations)


@wrong_answer("multiclass_hinges", told="the loss is 0, not negative")
def never_cut_off(scores, labels):
    total, largest = 0.0, 0.0
    for row, label in zip(scores, labels, strict=True):
        others = 1 + np.delete(row, label) - row[label]
        total, largest = total + others.sum(), largest + others.max()
    return largest / len(labels), total / len(labels)


@wrong_answer("silent_examples", told="not beyond the margin")
def margin_for_both(X, targets, penalties, steps):
    counts = []
    for slope in (lambda t: t < 1, lambda t: 1 / (1 + np.exp(t))):
        for l2 in penalties:
            w, b = np.zeros(X.shape[1]), 0.0
            for k in range(steps):
                push = -targets * slope(targets * (X @ w + b)) / len(targets)
                rate = 2 / (2 + l2 * k)
                w, b = w - rate * (X.T @ push + l2 * w), b - rate * push.sum()
            counts.append(np.sum(targets * (X @ w + b) >= 1))
    return np.array(counts[: len(penalties)]), np.array(counts[len(penalties) :])


@wrong_answer("silent_examples", told="The penalty is left out")
def no_penalty(X, targets, penalties, steps):
    counts = []
    for l2 in penalties:
        w, b = np.zeros(X.shape[1]), 0.0
        for k in range(steps):
            push = -targets * (targets * (X @ w + b) < 1) / len(targets)
            rate = 2 / (2 + l2 * k)
            w, b = w - rate * (X.T @ push), b - rate * push.sum()
        counts.append(np.sum(targets * (X @ w + b) >= 1))
    return np.array(counts), np.zeros(len(penalties))


@wrong_answer("critical_penalty", told="A factor ½ is lost")
def whole_difference(X, targets):
    along = X[targets > 0].mean(axis=0) - X[targets < 0].mean(axis=0)
    return ((X[targets > 0] @ along).max() - (X[targets < 0] @ along).min()) / 2


@wrong_answer("critical_penalty", told="There is a bias")
def without_bias(X, targets):
    along = X[targets > 0].mean(axis=0) - X[targets < 0].mean(axis=0)
    return np.max(targets * (X @ along)) / 2


@wrong_answer("critical_penalty", told="the outermost leave the street first")
def nearest_examples(X, targets):
    along = X[targets > 0].mean(axis=0) - X[targets < 0].mean(axis=0)
    return ((X[targets > 0] @ along).min() - (X[targets < 0] @ along).max()) / 4
