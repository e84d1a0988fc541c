"""What the symbols of the chapter on language models mean."""

import numpy as np
from scipy import optimize, special, stats

from lossutils.losses import CrossEntropyLoss
from tests.book.formulas.sheet import index, integer, interval, positive, real, simplex, unit
from tests.book.meanings import one, one_hot

# ---- by another way than the chapter's -----------------------------------------------------------


def chain(p):
    """Return the probability of a text: go through the letters, and multiply."""
    log_odds = special.logit(p)  # of the right letter, of two
    return np.prod([special.expit(z) for z in log_odds])


def parts(n):
    """Return which scores belong to each micro-batch, and one for each letter."""
    sizes = n.astype(int)
    return np.split(np.arange(sizes.sum()), np.cumsum(sizes)[:-1])


def factors(n):
    """Return the gradient of the mean of means over that of the mean, of each micro-batch."""
    s = np.random.default_rng(int(n.sum())).normal(size=(int(n.sum()), 3))
    labels = np.zeros(len(s), int)
    whole = CrossEntropyLoss().grad(s, labels)
    of_means = [CrossEntropyLoss().grad(s[p], labels[p]) / len(n) for p in parts(n)]
    return np.array([g[0, 0] / whole[p[0], 0] for g, p in zip(of_means, parts(n), strict=True)])


def letter_losses(n):
    return np.random.default_rng(int(n.sum())).exponential(size=int(n.sum()))


def mean_losses(n):
    return np.array([letter_losses(n)[p].mean() for p in parts(n)])


def kept_mean(s, k):
    """Return the package's mean of scores of two classes, where a label counts or is ignored."""
    labels = np.where(k == 1, 0, -100)
    return CrossEntropyLoss(ignore_index=-100)(np.c_[s, np.zeros(len(s))], labels)


def aim(varepsilon, w, c):
    """Return the probability of class c where the weighted, smoothed loss is lowest."""
    loss = CrossEntropyLoss(label_smoothing=varepsilon, weight=w)

    def slope(s):
        return loss.grad([np.r_[0.0, s]], [int(c) - 1], reduction="sum")[0, 1:]

    found = optimize.root(slope, np.zeros(len(w) - 1), tol=1e-13).x
    return special.softmax(np.r_[0.0, found])[int(c) - 1]


def weighted_mean(w, c, rows):
    labels = c.astype(int) - 1
    s = np.random.default_rng(0).normal(size=(len(c), len(w)))
    return CrossEntropyLoss(weight=w)(s, np.eye(len(w))[labels] if rows else labels)


def chances(s, T):
    """Return probabilities at a temperature, from the losses of all labels."""
    return np.exp([-one(CrossEntropyLoss())(s / T, k) for k in range(len(s))])


def distilled(s, t, T):
    return one(CrossEntropyLoss())(s / T, chances(t, T))


def lowest_Z(q, zeta):
    """Return Z where the loss of a soft label with z-loss is lowest."""
    loss = CrossEntropyLoss(z_loss=zeta)
    s = optimize.root(lambda s: loss.grad([s], [q])[0], np.log(q) + 0.1, tol=1e-13).x
    return np.exp(special.logsumexp(s))


# ---- the declarations ----------------------------------------------------------------------------

CHAPTER = dict(
    N=integer(4, 6),
    M=integer(3, 5),
    i=index("N"),
    b=index("M"),
    n=lambda M: np.arange(2, 2 + int(M))[::-1] ** 2 % 7 + 1.0,
    s=real("K"),
    y=one_hot,
    zeta=positive(low=0.01, high=0.5),
)

batches = dict(
    N=lambda n: sum(n),
    bar_n=lambda n: np.mean(n),
    L_b=lambda n, b: mean_losses(n)[int(b) - 1],
    S_b=lambda n, b: letter_losses(n)[parts(n)[int(b) - 1]].sum(),
    L=lambda n: letter_losses(n).mean(),
)

teacher = dict(
    t=real("K"),
    T=positive(),
    p=chances,
    q=lambda t, T: chances(t, T),
    L_T=distilled,
)
log_sum = dict(Z=lambda s: np.exp(special.logsumexp(s)), p=lambda s: chances(s, 1))

TAGS = {
    "text-loss": dict(p=unit("N"), P=chain),
    "token-factor": batches | dict(a=factors),
    "mean-gap": batches,
    "accumulate": batches,
    "kept-mean": dict(
        i=index("m"),
        s=real("m"),
        k=lambda m: (np.arange(int(m)) + 1) % 2,
        l=lambda s: np.logaddexp(0, -s),
        L=kept_mean,
    ),
    "weighted-smoothing": dict(varepsilon=unit(), w=positive("K"), p_c=aim),
    "rows-labels": dict(
        i=index("m"),
        c=index("K", "m"),
        w=positive("K"),
        L_rows=lambda w, c: weighted_mean(w, c, True),
        L_labels=lambda w, c: weighted_mean(w, c, False),
    ),
    "perplexity-mean": dict(L=real("M"), tight=dict(L=lambda sheet: np.full(int(sheet["M"]), 0.7))),
    "bits-per-byte": dict(
        p=unit("N"),
        B=integer(3, 9),
        PP=lambda p: stats.gmean(1 / p),
        BPB=lambda p, B: -np.log2(chain(p)) / B,
    ),
    "distil-grad": teacher,
    "distil-limit": teacher
    | dict(
        bar_s=lambda s: np.mean(s),
        bar_t=lambda t: np.mean(t),
        limit=dict(T=1e4),
        where=lambda s, t, j: abs((s - t)[int(j) - 1] - np.mean(s - t)) > 1,
    ),
    "z-grad": log_sum,
    "z-sum": log_sum | dict(l=lambda s, y, zeta: one(CrossEntropyLoss(z_loss=zeta))(s, y)),
}

INLINE = {
    r"\zeta = 0.01": dict(zeta=0.01),
    r"\bar n = N/M": batches,
    r"q = \operatorname{softmax}(t/T)": teacher,
    r"p = \operatorname{softmax}(s/T)": teacher,
    r"e^{x} \approx 1 + x": dict(x=interval(-1e-4, 1e-4)),
    r"Z = \sum_k e^{s_k}": log_sum,
    r"\log Z = 0": dict(q=simplex("K"), Z=lowest_Z),
    r"w = 0.95 / (4 \cdot 0.05) = 4.75": dict(
        w=lambda: optimize.brentq(lambda w: aim(0.1, (1.0, w), 1) - 0.8, 1, 20)
    ),
    r"\log Z = 5 + \log 3 \approx 6.10": dict(Z=lambda: np.exp(special.logsumexp([5.0] * 3))),
}

CONDITIONS = []
UNREAD = {}
