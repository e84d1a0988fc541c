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


def flops_of_gradient(m, n, K):
    """Count the additions and multiplications in X W and in X^T G."""
    X, W, G = (
        np.frompyfunc(Counted, 1, 1)(np.ones((int(a), int(b)))) for a, b in ((m, n), (n, K), (m, K))
    )
    Counted.flops = 0
    X @ W
    X.T @ G
    return Counted.flops


def flops_of_a_number(K):
    """Count what one more number of X takes: what is neither its row's alone nor its column's."""
    small, tall, wide, both = (
        flops_of_gradient(m, n, K) for m, n in ((3, 3), (4, 3), (3, 4), (4, 4))
    )
    return both - tall - wide + small


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


def below_largest(s):
    """Return the sum of e^(s - largest): the largest probability is 1 in so many."""
    return 1 / np.max(special.softmax(s))


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
# two blocks of classes, the first of K_1: (M, t) are the largest score and the sum below it
two_blocks = dict(
    K_1=2,
    s=real("K"),
    k=index("K"),
    M=lambda s: np.max(s),
    M_1=lambda s, K_1: np.max(s[:K_1]),
    M_2=lambda s, K_1: np.max(s[K_1:]),
    t=lambda s: below_largest(s),
    t_1=lambda s, K_1: below_largest(s[:K_1]),
    t_2=lambda s, K_1: below_largest(s[K_1:]),
)
# exercise 3: scores that are such blocks
five = two_blocks | dict(K=5, K_1=3, s=np.array([0, 0, 0, np.log(5), np.log(5)]))
TAGS = {
    "gradient-sum": dict(
        m=4,
        n=2,
        P=integer(2, 3),
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
        intensity=lambda K, r: flops_of_a_number(K) / (r * np.dtype(float).itemsize),
    ),
    "roofline": dict(**machine, tight=dict(wasted=1.0)),
    "ring-time": dict(T_ring=lambda P, S, alpha, nu: ring_seconds(P, S, alpha, nu)),
    "Amdahl": dict(f=unit(), speedup=lambda f, P: speedup(f, P)),
    "online-lse": two_blocks,
    "CE-grad-block": dict(
        m=5,
        n=2,
        K=6,
        c=index("K", "m"),
        X=real("m", "n", scale=1),
        # the block: the second to the fourth class
        W_cal_B=Sample(lambda rng, n: rng.normal(size=(int(n), 3)), "n"),
        b_cal_B=Sample(lambda rng: rng.normal(size=3)),
        W_rest=Sample(lambda rng, n: rng.normal(size=(int(n), 3)), "n"),
        S_rest=lambda X, W_rest: X @ W_rest + np.array([0.5, -1.0, 0.2]),
        S_cal_B=lambda X, W_cal_B, b_cal_B: X @ W_cal_B + b_cal_B,
        S=lambda S_rest, S_cal_B: np.hstack([S_rest[:, :1], S_cal_B, S_rest[:, 1:]]),
        Y_cal_B=lambda c, K: one_hot_rows(c, K)[:, 1:4],
        ell=lambda S: special.logsumexp(S, axis=1),
        L=lambda S, c: CrossEntropyLoss()(S, c.astype(int) - 1),
    ),
    "best-nodes": dict(P_star=lambda T_1, S, alpha, nu: fastest(T_1, S, alpha, nu)),
}

INLINE = {
    r"T(P) = \frac{T_1}{P} + 2\,(P - 1)\Bigl(\alpha + \frac{S}{P\,\nu}\Bigr)": dict(
        T=lambda T_1, S, alpha, nu: Function(lambda P: T_1 / P + ring_seconds(P, S, alpha, nu)),
    ),
    r"-\frac{1}{P^2}\bigl(T_1 - \frac{2S}{\nu}\bigr) + 2\alpha = 0": dict(
        P=lambda T_1, S, alpha, nu: fastest(T_1, S, alpha, nu)
    ),
    r"t = \sum_k e^{s_k - M}": two_blocks,
    # the sums run over the first block
    r"t_1 e^{M_1 - M} = \sum_k e^{s_k - M_1} e^{M_1 - M} = \sum_k e^{s_k - M}": two_blocks
    | dict(k=index("K_1")),
    r"\ell_i = M_i + \log t_i": dict(
        s=real("m", "K"),
        M=lambda s: s.max(axis=1),
        t=lambda s: np.array([below_largest(row) for row in s]),
        ell=lambda s: special.logsumexp(s, axis=1),
    ),
    r"M = \log 5": five,
    "t = 3/5 + 2 = 2.6": five,
}
CONDITIONS = []
UNREAD = {}
