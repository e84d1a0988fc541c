"""Hidden tests of the assignment on binary cross-entropy."""

import numpy as np

from grader import compare, hidden_test


def sigmoid(z):
    """Sigmoid, without overflow."""
    return 0.5 * (1 + np.tanh(z / 2))


def softplus(z):
    """log(1 + exp(z)), without overflow."""
    return np.logaddexp(0, z)


def labels(rng, ones, zeros):
    """Labels 0 and 1 in random order."""
    return rng.permutation([1] * ones + [0] * zeros)


def loss_mistakes(p, y):
    """Results of typical mistakes in the loss of probabilities."""
    costs = -y * np.log(p) - (1 - y) * np.log(1 - p)
    with np.errstate(all="ignore"):
        swapped = np.mean(-p * np.log(y) - (1 - p) * np.log(1 - y))
    column = p[:, None]
    return {
        "You return the sum: divide by the number of examples.": np.sum(costs),
        "The sign is wrong: the loss is not negative.": -np.mean(costs),
        "Sum and sign: divide by the number of examples, and put a minus in front.": -np.sum(costs),
        "The second term, for class 0, is lost.": np.mean(-y * np.log(p)),
        "The two terms are added; you subtract one from the other.": (
            np.mean(-y * np.log(p) + (1 - y) * np.log(1 - p))
        ),
        "You treat a soft label as 0 or 1: it takes its share of both terms.": (
            np.mean(-np.log(np.where(y == 1, p, 1 - p)))
        ),
        "You round a soft label to 0 or 1: it takes its share of both terms.": (
            np.mean(-np.log(np.where(y >= 0.5, p, 1 - p)))
        ),
        "Use the natural logarithm, np.log, not the one to base 10.": np.mean(costs) / np.log(10),
        "Use the natural logarithm, np.log, not the one to base 2.": np.mean(costs) / np.log(2),
        "The logarithm belongs to the probabilities, not to the targets.": swapped,
        "(m, 1) against (m,) makes an (m, m) array: keep both arrays one-dimensional.": (
            np.mean(-y * np.log(column) - (1 - y) * np.log(1 - column))
        ),
        "You average first: take the logarithms, then the mean.": (
            -np.mean(y) * np.log(np.mean(p)) - (1 - np.mean(y)) * np.log(1 - np.mean(p))
        ),
    }


@hidden_test("binary_cross_entropy", points=2, message="Random probabilities and soft labels.")
def soft_labels(student, reference, rng):
    p, y = rng.uniform(0.05, 0.95, size=9), rng.uniform(0.1, 0.9, size=9)
    right = reference.binary_cross_entropy(p, y)
    compare(student.binary_cross_entropy(p, y), right, mistakes=loss_mistakes(p, y))


@hidden_test("binary_cross_entropy", points=1, message="Random probabilities and labels 0 and 1.")
def hard_labels(student, reference, rng):
    p, y = rng.uniform(0.05, 0.95, size=11), labels(rng, 4, 7)
    right = reference.binary_cross_entropy(p, y)
    compare(student.binary_cross_entropy(p, y), right, mistakes=loss_mistakes(p, y))


def logit_loss_mistakes(z, y):
    """Results of typical mistakes in the loss of logits."""
    right = np.mean(y * softplus(-z) + (1 - y) * softplus(z))
    column = z[:, None]
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-z))
        twice = sigmoid(sigmoid(z))
        mistakes = {
            "0 · ∞ is nan: σ(z) was rounded before the logarithm, or exp overflowed.": (
                np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p))
            ),
            "Your loss is infinite: exp(z) overflows, or σ(z) is rounded to 0 before the log.": (
                np.mean(np.log(1 + np.exp(z)) - y * z)
            ),
            "You return the sum: divide by the number of examples.": len(z) * right,
            "The sign is wrong: the loss is not negative.": -right,
            "That is the formula for labels −1 and +1: here class 0 has the label 0.": (
                np.mean(softplus(-y * z))
            ),
            "u = (1 − 2y)z serves labels 0 and 1 only: a soft label needs both terms.": (
                np.mean(softplus((1 - 2 * y) * z))
            ),
            "You apply the sigmoid twice.": (
                np.mean(-y * np.log(twice) - (1 - y) * np.log(1 - twice))
            ),
            "You take the logits for probabilities: apply the sigmoid.": (
                np.mean(-y * np.log(z) - (1 - y) * np.log(1 - z))
            ),
            "The classes are swapped: σ(z) is the probability of class 1.": (
                np.mean(y * softplus(z) + (1 - y) * softplus(-z))
            ),
            "Use the natural logarithm, np.log.": right / np.log(10),
            "(m, 1) against (m,) makes an (m, m) array: keep both arrays one-dimensional.": (
                np.mean(y * softplus(-column) + (1 - y) * softplus(column))
            ),
        }
    for power in range(5, 17):
        clipped = np.clip(sigmoid(z), 10.0**-power, 1 - 10.0**-power)
        with np.errstate(all="ignore"):
            mistakes[f"You clip p by 1e-{power}: a confident mistake costs |z|, without limit."] = (
                np.mean(-y * np.log(clipped) - (1 - y) * np.log(1 - clipped))
            )
    for power in range(5, 17):
        shift = 10.0**-power
        p = sigmoid(z)
        with np.errstate(all="ignore"):
            mistakes[f"You add 1e-{power} to p in the logarithm: work with z instead."] = np.mean(
                -y * np.log(p + shift) - (1 - y) * np.log(1 - p + shift)
            )
    return mistakes


@hidden_test("bce_with_logits", points=1, message="Random logits, with hard and with soft labels.")
def moderate_logits(student, reference, rng):
    for y in (labels(rng, 4, 5), rng.uniform(0.1, 0.9, size=9)):
        z = 0.5 + 2 * rng.normal(size=9)
        right = reference.bce_with_logits(z, y)
        compare(student.bce_with_logits(z, y), right, mistakes=logit_loss_mistakes(z, y))


@hidden_test("bce_with_logits", points=2, message="Logits of several hundred, right and wrong.")
def extreme_logits(student, reference, rng):
    z = rng.permutation([-800.0, -760.0, 800.0, 780.0, 0.5])
    wrong = np.zeros(5, dtype=bool)
    wrong[rng.choice(np.flatnonzero(np.abs(z) > 1), size=2, replace=False)] = True
    for y in (((z > 0) ^ wrong).astype(int), (z < 0).astype(int), rng.uniform(0.1, 0.9, size=5)):
        right = reference.bce_with_logits(z, y)
        compare(student.bce_with_logits(z, y), right, mistakes=logit_loss_mistakes(z, y))


@hidden_test(
    "bce_with_logits",
    points=1,
    message="Predictions so good that the loss is tiny; then usual ones.",
)
def tiny_loss(student, reference, rng):
    y = labels(rng, 3, 4)
    z = (2 * y - 1) * rng.uniform(40, 50, size=7)
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-z))
        naive = np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p))
    message = "A sum such as 1 + exp(−40), or a difference, has rounded tiny losses to 0: {}."
    mistakes = {
        message.format("see np.log1p or np.logaddexp"): 0.0,
        "0 · ∞ is nan: σ(z) was rounded before the logarithm.": naive,
        message.format("subtracting y·z loses those of class 1"): np.mean(softplus(z) - y * z),
        message.format("log(1 + exp(z)) − y·z loses those of class 1"): (
            np.mean(np.log1p(np.exp(z)) - y * z)
        ),
        "You return the sum: divide by the number of examples.": np.sum(np.exp(-np.abs(z))),
        "The sign is wrong: the loss is not negative.": -np.mean(np.exp(-np.abs(z))),
    }
    right = reference.bce_with_logits(z, y)
    compare(student.bce_with_logits(z, y), right, mistakes=mistakes, floor=0.0)
    z = rng.normal(size=7)
    right = reference.bce_with_logits(z, y)
    compare(student.bce_with_logits(z, y), right, mistakes=logit_loss_mistakes(z, y))


def gradient_mistakes(z, y):
    """Results of typical mistakes in the gradient with respect to the logits."""
    p, m = sigmoid(z), len(z)
    with np.errstate(all="ignore"):
        return {
            "exp of a large logit is infinite, and the fraction nan: divide by 1 + exp(−z).": (
                (np.exp(z) / (1 + np.exp(z)) - y) / m
            ),
            "p is rounded to 0 or 1 and you divide by p(1 − p): cancel it on paper first.": (
                (p - y) / (p * (1 - p)) * (p * (1 - p)) / m
            ),
            "The sign is wrong: the gradient points to where the loss grows.": (y - p) / m,
            "The factor 1/m of the mean is lost.": p - y,
            "The factor 1/m is lost, and the sign is wrong.": y - p,
            "That is the derivative by the probability: multiply by the sigmoid's slope.": (
                (p - y) / (p * (1 - p)) / m
            ),
            "One factor p(1 − p) too many: in the product of all steps it cancels.": (
                (p - y) * p * (1 - p) / m
            ),
            "You compare the logits with the targets: take the probabilities.": (z - y) / m,
            "You apply the sigmoid twice.": (sigmoid(p) - y) / m,
            "A factor 2 too many: that belongs to the squared error.": 2 * (p - y) / m,
            "That is the formula for labels −1 and +1: here class 0 has the label 0.": (
                -y * sigmoid(-y * z) / m
            ),
            "Return one entry for each logit, not their sum.": np.sum(p - y) / m,
            "Return one entry for each logit, not an (m, m) array.": (p[:, None] - y) / m,
        }


@hidden_test("logit_gradient", points=2, message="Random logits and soft labels.")
def gradient_at_random_logits(student, reference, rng):
    z, y = 2 * rng.normal(size=9), rng.uniform(0.1, 0.9, size=9)
    right = reference.logit_gradient(z, y)
    compare(student.logit_gradient(z, y), right, mistakes=gradient_mistakes(z, y))


@hidden_test("logit_gradient", points=1, message="Logits of several hundred, right and wrong.")
def gradient_at_extreme_logits(student, reference, rng):
    z, y = rng.permutation([-800.0, -760.0, -1.5, 1.0, 780.0, 800.0, 750.0]), labels(rng, 3, 4)
    right = reference.logit_gradient(z, y)
    compare(student.logit_gradient(z, y), right, mistakes=gradient_mistakes(z, y))


def problem(rng, ones=4, zeros=7, n=3):
    """Features, labels, weights and bias of a random problem."""
    m = ones + zeros
    X = 0.5 + rng.normal(size=(m, n))
    return X, labels(rng, ones, zeros), rng.normal(size=n), rng.uniform(0.5, 1.5)


def weighted_mistakes(X, y, w, b, c):
    """Results of typical mistakes in the gradient of the weighted loss."""
    m, p = len(y), sigmoid(X @ w + b)
    unbiased = sigmoid(X @ w)

    def pair(upstream):
        return X.T @ upstream, np.sum(upstream)

    error = (1 - y) * p - c * y * (1 - p)
    dw, db = pair(error / m)
    return {
        "The weight has no effect: it belongs to the term of class 1.": pair((p - y) / m),
        "You weight the examples of class 0: the weight belongs to class 1.": (
            pair((c * (1 - y) * p - y * (1 - p)) / m)
        ),
        "You weight both terms: the weight belongs to class 1 alone.": pair(c * (p - y) / m),
        "You put p − ωy in place of p − y: derive it from the two terms.": pair((p - c * y) / m),
        "You put ωp − y in place of p − y: derive it from the two terms.": pair((c * p - y) / m),
        "You divide by the sum of the weights: divide by m.": (
            pair(error / np.sum(np.where(y == 1, c, 1)))
        ),
        "The factor 1/m of the mean is lost.": pair(error),
        "The sign is wrong: the gradient points to where the loss grows.": (-dw, -db),
        "The logits lack the bias b.": (pair(((1 - y) * unbiased - c * y * (1 - unbiased)) / m)),
        "db is a sum over the examples; you take one mean too many.": (dw, db / m),
        "The factor 1/m is missing in db alone.": (dw, db * m),
        "One factor p(1 − p) too many: in the product of all steps it cancels.": (
            pair(error * p * (1 - p) / m)
        ),
        "The pair is in the wrong order: first dw, then db.": (db, dw),
    }


@hidden_test("weighted_gradient", points=3, message="A random linear model with a random weight.")
def gradient_with_a_weight(student, reference, rng):
    X, y, w, b = problem(rng)
    for c in (rng.uniform(3, 6), rng.uniform(0.2, 0.4)):
        right = reference.weighted_gradient(X, y, w, b, c)
        mistakes = weighted_mistakes(X, y, w, b, c)
        compare(student.weighted_gradient(X, y, w, b, c), right, mistakes=mistakes)


@hidden_test(
    "weighted_gradient",
    points=1,
    message="With the weight 1, the gradient is the usual; with 2 not.",
)
def gradient_with_the_weight_one(student, reference, rng):
    X, y, w, b = problem(rng)
    for c in (1.0, 2.0):
        right = reference.weighted_gradient(X, y, w, b, c)
        mistakes = weighted_mistakes(X, y, w, b, c)
        compare(student.weighted_gradient(X, y, w, b, c), right, mistakes=mistakes)


@hidden_test("trained_probabilities", points=3, message="The experiment on random data.")
def experiment(student, reference, rng):
    X, y, *_ = problem(rng, ones=5, zeros=12, n=2)
    c, rate, steps = rng.uniform(3, 5), rng.uniform(0.1, 0.2), int(rng.integers(20, 30))

    def run(c=c, sign=1, more=0, with_b=True, in_turn=False, factor=1.0, begin=0.0):
        w, b = np.full(2, begin), begin
        for _ in range(steps + more):
            dw, db = reference.weighted_gradient(X, y, w, b, c)
            w = w - sign * factor * rate * dw
            if in_turn:
                _, db = reference.weighted_gradient(X, y, w, b, c)
            if with_b:
                b = b - sign * factor * rate * db
        return X @ w + b

    mistakes = {
        "You return the logits: apply the sigmoid.": run(),
        "You apply the sigmoid twice.": sigmoid(sigmoid(run())),
        "The weight has no effect: it belongs to the term of class 1.": sigmoid(run(c=1.0)),
        "You walk uphill: step against the gradient.": sigmoid(run(sign=-1)),
        "The bias stays at 0: it is trained as well.": sigmoid(run(with_b=False)),
        "You take one step too many.": sigmoid(run(more=1)),
        "The last step is missing.": sigmoid(run(more=-1)),
        "b moves along the gradient at the new w: compute both parts first, then move both.": (
            sigmoid(run(in_turn=True))
        ),
        "Your steps are m times too long: the gradient lacks 1/m.": sigmoid(run(factor=len(y))),
        "Descent starts at zero, not at one.": sigmoid(run(begin=1.0)),
        "You return the decisions: return the probabilities.": (run() > 0).astype(float),
    }
    right = reference.trained_probabilities(X, y, c, rate, steps)
    compare(student.trained_probabilities(X, y, c, rate, steps), right, mistakes=mistakes)


def unweighted_mistakes(p, c):
    """Results of typical mistakes in undoing the weight."""
    with np.errstate(all="ignore"):
        return {
            "That is p from q: the other way round is asked for.": c * p / (c * p + 1 - p),
            "The weight multiplies the odds p/(1 − p), not the probability.": p / c,
            "Those are the odds q/(1 − q): turn them into a probability.": p / (c * (1 - p)),
            "You return the probabilities as they are: the weight has moved them.": p,
            "The weight stands at the wrong term of the denominator.": (p / (c * p + 1 - p)),
            "The logit moves by log ω, not by ω.": (sigmoid(np.log(p) - np.log(1 - p) - c)),
        }


@hidden_test("unweighted", points=2, message="Random probabilities, weights above and below 1.")
def undo_the_weight(student, reference, rng):
    for c in (rng.uniform(3, 6), rng.uniform(0.2, 0.4)):
        p = rng.uniform(0.05, 0.95, size=8)
        right = reference.unweighted(p, c)
        compare(student.unweighted(p, c), right, mistakes=unweighted_mistakes(p, c))


@hidden_test("unweighted", points=1, message="Probabilities of exactly 0 and 1 among others.")
def undo_at_the_ends(student, reference, rng):
    p, c = rng.permutation([0.0, 1.0, *rng.uniform(0.1, 0.9, size=3)]), rng.uniform(3, 6)
    right = reference.unweighted(p, c)
    mistakes = unweighted_mistakes(p, c)
    with np.errstate(all="ignore"):
        odds = p / (1 - p) / c
        mistakes["At p = 1 the odds are infinite, and inf / inf is nan: avoid the odds."] = odds / (
            1 + odds
        )
    compare(student.unweighted(p, c), right, mistakes=mistakes)
