"""What the symbols of the book mean, to check what it prints: one module for each chapter.

A module declares

- ``CHAPTER``: the meanings of the chapter's symbols, where they differ from `SHARED`;
- ``TAGS``: for some tagged equations, symbols that mean something else there, or options of the
  check (see `tests.book.formulas.checking.check`);
- ``INLINE``: the same for formulas in sentences, by their LaTeX;
- ``CONDITIONS``: formulas in sentences that state nothing, such as "where $s > 0$";
- ``UNREAD``: formulas that cannot be read, by tag or LaTeX, each with the reason.

**A meaning never restates the formula.** It is the package's loss, a distribution of SciPy, a
search, an integral or a count; else the check would only prove that the print equals the test.
"""

import numpy as np
from scipy import special, stats

from tests.book.formulas.operators import minimise
from tests.book.formulas.sheet import Function, bit, index, integer, real, sign


def one(loss):
    """Return a loss of the package as a function of one example's scores and target."""
    return lambda s, y: float(np.squeeze(loss([s], [y], reduction="none")))


def one_hot(c, K):
    return np.eye(int(K))[int(c) - 1]


def one_hot_rows(c, K):
    return np.eye(int(K))[np.asarray(c, int) - 1]


def minimiser(f, low=-20.0, high=20.0):
    """Return where a function of one number is least."""
    return minimise(f, low, high)


SHARED = dict(
    # elementary functions
    max=Function(lambda *values: max(values)),
    min=Function(lambda *values: min(values)),
    sign=Function(np.sign),
    clip=Function(np.clip),
    median=Function(lambda *values: np.median(values)),
    diag=Function(np.diag),
    expm1=Function(np.expm1),
    log1p=Function(np.log1p),
    cosh=Function(np.cosh),
    tanh=Function(np.tanh),
    softmax=Function(special.softmax),
    sigma=Function(special.expit),
    Phi=Function(stats.norm.cdf),
    # sizes and indices
    m=integer(5, 6),
    n=integer(2, 3),
    K=integer(3, 4),
    i=index("m"),
    j=index("K"),
    k=index("K"),
    c=index("K"),
    upper_sign=sign(),
    # a linear score
    x=real("n", scale=1),
    w=real("n", scale=1),
    b=real(),
    z=lambda x, w, b: x @ w + b,
    y=bit(),
)
