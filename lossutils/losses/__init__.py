"""The losses of the course, behind one interface: see `Loss`."""

from .base import Loss
from .bce import BCELoss, BCEWithLogitsLoss
from .canonical import PoissonNLLLoss, ProbitLoss
from .cross_entropy import CrossEntropyLoss, SoftmaxBCELoss
from .decisions import DiceLoss, FocalLoss
from .hinge import HingeLoss, MulticlassHingeLoss, SquaredHingeLoss
from .mse import HuberLoss, MAELoss, MSELoss
from .mse_variants import ExpMSELoss, SigmoidMSELoss, SoftmaxMSELoss

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "DiceLoss",
    "ExpMSELoss",
    "FocalLoss",
    "HingeLoss",
    "HuberLoss",
    "Loss",
    "MAELoss",
    "MSELoss",
    "MulticlassHingeLoss",
    "PoissonNLLLoss",
    "ProbitLoss",
    "SigmoidMSELoss",
    "SoftmaxBCELoss",
    "SoftmaxMSELoss",
    "SquaredHingeLoss",
]
