"""What the symbols of the chapter on comparisons mean."""

from functools import cache

import numpy as np
from scipy import special, stats

from lossutils.losses import DPOLoss, InfoNCELoss, PairwiseHingeLoss, PairwiseLogisticLoss
from lossutils.train import Fit
from lossutils.verify import numerical_gradient
from tests.book.formulas.sheet import (
    Function,
    Sample,
    index,
    integer,
    interval,
    positive,
    real,
    sample,
    simplex,
)
from tests.book.meanings import one

# ---- pairs ---------------------------------------------------------------------------------------

NOISE, WIDTH = np.linspace(-6, 44, 4001, retstep=True)


def tasted(s):
    """Return how often each item tastes better than each other, by an integral over the noise."""

    def wins(lead):
        return np.sum(stats.gumbel_r.pdf(NOISE) * stats.gumbel_r.cdf(NOISE + lead)) * WIDTH

    return np.array([[wins(a - b) for b in s] for a in s])


def pair(loss, s, i, j):
    """Return the loss of a pair of a list, of which the first is the better."""
    return one(loss)(s[[int(i) - 1, int(j) - 1]], [1, 0])


def strengths(beats):
    """Return the most likely scores for a table of wins, by Zermelo's iteration."""
    games, p = beats + beats.T, np.ones(len(beats))
    for _ in range(3000):
        p = beats.sum(axis=1) / (games / (p[:, None] + p)).sum(axis=1)
        p /= p.mean()
    return np.log(p)


def grades(*shape):
    return sample(lambda rng, size: rng.integers(0, 4, size=size) + 0.0, *shape)


# ---- candidates ----------------------------------------------------------------------------------


def ratios(jar, recipes, rho):
    """Return how much likelier a normal recipe is with its jar than alone."""
    return stats.norm.pdf(recipes, rho * jar, np.sqrt(1 - rho**2)) / stats.norm.pdf(recipes)


def place_of_the_right_one(jar, recipes, rho):
    """Return the probability of each place, from the densities of whole rows."""
    rows = np.tile(stats.norm.pdf(recipes), (len(recipes), 1))
    np.fill_diagonal(rows, stats.norm.pdf(recipes, rho * jar, np.sqrt(1 - rho**2)))
    density = rows.prod(axis=1)
    return density / density.sum()


class Table:
    """All rows of N candidates for a small table of jars and recipes, each with its probability."""

    def __init__(self, joint, N):
        self.joint, self.N = joint, N
        self.jars, self.recipes = joint.sum(axis=1), joint.sum(axis=0)
        self.rows = list(np.ndindex(*[len(self.recipes)] * N))

    def chances(self, jar, row):
        """Return the probability of a row with the right one at each place."""
        alone = self.recipes[list(row)]
        given = self.joint[jar, list(row)] / self.jars[jar]
        others = [np.prod(np.delete(alone, k)) for k in range(self.N)]
        return self.jars[jar] * given * others / self.N

    def loss(self):
        """Return the lowest mean loss: the entropy of the place, given jar and row."""
        cases = [self.chances(q, row) for q in range(len(self.jars)) for row in self.rows]
        return sum(c.sum() * stats.entropy(c) for c in cases)

    def information(self):
        return stats.entropy(self.joint.ravel(), np.outer(self.jars, self.recipes).ravel())

    def divergence(self):
        """Return that of rows with the right one among them from rows without, over the jars."""
        alone = [np.prod(self.recipes[list(row)]) for row in self.rows]
        by_jar = [[self.chances(q, row).sum() for row in self.rows] for q in range(len(self.jars))]
        return sum(np.sum(p) * stats.entropy(p, alone) for p in by_jar)


# ---- the cook ------------------------------------------------------------------------------------


@cache
def best_habits(rho, r, beta):
    """Return the best habits by small steps uphill."""
    rho, r = np.array(rho), np.array(r)
    pi = rho
    for _ in range(600):
        pi = special.softmax(np.log(pi) + 0.1 / beta * (r - beta * np.log(pi / rho)))
    return pi


def bargain(pi, rho, r, beta):
    pi = np.ravel(pi)
    return pi @ r - beta * stats.entropy(pi, rho)


def preference(log_pi, log_rho, i, j, beta):
    both = [int(i) - 1, int(j) - 1]
    return one(DPOLoss(float(beta)))(log_pi[both], log_rho[both])


def downhill(theta, phi, rho, i, j, beta):
    """Return the direction of a step down the gradient of the loss."""

    def loss(at):
        return preference(special.log_softmax(phi @ at), np.log(rho), i, j, beta)

    return -numerical_gradient(loss, theta)


# ---- the chapter ---------------------------------------------------------------------------------

CHAPTER = dict(
    s=real("K"),
    i=index("K"),
    j=index("K"),
    k=index("K"),
    gamma=positive(),
    tau=interval(0.2, 2),
    beta=interval(0.3, 2),
)

tongue = dict(
    g=Function(stats.gumbel_r.pdf),
    G=Function(stats.gumbel_r.cdf),
    t=real(),
)
of_pair = dict(L=lambda s, i, j: pair(PairwiseLogisticLoss(), s, i, j), where=lambda i, j: i != j)
features = dict(
    X=real("K", "n", scale=1),
    x=lambda X: X,
    s=lambda X, w: Fit(w, 0.0, None).scores(X),
)
lists = features | dict(
    y=grades("K"),
    L=lambda s, y: one(PairwiseLogisticLoss())(s, y),
    where=lambda y: len(set(y)) > 2,
)
table = dict(
    N=integer(2, 3),
    joint=Sample(lambda rng: rng.dirichlet(np.full(6, 0.7)).reshape(2, 3)),
    rows=lambda joint, N: Table(joint, int(N)),
    L_star=lambda rows: rows.loss(),
    I=lambda rows: rows.information(),
    D=lambda rows: rows.divergence(),
)
cook = dict(
    rho=simplex("K"),
    r=real("K", scale=1),
    pi=simplex("K"),
    pi_star=lambda rho, r, beta: best_habits(tuple(rho), tuple(r), float(beta)),
    Z=lambda pi_star, rho, r, beta: np.exp(bargain(pi_star, rho, r, beta) / beta),
    J=lambda rho, r, beta: Function(lambda pi: bargain(pi, rho, r, beta)),
)
trained = dict(
    rho=simplex("K"),
    theta=real("n", scale=1),
    phi=real("K", "n", scale=1),
    eta=0.0,
    down=downhill,
    pi=lambda theta, phi, eta, down: special.softmax(phi @ (theta + eta * down)),
    bar_phi=lambda phi, pi: np.average(phi, axis=0, weights=pi),
    L=lambda pi, rho, i, j, beta: preference(np.log(pi), np.log(rho), i, j, beta),
    h=lambda L: special.logit(np.exp(-L)),
    where=lambda i, j: i != j,
)

TAGS = {
    "BT": dict(p=tasted),
    "BT-Gumbel": tongue,
    "odds-chain": dict(p=tasted, s=real("K", scale=1)),
    "pair-grad": of_pair,
    "wins-match": dict(
        beats=sample(lambda rng, size: rng.integers(1, 6, size=size) + 0.0, "K", "K"),
        none=lambda beats: beats * (1 - np.eye(len(beats))),
        n=lambda none: none + none.T,
        W=lambda none: none.sum(axis=1),
        s=lambda none: strengths(none),
    ),
    "RankNet-grad": lists,
    "triplet": dict(
        a=real("n"),
        b=real("n"),
        c=real("n"),
        L=lambda a, b, c, gamma: one(PairwiseHingeLoss(float(gamma)))(
            [-np.square(a - b).sum(), -np.square(a - c).sum()], [1, 0]
        ),
    ),
    "InfoNCE": dict(
        N=integer(3, 5),
        s=real("N"),
        c=index("N"),
        L=lambda s, c, tau: one(InfoNCELoss(float(tau)))(s, int(c) - 1),
    ),
    "NCE-posterior": dict(
        N=integer(3, 5),
        k=index("N"),
        jar=real(scale=1),
        recipes=real("N", scale=1),
        share=interval(0.2, 0.9),
        f=lambda jar, recipes, share: ratios(jar, recipes, share),
        P=lambda jar, recipes, share: place_of_the_right_one(jar, recipes, share),
    ),
    "NCE-gap": table,
    "decoupled": dict(
        c=index("K"),
        L=lambda s, c, tau: one(InfoNCELoss(float(tau)))(s, int(c) - 1),
        L_D=lambda s, c, tau: one(InfoNCELoss(float(tau), decoupled=True))(s, int(c) - 1),
    ),
    "tilted": cook,
    "tilted-gap": cook,
    "implicit-reward": cook,
    "DPO": dict(
        pi=simplex("K"),
        rho=simplex("K"),
        L=lambda pi, rho, i, j, beta: preference(np.log(pi), np.log(rho), i, j, beta),
    ),
    "DPO-grad": trained,
    "chosen-rate": trained,
}

INLINE = {
    r"L = \max\bigl(0,\; \gamma - (s_i - s_j)\bigr)": dict(
        L=lambda s, i, j, gamma: pair(PairwiseHingeLoss(float(gamma)), s, i, j),
        where=lambda i, j: i != j,
    ),
    r"J(\pi) = \sum_{k=1}^{K} \pi_k\, r_k - \beta \sum_{k=1}^{K} \pi_k \log"
    r" \frac{\pi_k}{\rho_k}": cook,
    r"G(t) = e^{-e^{-t}}": tongue,
    r"s_i = w^\top x_i": features,
    r"\pi = \pi^*": cook | dict(pi=lambda pi_star: pi_star),
    r"\bar\phi = \sum_k \pi_k \phi_k": trained,
}
CONDITIONS = []
UNREAD = {}

graded = dict(s=real("K"), y=grades("K"), where=lambda y: len(set(y)) > 2)
DOCSTRINGS = {
    "PairwiseLogisticLoss": graded | dict(l=lambda s, y: one(PairwiseLogisticLoss())(s, y)),
    "PairwiseHingeLoss": graded
    | dict(l=lambda s, y, gamma: one(PairwiseHingeLoss(float(gamma)))(s, y)),
    "InfoNCELoss": dict(
        c=index("K"),
        y=lambda c, K: np.eye(int(K))[int(c) - 1],
        l=lambda s, c, tau: one(InfoNCELoss(float(tau)))(s, int(c) - 1),
    ),
    "DPOLoss": dict(
        s=sample(lambda rng, size: 2 * rng.normal(size=2)),
        r=sample(lambda rng, size: 2 * rng.normal(size=2)),
        varepsilon=interval(0.01, 0.4),
        l=lambda s, r, beta, varepsilon: one(DPOLoss(float(beta), float(varepsilon)))(s, r),
        h=lambda s, r, beta: special.logit(np.exp(-one(DPOLoss(float(beta)))(s, r))),
    ),
}
