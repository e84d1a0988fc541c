"""Hidden tests of the assignment on decisions."""

import numpy as np

from grader import compare, hidden_test

# ---- the cheapest action -----------------------------------------------------------------------


def decide_mistakes(p, costs):
    """Results of typical mistakes in the choice of actions."""
    risks = (1 - p)[:, None] * costs[0] + p[:, None] * costs[1]
    turned = p[:, None] * costs[0] + (1 - p)[:, None] * costs[1]
    rounded = (p > 0.5).astype(int)

    def pair(actions):
        return actions, np.mean(np.take_along_axis(risks, actions[:, None], axis=1))

    best, last = risks.argmin(axis=1), len(costs[0]) - 1
    return {
        "The rows are swapped: p belongs to the costs of class 1, in the second row.": (
            turned.argmin(axis=1),
            np.mean(turned.min(axis=1)),
        ),
        "Of equally cheap actions the first is asked for.": pair(
            last - risks[:, ::-1].argmin(axis=1)
        ),
        "You decide for the likelier class first: weigh the costs of both classes.": pair(
            costs[rounded].argmin(axis=1)
        ),
        "You return the likelier class: which action is cheap depends on the costs.": pair(rounded),
        "Only the first two actions are ever chosen: compare all of them.": pair(
            risks[:, :2].argmin(axis=1)
        ),
        "You choose by the worst case: weigh the two costs by their probabilities.": pair(
            np.full(len(p), costs.max(axis=0).argmin())
        ),
        "You weigh both costs alike: their weights are 1 − p and p.": pair(
            np.full(len(p), costs.sum(axis=0).argmin())
        ),
        "You choose the most expensive action.": pair(risks.argmax(axis=1)),
        "You return the total of the costs: take the mean over the cases.": (
            best,
            np.sum(risks.min(axis=1)),
        ),
        "That is the mean over all actions: only the chosen ones cost anything.": (
            best,
            np.mean(risks),
        ),
        "You count what is paid if the likelier class is the true one: take expectations.": (
            best,
            np.mean(costs[rounded, best]),
        ),
        "Actions are counted from 0.": (best + 1, np.mean(risks.min(axis=1))),
        "The order is actions, cost per case.": (np.mean(risks.min(axis=1)), best),
    }


def in_some_order(rng, values):
    """Values in random order, the smallest not in the first place and the largest not next to it.

    So it does not help to take the number of a class for that of its action.
    """
    while True:
        values = rng.permutation(values)
        if np.argmin(values) != 0 and np.argmax(values) != 1:
            return values


def costs_of(rng, anchors):
    """Costs of actions, each of which is the cheapest at one of the anchors, between 0 and 1."""
    costs = np.stack([anchors**2, (1 - anchors) ** 2])
    return costs * rng.uniform([2, 5], [4, 9])[:, None] + rng.uniform(0.1, 0.5, size=(2, 1))


@hidden_test("decide", points=2, message="Random probabilities; two, three and four actions.")
def actions_at_random_costs(student, reference, rng):
    for anchors in ([0.05, 0.9], [0.1, 0.45, 0.9], [0.05, 0.3, 0.6, 0.95]):
        costs = costs_of(rng, in_some_order(rng, anchors) + rng.uniform(-0.04, 0.04))
        p = rng.permutation([*rng.uniform(0.02, 0.98, size=9), 0.005, 0.35, 0.995])
        mistakes = decide_mistakes(p, costs)
        compare(student.decide(p, costs), reference.decide(p, costs), mistakes=mistakes)


@hidden_test("decide", points=1, message="Probabilities at which two actions are equally cheap.")
def actions_at_ties(student, reference, rng):
    # The costs of a miss, of a false alarm and of asking, such that both ties are at eighths.
    cases = np.array([[2, 2, 0.25], [4, 2, 0.5], [2, 3, 0.75], [6, 3, 0.75], [3, 2, 0.75]])
    for miss, alarm, ask in rng.choice(cases, size=3, replace=False):
        costs = np.array([[0, ask, alarm], [miss, ask, 0]])[:, in_some_order(rng, [0, 1, 2])]
        p = rng.permutation(np.arange(9) / 8)
        mistakes = decide_mistakes(p, costs)
        compare(student.decide(p, costs), reference.decide(p, costs), mistakes=mistakes)


# ---- weighted classes --------------------------------------------------------------------------


def softmax(S):
    """Softmax of each row, without overflow."""
    e = np.exp(S - S.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def entropies(S, labels):
    """Cross-entropy of each row."""
    top = S.max(axis=1)
    return top + np.log(np.sum(np.exp(S - top[:, None]), axis=1)) - S[np.arange(len(S)), labels]


def weighted_mistakes(S, labels, weights):
    """Results of typical mistakes in the weighted cross-entropy and its gradient."""
    m, K = S.shape
    v, costs = weights[labels], entropies(S, labels)
    Y = np.eye(K)[labels]
    total, error = np.sum(v * costs), v[:, None] * (softmax(S) - Y)
    loss, slope = total / v.sum(), error / v.sum()
    with np.errstate(all="ignore"):
        e = np.exp(S)
        naive = e / e.sum(axis=1, keepdims=True)
        from_naive = np.sum(v * -np.log(naive[np.arange(m), labels])) / v.sum()
        from_sum = np.sum(v * (np.log(e.sum(axis=1)) - S[np.arange(m), labels])) / v.sum()
        naive_slope = v[:, None] * (naive - Y) / v.sum()
    columns = softmax(S.T).T
    return {
        "You divide by the number of examples: divide by the sum of their weights.": (
            total / m,
            error / m,
        ),
        "In the loss you divide by the number of examples, not by the sum of their weights.": (
            total / m,
            slope,
        ),
        "In the gradient you divide by the number of examples, not by the sum of their weights.": (
            loss,
            error / m,
        ),
        "You add up one weight for each class: add up one for each example.": (
            total / weights.sum(),
            error / weights.sum(),
        ),
        "You divide by the number of classes.": (total / K, error / K),
        "You return the sums: divide by the sum of the examples' weights.": (total, error),
        "You divide by the weights and by the number of examples.": (loss / m, slope / m),
        "The weights have no effect.": (np.mean(costs), (softmax(S) - Y) / m),
        "The weights are missing in the gradient.": (loss, (softmax(S) - Y) / m),
        "The weights are missing in the numerator of the gradient.": (
            loss,
            (softmax(S) - Y) / v.sum(),
        ),
        "In the gradient the weight multiplies the label alone: it multiplies the whole loss.": (
            loss,
            (softmax(S) - v[:, None] * Y) / v.sum(),
        ),
        "In the gradient each column has its own weight: the weight is that of the row's label.": (
            loss,
            weights * (softmax(S) - Y) / v.sum(),
        ),
        "The sign of the gradient is wrong: it points to where the loss grows.": (loss, -slope),
        "The sign of the loss is wrong.": (-loss, slope),
        "Softmax is along the classes, axis 1.": (
            np.sum(v * -np.log(columns[np.arange(m), labels])) / v.sum(),
            v[:, None] * (columns - Y) / v.sum(),
        ),
        "The order is loss, gradient.": (slope, loss),
        "exp of a large score is infinite: take the largest score of the row off first.": (
            from_naive,
            naive_slope,
        ),
        "exp of a large score is infinite: in log Σ exp, too, take the largest score off first.": (
            from_sum,
            naive_slope,
        ),
        "The gradient is fine, but in the loss exp of a large score is infinite.": (
            from_sum,
            slope,
        ),
        "In the loss a probability is rounded to 0 before the logarithm: stay with the scores.": (
            np.sum(v * -np.log(softmax(S)[np.arange(m), labels])) / v.sum(),
            slope,
        ),
    }


def labels_of(rng, m, K):
    """Labels in random order, each at least once."""
    return rng.permutation([*range(K), *rng.integers(0, K, size=m - K)])


@hidden_test(
    "weighted_cross_entropy", points=2, message="Random scores, with random weights of the classes."
)
def weighted_at_random_scores(student, reference, rng):
    for m, K in ((9, 4), (4, 3)):
        given = 2 * rng.normal(size=(m, K)), labels_of(rng, m, K), rng.uniform(0.3, 4, size=K)
        right = reference.weighted_cross_entropy(*given)
        mistakes = weighted_mistakes(*given)
        compare(student.weighted_cross_entropy(*given), right, mistakes=mistakes)


@hidden_test(
    "weighted_cross_entropy",
    points=1,
    message="Scores of several hundred, and a class of weight 0.",
)
def weighted_at_extreme_scores(student, reference, rng):
    m, K = 6, 3
    S, labels = rng.normal(size=(m, K)), labels_of(rng, m, K)
    S += rng.permutation([-800, -750, 0, 750, 800, 850])[:, None]
    S[0, labels[0]] += 790
    S[1, labels[1]] -= 770
    weights = rng.uniform(0.5, 4, size=K)
    silent = rng.choice(np.setdiff1d(np.arange(K), labels[1]))
    for given in ((S, labels, weights), (S, labels, np.where(np.arange(K) == silent, 0, weights))):
        right = reference.weighted_cross_entropy(*given)
        mistakes = weighted_mistakes(*given)
        compare(student.weighted_cross_entropy(*given), right, mistakes=mistakes)


# ---- the threshold of the best F1 --------------------------------------------------------------


def scores_of(p, y, thresholds, strictly=False):
    """F1 at each threshold."""
    chosen = (p > thresholds[:, None]) if strictly else (p >= thresholds[:, None])
    return 2 * chosen @ y / (chosen.sum(axis=1) + y.sum())


def accuracies(p, y, thresholds):
    """Share of right answers at each threshold."""
    chosen = p >= thresholds[:, None]
    return np.mean(chosen * y + (1 - chosen) * (1 - y), axis=1)


def f1_mistakes(p, y):
    """Results of typical mistakes in the search for the best threshold."""
    t = np.unique(p)[::-1]
    f1 = scores_of(p, y, t)
    best, most = np.argmax(f1), np.argmax(accuracies(p, y, t))
    strict = scores_of(p, y, t, strictly=True)
    chosen = p >= t[:, None]
    found, called = chosen @ y, chosen.sum(axis=1)
    with np.errstate(all="ignore"):
        precision, recall = found / called, found / y.sum()
        undefined = 2 * precision * recall / (precision + recall)
    grid = np.linspace(0, 1, 101)
    on_grid = scores_of(p, y, grid)
    half = scores_of(p, y, np.array([0.5]))[0]
    negative = 2 * ((1 - chosen) @ (1 - y)) / ((1 - chosen).sum(axis=1) + np.sum(1 - y))
    nan, mean = np.argmax(undefined), (precision + recall) / 2
    below = np.append(t, 0)[best + 1]
    return {
        "Cases with the same probability go together: a threshold cannot part them.": (
            parted(p, y, np.argsort(-p, kind="stable"))
        ),
        "Equal probabilities go together, whatever their order: no threshold can part them.": (
            parted(p, y, np.argsort(p, kind="stable")[::-1])
        ),
        "You part cases with the same probability, the right ones first.": (
            parted(p, y, np.lexsort((-y, -p)))
        ),
        "A case with p = t is called positive: compare with ≥, not with >.": (
            t[np.argmax(strict)],
            strict.max(),
        ),
        "Where nothing is found, precision and recall are 0 and F1 is 0, not 0/0.": (
            t[nan],
            undefined[nan],
        ),
        "That is the threshold with the most right answers, not with the best F1.": (
            t[most],
            f1[most],
        ),
        "You return the share of right answers: F1 leaves the true negatives out.": (
            t[most],
            accuracies(p, y, t)[most],
        ),
        "You keep to the threshold 1/2: try each of the probabilities.": (0.5, half),
        "Soft targets were rounded to 0 and 1: add them up as they are.": rounded(p, y),
        "A threshold is one of the probabilities, not a point between two of them.": (
            (t[best] + below) / 2,
            f1[best],
        ),
        "You search on a grid: the best threshold is one of the probabilities.": (
            grid[np.argmax(on_grid)],
            on_grid.max(),
        ),
        "Half of the best F1 is the threshold only for many calibrated cases: search for it.": (
            f1[best] / 2,
            f1[best],
        ),
        "A factor 2 is lost.": (t[best], f1[best] / 2),
        "That is the mean of precision and recall: F1 is their harmonic mean.": (
            t[np.argmax(mean)],
            mean.max(),
        ),
        "You return the precision at the best threshold.": (t[best], precision[best]),
        "You return the recall at the best threshold.": (t[best], recall[best]),
        "That is the F1 of class 0: T counts found cases of class 1.": (
            t[np.argmax(negative)],
            negative.max(),
        ),
        "You return the position of the threshold: return the probability that stands there.": (
            float(np.argmax(p == t[best])),
            f1[best],
        ),
        "The order is threshold, F1.": (f1[best], t[best]),
    }


def parted(p, y, order):
    """Threshold and F1 if cases are called positive one by one, in some order."""
    f1 = 2 * np.cumsum(y[order]) / (np.arange(1, len(p) + 1) + y.sum())
    return p[order][np.argmax(f1)], f1.max()


def rounded(p, y):
    """Threshold and F1 if targets are rounded to 0 and 1."""
    t = np.unique(p)[::-1]
    f1 = scores_of(p, (y >= 0.5).astype(float), t)
    return t[np.argmax(f1)], f1.max()


def clear(p, y):
    """Whether one threshold is clearly the best, neither the first nor the last of all."""
    t = np.unique(p)
    f1 = scores_of(p, y, t)
    second, first = np.sort(f1)[-2:]
    best = np.argmax(f1)
    return first - second > 1e-3 and 0 < best < len(t) - 2


def cases(rng, m, digits=None, wrong=0, soft=False):
    """Probabilities and targets with one best threshold, which is not that of the most right."""
    while True:
        p = rng.beta(1.2, 2.0, size=m)
        p = p if digits is None else np.round(p, digits)
        y = p.copy() if soft else (rng.random(m) < p).astype(float)
        if not soft:
            y[np.argsort(p)[-max(wrong, 1) :]] = wrong == 0
        t = np.unique(p)[::-1]
        other = t[np.argmax(accuracies(p, y, t))] != t[np.argmax(scores_of(p, y, t))]
        if clear(p, y) and (soft or other) and (digits is None or ties_matter(p, y)):
            return p, y


def ties_matter(p, y):
    """Whether equal probabilities, if they are parted, give another F1, whichever comes first."""
    best = scores_of(p, y, np.unique(p)).max()
    orders = np.argsort(-p, kind="stable"), np.argsort(p, kind="stable")[::-1]
    return all(parted(p, y, order)[1] > best + 1e-3 for order in orders)


@hidden_test("best_f1_threshold", points=2, message="Random probabilities, and labels 0 and 1.")
def threshold_of_random_cases(student, reference, rng):
    for m in (25, 40):
        p, y = cases(rng, m)
        right = reference.best_f1_threshold(p, y)
        compare(student.best_f1_threshold(p, y), right, mistakes=f1_mistakes(p, y))


@hidden_test(
    "best_f1_threshold",
    points=1,
    message="Probabilities that several cases share; then the surest cases are wrong.",
)
def threshold_of_shared_probabilities(student, reference, rng):
    for m in (30, 40):
        p, y = cases(rng, m, digits=1)
        right = reference.best_f1_threshold(p, y)
        compare(student.best_f1_threshold(p, y), right, mistakes=f1_mistakes(p, y))
    p, y = cases(rng, 30, wrong=2)
    right = reference.best_f1_threshold(p, y)
    compare(student.best_f1_threshold(p, y), right, mistakes=f1_mistakes(p, y))


@hidden_test("best_f1_threshold", points=1, message="Soft targets: calibrated cases, and others.")
def threshold_of_calibrated_cases(student, reference, rng):
    p, y = cases(rng, 30, soft=True)
    right = reference.best_f1_threshold(p, y)
    compare(student.best_f1_threshold(p, y), right, mistakes=f1_mistakes(p, y))
    while True:
        y = np.clip(p**2 + 0.2 * rng.random(30), 0, 1)
        if clear(p, y):
            break
    right = reference.best_f1_threshold(p, y)
    compare(student.best_f1_threshold(p, y), right, mistakes=f1_mistakes(p, y))


# ---- Dice --------------------------------------------------------------------------------------


def dice_mistakes(p, y, eps):
    """Results of typical mistakes in the Dice loss and its gradient."""
    m = len(p)
    above = 2 * np.sum(p * y, axis=1, keepdims=True) + eps
    below = np.sum(p, axis=1, keepdims=True) + np.sum(y, axis=1, keepdims=True) + eps
    loss, slope = np.mean(1 - above / below), -(2 * y * below - above) / below**2 / m

    def pair(n, d, dn, dd, mean=m):
        with np.errstate(all="ignore"):
            return np.sum(1 - n / d) / mean, -(dn * d - n * dd) / d**2 / mean

    both, all_of_it = np.sum(p) + np.sum(y) + eps, 2 * np.sum(p * y) + eps
    return {
        "You add up the pixels of all images: each image has a loss of its own.": (
            pair(all_of_it, both, 2 * y, 1, mean=1)
        ),
        "Without ε an empty mask and an empty answer give 0/0.": (
            pair(above - eps, below - eps, 2 * y, 1)
        ),
        "ε is missing above the line: an empty mask, rightly answered, would cost 1.": (
            pair(above - eps, below, 2 * y, 1)
        ),
        "ε is missing below the line.": pair(above, below - eps, 2 * y, 1),
        "The factor 2 above the line is lost.": (
            pair(above - np.sum(p * y, axis=1, keepdims=True), below, y, 1)
        ),
        "2ε stands above the line: the factor 2 belongs to the sum alone.": (
            pair(above + eps, below, 2 * y, 1)
        ),
        "ε is added twice below the line.": pair(above, below + eps, 2 * y, 1),
        "Below the line p is not squared.": (
            pair(above, below + np.sum(p**2 - p, axis=1, keepdims=True), 2 * y, 2 * p)
        ),
        "You return the sum over the images: take the mean.": (m * loss, m * slope),
        "The factor 1/m of the mean is lost in the gradient.": (loss, m * slope),
        "You return the overlap: the loss is 1 minus that.": (1 - loss, -slope),
        "The sign of the gradient is wrong: the loss is 1 minus the overlap.": (loss, -slope),
        "p stands below the line, too: the quotient rule has a second term.": (
            loss,
            -2 * y / below / m,
        ),
        "In the quotient rule the denominator is squared.": (
            loss,
            -(2 * y * below - above) / below / m,
        ),
        "The order of the two terms of the quotient rule is wrong.": (
            loss,
            -(above - 2 * y * below) / below**2 / m,
        ),
        "The factor 2 is lost in the gradient.": (loss, -(y * below - above) / below**2 / m),
        "You divide by the number of pixels, too.": (loss / p.shape[1], slope / p.shape[1]),
        "You divide the gradient by the number of pixels, too.": (loss, slope / p.shape[1]),
        "Each image is a row: sum along axis 1.": by_columns(p, y, eps),
        "The order is loss, gradient.": (slope, loss),
    }


def by_columns(p, y, eps):
    """Loss and gradient if images are taken for columns."""
    above, below = 2 * np.sum(p * y, axis=0) + eps, np.sum(p, axis=0) + np.sum(y, axis=0) + eps
    n = p.shape[1]
    return np.mean(1 - above / below), -(2 * y * below - above) / below**2 / n


def masks(rng, m, n):
    """Masks of different sizes, none empty."""
    sizes = rng.integers(1, n, size=m)
    return np.stack([rng.permutation(np.arange(n) < size) for size in sizes]).astype(float)


@hidden_test("dice_loss", points=2, message="Random images, with random ε.")
def dice_of_random_images(student, reference, rng):
    for m, n in ((3, 8), (5, 4)):
        given = rng.uniform(0.05, 0.95, size=(m, n)), masks(rng, m, n), rng.uniform(0.3, 2)
        right = reference.dice_loss(*given)
        compare(student.dice_loss(*given), right, mistakes=dice_mistakes(*given))


@hidden_test("dice_loss", points=1, message="Empty masks among others, with an ε that is tiny.")
def dice_of_empty_masks(student, reference, rng):
    m, n = 4, 6
    p, y = rng.uniform(0.05, 0.95, size=(m, n)), masks(rng, m, n)
    empty, faint, _, _ = rng.permutation(m)
    p[empty], y[[empty, faint]] = 0, 0
    p[faint] = rng.uniform(0.5, 1, size=n) * 1e-4
    eps = rng.uniform(0.5, 2) * 1e-4
    right = reference.dice_loss(p, y, eps)
    compare(student.dice_loss(p, y, eps), right, mistakes=dice_mistakes(p, y, eps))


# ---- focal loss --------------------------------------------------------------------------------


def softplus(z):
    """log(1 + exp(z)), without overflow."""
    return np.logaddexp(0, z)


def focal_mistakes(z, y, gamma):
    """Results of typical mistakes in the focal loss and its gradient."""
    m, sign = len(z), 2 * y - 1
    cost, miss = softplus(-sign * z), np.exp(-softplus(sign * z))
    right, weight = np.exp(-cost), miss**gamma
    loss = np.mean(weight * cost)
    slope = -sign * weight * (gamma * right * cost + miss) / m
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-sign * z))
        by_p = gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p
        naive = np.mean(-((1 - p) ** gamma) * np.log(p)), sign * by_p * p * (1 - p) / m
        rounded = (1 - p) ** gamma
        plain = (p - 1) * sign / m
    of_1 = np.exp(-softplus(z))
    mistakes = {
        "(1 − p_t)^(γ − 1) is infinite at p_t = 1, and ∞ · 0 is nan: cancel on paper first.": naive,
        "The loss is right, but (1 − p_t)^(γ − 1) in its slope is infinite: cancel on paper.": (
            loss,
            naive[1],
        ),
        "In the loss p_t is rounded to 0 before the logarithm: use np.logaddexp.": (
            naive[0],
            slope,
        ),
        "1 − p_t is rounded to 0 where p_t is near 1: it is a sigmoid itself.": (
            np.mean(rounded * cost),
            -sign * rounded * (gamma * p * cost + (1 - p)) / m,
        ),
        "In the loss 1 − p_t is rounded to 0 where p_t is near 1: it is a sigmoid itself.": (
            np.mean(rounded * cost),
            slope,
        ),
        "In the gradient 1 − p_t is rounded to 0 where p_t is near 1: it is a sigmoid itself.": (
            loss,
            -sign * rounded * (gamma * p * cost + (1 - p)) / m,
        ),
        "The factor (1 − p_t)^γ depends on z, too: the product rule has a second term.": (
            loss,
            -sign * weight * miss / m,
        ),
        "Both terms of the gradient have the same sign.": (
            loss,
            -sign * weight * (miss - gamma * right * cost) / m,
        ),
        "The factor γ is lost in the gradient.": (
            loss,
            -sign * weight * (right * cost + miss) / m,
        ),
        "That is the derivative by p_t: multiply by the sigmoid's slope, p_t(1 − p_t).": (
            loss,
            sign * (-gamma * weight / miss * cost - weight / right) / m,
        ),
        "For class 0 the slope turns its sign: there p_t is σ(−z).": (loss, sign * slope),
        "The sign of the gradient is wrong: it points to where the loss grows.": (loss, -slope),
        "The sign of the loss is wrong.": (-loss, slope),
        "You return sums: loss and gradient are those of a mean.": (m * loss, m * slope),
        "The factor 1/m of the mean is lost in the gradient.": (loss, m * slope),
        "γ has no effect.": (np.mean(cost), plain),
        "γ has no effect on the gradient.": (loss, plain),
        "γ is an exponent, not a factor.": (
            np.mean(gamma * miss * cost),
            -sign * gamma * miss * (right * cost + miss) / m,
        ),
        "The exponent belongs to 1 − p_t: the sure ones are to count less.": (
            np.mean(right**gamma * cost),
            sign * right**gamma * (gamma * miss * cost - miss) / m,
        ),
        "Of class 0, too, you take p for the probability of the right class: it is 1 − p.": (
            np.mean(of_1**gamma * softplus(-z)),
            -(of_1**gamma) * (gamma * (1 - of_1) * softplus(-z) + of_1) / m,
        ),
        "The loss of class 0 is lost: p_t is 1 − p there.": (
            np.mean(y * weight * cost),
            y * slope,
        ),
        "The order is loss, gradient.": (slope, loss),
    }
    for power in range(5, 17):
        q = np.clip(p, 10.0**-power, 1 - 10.0**-power)
        clipped = np.mean(-((1 - q) ** gamma) * np.log(q))
        note = f"You clip p_t by 1e-{power}: a confident mistake costs |z|, without limit."
        mistakes[note] = (clipped, slope)
        by_q = gamma * (1 - q) ** (gamma - 1) * np.log(q) - (1 - q) ** gamma / q
        mistakes[note + " Its slope suffers as well."] = (clipped, sign * by_q * q * (1 - q) / m)
    return mistakes


def labels(rng, ones, zeros):
    """Labels 0 and 1 in random order."""
    return rng.permutation([1] * ones + [0] * zeros)


@hidden_test("focal_loss", points=2, message="Random logits, with γ above and below 1.")
def focal_at_random_logits(student, reference, rng):
    for gamma in (rng.uniform(1.5, 3), rng.uniform(0.3, 0.7)):
        given = 0.3 + 1.5 * rng.normal(size=9), labels(rng, 4, 5), gamma
        right = reference.focal_loss(*given)
        compare(student.focal_loss(*given), right, mistakes=focal_mistakes(*given))


@hidden_test("focal_loss", points=1, message="Logits of several hundred, right and wrong.")
def focal_at_extreme_logits(student, reference, rng):
    for gamma in (0.5, 2.0):
        y = labels(rng, 3, 3)
        z = (2 * y - 1) * rng.permutation([800.0, 100.0, -800.0, -760.0, -1.0, 0.5])
        right = reference.focal_loss(z, y, gamma)
        compare(student.focal_loss(z, y, gamma), right, mistakes=focal_mistakes(z, y, gamma))


@hidden_test("focal_loss", points=1, message="Predictions so good that loss and gradient are tiny.")
def tiny_focal_loss(student, reference, rng):
    y, gamma = labels(rng, 3, 4), rng.uniform(0.3, 0.7)
    for low, high in ((40, 50), (25, 35)):
        z = (2 * y - 1) * rng.uniform(low, high, size=7)
        right = reference.focal_loss(z, y, gamma)
        mistakes = focal_mistakes(z, y, gamma)
        compare(student.focal_loss(z, y, gamma), right, mistakes=mistakes, floor=0.0)


# ---- temperature -------------------------------------------------------------------------------


def zero(f, low=0.05, high=20.0):
    """Zero of a growing function, by bisection."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if f(middle) > 0 else (middle, high)
    return (low + high) / 2


def slope_in(S, labels, loss="log"):
    """Slope of the mean loss of softmax(βS), as a function of β."""
    own, Y = S[np.arange(len(S)), labels], np.eye(S.shape[1])[labels]

    def slope(beta):
        P = softmax(beta * S)
        mean = np.sum(P * S, axis=1)
        if loss == "square":
            return np.mean(2 * np.sum((P - Y) * P * (S - mean[:, None]), axis=1))
        return np.mean(mean - own)

    return slope


def temperature_mistakes(S, labels):
    """Results of typical mistakes in the temperature."""
    right = 1 / zero(slope_in(S, labels))
    turned = np.zeros(len(S), dtype=int) + np.argmax(np.bincount(labels))
    return {
        "That is β = 1/T: the scores are divided by T.": 1 / right,
        "The nearest tenth is not enough: search finer than on a grid.": np.round(right, 1),
        "The nearest hundredth is not enough: search finer than on a grid.": np.round(right, 2),
        "β is on a grid of tenths: search finer.": 1 / np.round(1 / right, 1),
        "β is on a grid of hundredths: search finer.": 1 / np.round(1 / right, 2),
        "That is best for the squared error of the probabilities, not for cross-entropy.": (
            1 / zero(slope_in(S, labels, "square"))
        ),
        "T may be below 1: a model may be too careful as well.": max(1.0, right),
        "T = 1 leaves the scores as they are.": 1.0,
        "Your search ran to T = 0.05: has its slope the wrong sign, or does exp overflow?": 0.05,
        "Your search ran to T = 20: has its slope the wrong sign, or does exp overflow?": 20.0,
        "Softmax is along the classes, axis 1.": (
            1 / zero(lambda b: np.mean(np.sum(softmax(b * S.T).T * S, axis=1) - own(S, labels)))
        ),
        "You take the most frequent label for that of every row.": 1 / zero(slope_in(S, turned)),
    }


def own(S, labels):
    """Score of each row's label."""
    return S[np.arange(len(S)), labels]


def doubtful(rng, m, K, T):
    """Scores T times those that the labels are drawn from, with a clear best temperature."""
    while True:
        S = 1.5 * rng.normal(size=(m, K))
        drawn = rng.random((m, 1)) > np.cumsum(softmax(S), axis=1)
        labels = np.minimum(drawn.sum(axis=1), K - 1)
        fitted = 1 / zero(slope_in(T * S, labels))
        if 0.6 * T < fitted < 1.7 * T and abs(np.log(fitted)) > 0.2:
            return T * S, labels


@hidden_test("temperature", points=2, message="Scores that are too large, and too small.")
def temperature_of_random_scores(student, reference, rng):
    for T in (rng.uniform(2, 4), rng.uniform(0.3, 0.5)):
        S, labels = doubtful(rng, 40, 4, T)
        right = reference.temperature(S, labels)
        compare(
            student.temperature(S, labels),
            right,
            mistakes=lambda S=S, labels=labels: temperature_mistakes(S, labels),
        )


@hidden_test("temperature", points=1, message="Scores of several hundred, all of about that size.")
def temperature_of_shifted_scores(student, reference, rng):
    S, labels = doubtful(rng, 30, 3, rng.uniform(1.5, 5))
    S = S + rng.uniform(700, 900) * rng.choice([-1, 1], size=(30, 1))
    right = reference.temperature(S, labels)
    mistakes = temperature_mistakes(S, labels)
    compare(student.temperature(S, labels), right, mistakes=mistakes, tol=1e-5)
