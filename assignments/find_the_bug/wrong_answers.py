"""Typical wrong answers to the assignment on ten bugs, and parts of their messages."""

import numpy as np

from grader import wrong_answer

HOLDS = "For your batch the law that you name holds"


@wrong_answer("evidence_1", told=HOLDS)
def weights_of_one(m):
    return 6, np.outer(np.arange(m), [0.5, 0.0, -0.5]), np.arange(m) % 3, np.ones(m)


@wrong_answer("evidence_1", told="repetition needs a fourth entry")
def no_weights(m):
    return 6, np.outer(np.arange(m), [0.5, 0.0, -0.5]), np.arange(m) % 3


@wrong_answer("evidence_1", told="one of the laws 2, 3, 5, 6")
def no_such_law(m):
    return 7, np.outer(np.arange(m), [0.5, 0.0, -0.5]), np.arange(m) % 3


@wrong_answer("evidence_2", told=HOLDS)
def another_law(m):
    return 5, np.outer(np.arange(m), [0.25, 0.25, 0.25]), np.arange(m) % 3


@wrong_answer("evidence_3", told=HOLDS)
def labels_of_weight_one(m):
    return 4, np.outer(np.arange(m), [0.5, 0.0, -0.5]), np.zeros(m, dtype=int)


@wrong_answer("evidence_4", told="ignore all of them")
def some_labels_count(m):
    return 7, np.outer(np.arange(m), [0.5, 0.0, -0.5]), np.where(np.arange(m) % 2, -100, 0)


@wrong_answer("evidence_5", told=HOLDS)
def equal_losses(m):
    return 5, np.zeros((m, 3)), np.zeros(m, dtype=int)


@wrong_answer("evidence_5", told="one in each row")
def always_five(m):
    return 5, np.outer(np.arange(5), [0.5, 0.0, -0.5]), np.zeros(5, dtype=int)


@wrong_answer("evidence_6", told=HOLDS)
def wrong_by_little(m):
    labels = np.arange(m) % 2
    return 8, (1 - 2 * labels) * 5.0, labels


@wrong_answer("evidence_7", told=HOLDS)
def the_same_everywhere(m):
    return 1, np.zeros((m, 4)), np.full((m, 4), 0.25)


@wrong_answer("evidence_8", told=HOLDS)
def floor_of_the_focal_loss(m):
    return 1, np.linspace(-2, 1.5, m), np.arange(m) % 2


@wrong_answer("evidence_9", told=HOLDS)
def every_class_occurs(m):
    return 3, np.outer(np.arange(m), [1.0, 0.0, -1.0, 0.5]), np.arange(m) % 4


@wrong_answer("evidence_10", told=HOLDS)
def hard_masks(m):
    masks = np.outer(np.ones(m), [1.0, 0.0, 1.0])
    return 9, 0.25 + masks / 2, masks


# ---- repairs -------------------------------------------------------------------------------------


@wrong_answer("mean_by_weights", told="That is still the bug")
def over_the_examples(scores, labels, weights):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return np.mean(-weights * np.log(p[np.arange(len(labels)), labels]))


@wrong_answer("mean_by_weights", told="the others count by their weights")
def over_those_that_count(scores, labels, weights):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    losses = -weights * np.log(p[np.arange(len(labels)), labels])
    return np.sum(losses) / np.count_nonzero(weights)


@wrong_answer("shifted_cross_entropy", told="That is still the bug")
def largest_added_too_soon(scores, labels):
    s = scores.astype(np.float32)
    largest = s.max(axis=1)
    log_sum = largest + np.log(np.exp(s - largest[:, None]).sum(axis=1))
    return np.mean(log_sum - s[np.arange(len(labels)), labels])


@wrong_answer("weighted_rows", told="That is still the bug")
def rows_over_the_examples(scores, rows, class_weights):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -np.sum(class_weights * rows * np.log(p)) / len(scores)


@wrong_answer("weighted_rows", told="not of the most probable one")
def weight_of_the_most_probable(scores, rows, class_weights):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    weights = class_weights[rows.argmax(axis=1)]
    return -np.sum(class_weights * rows * np.log(p)) / np.sum(weights)


@wrong_answer("padded_cross_entropy", told="That is still the bug")
def mean_of_nothing(scores, labels):
    losses = []
    for row, label in zip(scores, labels, strict=True):
        if label != -100:
            losses.append(np.log(np.exp(row).sum()) - row[label])
    return np.divide(np.sum(losses), np.float64(len(losses)))


@wrong_answer("padded_cross_entropy", told="Divide by the number of labels that count")
def padding_in_the_divisor(scores, labels):
    total = 0.0
    for row, label in zip(scores, labels, strict=True):
        if label != -100:
            total += np.log(np.exp(row).sum()) - row[label]
    return total / len(labels)


@wrong_answer("accumulated_mean", told="That is still the bug")
def mean_of_means(sums, tokens):
    means = np.divide(sums, tokens, out=np.zeros(len(sums)), where=tokens > 0)
    return np.mean(means), np.full(len(sums), 1 / len(sums))


@wrong_answer("accumulated_mean", told="The factors belong to the means")
def factors_of_the_sums(sums, tokens):
    return np.sum(sums) / np.sum(tokens), np.full(len(sums), 1 / np.sum(tokens))


@wrong_answer("unclipped_entropy", told="That is still the bug")
def clipped(logits, labels):
    with np.errstate(over="ignore"):
        p = 1 / (1 + np.exp(-logits))
    c = np.clip(p, 1e-7, 1 - 1e-7)
    value = np.mean(-labels * np.log(c) - (1 - labels) * np.log(1 - c))
    return value, np.where(c == p, p - labels, 0) / len(logits)


@wrong_answer("unclipped_entropy", told="its gradient is not")
def only_the_loss(logits, labels):
    value = np.mean(np.logaddexp(0, logits) - labels * logits)
    p = np.exp(-np.logaddexp(0, -logits))
    return value, np.where((p < 1e-7) | (p > 1 - 1e-7), 0, p - labels) / len(logits)


@wrong_answer("unclipped_entropy", told="infinite or not a number")
def without_a_clip(logits, labels):
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-logits))
        losses = -labels * np.log(p) - (1 - labels) * np.log(1 - p)
    return np.mean(losses), (p - labels) / len(logits)


@wrong_answer("distillation", told="That is still the bug")
def neither_side(scores, teacher):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return np.mean(np.sum((teacher * np.log(teacher / p))[:, :-1], axis=1))


@wrong_answer("distillation", told="The model's side")
def only_the_teacher(scores, teacher):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    q = teacher[:, :-1] / teacher[:, :-1].sum(axis=1, keepdims=True)
    return np.mean(np.sum(q * np.log(q / p[:, :-1]), axis=1))


@wrong_answer("focal_and_gradient", told="That is still the bug")
def loss_without_the_factor(logits, labels, gamma):
    sign = 2 * labels - 1
    p = 1 / (1 + np.exp(-sign * logits))
    slope = (1 - p) ** gamma * (gamma * p * np.log(p) - (1 - p))
    return np.mean(-np.log(p)), sign * slope / len(logits)


@wrong_answer("focal_and_gradient", told="use the product rule")
def factor_taken_for_a_constant(logits, labels, gamma):
    sign = 2 * labels - 1
    p = 1 / (1 + np.exp(-sign * logits))
    value = np.mean(-((1 - p) ** gamma) * np.log(p))
    return value, -sign * (1 - p) ** (gamma + 1) / len(logits)


@wrong_answer("named_cross_entropy", told="That is still the bug")
def numbered_by_the_batch(scores, labels, classes):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    numbered = np.unique(labels, return_inverse=True)[1]
    return -np.mean(np.log(p[np.arange(len(labels)), numbered]))


@wrong_answer("named_cross_entropy", told="need not be sorted")
def sorted_classes(scores, labels, classes):
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    numbered = np.searchsorted(np.sort(classes), labels)
    return -np.mean(np.log(p[np.arange(len(labels)), numbered]))


@wrong_answer("soft_dice", told="That is still the bug")
def product(predictions, masks):
    size = np.sum(predictions + masks, axis=1)
    overlap = 2 * np.sum(predictions * masks, axis=1)
    return np.mean([0 if n == 0 else 1 - o / n for o, n in zip(overlap, size, strict=True)])


@wrong_answer("soft_dice", told="it costs 0")
def empty_images_cost_one(predictions, masks):
    size = np.sum(predictions + masks, axis=1)
    overlap = 2 * np.sum(np.minimum(predictions, masks), axis=1)
    return np.mean(1 - overlap / np.maximum(size, 1e-9))
