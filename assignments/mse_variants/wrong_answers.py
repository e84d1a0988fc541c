"""Typical wrong answers to the assignment on squared error of K scores, with parts of messages."""

import numpy as np

from grader import wrong_answer


@wrong_answer("raw_mse", told="The factor 1/K is lost")
def sum_over_classes(scores, labels):
    targets = np.eye(scores.shape[1])[labels]
    return np.mean(np.sum((targets - scores) ** 2, axis=1))


@wrong_answer("raw_mse", told="You add up the examples")
def sum_for_mean(scores, labels):
    targets = np.eye(scores.shape[1])[labels]
    return np.sum(np.mean((targets - scores) ** 2, axis=1))


@wrong_answer("raw_mse", told="not numbers: make them one-hot")
def labels_as_numbers(scores, labels):
    return np.mean((scores - labels[:, np.newaxis]) ** 2)


@wrong_answer("raw_mse", told="Only the right class is compared")
def right_class_alone(scores, labels):
    of_right = scores[np.arange(len(labels)), labels]
    return np.mean((1 - of_right) ** 2)


@wrong_answer("raw_mse", told="no softmax here")
def softmax_of_raw(scores, labels):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return np.mean((np.eye(scores.shape[1])[labels] - p) ** 2)


@wrong_answer("softmax_mse_gradient", told="The factor 1/K is lost")
def lost_classes(scores, labels):
    gradient = []
    for s, label in zip(scores, labels, strict=True):
        p = np.exp(s - s.max()) / np.exp(s - s.max()).sum()
        y = np.eye(len(s))[label]
        gradient.append(-2 * (np.diag(p) - np.outer(p, p)) @ (y - p))
    return np.array(gradient) / len(labels)


@wrong_answer("softmax_mse_gradient", told="The derivative of the softmax is missing")
def lost_jacobian(scores, labels):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = powers / powers.sum(axis=1, keepdims=True)
    return 2 * (p - np.eye(scores.shape[1])[labels]) / scores.size


@wrong_answer("softmax_mse_gradient", told="Only the diagonal")
def diagonal_alone(scores, labels):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = powers / powers.sum(axis=1, keepdims=True)
    return -2 / scores.size * (np.eye(scores.shape[1])[labels] - p) * (p - p**2)


@wrong_answer("softmax_mse_gradient", told="You apply the softmax twice")
def double_softmax(scores, labels):
    m, K = scores.shape
    p = scores
    for _ in range(2):
        p = np.exp(p - p.max(axis=1, keepdims=True))
        p = p / p.sum(axis=1, keepdims=True)
    jacobians = p[:, :, None] * np.eye(K) - p[:, :, None] * p[:, None, :]
    return 2 / (m * K) * np.einsum("mij,mj->mi", jacobians, p - np.eye(K)[labels])


@wrong_answer("softmax_mse_gradient", told="not down the columns")
def softmax_down_the_columns(scores, labels):
    p = np.exp(scores - scores.max(axis=0)) / np.exp(scores - scores.max(axis=0)).sum(axis=0)
    r = p - np.eye(scores.shape[1])[labels]
    return 2 / scores.size * (p * r - p * (p * r).sum(axis=1, keepdims=True))


@wrong_answer("softmax_mse_gradient", told="subtract from each row its largest score")
def overflow(scores, labels):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    r = p - np.eye(scores.shape[1])[labels]
    return 2 / scores.size * (p * r - p * (p * r).sum(axis=1, keepdims=True))


@wrong_answer("softmax_mse_gradient", told="not that of the whole array")
def one_maximum_for_all(scores, labels):
    powers = np.exp(scores - scores.max())
    p = powers / powers.sum(axis=1, keepdims=True)
    r = p - np.eye(scores.shape[1])[labels]
    return 2 / scores.size * (p * r - p * (p * r).sum(axis=1, keepdims=True))


@wrong_answer("exp_mse_gradient", told="The inner derivative is lost")
def lost_inner_derivative(scores, labels):
    return -2 * (np.eye(scores.shape[1])[labels] - np.exp(scores)) / scores.size


@wrong_answer("exp_mse_gradient", told="expm1 keeps them")
def lost_digits(scores, labels):
    powers = np.exp(scores)
    return -2 / scores.size * (np.eye(scores.shape[1])[labels] - powers) * powers


@wrong_answer("exp_mse_gradient", told="The factor 1/m of the mean is lost")
def lost_mean(scores, labels):
    right = np.eye(scores.shape[1])[labels] == 1
    error = np.where(right, np.expm1(scores), np.exp(scores))
    return 2 * error * np.exp(scores) / scores.shape[1]


@wrong_answer("best_scores", told="The scores of the softmax must have the mean 0")
def never_centred(shares):
    return shares, np.log(shares), np.log(shares)


@wrong_answer("best_scores", told="another base")
def wrong_base(shares):
    logs = np.log10(shares)
    return shares, logs - logs.mean(), logs


@wrong_answer("best_scores", told="not at the most frequent one")
def majority(shares):
    winner = np.zeros(len(shares))
    winner[shares.argmax()] = 1
    return winner, np.log(shares) - np.log(shares).mean(), np.log(shares)


@wrong_answer("steps_until_right", told="count the steps that have been taken")
def one_too_many(gap, K, lr, max_steps):
    def softmax(s):
        return np.exp(s) / np.exp(s).sum()

    y, counts = np.eye(K)[0], []
    for kind in range(3):
        s, step = np.zeros(K), 0
        s[1] = gap
        while step < max_steps:
            ahead = s[0] > s[1:].max()
            step += 1
            if ahead:
                break
            p = softmax(s)
            r = p - y
            s = s - lr * (2 / K * (s - y), 2 / K * (p * r - p * (p @ r)), r)[kind]
        counts.append(step)
    return np.array(counts)


@wrong_answer("steps_until_right", told="The derivative of the softmax is missing")
def experiment_without_jacobian(gap, K, lr, max_steps):
    y, counts = np.eye(K)[0], []
    for kind in range(3):
        s, step = gap * np.eye(K)[1], 0
        while step < max_steps and s[0] <= s[1:].max():
            p = np.exp(s) / np.exp(s).sum()
            s = s - lr * (2 / K * (s - y), 2 / K * (p - y), p - y)[kind]
            step += 1
        counts.append(step)
    return np.array(counts)


@wrong_answer("raw_steps", told="The factor 2 is lost")
def lost_two(gap, K, lr):
    return np.ceil(np.log1p(gap) / -np.log1p(-lr / K))


@wrong_answer("raw_steps", told="its distance from 1 is gap + 1")
def distance_from_zero(gap, K, lr):
    return np.floor(np.log(max(gap, 1e-300)) / -np.log1p(-2 * lr / K)) + 1


@wrong_answer("raw_steps", told="log1p keeps it")
def lost_rate(gap, K, lr):
    return int(np.log(1 + gap) / -np.log(1 - 2 * lr / K)) + 1


@wrong_answer("raw_steps", told="With a gap of 0")
def ceiling(gap, K, lr):
    return np.ceil(np.log1p(gap) / -np.log1p(-2 * lr / K))
