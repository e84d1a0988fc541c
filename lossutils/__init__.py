"""Losses with closed-form gradients, checked against finite differences and autograd.

The package of the course *From Likelihood to Gradient*:

- `lossutils.losses`: one class per loss, behind one interface;
- `lossutils.special`: sigmoid, softplus, log-sum-exp, softmax, stable for every score;
- `lossutils.linear`, `lossutils.train`: gradients of linear models, and gradient descent;
- `lossutils.chunks`, `lossutils.sweep`: the same over dask arrays, and at every point of a grid;
- `lossutils.vocabulary`: cross-entropy over tens of thousands of classes;
- `lossutils.verify`: numerical gradients, the Taylor test, autograd, `check_equal`;
- `lossutils.verdicts`: conclusions from experiments, and what they must survive;
- `lossutils.data`: the data sets;
- `lossutils.plots`, `lossutils.figures`, `lossutils.explore`: figures and sliders;
- `lossutils.metrics`, `lossutils.selfcheck`: predictions judged, exercises checked;
- `lossutils.precision`: number formats, and how many digits of a result are right;
- `lossutils.counterparts`: the same losses in PyTorch, scikit-learn, optax and Keras;
- `lossutils.results`: measurements, stored.

Importing it needs NumPy alone. PyTorch, matplotlib, ipywidgets, scikit-learn, dask and joblib are
imported where they are used, and their absence is reported with the command that installs them.
"""

from . import (
    chunks,
    counterparts,
    data,
    explore,
    figures,
    linear,
    losses,
    metrics,
    plots,
    precision,
    results,
    selfcheck,
    special,
    sweep,
    train,
    verdicts,
    verify,
    vocabulary,
)

__all__ = [
    "chunks",
    "counterparts",
    "data",
    "explore",
    "figures",
    "linear",
    "losses",
    "metrics",
    "plots",
    "precision",
    "results",
    "selfcheck",
    "special",
    "sweep",
    "train",
    "verdicts",
    "verify",
    "vocabulary",
]
__version__ = "0.1.0"
