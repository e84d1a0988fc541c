"""The names in other libraries exist, and functions of PyTorch and scikit-learn agree with ours."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils.counterparts import TABLE, Counterpart, counterparts, torch_loss
from lossutils.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    DPOLoss,
    ExpMSELoss,
    GaussianNLLLoss,
    HuberLoss,
    Loss,
    MAELoss,
    MSELoss,
    MulticlassHingeLoss,
    PoissonNLLLoss,
    ProbitLoss,
    QuantileLoss,
    SigmoidMSELoss,
    StudentTLoss,
)
from lossutils.losses.targets import GradeTargets, RealTargets
from lossutils.verify import torch_value_and_grad
from tests.cases import ALL, each, example

torch = pytest.importorskip("torch")
metrics = pytest.importorskip("sklearn.metrics")

K = 3
WEIGHT = (0.5, 2.0, 1.0)
ENTRIES = [entry for entries in TABLE.values() for entry in entries]
DEFAULTS = [
    loss for loss in ALL if loss in (type(loss)(), MulticlassHingeLoss(variant="weston-watkins"))
]
# their loss divided by ours, if that is not 1
FACTORS = {
    ("SigmoidMSELoss", "torch"): 2,
    ("SigmoidMSELoss", "sklearn"): 2,
    ("SoftmaxBCELoss", "torch"): 1 / K,
    ("MulticlassHingeLoss weston-watkins", "torch"): 1 / K,
}


def batch(loss: Loss, seed: int):
    """Draw 20 scores and hard labels in the shapes that the loss accepts."""
    rng = np.random.default_rng(seed)
    if isinstance(loss, GaussianNLLLoss):
        return rng.normal(size=(20, 2)), rng.normal(size=20)
    if isinstance(loss, GradeTargets):
        return rng.normal(size=(20, 2)), rng.permuted(np.tile([0, 1], (20, 1)), axis=1)
    if isinstance(loss, DPOLoss):
        return rng.normal(size=(20, 2)), rng.normal(size=(20, 2))
    if loss.score_shape(np.zeros(20, dtype=int)) == (20, 2):  # classes
        return rng.normal(size=(20, K)), rng.integers(0, K, size=20)
    scores = rng.uniform(0.01, 0.99, size=20) if loss == BCELoss() else rng.normal(size=20)
    if isinstance(loss, RealTargets):
        return scores, rng.normal(size=20)
    if isinstance(loss, PoissonNLLLoss):
        return scores, rng.poisson(2.0, size=20)
    signs = rng.choice([-1, 1], size=20)
    return scores, signs if "Hinge" in type(loss).__name__ else (signs + 1) // 2


@each(DEFAULTS)
def test_a_counterpart_returns_our_loss_times_its_factor(loss):
    name = f"{type(loss).__name__} {getattr(loss, 'variant', '')}".removesuffix(" crammer-singer")
    for kind, theirs in counterparts(loss).items():
        if theirs.evaluate is None:
            continue
        for seed in range(3):
            scores, targets = batch(loss, seed)
            factor = FACTORS.get((name.strip(), kind), 1)
            assert theirs(scores, targets) == pytest.approx(
                factor * loss(scores, targets), rel=1e-12
            )


@each(DEFAULTS)
def test_every_loss_has_a_counterpart_that_can_be_called(loss):
    found = counterparts(loss)
    assert set(found) <= {"torch", "sklearn", "sklearn model", "optax", "keras"}
    only_names = ("SquaredHingeLoss", "StudentTLoss", "LogCoshLoss", "FocalLoss", "DiceLoss")
    assert type(loss).__name__ in only_names or any(c.evaluate for c in found.values())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_names_exist_where_the_library_is_installed(entry):
    if entry.installed:
        assert entry.function() is not None
    assert entry.name.startswith(("torch.", "sklearn.")) <= entry.installed


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if e.kind == "sklearn model"], ids=Counterpart.markdown
)
def test_a_model_learns_with_its_options(entry):
    X, y = np.arange(-4.5, 5)[:, None], np.repeat([0, 1], 5)
    y = np.stack([y, 1 - y], axis=1) if entry.wraps else y
    model = entry.function()
    fitted = (model() if isinstance(model, type) else model).fit(X, y)
    assert np.mean((fitted.predict(X) > 0.5) == y) > 0.8


def test_a_wrong_option_is_an_error():
    with pytest.raises(TypeError, match="from_logit"):
        Counterpart("torch.nn.BCELoss", options={"from_logits": True}).function()


def test_a_wrong_name_is_an_error():
    with pytest.raises(AttributeError):
        Counterpart("torch.nn.MeanSquaredError").function()


def test_a_counterpart_reads_as_code():
    found = counterparts(BCELoss())
    assert found["torch"].markdown() == "`nn.BCELoss`"
    assert Counterpart("a.b.C", "sigmoid({s})").markdown() == "`b.C` of `sigmoid(s)`"
    assert Counterpart("a.B", options={"x": 1}).markdown() == "`B(x=1)`"
    assert Counterpart("torchvision.ops.f").markdown() == "`torchvision.ops.f`"
    assert Counterpart("torchvision.ops.f").kind == "torch"


@pytest.mark.parametrize(
    "loss", [SigmoidMSELoss(), BCELoss(), BCEWithLogitsLoss(), ProbitLoss()], ids=repr
)
def test_counterparts_take_several_labels(loss):
    """scikit-learn's own functions would read such rows as one of K classes."""
    rng = np.random.default_rng(0)
    scores, labels = rng.uniform(0.1, 0.9, size=(20, K)), rng.integers(2, size=(20, K))
    several = isinstance(loss, BCEWithLogitsLoss)
    found = counterparts(loss, several_labels=several)
    for kind in ("torch", "sklearn"):
        factor = FACTORS.get((type(loss).__name__, kind), 1)
        ours = factor * loss(scores, labels)
        assert found[kind](scores, labels) == pytest.approx(ours, rel=1e-12)
        assert np.isfinite(found[kind](scores, np.ones((20, K))))


def test_a_model_for_several_labels_is_named_with_the_model_that_it_wraps():
    model = counterparts(BCEWithLogitsLoss(), several_labels=True)["sklearn model"]
    assert model.markdown() == "`multioutput.MultiOutputClassifier(LogisticRegression())`"
    with pytest.raises(ValueError, match=r"no counterpart of MSELoss\(\) for several labels is"):
        counterparts(MSELoss(), several_labels=True)


def test_an_unknown_loss_and_a_name_without_a_function_are_refused():
    with pytest.raises(ValueError, match=r"no counterpart of .* is known; known are MSELoss"):
        counterparts(Loss())
    with pytest.raises(ValueError, match=r"only the name of keras.*Error is known"):
        counterparts(MSELoss())["keras"]([1.0], [1.0])


# ---- torch_loss ---------------------------------------------------------------------------------


def test_pytorch_first_computes_the_exponential_of_one_number(monkeypatch):
    """If MKL starts with exponentials on several threads, they may have only half the digits."""
    exp, sizes = torch.exp, []
    monkeypatch.setattr(torch, "exp", lambda s: sizes.append(s.numel()) or exp(s))
    torch_value_and_grad(ExpMSELoss(), np.zeros((1000, 5)), np.zeros(1000, dtype=int))
    assert sizes == [1, 5000]


def pytorch_modules(nn=torch.nn):
    """Return each loss, its module in PyTorch, and the factor between them."""
    return [
        (MSELoss(), nn.MSELoss(), 1),
        (MAELoss(), nn.L1Loss(), 1),
        (HuberLoss(delta=0.25), nn.HuberLoss(delta=0.25), 1),
        (BCELoss(), nn.BCELoss(), 1),
        (BCEWithLogitsLoss(), nn.BCEWithLogitsLoss(), 1),
        (PoissonNLLLoss(), nn.PoissonNLLLoss(), 1),
        (CrossEntropyLoss(), nn.CrossEntropyLoss(), 1),
        (CrossEntropyLoss(label_smoothing=0.1), nn.CrossEntropyLoss(label_smoothing=0.1), 1),
        (BCEWithLogitsLoss(3.0), nn.BCEWithLogitsLoss(pos_weight=torch.tensor(3.0)), 1),
        (CrossEntropyLoss(weight=WEIGHT), nn.CrossEntropyLoss(torch.tensor(WEIGHT).double()), 1),
        (CrossEntropyLoss(ignore_index=2), nn.CrossEntropyLoss(ignore_index=2), 1),
        (MulticlassHingeLoss(variant="weston-watkins"), nn.MultiMarginLoss(), 3),
    ]


def test_losses_equal_those_of_pytorch():
    """This compares with PyTorch directly, without `torch_loss` and the table."""
    for loss, module, factor in pytorch_modules():
        scores, targets = example(loss)
        if targets.ndim == 1 and scores.ndim == 1:
            targets = targets.astype(float)
        expected = module(torch.tensor(scores), torch.tensor(targets)).item()
        assert_allclose(loss(scores, targets), factor * expected, rtol=1e-14)


def test_distributions_of_pytorch_have_our_losses():
    """Up to their constants."""
    (scores, targets), dist = example(StudentTLoss()), torch.distributions
    s, y = torch.tensor(scores), torch.tensor(targets)
    for loss, law in (
        (StudentTLoss(df=3.0, scale=2.0), lambda centre: dist.StudentT(3.0, centre, 2.0)),
        (MAELoss(), lambda centre: dist.Laplace(centre, 1.0)),
    ):
        theirs = (law(y).log_prob(y) - law(s).log_prob(y)).mean().item()
        assert_allclose(loss(scores, targets), theirs, rtol=1e-12)
    scores, targets = example(GaussianNLLLoss())
    mean, variance = torch.tensor(scores[:, 0]), torch.tensor(np.exp(scores[:, 1]))
    for full in (False, True):
        theirs = torch.nn.GaussianNLLLoss(full=full)(mean, torch.tensor(targets), variance)
        assert_allclose(GaussianNLLLoss(full)(scores, targets), theirs.item(), rtol=1e-14)


def test_losses_equal_those_of_scikit_learn():
    errors = np.array([0.5, -1.0, 2.0])
    theirs = metrics.mean_pinball_loss(np.zeros(3), errors, alpha=0.9)
    assert_allclose(QuantileLoss(quantile=0.9)(errors, np.zeros(3)), theirs)
    scores, labels = example(CrossEntropyLoss())
    assert_allclose(MulticlassHingeLoss()(scores, labels), metrics.hinge_loss(labels, scores))
    p, y = np.array([0.1, 0.6, 0.9]), np.array([0, 1, 1])
    assert_allclose(BCELoss()(p, y), metrics.log_loss(y, p), rtol=1e-14)


def test_the_first_of_equal_violations_gets_the_gradient():
    """It does so in the closed form too. PyTorch's amax would divide the gradient among them."""
    _, grad = torch_value_and_grad(MulticlassHingeLoss(), np.zeros((1, 3)), np.array([2]))
    assert_array_equal(grad, [[1.0, 0.0, -1.0]])


def test_an_unknown_loss_has_no_counterpart():

    class Cubed(RealTargets):
        def __repr__(self):
            return "Cubed()"

    with pytest.raises(ValueError, match="counterpart") as caught:
        torch_loss(Cubed())
    found, _, known = str(caught.value).partition("; known are ")
    assert found == "no PyTorch counterpart of Cubed() is known"
    assert set(known.split(", ")) == {type(loss).__name__ for loss in ALL}
