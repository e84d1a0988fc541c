"""What the symbols of the chapter on numerics mean.

The floats of its formulas are those of float16: its roundings are coarse enough to be seen.
"""

import numpy as np
from scipy import special

from lossutils.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, HingeLoss
from lossutils.precision import FORMATS, round_to
from tests.book.formulas.sheet import (
    Function,
    Sample,
    choice,
    index,
    interval,
    positive,
    real,
    unit,
)
from tests.book.meanings import minimiser, one, one_hot

HALF = FORMATS["float16"]


def half(x):
    """Return the nearest number of float16."""
    return float(round_to(x, "float16"))


def halves(low, high):
    """Return a Sample of numbers of float16 in a range."""
    return Sample(lambda rng: half(rng.uniform(low, high)))


def condition(f, x, h=1e-3):
    """Return the relative change of f(x) for each relative change of x, both tiny."""
    moved = [float(f(x * (1 + k * h))) for k in (-2, -1, 1, 2)]
    return abs(np.dot([1, -8, 8, -1], moved) / (12 * h) / float(f(x)))


def slope(z, y):
    return float(BCEWithLogitsLoss().grad([z], [y])[0])


def cross_entropy(s, c):
    return one(CrossEntropyLoss())(s, int(c) - 1)


def steepness(z):
    """Return f, f'' and f''' of the logistic loss, by the derivatives of tanh."""
    t = np.tanh(z / 2)
    return np.logaddexp(0, -z), (1 - t**2) / 4, -t * (1 - t**2) / 4


def third_moment(s, d):
    """Return the third moment of d around its mean, if d has the probabilities softmax(s)."""
    p = special.softmax(s)
    return p @ (d - p @ d) ** 3


def best_step(truncation, rounding):
    """Return the step at which the sum of both errors is least."""
    return np.exp(minimiser(lambda u: truncation(np.exp(u)) + rounding(np.exp(u)), -12.0, 6.0))


CHAPTER = dict(
    # floats
    fl=Function(half),
    varepsilon=HALF.eps,
    largest=HALF.largest,
    # binary cross-entropy of a score that is wrong by u
    p=lambda z: special.expit(z),
    L=lambda p, y: one(BCELoss())(p, y),
    c=lambda y: -1.0 if y else 1.0,
    u=lambda y, z: -z if y else z,
    q=lambda z: special.expit(-abs(z)) / special.expit(abs(z)),
    # a loss of one number
    f=Function(lambda z: np.logaddexp(0, -z)),
    nabla_by="w",
)

classes = dict(
    s=real("K"),
    c=index("K"),
    p=lambda s: special.softmax(s),
    L=lambda s, c: cross_entropy(s, c),
    r=lambda s, c: 1 / special.softmax(s)[int(c) - 1] - 1,
)
at_z = Function(lambda z: np.logaddexp(0, -z), at="z")
# The next derivatives of f have no zero here, so that they tell how the error falls with h.
stepped = dict(z=interval(0.5, 1.0), small="h")
sensitive = dict(kappa=lambda y: Function(lambda z: condition(lambda v: slope(v, y), z)))

TAGS = {
    "rounding": dict(
        x=real(),
        delta=lambda x: half(x) / x - 1,
        tight=dict(x=1 + HALF.eps / 2),
    ),
    "exp-edge": dict(z=halves(10.5, 11.7)),
    "absorb-edge": dict(z=halves(7.0, 8.2)),
    "CE-lead": classes,
    # In CE-lead r comes from the probability. Here it comes from the loss, since an equation of
    # r and the probability would then only restate its meaning.
    "complement": classes | dict(r=lambda L: np.expm1(L)),
    "Sterbenz": dict(
        a=halves(1, 4),
        b=Sample(lambda rng, a: half(a * rng.uniform(0.3, 3)), "a"),
        edges=[dict(b=lambda sheet: sheet["a"] / 2), dict(b=lambda sheet: sheet["a"] * 2)],
    ),
    "condition-p": dict(
        p=unit(),
        y=1.0,
        kappa=Function(lambda p: condition(lambda v: one(BCELoss())(v, 1), p)),
    ),
    "condition-z": dict(
        kappa=Function(lambda z: condition(lambda v: one(BCEWithLogitsLoss())(v, 1), z)),
    ),
    "condition-soft": dict(y=interval(0.1, 0.4), z=interval(0.5, 3), **sensitive),
    "log1mexp": dict(x=interval(0.2, 1.5)),
    "absorbed-step": dict(
        w=halves(-4, 4),
        eta=Sample(lambda rng: np.exp(rng.uniform(-9, 3))),
        # around the edge: steps of up to twice a quarter of the spacing
        g=Sample(lambda rng, w, eta: rng.uniform(-2, 2) * HALF.eps / 4 * abs(w) / eta, "w", "eta"),
        # just below a power of two the spacing is least, beside the number
        edges=[dict(w=2 - HALF.eps, eta=0.25, g=(2 - HALF.eps) * HALF.eps)],
    ),
    "newton-step": dict(y=1.0),
    "forward-error": dict(**stepped, h=interval(0.01, 0.02)),
    "central-error": dict(**stepped, h=interval(0.1, 0.2)),
    "best-forward": dict(
        f=at_z,
        z=interval(-2, 2),
        h=lambda z: best_step(
            lambda h: h / 2 * steepness(z)[1], lambda h: HALF.eps * steepness(z)[0] / h
        ),
    ),
    "best-central": dict(
        f=at_z,
        z=interval(0.3, 2),
        h=lambda z: best_step(
            lambda h: h**2 / 6 * abs(steepness(z)[2]),
            lambda h: HALF.eps * steepness(z)[0] / (2 * h),
        ),
    ),
    "Taylor-remainder": dict(
        K=3,
        s=real("K"),
        d=real("K"),
        c=index("K"),
        f=lambda c: Function(lambda s: np.log(np.sum(np.exp(s - s[int(c) - 1])))),
        h=interval(0.01, 0.02),
        small="h",
        # it is the third derivative along d, by which the error must show
        where=lambda s, d: abs(third_moment(s, d)) > 0.2,
    ),
    "kink": dict(
        f=Function(lambda u: one(HingeLoss())(1 - u, 1)),
        u=interval(-3, 3),
        h=interval(0.5, 3),
        edges=[dict(u=lambda sheet: sheet["h"]), dict(u=lambda sheet: -sheet["h"])],
    ),
    "rounded-scores": dict(
        s=real("K"),
        Delta=real("K"),
        c=index("K"),
        L=lambda c: Function(lambda s: cross_entropy(s, c)),
        # the right class is hopeless, and its score and the others' move apart
        tight=dict(
            s=lambda sheet: -60 * one_hot(sheet["c"], sheet["K"]),
            Delta=lambda sheet: 1 - 2 * one_hot(sheet["c"], sheet["K"]),
        ),
    ),
    # The sum is simulated; there is nothing to bring near the limit.
    "stagnation": dict(g=choice(*2.0 ** np.arange(-9, 4)), limit={}),
    "loss-scaling": dict(S=positive()),
}


def format_of(name):
    return dict(varepsilon=FORMATS[name].eps)


INLINE = {
    r"\kappa_f(x) = \left| \frac{x\, f'(x)}{f(x)} \right|": dict(
        x=real(),
        kappa_f=lambda f: Function(lambda x: condition(f, x)),
    ),
    r"p = \sigma(40)": dict(z=40.0),
    r"z = u": dict(y=0.0),
    r"z = -u": dict(y=1.0),
    r"-\sigma(-z) = -\sigma(u)": dict(y=1.0),
    r"f(x + x\delta) - f(x) \approx f'(x)\,x\,\delta": dict(x=real(), delta=interval(1e-3, 2e-3)),
    r"f(p) = -\log p": dict(p=unit(), f=Function(lambda p: one(BCELoss())(p, 1))),
    r"f(z) = \log(1 + e^{-z})": dict(f=Function(lambda z: one(BCEWithLogitsLoss())(z, 1))),
    r"p = e^{-x}": dict(p=unit(), x=lambda p: one(BCELoss())(p, 1)),
    r"f(z + h) = f(z) + h f'(z) + \frac{h^2}{2} f''(z) + O(h^3)": dict(
        **stepped, h=interval(0.02, 0.04)
    ),
    r"f'''(z) = f''(z)\,(1 - 2\sigma(z))": dict(z=interval(0.3, 2)),
    r"a + b - ab = a + b\,(1 - a)": dict(a=unit(), b=unit()),
    r"f(u) = \max(0, u)": dict(f=Function(lambda u: one(HingeLoss())(1 - u, 1))),
    r"\varepsilon = 2^{-23}": format_of("float32"),
    r"\varepsilon = 2^{-10}": format_of("float16"),
    r"\varepsilon = 2^{-7}": format_of("bfloat16"),
    r"h^2/6 + \varepsilon / (2h) \approx 0.006": dict(
        h=best_step(lambda h: h**2 / 6, lambda h: HALF.eps / (2 * h))
    ),
}
CONDITIONS = [r"|f| = |f'''|"]
UNREAD = {}
