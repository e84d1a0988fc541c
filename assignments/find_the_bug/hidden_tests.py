"""Hidden tests of the assignment on ten bugs: evidence for each, and a repair."""

import json
from pathlib import Path

import numpy as np

from grader import compare, hidden_test
from lossutils._evidence import shown

MASTER = json.loads(Path(__file__).with_name("master.ipynb").read_text(encoding="utf-8"))
BUGS = {"np": np}
for cell in MASTER["cells"]:
    if "".join(cell["source"]).startswith("def bug_"):
        exec("".join(cell["source"]), BUGS)

AMONG = {
    1: (2, 3, 5, 6),
    2: (1, 2, 3, 5),
    3: (1, 2, 4),
    4: (1, 2, 3, 7),
    5: (1, 2, 3, 5),
    6: (1, 5, 8),
    7: (1, 2, 5),
    8: (1, 5, 10),
    9: (1, 2, 3),
    10: (1, 5, 9),
}
"""The laws that can be tried on each bug, as the text names them."""


def evidence_of(number):
    """Return a hidden test of the evidence for a bug: any batch that shows it is right."""

    @hidden_test(
        f"evidence_{number}", points=1, message=f"Batches of three sizes, tried on `bug_{number}`."
    )
    def test(student, reference, rng):
        name, bug = f"evidence_{number}", BUGS[f"bug_{number}"]
        for size in rng.integers([5, 20, 40], [20, 40, 80]):
            answer = getattr(student, name)(int(size))
            expected, mistakes = getattr(reference, name)(int(size)), {}
            try:
                if shown(answer, bug, int(size), AMONG[number]):
                    expected = tuple(answer)
                else:
                    mistakes = {"For your batch the law that you name holds.": tuple(answer)}
            except ValueError as error:
                given = tuple(answer) if isinstance(answer, list | tuple) else answer
                mistakes = {f"It is no evidence: {error}.": given}
            compare(answer, expected, mistakes=mistakes)

    return test


# ---- what the repaired functions compute, and what is still wrong in typical answers -------------


def log_softmax(scores):
    gap = scores - scores.max(axis=1, keepdims=True)
    return gap - np.log(np.exp(gap).sum(axis=1, keepdims=True))


def batch(rng, m=9, K=4, spread=2.0):
    """Scores and labels."""
    return spread * rng.normal(size=(m, K)), rng.integers(K, size=m)


evidence_of_bug_1 = evidence_of(1)


@hidden_test("mean_by_weights", points=1, message="Random batches, and the case of the bug.")
def repair_1(student, reference, rng):
    scores, labels = batch(rng)
    weights = rng.uniform(0.5, 4, size=9) * (np.arange(9) != rng.integers(9))
    given = scores, labels, weights
    losses = -log_softmax(scores)[np.arange(9), labels]
    mistakes = {
        "That is still the bug: the mean divides by something else.": np.mean(weights * losses),
        "You return the sum: divide by the sum of the weights.": np.sum(weights * losses),
        "The weights are left out.": np.mean(losses),
        "An example of weight 0 does not count; the others count by their weights.": (
            np.sum(weights * losses) / np.sum(weights > 0)
        ),
    }
    answer = student.mean_by_weights(*given)
    compare(answer, reference.mean_by_weights(*given), mistakes=mistakes)


evidence_of_bug_2 = evidence_of(2)


@hidden_test("shifted_cross_entropy", points=1, message="Random batches, and the case of the bug.")
def repair_2(student, reference, rng):
    scores = rng.integers(-8, 8, size=(7, 3)) / 4.0
    labels = rng.integers(3, size=7)
    for offset in (0.0, 2.0 ** rng.integers(19, 21)):
        given = scores + offset, labels
        mistakes = {
            "That is still the bug: the large number swallows the logarithm.": BUGS["bug_2"](
                *given
            ),
            "You return the sum: divide by the number of examples.": (
                7 * reference.shifted_cross_entropy(*given)
            ),
        }
        answer = student.shifted_cross_entropy(*given)
        right = reference.shifted_cross_entropy(*given)
        compare(answer, right, mistakes=mistakes, tol=1e-5)


evidence_of_bug_3 = evidence_of(3)


@hidden_test("weighted_rows", points=1, message="Random batches, and the case of the bug.")
def repair_3(student, reference, rng):
    scores, _ = batch(rng)
    rows = rng.dirichlet(np.ones(4), size=9)
    class_weights = rng.uniform(0.5, 4, size=4)
    given = scores, rows, class_weights
    total = -np.sum(class_weights * rows * log_softmax(scores))
    mistakes = {
        "That is still the bug: the mean divides by the number of examples.": total / 9,
        "Divide by the weights that the rows have, not by those of all classes.": (
            total / (9 * np.sum(class_weights))
        ),
        "You return the sum: divide by the weight of the rows.": total,
        "The weights are left out.": -np.mean(np.sum(rows * log_softmax(scores), axis=1)),
        "The weight of a row is that of all its classes, not of the most probable one.": (
            total / np.sum(class_weights[rows.argmax(axis=1)])
        ),
    }
    compare(student.weighted_rows(*given), reference.weighted_rows(*given), mistakes=mistakes)


evidence_of_bug_4 = evidence_of(4)


@hidden_test("padded_cross_entropy", points=1, message="Random batches, and the case of the bug.")
def repair_4(student, reference, rng):
    scores, labels = batch(rng)
    some = np.where(rng.permutation(9) < 4, -100, labels)
    losses = -log_softmax(scores)[np.arange(9), labels]
    for y in (some, np.full(9, -100)):
        counted = losses[y != -100]
        mistakes = {
            "That is still the bug: 0/0 where nothing counts.": (
                np.mean(counted) if counted.size else np.nan
            ),
            "Divide by the number of labels that count.": np.sum(counted) / 9,
            "You return the sum: divide by the number of labels that count.": np.sum(counted),
            "A label of −100 is no class: Python counts negative indices from behind.": (
                np.mean(losses)
            ),
        }
        answer = student.padded_cross_entropy(scores, y)
        compare(answer, reference.padded_cross_entropy(scores, y), mistakes=mistakes)


evidence_of_bug_5 = evidence_of(5)


@hidden_test("accumulated_mean", points=1, message="Random batches, and the case of the bug.")
def repair_5(student, reference, rng):
    tokens = rng.integers(1, 30, size=6)
    tokens[rng.integers(6)] = 0
    sums = tokens * rng.uniform(0.5, 3, size=6)
    means = np.divide(sums, tokens, out=np.zeros(6), where=tokens > 0)
    total = np.sum(tokens)
    mistakes = {
        "That is still the bug: each micro-batch counts alike.": (
            np.mean(means),
            np.full(6, 1 / 6),
        ),
        "The mean is right. The factors are those of the means, by their tokens.": (
            np.sum(sums) / total,
            np.full(6, 1 / 6),
        ),
        "The factors belong to the means, not to the sums.": (
            np.sum(sums) / total,
            np.full(6, 1 / total),
        ),
        "The factors must add up to 1.": (np.sum(sums) / total, tokens),
    }
    answer = student.accumulated_mean(sums, tokens)
    compare(answer, reference.accumulated_mean(sums, tokens), mistakes=mistakes)


evidence_of_bug_6 = evidence_of(6)


@hidden_test("unclipped_entropy", points=1, message="Random batches, and the case of the bug.")
def repair_6(student, reference, rng):
    labels = rng.permutation(np.arange(8) % 2)
    small = rng.uniform(-3, 3, size=8)
    right_by_far = (2 * labels - 1) * rng.uniform(40, 700, size=8)
    for logits in (small, small - right_by_far, right_by_far, 2 * right_by_far):
        value, gradient = BUGS["bug_6"](logits, labels)
        exact, exact_gradient = reference.unclipped_entropy(logits, labels)
        mistakes = {
            "That is still the bug: where it is clipped, nothing pulls.": (value, gradient),
            "The loss is right; its gradient is not.": (exact, gradient),
            "The factor 1/m of the mean is lost in the gradient.": (exact, 8 * exact_gradient),
            "The sign is wrong: the gradient points to where the loss grows.": (
                exact,
                -exact_gradient,
            ),
        }
        answer = student.unclipped_entropy(logits, labels)
        compare(answer, (exact, exact_gradient), mistakes=mistakes)


evidence_of_bug_7 = evidence_of(7)


@hidden_test("distillation", points=1, message="Random batches, and the case of the bug.")
def repair_7(student, reference, rng):
    scores, teacher = 2 * rng.normal(size=(8, 5)), rng.dirichlet(np.ones(5), size=8) + 0.01
    teacher /= teacher.sum(axis=1, keepdims=True)
    given = scores, teacher
    q, all_of = teacher[:, :-1], log_softmax(scores)[:, :-1]
    left = log_softmax(scores[:, :-1])
    scaled = q / q.sum(axis=1, keepdims=True)

    def divergence(q, log_p):
        return np.mean(np.sum(q * (np.log(q) - log_p), axis=1))

    mistakes = {
        "That is still the bug: neither side sums to 1.": divergence(q, all_of),
        "The teacher's side does not sum to 1 yet.": divergence(q, left),
        "The model's side does not sum to 1 yet.": divergence(scaled, all_of),
        "The last class is still there: leave it out.": divergence(teacher, log_softmax(scores)),
        "That is the cross-entropy: the entropy of the teacher is missing.": (
            -np.mean(np.sum(scaled * left, axis=1))
        ),
        "The direction is from the teacher to the model.": (
            divergence(np.exp(left), np.log(scaled))
        ),
    }
    compare(student.distillation(*given), reference.distillation(*given), mistakes=mistakes)


evidence_of_bug_8 = evidence_of(8)


@hidden_test("focal_and_gradient", points=1, message="Random batches, and the case of the bug.")
def repair_8(student, reference, rng):
    logits, labels = 2 * rng.normal(size=7), rng.permutation(np.arange(7) % 2)
    for gamma in (rng.uniform(0.4, 0.9), rng.uniform(2.5, 4)):
        given = logits, labels, gamma
        value, gradient = reference.focal_and_gradient(*given)
        plain, _ = reference.focal_and_gradient(logits, labels, 0.0)
        sign = 2 * labels - 1
        q = 1 / (1 + np.exp(sign * logits))
        mistakes = {
            "That is still the bug: the loss has no factor.": (plain, gradient),
            "The exponent is the argument, not 2.": reference.focal_and_gradient(
                logits, labels, 2.0
            ),
            "The factor 1/m of the mean is lost in the gradient.": (value, 7 * gradient),
            "The factor is a function of z, too: use the product rule.": (
                value,
                -sign * q ** (gamma + 1) / 7,
            ),
            "The sign of the gradient is wrong.": (value, -gradient),
        }
        compare(student.focal_and_gradient(*given), (value, gradient), mistakes=mistakes)


evidence_of_bug_9 = evidence_of(9)


@hidden_test("named_cross_entropy", points=1, message="Random batches, and the case of the bug.")
def repair_9(student, reference, rng):
    scores, column = 2 * rng.normal(size=(8, 5)), rng.choice([0, 2, 4], size=8)
    column[:2] = 2, 4
    classes = rng.permutation(np.array([11, 3, 8, 20, 6]))
    while (np.argsort(classes) == np.arange(5)).all():
        classes = rng.permutation(classes)
    given = scores, classes[column], classes
    log_p, rows = log_softmax(scores), np.arange(8)
    _, numbered = np.unique(given[1], return_inverse=True)
    mistakes = {
        "That is still the bug: the labels of this batch are not all classes.": (
            -np.mean(log_p[rows, numbered])
        ),
        "The columns have the order of `classes`, which need not be sorted.": (
            -np.mean(log_p[rows, np.searchsorted(np.sort(classes), given[1])])
        ),
        "You return the sum: divide by the number of examples.": -np.sum(log_p[rows, column]),
    }
    answer = student.named_cross_entropy(*given)
    compare(answer, reference.named_cross_entropy(*given), mistakes=mistakes)


evidence_of_bug_10 = evidence_of(10)


@hidden_test("soft_dice", points=1, message="Random batches, and the case of the bug.")
def repair_10(student, reference, rng):
    p, y = rng.uniform(size=(6, 5)), rng.uniform(size=(6, 5)) * (rng.uniform(size=(6, 5)) < 0.8)
    p[0], y[0] = 0, 0
    size = p.sum(axis=1) + y.sum(axis=1)

    def mean(overlap, if_empty=1.0):
        filled = np.where(size > 0, size, 1)
        return np.mean(1 - np.where(size > 0, 2 * overlap.sum(axis=1), if_empty) / filled)

    mistakes = {
        "That is still the bug: the truth itself costs something.": mean(p * y),
        "An empty image without a prediction is right: it costs 0.": mean(np.minimum(p, y), 0.0),
        "Nothing may be divided by 0: an empty image costs 0.": np.nan,
        "Take the smaller of the two numbers, not the larger.": mean(np.maximum(p, y)),
        "Each image counts alike: the ratio comes first, and then the mean.": (
            1 - 2 * np.minimum(p, y).sum() / size.sum()
        ),
    }
    compare(student.soft_dice(p, y), reference.soft_dice(p, y), mistakes=mistakes)
