"""The losses of the course, behind one interface: see `Loss`."""

from .base import Loss
from .bce import BCELoss, BCEWithLogitsLoss
from .canonical import PoissonNLLLoss, ProbitLoss
from .comparisons import DPOLoss, InfoNCELoss, PairwiseHingeLoss, PairwiseLogisticLoss
from .cross_entropy import CrossEntropyLoss, SoftmaxBCELoss
from .decisions import DiceLoss, FocalLoss
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
    "DPOLoss",
    "DiceLoss",
    "ExpMSELoss",
    "FocalLoss",
    "GaussianNLLLoss",
    "HingeLoss",
    "HuberLoss",
    "InfoNCELoss",
    "LogCoshLoss",
    "Loss",
    "MAELoss",
    "MSELoss",
    "MulticlassHingeLoss",
    "PairwiseHingeLoss",
    "PairwiseLogisticLoss",
    "PoissonNLLLoss",
    "ProbitLoss",
    "QuantileLoss",
    "SigmoidMSELoss",
    "SoftmaxBCELoss",
    "SoftmaxMSELoss",
    "SquaredHingeLoss",
    "StudentTLoss",
]
