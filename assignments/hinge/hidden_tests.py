"""Hidden tests of the assignment on the hinge."""

import numpy as np

from grader import compare, hidden_test


def signs(rng, m):
    """Labels -1 and +1 in random order, with one more +1 if m is odd."""
    return rng.permutation(np.where(np.arange(m) < m // 2, -1, 1))


def clouds(rng, m=20, n=2, apart=1.0, centre=0.0):
    """Two clouds of m/2 points each, and their labels."""
    y = signs(rng, m)
    return rng.normal(size=(m, n)) + apart * y[:, None] + centre, y


def loss_mistakes(s, y, margin):
    """Results of typical mistakes in the loss."""
    hinge = np.maximum(0, margin - y * s)
    return {
        "You return the sum: divide by the number of examples.": np.sum(hinge),
        "The margin is not 1 here, but what the argument says.": (
            np.mean(np.maximum(0, 1 - y * s))
        ),
        "The margin belongs inside the maximum: those below it pay what is missing.": (
            np.mean(np.maximum(0, -y * s)) + margin
        ),
        "Scaling the score is not the same: subtract the product from the margin.": (
            np.mean(np.maximum(0, 1 - y * s / margin))
        ),
        "Beyond the margin the loss is 0, not negative: the maximum is missing.": (
            np.mean(margin - y * s)
        ),
        "Take the maximum for each example, and then the mean.": max(0, np.mean(margin - y * s)),
        "The sign of the product is wrong: a positive ys is right and lowers the loss.": (
            np.mean(np.maximum(0, margin + y * s))
        ),
        "An example below the margin has a loss, not an example beyond it.": (
            np.mean(np.maximum(0, y * s - margin))
        ),
        "That is the squared hinge: do not square.": np.mean(hinge**2),
        "The targets are −1 and +1 already: do not convert them.": (
            np.mean(np.maximum(0, margin - (2 * y - 1) * s))
        ),
        "With labels 0 and 1 class 0 teaches nothing: keep −1 and +1.": (
            np.mean(np.maximum(0, margin - (y + 1) // 2 * s))
        ),
        "You compare every score with every target: (m, 1) against (m,) makes an (m, m) array.": (
            np.mean(np.maximum(0, margin - s[:, None] * y))
        ),
    }


@hidden_test("hinge_loss", points=2, message="The loss of random scores, with random margins.")
def loss_of_random_scores(student, reference, rng):
    y = signs(rng, 11)
    # First most examples are far beyond the margin; then they are on both sides of it.
    beyond = rng.permutation(rng.uniform([-2] * 4 + [4] * 7, [0.2] * 4 + [8] * 7))
    draws = (y * beyond, rng.uniform(0.3, 0.7)), (2 * rng.normal(size=11), rng.uniform(1.5, 3))
    for s, margin in draws:
        right = reference.hinge_loss(s, y, margin)
        compare(student.hinge_loss(s, y, margin), right, mistakes=loss_mistakes(s, y, margin))


@hidden_test("hinge_loss", points=1, message="All beyond the margin, and integer scores.")
def loss_beyond_the_margin(student, reference, rng):
    y, margin = signs(rng, 7), rng.uniform(1.5, 2.4)
    for s in (y * rng.uniform(2.5, 9, size=7), y * rng.integers(-9, 9, size=7)):
        right = reference.hinge_loss(s, y, margin)
        compare(student.hinge_loss(s, y, margin), right, mistakes=loss_mistakes(s, y, margin))


def gradient_mistakes(s, y):
    """Results of typical mistakes in the gradient."""
    t, m = y * s, len(s)
    right = np.where(t < 1, -y, 0) / m
    return {
        "At the kink ys = 1 this course takes the slope 0.": np.where(t <= 1, -y, 0) / m,
        "At the kink this course takes the slope 0, not half of the other.": (
            (np.where(t < 1, -y, 0) + np.where(t <= 1, -y, 0)) / (2 * m)
        ),
        "The sign is wrong: the gradient points to where the loss grows.": -right,
        "The factor 1/m of the mean is lost.": m * right,
        "An example that is right, but not by the margin, pushes as well.": (
            np.where(t < 0, -y, 0) / m
        ),
        "The push is all or nothing: it does not grow with what is missing.": (
            -y * np.maximum(0, 1 - t) / m
        ),
        "That is the gradient of the squared hinge.": -2 * y * np.maximum(0, 1 - t) / m,
        "The slope is −y, not −1: examples of the two classes push in opposite directions.": (
            np.where(t < 1, -1, 0) / m
        ),
        "Beyond the margin the slope is 0; you push there and nowhere else.": (
            np.where(t > 1, -y, 0) / m
        ),
        "With labels 0 and 1 class 0 teaches nothing: keep −1 and +1.": (
            np.where((y + 1) // 2 * s < 1, -(y + 1) // 2, 0) / m
        ),
        "Return one entry for each score, not their sum.": np.sum(right),
    }


@hidden_test("hinge_gradient", points=2, message="The gradient at random scores.")
def gradient_at_random_scores(student, reference, rng):
    y = signs(rng, 15)
    # Five examples each are wrong, right within the margin, and beyond the margin.
    low, high = np.repeat([[-3, 0.1, 1.1], [-0.1, 0.9, 3]], 5, axis=1)
    s = y * rng.permutation(rng.uniform(low, high))
    compare(
        student.hinge_gradient(s, y),
        reference.hinge_gradient(s, y),
        mistakes=gradient_mistakes(s, y),
    )


@hidden_test("hinge_gradient", points=1, message="The gradient with scores exactly at the kink.")
def gradient_at_the_kink(student, reference, rng):
    y = signs(rng, 12)
    s = (y * rng.permutation(np.repeat([-2, 0, 1, 3], 3))).astype(float)
    compare(
        student.hinge_gradient(s, y),
        reference.hinge_gradient(s, y),
        mistakes=gradient_mistakes(s, y),
    )


def svm_mistakes(X, y, w, b, l2):
    """Results of typical mistakes in the gradient of the support vector machine."""
    m = len(y)
    missing = np.maximum(0, 1 - y * (X @ w + b))
    push, without_bias = -2 * y * missing / m, -2 * y * np.maximum(0, 1 - y * (X @ w)) / m
    slope, db, of_hinge = X.T @ push, np.sum(push), -y * np.sign(missing) / m
    return {
        "The factor 2 of the square is lost.": (slope / 2 + l2 * w, db / 2),
        "The factor 1/m of the mean is lost.": (m * slope + l2 * w, m * db),
        "The penalty has a ½: its gradient is λw, not 2λw.": (slope + 2 * l2 * w, db),
        "The ½ of the penalty is gone after differentiating: its gradient is λw.": (
            slope + l2 * w / 2,
            db,
        ),
        "The penalty is not part of the mean: do not divide it by m.": (slope + l2 * w / m, db),
        "The penalty is left out.": (slope, db),
        "The penalty does not contain b.": (slope + l2 * w, db + l2 * b),
        "The gradient of ½‖w‖² is the vector w, not a number.": (
            slope + l2 / 2 * np.sum(w**2),
            db,
        ),
        "The sign of the loss is wrong: its gradient points to where the loss grows.": (
            -slope + l2 * w,
            -db,
        ),
        "The scores lack the bias b.": (X.T @ without_bias + l2 * w, np.sum(without_bias)),
        "db is a sum over the examples; you take one mean too many.": (slope + l2 * w, db / m),
        "That is the gradient of the hinge itself: here it is squared.": (
            X.T @ of_hinge + l2 * w,
            np.sum(of_hinge),
        ),
        "Beyond the margin nothing pushes: the maximum is missing.": (
            X.T @ (-2 * y * (1 - y * (X @ w + b))) / m + l2 * w,
            np.sum(-2 * y * (1 - y * (X @ w + b))) / m,
        ),
    }


@hidden_test("svm_gradient", points=3, message="The gradient of a random linear model.")
def gradient_of_a_linear_model(student, reference, rng):
    m, n = 11, 3
    X, y, w, b = rng.normal(size=(m, n)), signs(rng, m), rng.normal(size=n), rng.normal()
    given = X, y, w, b, rng.uniform(0.2, 0.8)
    right = reference.svm_gradient(*given)
    compare(student.svm_gradient(*given), right, mistakes=svm_mistakes(*given))


@hidden_test(
    "svm_gradient",
    points=1,
    message="All beyond the margin, where the penalty alone is left; then all but one.",
)
def gradient_of_the_penalty(student, reference, rng):
    w, b, l2 = rng.normal(size=3) + 2, rng.uniform(0.1, 0.4), rng.uniform(0.2, 0.8)
    y = signs(rng, 9)
    X = y[:, None] * rng.uniform(2, 4, size=(9, 3)) * np.sign(w)
    X *= 3 / np.min(np.abs(X @ w))
    one_wrong = X.copy()
    one_wrong[rng.integers(9)] *= -1
    for given in ((X, y, w, b, l2), (one_wrong, y, w, b, l2)):
        right = reference.svm_gradient(*given)
        compare(student.svm_gradient(*given), right, mistakes=svm_mistakes(*given))


def multiclass_mistakes(S, labels):
    """Results of typical mistakes in the two hinges."""
    m, K = S.shape
    right = np.eye(K, dtype=bool)[labels]
    raw = 1 + S - S[right][:, None]
    all_classes, v = np.maximum(0, raw), np.where(right, 0, np.maximum(0, raw))
    largest, total = np.mean(v.max(axis=1)), np.mean(v.sum(axis=1))
    lead = np.where(right, 0, np.maximum(0, raw - 1))
    turned = np.where(right, 0, np.maximum(0, 2 - raw))
    return {
        "Leave the right class out: compared with itself it always seems to violate by 1.": (
            np.mean(all_classes.max(axis=1)),
            np.mean(all_classes.sum(axis=1)),
        ),
        "In the sum the right class is still there: it seems to violate by 1.": (
            largest,
            np.mean(all_classes.sum(axis=1)),
        ),
        "In the maximum the right class is still there: it seems to violate by 1.": (
            np.mean(all_classes.max(axis=1)),
            total,
        ),
        "The order is Crammer–Singer, Weston–Watkins.": (total, largest),
        "You return sums over the examples: take the means.": (m * largest, m * total),
        "If the right class leads by more than 1, the loss is 0, not negative.": (
            np.mean(np.where(right, -np.inf, raw).max(axis=1)),
            np.mean(np.where(right, 0, raw).sum(axis=1)),
        ),
        "Weston–Watkins is the sum over the classes, without a factor 1/K.": (largest, total / K),
        "Weston–Watkins is the sum over the wrong classes, not their mean.": (
            largest,
            total / (K - 1),
        ),
        "The margin of 1 is lost: being ahead is not enough.": (
            np.mean(lead.max(axis=1)),
            np.mean(lead.sum(axis=1)),
        ),
        "The sign is wrong: a violation grows with the score of the wrong class.": (
            np.mean(turned.max(axis=1)),
            np.mean(turned.sum(axis=1)),
        ),
    }


@hidden_test("multiclass_hinges", points=2, message="Both hinges of random scores.")
def hinges_of_random_scores(student, reference, rng):
    S, labels = 2 * rng.normal(size=(9, 5)), rng.integers(0, 5, size=9)
    # In one row the right class leads by far; in another, at least two classes violate the margin.
    S[0, labels[0]] = S[0].max() + 3
    S[1, labels[1]] = S[1].min() - 1
    compare(
        student.multiclass_hinges(S, labels),
        reference.multiclass_hinges(S, labels),
        mistakes=multiclass_mistakes(S, labels),
    )


@hidden_test("multiclass_hinges", points=1, message="As many classes as examples; wide leads.")
def hinges_of_wide_leads(student, reference, rng):
    S, labels = rng.normal(size=(4, 4)), rng.permutation(4)
    S[np.arange(4), labels] += 9
    mistakes = multiclass_mistakes(S, labels)
    compare(student.multiclass_hinges(S, labels), (0.0, 0.0), mistakes=mistakes)
    S[2, labels[2]] -= 12
    compare(
        student.multiclass_hinges(S, labels),
        reference.multiclass_hinges(S, labels),
        mistakes=multiclass_mistakes(S, labels),
    )


@hidden_test("silent_examples", points=4, message="The experiment on two random clouds.")
def experiment(student, reference, rng):
    X, y = clouds(rng, m=40)
    m = len(y)
    # From a weak penalty, with most examples silent, to one with no silent example.
    penalties = reference.critical_penalty(X, y) * np.array([0.01, 0.04, 0.15, 0.4, 1.5])
    hinge, entropy = reference.silent_examples(X, y, penalties, 400)

    def descent(l2, decay, slopes=lambda t: t < 1, mean=m):
        w, b = np.zeros(2), 0.0
        for k in range(400):
            push = -y * slopes(y * (X @ w + b)) / mean
            rate = 2 / (2 + l2 * k)
            w, b = w - rate * (X.T @ push + decay * w), b - rate * np.sum(push)
        return y * (X @ w + b)

    def count(decay, at_least=1, **how):
        with np.errstate(all="ignore"):
            runs = [descent(l2, decay * l2, **how) for l2 in penalties]
            return np.array([np.sum(t >= at_least) for t in runs])

    def mistakes():
        beyond = count(1, slopes=lambda t: 1 / (1 + np.exp(t)))
        return {
            "You count the examples that still push; count the silent ones.": (
                m - hinge,
                m - entropy,
            ),
            "Under cross-entropy, too, silent means slope 0, not beyond the margin.": (
                hinge,
                beyond,
            ),
            "The hinge comes first.": (entropy, hinge),
            "The penalty is left out of the gradient of w.": (count(0), entropy),
            "The gradient of the penalty is λw, not 2λw.": (count(2), entropy),
            "The gradient of the penalty is λw, not half of it.": (count(0.5), entropy),
            "An example is silent if it is beyond the margin, not already on the right side.": (
                count(1, at_least=0),
                entropy,
            ),
            "You return shares: count the examples.": (hinge / m, entropy / m),
            "The factor 1/m of the mean is lost.": (count(1, mean=1), entropy),
        }

    compare(student.silent_examples(X, y, penalties, 400), (hinge, entropy), mistakes=mistakes)


def penalty_mistakes(X, y):
    """Results of typical mistakes in the critical penalty."""
    m = len(y)
    v = X[y == 1].mean(axis=0) - X[y == -1].mean(axis=0)
    plus, minus = X[y == 1] @ v, X[y == -1] @ v
    right = (plus.max() - minus.min()) / 4
    return {
        "A factor ½ is lost: 1/m has m where a class mean has m/2, and the street has two edges.": (
            2 * right
        ),
        "The weights lack the factor 1/m.": m * right,
        "There is a bias: b may be any number, not 0 alone.": np.max(y * (X @ v)) / 2,
        "Those are the examples next to the line; the outermost leave the street first.": (
            (plus.min() - minus.max()) / 4
        ),
        "You take both extremes over all examples: the largest of one class limits b from above, "
        "the smallest of the other from below.": (
            (max(plus.max(), minus.max()) - min(plus.min(), minus.min())) / 4
        ),
        "The direction is the difference of the means; do not make its length 1.": (
            right / np.linalg.norm(v)
        ),
        "The means alone do not decide: every example must stand in the street.": v @ v / 4,
    }


@hidden_test("critical_penalty", points=2, message="The critical penalty of two random clouds.")
def penalty_of_clouds(student, reference, rng):
    X, y = clouds(rng, m=14, n=3, apart=2.0, centre=rng.uniform(3, 5))
    compare(
        student.critical_penalty(X, y),
        reference.critical_penalty(X, y),
        mistakes=penalty_mistakes(X, y),
    )


@hidden_test("critical_penalty", points=1, message="Overlapping clouds, far from the origin.")
def penalty_of_overlapping_clouds(student, reference, rng):
    X, y = clouds(rng, m=12, apart=0.3, centre=rng.uniform(50, 90))
    # A negative example lies farther in the direction of the positive ones than any of them.
    v = X[y == 1].mean(axis=0) - X[y == -1].mean(axis=0)
    place = np.flatnonzero(y == -1)[:2]
    X[place] += np.outer([4, -4], v) / np.linalg.norm(v)
    right = reference.critical_penalty(X, y)
    compare(student.critical_penalty(X, y), right, mistakes=penalty_mistakes(X, y), tol=1e-5)
