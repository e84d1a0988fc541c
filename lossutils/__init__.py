"""Losses with closed-form gradients, checked against finite differences and autograd.

The package of the course *From Likelihood to Gradient*:

- `lossutils.losses`: one class per loss, behind one interface;
- `lossutils.special`: sigmoid, softplus, log-sum-exp, softmax, stable for every score;
- `lossutils.linear`, `lossutils.train`: gradients of linear models, and gradient descent;
- `lossutils.verify`: numerical gradients, the Taylor test, autograd, `check_equal`;
- `lossutils.data`, `lossutils.plots`, `lossutils.explore`: data sets, figures and sliders;
- `lossutils.metrics`, `lossutils.selfcheck`: decisions counted, exercises checked.

Importing it needs NumPy alone. PyTorch, matplotlib, ipywidgets and scikit-learn are imported where
they are used, and their absence is reported with the command that installs them.
"""

from . import (
    data,
    explore,
    linear,
    losses,
    metrics,
    plots,
    selfcheck,
    special,
    train,
    verify,
)

__all__ = [
    "data",
    "explore",
    "linear",
    "losses",
    "metrics",
    "plots",
    "selfcheck",
    "special",
    "train",
    "verify",
]
__version__ = "0.1.0"
