"""What the symbols of the chapter on scaling mean."""

import numpy as np
from scipy import special

from lossutils.losses import BCEWithLogitsLoss, CrossEntropyLoss
from tests.book.formulas.sheet import (
    Function,
    Sample,
    bit,
    index,
    integer,
    interval,
    positive,
    real,
    unit,
)
from tests.book.meanings import minimiser, one_hot_rows


class Counted(float):
    """A number that counts how often its like are added or multiplied."""

    flops = 0

    def __mul__(self, other):
        Counted.flops += 1
        return Counted(float(self) * float(other))

    def __add__(self, other):
        Counted.flops += 1
        return Counted(float(self) + float(other))


def flops_of_gradient(m, n, K, running=False):
    """Count the additions and multiplications in X W and in X^T G.

    If they are running, each product is added to a matrix that is there already.
    """
    X, W, G = (
        np.frompyfunc(Counted, 1, 1)(np.ones((int(a), int(b)))) for a, b in ((m, n), (n, K), (m, K))
    )
    Counted.flops = 0
    products = X @ W, X.T @ G
    if running:
        G + products[0], W + products[1]
    return Counted.flops


def bytes_sent(P, S):
    """Return what each machine of a ring sends: a chunk to the right, round by round.

    Machine k has all the summands of chunk c at first from itself alone. The sum of a chunk travels
    until it holds those of all machines, and then as a copy until all have it.
    """
    P = int(P)
    holds = [[{k} for _ in range(P)] for k in range(P)]  # whose summands are in chunk c
    rounds = 0
    while any(len(summands) < P for chunks in holds for summands in chunks):
        sent = [holds[k][(k - rounds) % P] for k in range(P)]
        for k in range(P):
            left = (k - 1) % P
            holds[k][(left - rounds) % P] = holds[k][(left - rounds) % P] | sent[left]
        rounds += 1
    return rounds * S / P


def ring_seconds(P, S, alpha, nu):
    """Run clocks: a machine goes on when it and its left neighbour have ended the round before."""
    clock = np.zeros(int(P))
    for _ in range(round(bytes_sent(P, S) / (S / P))):
        clock = np.maximum(clock, np.roll(clock, 1)) + alpha + S / P / nu
    return clock.max()


def speedup(f, P):
    """Return the time on one machine over that on P: they share a part f, one does the rest."""
    rest, shares = 1 - f, np.full(int(P), f / P)
    return (rest + shares.sum()) / (rest + shares.max())


def deal(rng, m, P):
    """Deal the rows 1 to m out by lot, so that no shard is empty."""
    shard = rng.permutation(np.arange(int(m)) % int(P))
    return [{int(i) + 1 for i in np.flatnonzero(shard == p)} for p in range(int(P))]


def fastest(T_1, S, alpha, nu):
    """Search for the number of nodes with the least time of a step.

    Between whole numbers the clocks of the ring are continued by their first and second round.
    """
    rounds = [bytes_sent(P, 1) * P for P in (2, 3)]

    def seconds(P):
        ring = rounds[0] + (P - 2) * (rounds[1] - rounds[0])
        return T_1 / P + ring * (alpha + S / P / nu)

    return minimiser(seconds, 0.5, 20.0)


CHAPTER = dict(
    P=integer(2, 5),
    p=index("P"),
    # of a ring, in units that give every term a share
    S=positive(),
    alpha=positive(low=0.1, high=0.3),
    nu=positive(),
    T_1=interval(10, 20),
)
# many rows and features, since only then 2n - 1 is about 2n
large = dict(m=integer(15, 20), n=integer(13, 18))
# a task of some flops that moves some bytes, on a machine that wastes some time
machine = dict(
    work=positive(),
    moved=positive(),
    peak=positive(),
    bandwidth=positive(),
    wasted=interval(1.1, 2),
    intensity=lambda work, moved: work / moved,
    speed=lambda work, moved, peak, bandwidth, wasted: (
        work / (wasted * max(work / peak, moved / bandwidth))
    ),
)
# two blocks of scores: (M, t) is their largest and the sum below it
two_blocks = dict(
    K_1=2,
    s=real("K"),
    k=index("K"),
    M=lambda s: np.max(s),
    M_1=lambda s: np.max(s[:2]),
    M_2=lambda s: np.max(s[2:]),
    t=lambda s: special.softmax(s).max() ** -1,
    t_1=lambda s: special.softmax(s[:2]).max() ** -1,
    t_2=lambda s: special.softmax(s[2:]).max() ** -1,
)
TAGS = {
    "gradient-sum": dict(
        X=real("m", "n", scale=1),
        y=bit("m"),
        z=lambda X, w, b: X @ w + b,
        L=lambda z, y: BCEWithLogitsLoss()(z, y),
        l=lambda z, y: BCEWithLogitsLoss()(z, y, reduction="none"),
        S=Sample(deal, "m", "P"),
        nabla_by="w",
    ),
    "gradient-flops": dict(**large, flops=lambda m, n, K: flops_of_gradient(m, n, K)),
    "intensity": dict(
        r=integer(1, 3),
        # The equation counts as many additions as multiplications. That is exact for products
        # that are added to what is there.
        flops=lambda m, n, K: flops_of_gradient(m, n, K, running=True),
        intensity=lambda m, n, flops, r: flops / (r * np.ones((int(m), int(n))).nbytes),
        flops_per_byte=1.0,
    ),
    "roofline": dict(**machine, tight=dict(wasted=1.0)),
    "ring-time": dict(T_ring=ring_seconds),
    "Amdahl": dict(f=unit(), speedup=speedup),
    "online-lse": two_blocks,
    "CE-grad-block": dict(
        K=7,
        c=index("K", "m"),
        X=real("m", "n", scale=1),
        # the block: the second to the fifth class
        W_cal_B=Sample(lambda rng, n: rng.normal(size=(int(n), 4)), "n"),
        b_cal_B=Sample(lambda rng: rng.normal(size=4)),
        W_rest=Sample(lambda rng, n: rng.normal(size=(int(n), 3)), "n"),
        S_rest=lambda X, W_rest: X @ W_rest + np.array([0.5, -1.0, 0.2]),
        S_cal_B=lambda X, W_cal_B, b_cal_B: X @ W_cal_B + b_cal_B,
        S=lambda S_rest, S_cal_B: np.hstack([S_rest[:, :1], S_cal_B, S_rest[:, 1:]]),
        Y_cal_B=lambda c, K: one_hot_rows(c, K)[:, 1:5],
        ell=lambda S: special.logsumexp(S, axis=1),
        L=lambda S, c: CrossEntropyLoss()(S, c.astype(int) - 1),
    ),
    "best-nodes": dict(P_star=fastest),
}

# the exercise: one block of scores with the sum 3 · e^0, one with 2 · e^(log 5)
blocks_of_exercise = dict(
    s=lambda: np.log([1, 1, 1, 5, 5]),
    M=lambda s: s.max(),
    t=lambda s, M: np.exp(special.logsumexp(s) - M),
)
block = dict(
    s=real("K"),
    k=index("K"),
    M=lambda s: np.max(s),
    t=lambda s: special.softmax(s).max() ** -1,
)

INLINE = {
    r"T(P) = \frac{T_1}{P} + 2\,(P - 1)\Bigl(\alpha + \frac{S}{P\,\nu}\Bigr)": dict(
        T=lambda T_1, S, alpha, nu: Function(lambda P: T_1 / P + ring_seconds(P, S, alpha, nu)),
    ),
    r"-\frac{1}{P^2}\bigl(T_1 - \frac{2S}{\nu}\bigr) + 2\alpha = 0": dict(
        P=fastest,
    ),
    r"t = \sum_k e^{s_k - M}": block,
    r"t_1 e^{M_1 - M} = \sum_k e^{s_k - M_1} e^{M_1 - M} = \sum_k e^{s_k - M}": block
    | dict(
        # the block begins with some of all scores
        others=real("K"),
        M_1=lambda s: np.max(s),
        t_1=lambda s: special.softmax(s).max() ** -1,
        M=lambda s, others: np.max([s, others]),
    ),
    r"\ell_i = M_i + \log t_i": dict(
        s=real("m", "K"),
        M=lambda s: s.max(axis=1),
        t=lambda s: special.softmax(s, axis=1).max(axis=1) ** -1,
        ell=lambda s: special.logsumexp(s, axis=1),
    ),
    r"M = \log 5": blocks_of_exercise,
    "t = 3/5 + 2 = 2.6": blocks_of_exercise,
}
CONDITIONS = []
UNREAD = {}
