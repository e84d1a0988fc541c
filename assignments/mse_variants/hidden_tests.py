"""Hidden tests of the assignment on squared error of K scores."""

import numpy as np

from grader import compare, hidden_test


def data(rng, m=9, K=5):
    """Random scores, integer labels and one-hot targets; every class occurs."""
    labels = rng.permutation(np.arange(m) % K)
    return 1.5 * rng.normal(size=(m, K)), labels, np.eye(K)[labels]


def softmax(S, axis=1):
    """Return the softmax of rows, or of columns."""
    powers = np.exp(S - S.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def loss_mistakes(S, labels, Y):
    """Results of typical mistakes in the loss."""
    m, K = S.shape
    right = np.mean((Y - S) ** 2)
    mistakes = {
        "The factor 1/K is lost: that is the sum over the classes.": K * right,
        "You add up the examples: take their mean.": m * right,
        "That is the sum over examples and classes: take the mean over both.": m * K * right,
        "The labels are names of classes, not numbers: make them one-hot.": (
            np.mean((labels[:, None] - S) ** 2)
        ),
        "Only the right class is compared; each wrong one has the target 0.": (
            np.mean((1 - S[np.arange(m), labels]) ** 2)
        ),
        "Only the right class is compared, and then 1/K is one mean too many.": (
            np.mean((1 - S[np.arange(m), labels]) ** 2) / K
        ),
        "These scores are raw: no softmax here.": np.mean((Y - softmax(S)) ** 2),
        "You halve it: this course's squared error has no ½.": right / 2,
        "You return the root of the mean: leave the root out.": np.sqrt(right),
        "You take the length of each row's difference, and not its square.": (
            np.mean(np.linalg.norm(Y - S, axis=1)) / K
        ),
    }
    if m == K:
        mistakes["The labels run down the rows; you set them against the columns."] = np.mean(
            (labels - S) ** 2
        )
    return mistakes


@hidden_test("raw_mse", points=2, message="The loss of random scores.")
def loss_of_random_scores(student, reference, rng):
    S, labels, Y = data(rng)
    right = reference.raw_mse(S, labels)
    compare(student.raw_mse(S, labels), right, mistakes=loss_mistakes(S, labels, Y))


@hidden_test("raw_mse", points=1, message="As many examples as classes; not every class occurs.")
def loss_of_square_scores(student, reference, rng):
    S, K = 3 + rng.normal(size=(6, 6)), 6
    labels = rng.integers(0, K - 2, size=K)
    right = reference.raw_mse(S, labels)
    compare(student.raw_mse(S, labels), right, mistakes=loss_mistakes(S, labels, np.eye(K)[labels]))


def softmax_gradient(p, Y):
    """Gradient of the mean softmax MSE, from the probabilities."""
    m, K = p.shape
    error = p - Y
    return 2 / (m * K) * p * (error - np.sum(p * error, axis=1, keepdims=True))


def softmax_mistakes(S, labels, Y):
    """Results of typical mistakes in the gradient through the softmax."""
    m, K = S.shape
    p, factor = softmax(S), 2 / (m * K)
    right = softmax_gradient(p, Y)
    named = labels[:, None] - p
    return {
        "The factor 2 of the square is lost.": right / 2,
        "The factor 1/K is lost.": K * right,
        "The factor 1/m of the mean is lost.": m * right,
        "The factors 1/m and 1/K are lost.": m * K * right,
        "The sign is wrong: the gradient points to where the loss grows.": -right,
        "The derivative of the softmax is missing: p − y is not yet multiplied by it.": (
            factor * (p - Y)
        ),
        "That is the gradient of cross-entropy.": (p - Y) / m,
        "Only the diagonal of the softmax's derivative is there: p(1 − p).": (
            factor * (p - Y) * p * (1 - p)
        ),
        "Of the softmax's derivative diag(p) − ppᵀ only diag(p) is there.": factor * (p - Y) * p,
        "You apply the softmax twice.": softmax_gradient(softmax(p), Y),
        "Each row is an example: the softmax goes over the classes, not down the columns.": (
            softmax_gradient(softmax(S, axis=0), Y)
        ),
        "The labels are names of classes, not numbers: make them one-hot.": (
            -factor * p * (named - np.sum(p * named, axis=1, keepdims=True))
        ),
    }


@hidden_test("softmax_mse_gradient", points=3, message="The gradient at random scores.")
def gradient_through_the_softmax(student, reference, rng):
    S, labels, Y = data(rng)
    compare(
        student.softmax_mse_gradient(S, labels),
        reference.softmax_mse_gradient(S, labels),
        mistakes=softmax_mistakes(S, labels, Y),
    )


@hidden_test("softmax_mse_gradient", points=1, message="The gradient at scores of several hundred.")
def gradient_at_large_scores(student, reference, rng):
    S, labels, Y = data(rng)
    small = S.copy()
    S = S + rng.permutation([-800.0, 800.0, -750.0, 0.0, 800.0, -800.0, 0.0, 750.0, 400.0])[:, None]
    with np.errstate(all="ignore"):
        naive = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
        of_all = np.exp(S - S.max()) / np.exp(S - S.max()).sum(axis=1, keepdims=True)
    mistakes = {
        "Large scores overflow: subtract from each row its largest score first.": (
            softmax_gradient(naive, Y)
        ),
        "Subtract the largest score of each row, not that of the whole array.": (
            softmax_gradient(of_all, Y)
        ),
        **softmax_mistakes(small, labels, Y),
    }
    right = reference.softmax_mse_gradient(S, labels)
    compare(student.softmax_mse_gradient(S, labels), right, mistakes=mistakes)
    # One class far above all others, right in some rows and wrong in others.
    S = 800.0 * np.eye(5)[rng.permutation(9) % 5] - 800.0 * np.eye(5)[labels - 1]
    right = reference.softmax_mse_gradient(S, labels)
    compare(student.softmax_mse_gradient(S, labels), right)


def exp_mistakes(S, labels, Y):
    """Results of typical mistakes in the gradient of the exponential."""
    m, K = S.shape
    e, p, factor = np.exp(S), softmax(S), 2 / (m * K)
    right = factor * np.where(Y == 1, np.expm1(S), e) * e
    return {
        "The factor 2 of the square is lost.": right / 2,
        "The factor 1/K is lost.": K * right,
        "The factor 1/m of the mean is lost.": m * right,
        "The factors 1/m and 1/K are lost.": m * K * right,
        "The sign is wrong: the gradient points to where the loss grows.": -right,
        "The inner derivative is lost: multiply by the exponential once more.": factor * (e - Y),
        "The inner derivative of e^s is e^s, not s.": factor * (e - Y) * S,
        "The exponentials are not divided by their sum here: no softmax.": factor * (p - Y) * p,
        "No softmax here: each score stands in one term only.": softmax_gradient(p, Y),
        "The labels are names of classes, not numbers: make them one-hot.": (
            factor * (e - labels[:, None]) * e
        ),
    }


@hidden_test("exp_mse_gradient", points=2, message="The gradient at random scores.")
def gradient_of_the_exponential(student, reference, rng):
    S, labels, Y = data(rng)
    right = reference.exp_mse_gradient(S, labels)
    compare(student.exp_mse_gradient(S, labels), right, mistakes=exp_mistakes(S, labels, Y))


@hidden_test("exp_mse_gradient", points=1, message="All digits, close to the minimum and far off.")
def gradient_close_to_the_minimum(student, reference, rng):
    S, labels, Y = data(rng)
    rows = np.arange(len(S))
    S[rows, labels] = rng.choice([-1, 1], size=9) * rng.uniform(1e-12, 9e-12, size=9)
    S[0] -= 100
    e, factor = np.exp(S), 2 / S.size
    lost = "Near the minimum 1 − exp(s) loses its digits: NumPy's expm1 keeps them."
    mistakes = {
        lost: factor * (e - Y) * e,
        lost + " The difference of e^(2s) and e^s loses them as well.": (
            factor * (np.exp(2 * S) - Y * e)
        ),
        lost + " The difference of squares and e^s loses them as well.": factor * (e * e - Y * e),
        **exp_mistakes(S, labels, Y),
    }
    right = reference.exp_mse_gradient(S, labels)
    compare(student.exp_mse_gradient(S, labels), right, mistakes=mistakes, floor=0.0)


@hidden_test("best_scores", points=3, message="The best scores for random shares.")
def scores_of_random_shares(student, reference, rng):
    shares = rng.permutation(rng.uniform([0.1, 0.3, 0.6, 1, 2, 4], [0.2, 0.4, 0.8, 1.5, 3, 6]))
    shares /= shares.sum()
    K, logs = len(shares), np.log(shares)
    centred = logs - logs.mean()
    top = np.eye(K)[np.argmax(shares)]
    mistakes = {
        "The scores of the softmax must have the mean 0.": (shares, logs, logs),
        "The scores of the softmax must have the mean 0; you make another one 0.": (
            shares,
            logs - logs[0],
            logs,
        ),
        "The scores of the softmax must have the mean 0; you make the last one 0.": (
            shares,
            logs - logs[-1],
            logs,
        ),
        "The scores of the softmax must have the mean 0; you make the largest one 0.": (
            shares,
            logs - logs.max(),
            logs,
        ),
        "Only the softmax has a constant to choose: e^s must hit the shares themselves.": (
            shares,
            centred,
            centred,
        ),
        "The raw scores must hit the shares themselves: do not centre them.": (
            shares - 1 / K,
            centred,
            logs,
        ),
        "That is the logarithm to another base: e^s asks for the natural one.": (
            shares,
            centred / np.log(10),
            logs / np.log(10),
        ),
        "That is the logarithm to the base 2: e^s asks for the natural one.": (
            shares,
            centred / np.log(2),
            logs / np.log(2),
        ),
        "The order is raw, softmax, exponential.": (shares, logs, centred),
        "Those are the logits of a sigmoid, one for each class; the softmax needs logarithms.": (
            shares,
            np.log(shares / (1 - shares)) - np.mean(np.log(shares / (1 - shares))),
            logs,
        ),
        "Squared error aims at the mean target, not at the most frequent one.": (
            top,
            centred,
            logs,
        ),
        "1/K is a factor of the whole loss and does not move its minimum.": (
            shares / K,
            centred,
            logs,
        ),
        "You return the best q; the question is for the scores.": (shares, shares, shares),
    }
    compare(student.best_scores(shares), reference.best_scores(shares), mistakes=mistakes)


def race(gap, K, lr, max_steps, change=None):
    """Count the steps of each loss, and tell whether no tie is near; `change` is a mistake."""
    y, counts, clear = np.eye(K)[0], [], True

    def of_softmax(s):
        p = softmax(s[None])[0]
        if change == "no derivative":
            return 2 / K * (p - y)
        if change == "diagonal":
            return 2 / K * (p - y) * p * (1 - p)
        lost = {"softmax 2": 0.5, "softmax K": K}.get(change, 1)
        return 2 / K * lost * p * (p - y - p @ (p - y))

    gradients = (
        lambda s: {"raw 2": 1 / K, "raw K": 2}.get(change, 2 / K) * (s - y),
        of_softmax,
        lambda s: (softmax(s[None])[0] - y) / (K if change == "entropy K" else 1),
    )
    for gradient in gradients:
        s = gap * np.eye(K)[1]
        for step in range(max_steps + 1):
            lead = s[0] - s[1:].max()
            clear = clear and (step == 0 or abs(lead) > 1e-6)
            if lead > 0 or step == max_steps:
                break
            s = s - lr * gradient(s)
        counts.append(step)
    return np.array(counts), clear


def race_mistakes(gap, K, lr, max_steps):
    """Results of typical mistakes in the experiment."""
    right, _ = race(gap, K, lr, max_steps)

    def run(change):
        return race(gap, K, lr, max_steps, change)[0]

    return {
        "You are off by one: count the steps that have been taken when class 0 leads.": (
            np.minimum(right + 1, max_steps)
        ),
        "You are off by one: the step that brings class 0 to the top counts as well.": right - 1,
        "A sign is wrong: descent moves against the gradient.": np.full(3, max_steps),
        "The gradient of raw scores has a factor 2.": run("raw 2"),
        "The gradient of raw scores has a factor 1/K.": run("raw K"),
        "The derivative of the softmax is missing in the second gradient.": run("no derivative"),
        "Only the diagonal of the softmax's derivative is there: p(1 − p).": run("diagonal"),
        "The gradient of the softmax MSE has a factor 2.": run("softmax 2"),
        "The gradient of the softmax MSE has a factor 1/K.": run("softmax K"),
        "Cross-entropy has no factor 1/K.": run("entropy K"),
        "The order is raw, softmax, cross-entropy.": right[[0, 2, 1]],
    }


@hidden_test("steps_until_right", points=3, message="The experiment with random gaps and rates.")
def experiment(student, reference, rng):
    for _ in range(2):
        clear = False
        while not clear:
            setting = rng.uniform(2.5, 4), int(rng.integers(3, 6)), rng.uniform(0.2, 0.4), 3000
            _, clear = race(*setting)
        right = reference.steps_until_right(*setting)
        compare(student.steps_until_right(*setting), right, mistakes=race_mistakes(*setting))


@hidden_test("steps_until_right", points=1, message="A wide gap, which one loss does not close.")
def experiment_with_a_limit(student, reference, rng):
    cases = {}  # by the counts, so that no array is right in all of them
    while len(cases) < 2:
        setting = rng.uniform(12, 14), int(rng.integers(3, 6)), rng.uniform(0.3, 0.6), 90
        counts, clear = race(*setting)
        if clear:
            cases[tuple(counts)] = setting
    for setting in cases.values():
        right = reference.steps_until_right(*setting)
        mistakes = {
            "A loss that does not get there within max_steps has the count max_steps.": (
                right + np.array([0, 1, 0])
            ),
            **race_mistakes(*setting),
        }
        compare(student.steps_until_right(*setting), right, mistakes=mistakes)


def formula_mistakes(gap, K, lr):
    """Results of typical mistakes in the number of steps."""
    with np.errstate(all="ignore"):
        shrink = -np.log1p(-2 * lr / K)
        ratio = np.log1p(gap) / shrink
        one_less = np.log(gap) / shrink if gap > 0 else -1.0
        return {
            "A rate this small is lost in 1 − 2α/K: NumPy's log1p keeps it.": (
                np.floor(np.log(1 + gap) / -np.log(1 - 2 * lr / K)) + 1
            ),
            "The margin starts at −gap, so its distance from 1 is gap + 1.": np.floor(one_less) + 1,
            "Round up: after that many steps class 0 does not lead yet.": np.floor(ratio),
            "Steps are whole numbers: round up.": ratio,
            "You count one step too many: round up, and no more.": np.floor(ratio) + 2,
            "The factor 2 is lost: the distance shrinks by 1 − 2α/K in each step.": (
                np.floor(np.log1p(gap) / -np.log1p(-lr / K)) + 1
            ),
            "The factor 1/K is lost: the distance shrinks by 1 − 2α/K in each step.": (
                np.floor(np.log1p(gap) / -np.log(np.abs(1 - 2 * lr))) + 1
            ),
            "The logarithm of 1 − 2α/K is close to −2α/K for small α only.": (
                np.floor(np.log1p(gap) / (2 * lr / K)) + 1
            ),
            "The sign is wrong: the logarithm of 1 − 2α/K is negative.": np.floor(-ratio) + 1,
        }


def usual_race(rng):
    """Random gap, K and rate; no step ends near a tie."""
    fraction = 0.0
    while not 0.05 < fraction < 0.95:
        gap, K, lr = rng.uniform(2, 9), int(rng.integers(3, 9)), rng.uniform(0.05, 0.12)
        fraction = np.log1p(gap) / -np.log1p(-2 * lr / K) % 1
    return gap, K, lr


@hidden_test("raw_steps", points=2, message="The formula for random gaps and rates.")
def formula_of_the_steps(student, reference, rng):
    for _ in range(3):
        gap, K, lr = usual_race(rng)
        right = reference.raw_steps(gap, K, lr)
        compare(student.raw_steps(gap, K, lr), right, mistakes=formula_mistakes(gap, K, lr))


@hidden_test(
    "raw_steps", points=1, message="Tiny rates with huge gaps, a gap of 0, and a usual one."
)
def formula_at_the_ends(student, reference, rng):
    tiny = [
        (10.0 ** rng.uniform(50, 300), int(rng.integers(3, 9)), rng.uniform(1e-12, 3e-12))
        for _ in range(4)
    ]
    for gap, K, lr in (*tiny, (0.0, int(rng.integers(3, 9)), 0.3), usual_race(rng)):
        right = reference.raw_steps(gap, K, lr)
        mistakes = formula_mistakes(gap, K, lr)
        if gap == 0:
            zero = "With a gap of 0 all scores are equal at the start: class 0 does not lead yet."
            mistakes = {zero: 0.0, **mistakes}
        compare(student.raw_steps(gap, K, lr), right, mistakes=mistakes)
