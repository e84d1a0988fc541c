"""The losses of the course, behind one interface: see `Loss`."""

from .base import Loss
from .bce import BCELoss, BCEWithLogitsLoss
from .cross_entropy import CrossEntropyLoss, SoftmaxBCELoss
from .hinge import HingeLoss, MulticlassHingeLoss, SquaredHingeLoss
from .mse import MSELoss
from .mse_variants import ExpMSELoss, SigmoidMSELoss, SoftmaxMSELoss
from .robust import (
    GaussianNLLLoss,
    HuberLoss,
    LogCoshLoss,
    MAELoss,
    QuantileLoss,
    StudentTLoss,
)

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "ExpMSELoss",
    "GaussianNLLLoss",
    "HingeLoss",
    "HuberLoss",
    "LogCoshLoss",
    "Loss",
    "MAELoss",
    "MSELoss",
    "MulticlassHingeLoss",
    "QuantileLoss",
    "SigmoidMSELoss",
    "SoftmaxBCELoss",
    "SoftmaxMSELoss",
    "SquaredHingeLoss",
    "StudentTLoss",
]
