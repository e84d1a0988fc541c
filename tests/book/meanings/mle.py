"""What the symbols of the chapter on maximum likelihood mean."""

from statistics import NormalDist

import numpy as np
from scipy import optimize, special, stats

from lossutils.losses import BCELoss, CrossEntropyLoss, MSELoss
from tests.book.formulas.sheet import Function, bit, index, integer, positive, real, simplex, unit
from tests.book.meanings import minimiser, one_hot, one_hot_rows


def most_likely_coin(h, m):
    """Return the most likely probability of heads, where it may be 0 or 1."""
    p = np.linspace(0, 1, 101)
    return p[np.argmax(stats.binom.pmf(h, m, p))]


def most_likely_sigma(errors):
    return minimiser(lambda sigma: -stats.norm.logpdf(errors, 0, sigma).sum(), 0.02, 20)


def means_of_rows(y):
    """Return the number for each row from which its values differ least, by least squares."""
    row, value = np.nonzero(np.isfinite(y))
    return np.linalg.lstsq(one_hot_rows(row + 1, len(y)), y[row, value])[0]


def middle_of_best(y):
    """Return the middle of all numbers that are most likely under Laplace noise around them.

    The likelihood has kinks at the values of y alone, so the ends of its top are among them.
    """
    likelihood = stats.laplace.logpdf(y[:, None], y).sum(axis=0)
    best = y[likelihood > likelihood.max() - 1e-9]
    return (min(best) + max(best)) / 2


def least_cross_entropy(targets):
    """Return the constant probabilities of least loss, by a search over scores."""
    m, K = targets.shape
    loss = CrossEntropyLoss()

    def value_and_grad(s):
        scores = np.tile(s, (m, 1))
        return loss(scores, targets), loss.grad(scores, targets).sum(axis=0)

    found = optimize.minimize(value_and_grad, np.zeros(K), jac=True, options={"gtol": 1e-10})
    return special.softmax(found.x)


def class_probability(label, p):
    """Return the probability of a class, given by its number or as a one-hot vector."""
    return stats.multinomial.pmf(one_hot(label, len(p)) if np.ndim(label) == 0 else label, 1, p)


# The chapter's y is one label, and its y_i are a record of them.
CHAPTER = dict(
    p=unit(),
    P=Function(stats.bernoulli.pmf),
    record=bit("m"),
    y_i=lambda record, i: record[int(i) - 1],
    h=lambda record: np.count_nonzero(record),
    # a single record is one of those with as many heads, which are equally probable
    cal_L=lambda h, m: Function(lambda p: stats.binom.pmf(h, m, p) / special.comb(m, h)),
    L=lambda record: Function(lambda p: BCELoss()(np.full(len(record), p), record)),
    hat_p=lambda h, m: minimiser(lambda p: -stats.binom.logpmf(h, m, p), 0, 1),
    sigma=positive(),
    b=positive(),
    s=real(),
    kink=lambda s: s,
)

mixed = dict(where=lambda h, m: 0 < h < m)
sample = dict(y=real("m"), y_i=lambda y, i: y[int(i) - 1])
gaussian = dict(y=real(), p=lambda sigma: Function(lambda y, s: NormalDist(s, sigma).pdf(y)))
laplace = dict(y=real(), p=lambda b: Function(lambda y, s: stats.laplace.pdf(y, s, b)))
classes = dict(p=simplex("K"), y=lambda c, K: one_hot(c, K), P=Function(class_probability))
line = sample | dict(
    x=real("m"),
    w=real(),
    b=real(),
    s=lambda x, w, b: np.polyval([w, b], x),
    L=lambda s, y: MSELoss()(s, y),
)
labels = dict(
    m=integer(12, 13),
    labels=index("K", "m"),
    where=lambda labels, K: len(set(labels)) == K,  # a class not seen has the score -∞
    f=lambda labels, K: one_hot_rows(labels, K).mean(axis=0),
    m_k=lambda labels, k: np.count_nonzero(labels == k),
    hat_p=lambda labels, K: least_cross_entropy(one_hot_rows(labels, K)),
)

TAGS = {
    "coin-mle": mixed,
    "Gaussian": gaussian,
    "Gaussian-integral": gaussian,
    "Gaussian-NLL": gaussian,
    "Gaussian-mle": sample
    | dict(hat_s=lambda y, sigma: minimiser(lambda s: -stats.norm.logpdf(y, s, sigma).sum())),
    "Laplace": laplace,
    "Laplace-NLL": laplace,
    "Laplace-mle": sample | dict(hat_s=middle_of_best),
    "categorical-sum": classes,
    "cross-entropy": classes,
    "categorical-mle": labels,
    "line-grad": line,
}

shares = dict(f=simplex("K"), p=lambda f: least_cross_entropy(f[None]))
three_heads = dict(hat_p=lambda: most_likely_coin(3, 3), p=lambda: most_likely_coin(3, 3))
objects = dict(
    k=integer(2, 3),
    i=index("k"),
    j=index("m"),
    y=real("k", "m"),
    mu=real("k"),
    hat_mu=means_of_rows,
    hat_sigma=lambda y, hat_mu: most_likely_sigma((y - hat_mu[:, None])[np.isfinite(y)]),
)
unequal = objects | dict(  # at least two measurements of each object, and the rest missing
    extra=index("more", "k"),
    more=4,
    m=lambda extra: extra + 1,
    full=real("k", "m_max"),
    m_max=5,
    y=lambda full, m: np.where(np.arange(1, 6) <= m[:, None], full, np.nan),
    M=lambda y: np.count_nonzero(np.isfinite(y)),
)

INLINE = {
    # The coin. The p are fractions of m, so that the slope is 0 at some of them.
    r"\frac{h}{p} - \frac{m - h}{1 - p} = 0 \quad\Longrightarrow\quad "
    r"h (1 - p) = (m - h)\, p": dict(heads=integer(1, 4), p=lambda heads, m: heads / m),
    r"\mathcal{L} = p^m": dict(
        record=lambda m: np.ones(int(m)), cal_L=lambda h, m, p: stats.binom.pmf(h, m, p)
    ),
    "p = 1": three_heads,
    r"\hat p = 3/3 = 1": three_heads,
    "p = 0.7": dict(p=lambda: minimiser(lambda p: -stats.binom.logpmf(7, 10, p), 0, 1)),
    r"\log \mathcal{L}(p) = \sum_{i=1}^{m} \log P(y_i \mid p), \qquad "
    r"P(y \mid p) = p^y (1 - p)^{1 - y}": {},
    # the squared error of the package, as a sum
    r"\sum_{i=1}^{m} (y_i - s_i)^2": sample
    | dict(s=real("m"), clause_1=lambda s, y: MSELoss()(s, y, reduction="sum")),
    # noise: both are the same quantile, one with the score as the mean
    r"y = s + \eta": dict(
        u=unit(),
        y=lambda u, s, sigma: stats.norm.ppf(u, s, sigma),
        eta=lambda u, sigma: stats.norm.ppf(u, 0, sigma),
    ),
    r"b = \sqrt{1/2}": dict(
        b=lambda: optimize.brentq(lambda b: stats.laplace.var(scale=b) - 1, 0.1, 5)
    ),
    # classes
    r"f \log \frac{f}{p} + (1 - f) \log \frac{1 - f}{1 - p} \;\ge\; f \left(1 - \frac{p}{f}\right) "
    r"+ (1 - f) \left(1 - \frac{1 - p}{1 - f}\right) = 0": dict(
        f=unit(), p=unit(), tight=dict(p=lambda sheet: sheet["f"])
    ),
    r"\sum_k f_k \log f_k - \sum_k f_k \log p_k = \sum_k f_k \log \frac{f_k}{p_k} \;\ge\; "
    r"\sum_k f_k \left(1 - \frac{p_k}{f_k}\right) = 1 - 1 = 0": dict(
        f=simplex("K"), p=simplex("K"), tight=dict(p=lambda sheet: sheet["f"])
    ),
    "p_k = f_k": shares,
    "t = f_k / p_k": dict(
        f=simplex("K"), p=simplex("K"), t=lambda f, p, k: f[int(k) - 1] / p[int(k) - 1]
    ),
    r"\log t \ge 1 - 1/t": dict(t=positive(low=0.1), tight=dict(t=1)),
    "t = 1": dict(t=lambda: minimiser(lambda t: np.log(t) + 1 / t, 0.1, 5)),
    r"p_k = e^{s_k} / \sum_j e^{s_j}": dict(s=real("K"), p=lambda s: special.softmax(s)),
    "s = wx + b": line,
    # the exercises
    r"P(y \mid r) = r^y e^{-r} / y!": dict(
        r=positive(), y=integer(0, 5), P=Function(stats.poisson.pmf)
    ),
    r"r = m / \sum_i y_i": sample
    | dict(
        y=positive("m"),
        r=lambda y: minimiser(lambda r: -stats.expon.logpdf(y, scale=1 / r).sum(), 0, 5),
    ),
    r"\sigma^2 = \frac{1}{m} \sum_i e_i^2": dict(e=real("m"), sigma=lambda e: most_likely_sigma(e)),
    # the assignment
    r"L(s, \sigma) = \frac{1}{m} \sum_{i=1}^{m} \left[ \frac{(y_i - s_i)^2}{2 \sigma^2} + "
    r"\log\!\left(\sigma \sqrt{2\pi}\right) \right]": sample
    | dict(
        s=real("m"),
        L=lambda y: Function(lambda s, sigma: -stats.norm.logpdf(y, s, sigma).mean()),
    ),
    r"p(y_i \mid s) = \frac{1}{2 b_i}\, e^{-|y_i - s| / b_i}": sample
    | dict(
        b=positive("m"),
        p=lambda b, i: Function(lambda y, s: stats.laplace.pdf(y, s, b[int(i) - 1])),
    ),
    r"\hat\mu_i = \frac{1}{m} \sum_{j=1}^{m} y_{ij}, \qquad \hat\sigma^2 = \frac{1}{k m} "
    r"\sum_{i=1}^{k} \sum_{j=1}^{m} (y_{ij} - \hat\mu_i)^2": objects,
    r"\hat\sigma^2 = \frac{1}{M} \sum_{i=1}^{k} \sum_{j=1}^{m_i} (y_{ij} - \hat\mu_i)^2, \qquad "
    r"\hat\mu_i = \frac{1}{m_i} \sum_{j=1}^{m_i} y_{ij}": unequal,
    r"y_{ij} = \mu_i + \sigma \eta_{ij}": objects
    | dict(
        u=unit("k", "m"),
        y=lambda u, mu, sigma: stats.norm.ppf(u, mu[:, None], sigma),
        eta=lambda u: stats.norm.ppf(u),
    ),
    r"M = \sum_{i=1}^{k} m_i": unequal,
}
CONDITIONS = [r"j = 2, 3, \dots, m"]
UNREAD = {}
