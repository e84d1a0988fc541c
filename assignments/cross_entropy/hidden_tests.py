"""Hidden tests of the assignment on cross-entropy."""

import numpy as np

from grader import compare, hidden_test


def softmax(s):
    """Softmax of each row; large scores overflow."""
    e = np.exp(s)
    return e / e.sum(axis=1, keepdims=True)


def all_labels(rng, m, K):
    """Random labels; every class occurs."""
    return rng.permutation(np.arange(m) % K)


def large_scores(rng, m=9, K=4):
    """Scores near ±800 and 0, mixed within rows; three rows have scores of one size only."""
    s = rng.choice([-800.0, 0.0, 800.0], size=(m, K))
    s[:3] = [[-800.0], [800.0], [0.0]]
    s[3] = [800.0, -800.0, 0.0, 0.0]
    return rng.permutation(s + rng.uniform(-2, 2, size=(m, K)))


def log_softmax_mistakes(s):
    """Results of typical mistakes in the log-softmax."""
    each, all_rows = s - s.max(axis=1, keepdims=True), s - s.max()
    right = each - np.log(np.exp(each).sum(axis=1, keepdims=True))
    down = s - s.max(axis=0)
    return {
        "Return the logarithms of the probabilities.": np.exp(right),
        "The sign is wrong: the logarithm of a probability is not positive.": -right,
        "That is the logarithm to base 10; use the natural one.": right / np.log(10),
        "You sum over the examples: the classes of one example lie in a row, axis 1.": (
            down - np.log(np.exp(down).sum(axis=0))
        ),
        "You sum over the whole array: each row has its own sum.": (
            all_rows - np.log(np.exp(all_rows).sum())
        ),
        "The exponential overflows and underflows: shift the scores of each row first.": (
            np.log(np.exp(s) / np.exp(s).sum(axis=1, keepdims=True))
        ),
        "The sum of exponentials is inf or 0: shift the scores of each row first.": (
            s - np.log(np.exp(s).sum(axis=1, keepdims=True))
        ),
        "The logarithm of a probability that was rounded to 0: take it before you divide.": (
            np.log(softmax(each))
        ),
        "Your shift is the largest score of all rows: take each row's own.": (
            all_rows - np.log(np.exp(all_rows).sum(axis=1, keepdims=True))
        ),
        "Your shift is the largest score of all rows: each row needs its own.": (
            np.log(softmax(all_rows))
        ),
        "The largest score is lost: subtracted inside the sum, it must be added again outside.": (
            s - np.log(np.exp(each).sum(axis=1, keepdims=True))
        ),
    }


@hidden_test("log_softmax", points=2, message="The log-softmax of random scores.")
def log_softmax_of_random_scores(student, reference, rng):
    s = rng.normal(scale=2, size=(7, 4))
    right = reference.log_softmax(s)
    compare(student.log_softmax(s), right, mistakes=log_softmax_mistakes(s))


@hidden_test("log_softmax", points=2, message="The log-softmax of scores of ±800.")
def log_softmax_of_large_scores(student, reference, rng):
    s = large_scores(rng)
    right = reference.log_softmax(s)
    compare(student.log_softmax(s), right, mistakes=log_softmax_mistakes(s))


def loss_mistakes(s, labels):
    """Results of typical mistakes in the loss."""
    rows = np.arange(len(s))
    below = s - s.max(axis=1, keepdims=True)
    p, naive = softmax(below), softmax(s)
    logs = below - np.log(np.exp(below).sum(axis=1, keepdims=True))
    down = s - s.max(axis=0)
    of_columns = down - np.log(np.exp(down).sum(axis=0))
    right = -np.mean(logs[rows, labels])
    return {
        "You return the sum: divide by the number of examples.": len(s) * right,
        "The sign is wrong: the loss is never negative.": -right,
        "That is the logarithm to base 10; use the natural one.": right / np.log(10),
        "That is the logarithm to base 2; use the natural one.": right / np.log(2),
        "You divide by m times K: of each row only one entry counts.": right / s.shape[1],
        "Return one number, the mean over the examples.": -logs[rows, labels],
        "You take a column for every label from every row: pair row i with label i.": (
            -np.mean(logs[:, labels])
        ),
        "The softmax is applied twice: pass the scores, not the probabilities.": (
            -np.mean(np.log(softmax(p)[rows, labels]))
        ),
        "Your softmax sums over the examples: the classes of an example lie in a row, axis 1.": (
            -np.mean(of_columns[rows, labels])
        ),
        "That is minus the mean probability: take its logarithm.": -np.mean(p[rows, labels]),
        "The exponential overflows and underflows: shift the scores of each row first.": (
            -np.mean(np.log(naive[rows, labels]))
        ),
        "The logarithm of a probability that was rounded to 0: take it before you divide.": (
            -np.mean(np.log(p[rows, labels]))
        ),
        "You keep p away from 0: that hides the logarithm of 0, but the loss is wrong.": (
            -np.mean(np.log(np.clip(p[rows, labels], 1e-15, 1)))
        ),
        "You add a little to p: that hides the logarithm of 0, but the loss is wrong.": (
            -np.mean(np.log(p[rows, labels] + 1e-12))
        ),
    }


@hidden_test("cross_entropy", points=2, message="The loss of random scores.")
def loss_of_random_scores(student, reference, rng):
    s, labels = rng.normal(scale=2, size=(11, 4)), all_labels(rng, 11, 4)
    right = reference.cross_entropy(s, labels)
    compare(student.cross_entropy(s, labels), right, mistakes=loss_mistakes(s, labels))


@hidden_test("cross_entropy", points=1, message="The loss of scores of ±800.")
def loss_of_large_scores(student, reference, rng):
    s = large_scores(rng)
    labels = np.where(rng.random(9) < 0.5, s.argmin(axis=1), s.argmax(axis=1))
    labels[np.argmax(np.ptp(s, axis=1))] = np.argmin(s[np.argmax(np.ptp(s, axis=1))])
    right = reference.cross_entropy(s, labels)
    compare(student.cross_entropy(s, labels), right, mistakes=loss_mistakes(s, labels))


def gradient_mistakes(X, labels, W, b, eps):
    """Results of typical mistakes in the gradient."""
    m, K = len(X), W.shape[1]
    S, Y = X @ W + b, np.eye(K)[labels]
    P, T = softmax(S), (1 - eps) * Y + eps / K
    on_the_wrong = (1 - eps) * Y + eps / (K - 1) * (1 - Y)

    def gradient(error):
        return X.T @ error / m, error.mean(axis=0)

    dW, db = gradient(P - T)
    return {
        "The sign is wrong: the gradient is softmax minus target.": (-dW, -db),
        "The factor 1/m of the mean is lost.": (m * dW, m * db),
        "The scores lack the bias b.": gradient(softmax(X @ W) - T),
        "db is a sum over the examples; you take one mean too many.": (dW, db / m),
        "db lacks the factor 1/m.": (dW, m * db),
        "The labels are not smoothed.": gradient(P - Y),
        "You spread ε over the wrong classes only; this course spreads it over all K.": (
            gradient(P - on_the_wrong)
        ),
        "The targets do not sum to 1: the share ε is taken away, but not spread.": (
            gradient(P - (1 - eps) * Y)
        ),
        "The targets do not sum to 1: the share ε is spread, but not taken away.": (
            gradient(P - Y - eps / K)
        ),
        "You subtract the labels' numbers: turn each into a row with a 1 at its class.": (
            gradient(P - ((1 - eps) * labels[:, None] + eps / K))
        ),
        "The softmax is applied twice: the loss takes the scores.": gradient(softmax(P) - T),
        "Your softmax sums over the examples: the classes of an example lie in a row, axis 1.": (
            gradient(softmax(S.T).T - T)
        ),
        "You return the transpose: the gradient has the shape of W.": (dW.T, db),
    }


def model(rng, m, K, n=3):
    """Features and random parameters."""
    return rng.normal(size=(m, n)), rng.normal(size=(n, K)), rng.normal(size=K)


@hidden_test("smoothed_gradient", points=3, message="The gradient at random weights.")
def gradient_at_random_weights(student, reference, rng):
    X, W, b = model(rng, 11, 4)
    labels, eps = all_labels(rng, 11, 4), rng.uniform(0.1, 0.4)
    right = reference.smoothed_gradient(X, labels, W, b, eps)
    mistakes = gradient_mistakes(X, labels, W, b, eps)
    compare(student.smoothed_gradient(X, labels, W, b, eps), right, mistakes=mistakes)


@hidden_test(
    "smoothed_gradient",
    points=1,
    message="The gradient where the last class does not occur, with and without smoothing.",
)
def gradient_without_the_last_class(student, reference, rng):
    X, W, b = model(rng, 11, 5)
    labels = all_labels(rng, 11, 4)
    for eps in (0.0, rng.uniform(0.1, 0.4)):
        right = reference.smoothed_gradient(X, labels, W, b, eps)
        mistakes = gradient_mistakes(X, labels, W, b, eps)
        compare(student.smoothed_gradient(X, labels, W, b, eps), right, mistakes=mistakes)


def entropy(targets):
    """Entropy of targets; those of 0 add nothing."""
    positive = targets[targets > 0]
    return -np.sum(positive * np.log(positive))


def lowest_loss_mistakes(eps, K):
    """Results of typical mistakes in the lowest loss."""
    right_class, wrong_class = 1 - eps + eps / K, eps / K
    right = entropy(np.r_[right_class, np.full(K - 1, wrong_class)])
    return {
        "0 · log 0 counts as 0: leave targets of 0 out of the sum.": np.nan,
        "The sign is wrong: the loss is never negative.": -right,
        "That is the logarithm to base 2; use the natural one.": right / np.log(2),
        "That is the logarithm to base 10; use the natural one.": right / np.log(10),
        "That is the share of the right class alone: the others cost, too.": (
            entropy(np.array([right_class]))
        ),
        "The wrong classes count K − 1 times, not once.": (
            entropy(np.array([right_class, wrong_class]))
        ),
        "The wrong classes count K − 1 times, not K times.": (
            entropy(np.r_[right_class, np.full(K, wrong_class)])
        ),
        "You spread ε over the wrong classes only; this course spreads it over all K.": (
            entropy(np.r_[1 - eps, np.full(K - 1, eps / (K - 1))])
        ),
        "That is the loss of the right class alone; the best p is the target as a whole.": (
            -np.log(right_class)
        ),
        "The targets do not sum to 1: the right class gets its share of ε, too.": (
            entropy(np.r_[1 - eps, np.full(K - 1, eps / K)])
        ),
        "That is the entropy of the uniform distribution: the targets are not all equal.": (
            np.log(K)
        ),
    }


@hidden_test("lowest_loss", points=2, message="The lowest loss at random strengths.")
def lowest_loss_at_random_strengths(student, reference, rng):
    for K in rng.permutation(np.arange(3, 12))[:3].tolist():
        eps = rng.uniform(0.1, 0.5)
        right, mistakes = reference.lowest_loss(eps, K), lowest_loss_mistakes(eps, K)
        compare(student.lowest_loss(eps, K), right, mistakes=mistakes)


@hidden_test(
    "lowest_loss", points=1, message="The lowest loss with no smoothing, with 1, and in between."
)
def lowest_loss_at_both_ends(student, reference, rng):
    K = int(rng.integers(3, 12))
    for eps in (0.0, 1.0, rng.uniform(0.5, 0.8)):
        right, mistakes = reference.lowest_loss(eps, K), lowest_loss_mistakes(eps, K)
        compare(student.lowest_loss(eps, K), right, mistakes=mistakes)


@hidden_test("smallest_weights", points=3, message="The smallest weights of random models.")
def smallest_of_random_models(student, reference, rng):
    for n, K in ((4, 3), (2, 6)):
        W, b = rng.normal(size=(n, K)) + rng.normal(size=(n, 1)) + 1, rng.normal(size=K) + 1
        right = W - W.mean(axis=1, keepdims=True), b - b.mean()
        mistakes = {
            "The same model, but not the smallest weights: you make the first class zero.": (
                W - W[:, :1],
                b - b[0],
            ),
            "The same model, but not the smallest weights: you make the last class zero.": (
                W - W[:, -1:],
                b - b[-1],
            ),
            "The largest entry is right for a stable softmax; the sum of squares asks for another"
            " shift.": (W - W.max(axis=1, keepdims=True), b - b.max()),
            "That is another model: what you subtract must be the same for all classes.": (
                W - W.mean(axis=0),
                b - b.mean(),
            ),
            "Each feature has a shift of its own: you subtract one number from all of W.": (
                W - W.mean(),
                b - b.mean(),
            ),
            "The median makes the sum of absolute values smallest, not that of squares.": (
                W - np.median(W, axis=1, keepdims=True),
                b - np.median(b),
            ),
            "b has the same freedom as the rows of W.": (right[0], b),
            "W and b have shifts of their own: do not share one.": (
                W - np.r_[W, b[None]].mean(),
                b - np.r_[W, b[None]].mean(),
            ),
        }
        compare(student.smallest_weights(W, b), reference.smallest_weights(W, b), mistakes=mistakes)


def race(X, labels, rate, steps, candidates, *, soft=1.0, single=1.0, of_class=1, twice=False):
    """Run the experiment, with mistakes by option; return the closest candidate and the loss."""
    m, W, Y = len(X), np.zeros((X.shape[1], 2)), np.eye(2)[labels]
    for _ in range(steps):
        P = softmax(X @ W)
        W = W - rate * soft * X.T @ ((softmax(P) if twice else P) - Y) / m
    P = softmax(X @ W)
    gaps = []
    for candidate in candidates:
        w = np.zeros(X.shape[1])
        for _ in range(steps):
            w = w - candidate * single * X.T @ (1 / (1 + np.exp(-(X @ w))) - labels) / m
        gaps.append(np.max(np.abs(1 / (1 + np.exp(-(X @ w))) - P[:, of_class])))
    return candidates[np.argmin(gaps)], -np.mean(np.log(P[np.arange(m), labels]))


@hidden_test("twin_rate", points=3, message="The experiment on random data.")
def experiment(student, reference, rng):
    m, n = 13, 3
    X = rng.normal(size=(m, n))
    labels = rng.permutation((X @ rng.normal(size=n) > 0).astype(int))
    labels[:2] = [0, 1]
    rate, steps = rng.uniform(0.1, 0.2), int(rng.integers(12, 20))
    candidates = rate * rng.permutation([0.05, 2 / m, 0.5, 1, 1.4, 2, 2.8, 4, 2 * m])
    data = X, labels, rate, steps, candidates
    best, loss = reference.twin_rate(*data)
    mistakes = {
        "The factor 1/m of the mean is lost in both gradients.": race(*data, soft=m, single=m),
        "The factor 1/m of the mean is lost in the softmax's gradient.": race(*data, soft=m),
        "The factor 1/m of the mean is lost in the sigmoid's gradient.": race(*data, single=m),
        "The softmax model climbs: descent subtracts the gradient.": race(*data, soft=-1),
        "You compare with the probability of class 0: the sigmoid predicts class 1.": (
            race(*data, of_class=0)
        ),
        "The softmax is applied twice in the gradient.": race(*data, twice=True),
        "The loss is that before the last step.": (
            best,
            race(X, labels, rate, steps - 1, candidates)[1],
        ),
        "You take a step more than you are asked for.": (
            best,
            race(X, labels, rate, steps + 1, candidates)[1],
        ),
        "The loss is the mean over the examples; you return the sum.": (best, m * loss),
        "Return the loss of the softmax model second, not the difference.": (best, 0.0),
        "You take the same rate for granted: return the candidate with the smallest difference.": (
            rate,
            loss,
        ),
        "Return the candidate itself, not its position.": (
            int(np.flatnonzero(candidates == best)[0]),
            loss,
        ),
        "That is the candidate with the largest difference.": (candidates.max(), loss),
    }
    compare(student.twin_rate(*data), (best, loss), mistakes=mistakes)
