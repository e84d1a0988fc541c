"""Hidden tests of the assignment on decisions."""

import numpy as np

from grader import hidden_test, judge


def decide_mistakes(p, costs):
    """Results of typical mistakes in the choice of actions."""
    risks = np.stack([1 - p, p], axis=1) @ costs
    turned = np.stack([p, 1 - p], axis=1) @ costs
    of_turned = np.mean(turned.min(axis=1))
    likelier, best, total = (p > 0.5).astype(int), risks.argmin(axis=1), risks.min(axis=1).sum()

    def pay(actions):
        return actions, np.mean(np.take_along_axis(risks, actions[:, None], axis=1))

    sure = costs[likelier].argmin(axis=1)
    last = risks.shape[1] - 1 - risks[:, ::-1].argmin(axis=1)
    worst = np.full(len(p), costs.max(axis=0).argmin())
    return {
        "The rows are swapped: p weighs the second row.": (turned.argmin(axis=1), of_turned),
        "Of equally cheap actions the first is asked for.": pay(last),
        "Only the first two actions are ever chosen.": pay(risks[:, :2].argmin(axis=1)),
        "You decide for the likelier class first: weigh the costs of both classes.": pay(sure),
        "You return the likelier class: which action is cheap depends on costs.": pay(likelier),
        "You choose by the worst case: weigh both costs by their probabilities.": pay(worst),
        "You return the total of the costs: take the mean over the cases.": (best, total),
        "That is the mean over all actions: only the chosen ones cost.": (best, np.mean(risks)),
    }


def in_some_order(rng, values):
    """Values in random order, so that the number of a class is not that of its best action."""
    while True:
        values = rng.permutation(values)
        if np.argmin(values) != 0 and np.argmax(values) != 1:
            return values


@hidden_test("decide", points=2, message="Random probabilities; two, three and four actions.")
def actions_at_random_costs(student, reference, rng):
    for anchors in ([0.05, 0.9], [0.1, 0.45, 0.9], [0.05, 0.3, 0.6, 0.95]):
        # Each action is the cheapest somewhere, since these are squared errors of the anchors.
        t = in_some_order(rng, anchors) + rng.uniform(-0.04, 0.04)
        costs = np.stack([t**2, (1 - t) ** 2]) * rng.uniform([[2], [5]], [[4], [9]])
        costs += rng.uniform(0.1, 0.5, size=(2, 1))
        p = rng.permutation([*rng.uniform(0.02, 0.98, size=9), 0.005, 0.35, 0.995])
        judge(student, reference, "decide", (p, costs), decide_mistakes)


@hidden_test("decide", points=1, message="Probabilities at which two actions are equally cheap.")
def actions_at_ties(student, reference, rng):
    # The costs of a miss, of a false alarm and of asking, such that both ties are at eighths.
    cases = np.array([[2, 2, 0.25], [4, 2, 0.5], [2, 3, 0.75], [6, 3, 0.75], [3, 2, 0.75]])
    for miss, alarm, ask in rng.choice(cases, size=3, replace=False):
        costs = np.array([[0, ask, alarm], [miss, ask, 0]])[:, in_some_order(rng, [0, 1, 2])]
        p = rng.permutation(np.arange(9) / 8)
        judge(student, reference, "decide", (p, costs), decide_mistakes)


def softmax(S):
    """Softmax of each row, without overflow."""
    e = np.exp(S - S.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def weighted_mistakes(S, labels, weights):
    """Results of typical mistakes in the weighted cross-entropy and its gradient."""
    rows, top, P = np.arange(len(S)), S.max(axis=1), softmax(S)
    costs = top + np.log(np.exp(S - top[:, None]).sum(axis=1)) - S[rows, labels]
    m, v, Y, columns = len(S), weights[labels], np.eye(len(weights))[labels], softmax(S.T).T
    total, error = np.sum(v * costs), v[:, None] * (P - Y)

    def by(number):
        return total / number, error / number

    loss, slope = by(v.sum())
    naive = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    of_sum = v @ (np.log(np.exp(S).sum(axis=1)) - S[rows, labels]) / v.sum()
    of_rounded, of_columns, of_naive = (
        (v @ -np.log(Q[rows, labels]) / v.sum(), v[:, None] * (Q - Y) / v.sum())
        for Q in (P, columns, naive)
    )
    of_label, of_class = (P - v[:, None] * Y) / v.sum(), weights * (P - Y) / v.sum()
    return {
        "You divide by the number of examples, not by the sum of their weights.": by(m),
        "In the loss you divide by the number of examples.": (total / m, slope),
        "In the gradient you divide by the number of examples.": (loss, error / m),
        "You add up one weight for each class: add up one for each example.": by(weights.sum()),
        "You return the sums: divide by the sum of the examples' weights.": by(1),
        "The weights have no effect.": (np.mean(costs), (P - Y) / m),
        "The weights are missing in the gradient.": (loss, (P - Y) / m),
        "In the gradient the weight multiplies the label alone.": (loss, of_label),
        "In the gradient the weight is that of the label, not of the column.": (loss, of_class),
        "The sign of the gradient is wrong: it points to where the loss grows.": (loss, -slope),
        "Softmax is along the classes, axis 1.": of_columns,
        "exp of a large score is infinite: subtract the largest of the row.": of_naive,
        "exp of a large score is infinite, also in log Σ exp.": (of_sum, of_naive[1]),
        "The gradient is fine, but in the loss exp of a large score is infinite.": (of_sum, slope),
        "In the loss a probability is rounded to 0: stay with the scores.": of_rounded,
    }


@hidden_test("weighted_cross_entropy", points=2, message="Random scores and weights.")
def weighted_at_random_scores(student, reference, rng):
    for m, K in ((9, 4), (4, 3)):
        S, labels = 2 * rng.normal(size=(m, K)), rng.permutation(np.arange(m) % K)
        given = S, labels, rng.uniform(0.3, 4, size=K)
        judge(student, reference, "weighted_cross_entropy", given, weighted_mistakes)


@hidden_test("weighted_cross_entropy", points=1, message="Huge scores; a class of weight 0.")
def weighted_at_extreme_scores(student, reference, rng):
    S, labels = rng.normal(size=(6, 3)), rng.permutation(np.arange(6) % 3)
    weights = rng.uniform(0.5, 4, size=3)
    S += rng.permutation([-800, -750, 0, 750, 800, 850])[:, None]
    S[0, labels[0]] += 790
    S[1, labels[1]] -= 770
    silent = np.arange(3) == rng.choice(np.setdiff1d(np.arange(3), labels[1]))
    for given in ((S, labels, weights), (S, labels, np.where(silent, 0, weights))):
        judge(student, reference, "weighted_cross_entropy", given, weighted_mistakes)


def scores_of(p, y, thresholds):
    """F1 at each threshold, and the share of right answers."""
    called = p >= thresholds[:, None]
    f1 = 2 * called @ y / (called.sum(axis=1) + y.sum())
    return f1, np.mean(called * y + (1 - called) * (1 - y), axis=1)


def parted(p, y, order):
    """Threshold and F1 if cases are called positive one by one, in some order."""
    f1 = 2 * np.cumsum(y[order]) / (np.arange(1, len(p) + 1) + y.sum())
    return p[order][np.argmax(f1)], f1.max()


def highest(thresholds, scores):
    """The best threshold, and its score."""
    return thresholds[np.argmax(scores)], np.max(scores)


def orders(p):
    """Orders from the largest to the smallest, in which equal entries stay or are turned."""
    return np.argsort(-p, kind="stable"), np.argsort(p, kind="stable")[::-1]


def f1_mistakes(p, y):
    """Results of typical mistakes in the search for the best threshold."""
    t, grid = np.unique(p)[::-1], np.linspace(0, 1, 101)
    (f1, right), on_grid = scores_of(p, y, t), scores_of(p, y, grid)[0]
    best, most = np.argmax(f1), np.argmax(right)
    strict = scores_of(p, y, np.nextafter(t, 2))[0]
    of_rounded, of_half = scores_of(p, y >= 0.5, t)[0], scores_of(p, y, np.array([0.5]))[0][0]
    middle = (t[best] + np.append(t, 0)[best + 1]) / 2
    called = p >= t[:, None]
    precision, recall = called @ y / called.sum(axis=1), called @ y / y.sum()
    harmonic = 2 * precision * recall / (precision + recall)
    mean, together = (precision + recall) / 2, "Cases with equal probabilities go together"
    return {
        f"{together}: a threshold cannot part them.": parted(p, y, orders(p)[0]),
        f"{together}, in whatever order they come.": parted(p, y, orders(p)[1]),
        f"{together}, also if the right ones come first.": parted(p, y, np.lexsort((-y, -p))),
        "A case with p = t is called positive: compare with ≥.": highest(t, strict),
        "Where nothing is found, F1 is 0, not 0/0.": highest(t, harmonic),
        "That is the threshold with the most right answers.": (t[most], f1[most]),
        "You return the share of right answers.": (t[most], right[most]),
        "You keep to the threshold 1/2: try each of the probabilities.": (0.5, of_half),
        "Soft targets were rounded to 0 and 1: add them up as they are.": highest(t, of_rounded),
        "A threshold is a probability, not a point between two of them.": (middle, f1[best]),
        "You search on a grid: the best threshold is a probability.": highest(grid, on_grid),
        "Half of the best F1 is only near the threshold: search.": (f1[best] / 2, f1[best]),
        "A factor 2 is lost.": (t[best], f1[best] / 2),
        "F1 is the harmonic mean of precision and recall.": highest(t, mean),
        "The order is threshold, F1.": (f1[best], t[best]),
    }


def clear(p, y):
    """Whether one threshold is clearly the best, and is not a simple entry of p."""
    t = np.unique(p)
    f1, _ = scores_of(p, y, t)
    second, first = np.sort(f1)[-2:]
    best = t[np.argmax(f1)]
    return first - second > 1e-3 and t[0] < best < t[-2] and best != p[np.argmax(y)]


def labelled(rng, m, digits=9, surest=1.0):
    """Probabilities and labels, such that the likely mistakes give another threshold or F1."""
    while True:
        p = np.round(rng.beta(1.2, 2.0, size=m), digits)
        y = (rng.random(m) < p).astype(float)
        y[np.argsort(p)[-2:]] = surest
        t = np.unique(p)
        best, f1 = highest(t, scores_of(p, y, t)[0])
        most = highest(t[::-1], scores_of(p, y, t[::-1])[1])[0]
        tied = min(parted(p, y, order)[1] for order in orders(p)) > f1 + 1e-3
        if clear(p, y) and best != most and (tied or digits == 9):
            return p, y


@hidden_test("best_f1_threshold", points=2, message="Random probabilities, and labels 0 and 1.")
def threshold_of_random_cases(student, reference, rng):
    for p, y in (labelled(rng, 25), labelled(rng, 40)):
        judge(student, reference, "best_f1_threshold", (p, y), f1_mistakes)


@hidden_test("best_f1_threshold", points=1, message="Equal probabilities; then sure mistakes.")
def threshold_of_shared_probabilities(student, reference, rng):
    for p, y in (labelled(rng, 30, 1), labelled(rng, 40, 1), labelled(rng, 30, surest=0.0)):
        judge(student, reference, "best_f1_threshold", (p, y), f1_mistakes)


@hidden_test("best_f1_threshold", points=1, message="Soft targets: calibrated cases, and others.")
def threshold_of_soft_targets(student, reference, rng):
    for noise in (0.0, 0.2):
        while True:
            p = rng.beta(1.2, 2.0, size=30)
            y = np.clip(p + noise * rng.normal(size=30), 0, 1)
            if clear(p, y):
                break
        judge(student, reference, "best_f1_threshold", (p, y), f1_mistakes)


def dice_mistakes(p, y, eps):
    """Results of typical mistakes in the Dice loss and its gradient."""
    m, n = p.shape

    def pair(above=eps, below=eps, axis=1, factor=2, power=1):
        over = factor * np.sum(p * y, axis=axis, keepdims=True) + above
        under = np.sum(p**power + y, axis=axis, keepdims=True) + below
        slope = (over / under * power * p ** (power - 1) - factor * y) / under
        return np.mean(1 - over / under), slope / over.size

    loss, slope = pair()
    quotient = slope * (np.sum(p + y, axis=1, keepdims=True) + eps)
    first_term = -2 * y / (np.sum(p + y, axis=1, keepdims=True) + eps) / m
    return {
        "You add up the pixels of all images: each has a loss of its own.": pair(axis=None),
        "Without ε an empty mask and an empty answer give 0/0.": pair(0, 0),
        "ε is missing above the line: an empty mask, rightly answered, would cost 1.": pair(0),
        "ε is missing below the line.": pair(below=0),
        "The factor 2 above the line is lost.": pair(factor=1),
        "Below the line p is not squared.": pair(power=2),
        "Each image is a row: sum along axis 1.": pair(axis=0),
        "You return the sum over the images: take the mean.": (m * loss, m * slope),
        "The factor 1/m of the mean is lost in the gradient.": (loss, m * slope),
        "You return the overlap: the loss is 1 minus that.": (1 - loss, -slope),
        "The sign of the gradient is wrong: the loss is 1 minus the overlap.": (loss, -slope),
        "p stands below the line, too: a second term is missing.": (loss, first_term),
        "In the quotient rule the denominator is squared.": (loss, quotient),
        "You divide by the number of pixels, too.": (loss / n, slope / n),
    }


def masks(rng, m, n):
    """Masks of random sizes, none empty and none full."""
    return rng.permuted(np.arange(n) < rng.integers(1, n, size=(m, 1)), axis=1).astype(float)


@hidden_test("dice_loss", points=2, message="Random images, with random ε.")
def dice_of_random_images(student, reference, rng):
    for m, n in ((3, 8), (5, 4)):
        given = rng.uniform(0.05, 0.95, size=(m, n)), masks(rng, m, n), rng.uniform(0.3, 2)
        judge(student, reference, "dice_loss", given, dice_mistakes)


@hidden_test("dice_loss", points=1, message="Empty masks among others, with an ε that is tiny.")
def dice_of_empty_masks(student, reference, rng):
    p, y = rng.uniform(0.05, 0.95, size=(4, 6)), masks(rng, 4, 6)
    empty, faint = rng.permutation(4)[:2]
    p[empty], y[[empty, faint]] = 0, 0
    p[faint] = rng.uniform(0.5, 1, size=6) * 1e-4
    eps = rng.uniform(0.5, 2) * 1e-4
    judge(student, reference, "dice_loss", (p, y, eps), dice_mistakes)


def focal_mistakes(z, y, gamma):
    """Results of typical mistakes in the focal loss and its gradient."""
    m, sign = len(z), 2 * y - 1
    cost, miss = np.logaddexp(0, -sign * z), np.exp(-np.logaddexp(0, sign * z))
    right, weight = np.exp(-cost), miss**gamma
    first = gamma * right * cost

    def slopes(by_u):
        return -sign * by_u / m

    def by_chain_rule(q):
        by_q = gamma * (1 - q) ** (gamma - 1) * np.log(q) - (1 - q) ** gamma / q
        return np.mean(-((1 - q) ** gamma) * np.log(q)), slopes(-by_q * q * (1 - q))

    loss, slope = np.mean(weight * cost), slopes(weight * (first + miss))
    sure, miss_1 = right**gamma, np.exp(-np.logaddexp(0, z))
    of_sure = np.mean(sure * cost), slopes(sure * miss * (1 - gamma * cost))
    costs_1 = miss_1**gamma * np.logaddexp(0, -z)
    of_1 = np.mean(costs_1), -(miss_1 ** (gamma + 1) + gamma * (1 - miss_1) * costs_1) / m
    p = 1 / (1 + np.exp(-sign * z))
    naive, low = by_chain_rule(p), (1 - p) ** gamma
    rounded = np.mean(low * cost), slopes(low * (gamma * p * cost + (1 - p)))
    by_p = gamma * weight / miss * cost + weight / right
    note = "You clip p_t by 1e-{}: a confident mistake costs |z|, without limit."
    clipped = {
        note.format(power): by_chain_rule(np.clip(p, 10.0**-power, 1 - 10.0**-power))
        for power in range(5, 17)
    }
    return clipped | {
        "(1 − p_t)^(γ − 1) is infinite at p_t = 1, and ∞ · 0 is nan: cancel on paper.": naive,
        "In the slope (1 − p_t)^(γ − 1) is infinite: cancel on paper.": (loss, naive[1]),
        "In the loss p_t is rounded to 0 before the logarithm.": (naive[0], slope),
        "1 − p_t is rounded to 0 where p_t is near 1: it is a sigmoid itself.": rounded,
        "(1 − p_t)^γ depends on z, too: a second term is missing.": (loss, slopes(weight * miss)),
        "Both terms of the slope have the same sign.": (loss, slopes(weight * (miss - first))),
        "The factor γ is lost in the gradient.": (loss, slopes(weight * (right * cost + miss))),
        "That is the derivative by p_t: multiply by p_t(1 − p_t).": (loss, slopes(by_p)),
        "For class 0 the slope turns its sign: there p_t is σ(−z).": (loss, sign * slope),
        "The sign of the gradient is wrong: it points to where the loss grows.": (loss, -slope),
        "You return sums: loss and gradient are those of a mean.": (m * loss, m * slope),
        "The factor 1/m of the mean is lost in the gradient.": (loss, m * slope),
        "γ has no effect.": (np.mean(cost), slopes(miss)),
        "The exponent belongs to 1 − p_t: the sure ones are to count less.": of_sure,
        "The right class of class 0 has the probability 1 − p, not p.": of_1,
    }


@hidden_test("focal_loss", points=2, message="Random logits, with γ above and below 1.")
def focal_at_random_logits(student, reference, rng):
    for gamma in (rng.uniform(1.5, 3), rng.uniform(0.3, 0.7)):
        z, y = 0.3 + 1.5 * rng.normal(size=9), rng.permutation(np.arange(9) % 2)
        judge(student, reference, "focal_loss", (z, y, gamma), focal_mistakes)


@hidden_test("focal_loss", points=1, message="Logits of several hundred, right and wrong.")
def focal_at_extreme_logits(student, reference, rng):
    for gamma in (0.5, 2.0):
        y = rng.permutation(np.arange(6) % 2)
        z = (2 * y - 1) * rng.permutation([800.0, 100.0, -800.0, -760.0, -1.0, 0.5])
        judge(student, reference, "focal_loss", (z, y, gamma), focal_mistakes)


@hidden_test("focal_loss", points=1, message="Predictions so good that loss and gradient are tiny.")
def tiny_focal_loss(student, reference, rng):
    gamma = rng.uniform(0.3, 0.7)
    for low, high in ((40, 50), (25, 35)):
        y = rng.permutation(np.arange(7) % 2)
        z = (2 * y - 1) * rng.uniform(low, high, size=7)
        judge(student, reference, "focal_loss", (z, y, gamma), focal_mistakes, floor=0.0)


def fitted(S, labels, square=False):
    """Temperature of the least cross-entropy, or of the least squared error of probabilities."""
    own, Y = S[np.arange(len(S)), labels], np.eye(S.shape[1])[labels]
    low, high = 0.05, 20.0
    for _ in range(60):
        beta = (low + high) / 2
        P = softmax(beta * S)
        mean = np.sum(P * S, axis=1)
        slope = (P - Y) * P * (S - mean[:, None]) if square else mean - own
        low, high = (low, beta) if np.mean(slope) > 0 else (beta, high)
    return 1 / beta


def temperature_mistakes(S, labels):
    """Results of typical mistakes in the temperature."""
    right = fitted(S, labels)
    end = "Your search ran to T = {}: has its slope the wrong sign, or does exp overflow?"
    return {
        end.format(0.05): 0.05,
        end.format(20): 20.0,
        "That is β = 1/T: the scores are divided by T.": 1 / right,
        "T to the nearest tenth: search finer than on a grid.": np.round(right, 1),
        "T to the nearest hundredth: search finer than on a grid.": np.round(right, 2),
        "β to the nearest hundredth: search finer than on a grid.": 1 / np.round(1 / right, 2),
        "That is best for the squared error, not for cross-entropy.": fitted(S, labels, True),
        "T may be below 1: a model may be too careful as well.": max(1.0, right),
        "T = 1 leaves the scores as they are.": 1.0,
    }


def doubtful(rng, m, K, T):
    """Scores T times those that the labels are drawn from, with a clear best temperature."""
    while True:
        S = 1.5 * rng.normal(size=(m, K))
        labels = np.array([rng.choice(K, p=p) for p in softmax(S)])
        best, of_squares = fitted(T * S, labels), fitted(T * S, labels, True)
        if T / 2 < best < 2 * T and abs(np.log(best)) > 0.2 and of_squares > 0.1:
            return T * S, labels


@hidden_test("temperature", points=2, message="Scores that are too large, and too small.")
def temperature_of_random_scores(student, reference, rng):
    for T in (rng.uniform(2, 4), rng.uniform(0.3, 0.5)):
        given = doubtful(rng, 40, 4, T)
        judge(student, reference, "temperature", given, temperature_mistakes)


@hidden_test("temperature", points=1, message="Scores of several hundred, all of about that size.")
def temperature_of_shifted_scores(student, reference, rng):
    S, labels = doubtful(rng, 30, 3, rng.uniform(1.5, 5))
    S = S + rng.uniform(700, 900) * rng.choice([-1, 1], size=(30, 1))
    judge(student, reference, "temperature", (S, labels), temperature_mistakes, tol=1e-5)
