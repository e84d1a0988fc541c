"""Losses with closed-form gradients, checked against finite differences and autograd.

The package of the course *From Likelihood to Gradient*:

- `lossutils.losses`: one class per loss, behind one interface;
- `lossutils.special`: sigmoid, softplus, log-sum-exp, softmax, stable for every score;
- `lossutils.linear`, `lossutils.train`: gradients of linear models, and gradient descent;
- `lossutils.vocabulary`: cross-entropy over tens of thousands of classes;
- `lossutils.verify`: numerical gradients, the Taylor test, autograd, `check_equal`;
- `lossutils.data`, `lossutils.plots`, `lossutils.explore`: data sets, figures and sliders;
- `lossutils.metrics`, `lossutils.selfcheck`: predictions judged, exercises checked;
- `lossutils.counterparts`: what PyTorch, scikit-learn, optax and Keras call each loss;
- `lossutils.results`: measurements, stored.

Importing it needs NumPy alone. PyTorch, matplotlib, ipywidgets and scikit-learn are imported where
they are used, and their absence is reported with the command that installs them.
"""

from . import (
    counterparts,
    data,
    explore,
    linear,
    losses,
    metrics,
    plots,
    results,
    selfcheck,
    special,
    train,
    verify,
    vocabulary,
)

__all__ = [
    "counterparts",
    "data",
    "explore",
    "linear",
    "losses",
    "metrics",
    "plots",
    "results",
    "selfcheck",
    "special",
    "train",
    "verify",
    "vocabulary",
]
__version__ = "0.1.0"
