"""Names in other libraries: they exist, and PyTorch's and scikit-learn's return what is claimed."""

import numpy as np
import pytest

from lossutils.counterparts import KINDS, TABLE, Counterpart, counterparts
from lossutils.losses import BCELoss, Loss, MSELoss, MulticlassHingeLoss
from lossutils.losses.targets import RealTargets
from tests.cases import ALL, each

pytest.importorskip("torch")
pytest.importorskip("sklearn")

K = 3
ENTRIES = [entry for entries in TABLE.values() for entry in entries]
DEFAULTS = [
    loss for loss in ALL if loss in (type(loss)(), MulticlassHingeLoss(variant="weston-watkins"))
]
# theirs as a multiple of ours; 1 where nothing is said
FACTORS = {
    ("SigmoidMSELoss", "torch"): 2,
    ("SigmoidMSELoss", "sklearn"): 2,
    ("OneVsRestCrossEntropyLoss", "torch"): 1 / K,
    ("MulticlassHingeLoss weston-watkins", "torch"): 1 / K,
}


def batch(loss: Loss, seed: int):
    """Draw 20 scores and hard labels, in the shape that the loss takes them."""
    rng = np.random.default_rng(seed)
    if loss.score_shape(np.zeros(20, dtype=int)) == (20, 2):  # classes
        return rng.normal(size=(20, K)), rng.integers(0, K, size=20)
    scores = rng.uniform(0.01, 0.99, size=20) if loss == BCELoss() else rng.normal(size=20)
    if isinstance(loss, RealTargets):
        return scores, rng.normal(size=20)
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
def test_every_loss_has_a_counterpart_that_is_measured(loss):
    found = counterparts(loss)
    assert set(found) <= set(KINDS)
    assert type(loss).__name__ == "SquaredHingeLoss" or any(c.evaluate for c in found.values())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_names_exist_where_the_library_is_installed(entry):
    if entry.installed:
        assert entry.function() is not None
    assert entry.name.startswith(("torch.", "sklearn.")) <= entry.installed


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if e.kind == "sklearn model"], ids=Counterpart.markdown
)
def test_a_model_learns_with_the_options_that_are_named(entry):
    X, y = np.arange(-4.5, 5)[:, None], np.repeat([0, 1], 5)
    model = entry.function()
    fitted = (model() if isinstance(model, type) else model).fit(X, y)
    assert np.mean((fitted.predict(X) > 0.5) == y) > 0.8


def test_an_option_that_is_wrong_is_noticed():
    with pytest.raises(TypeError, match="from_logit"):
        Counterpart("torch.nn.BCELoss", options={"from_logits": True}).function()


def test_a_name_that_is_wrong_is_noticed():
    with pytest.raises(AttributeError):
        Counterpart("torch.nn.MeanSquaredError").function()


def test_a_counterpart_reads_as_code():
    found = counterparts(BCELoss())
    assert found["torch"].markdown() == "`nn.BCELoss`"
    assert Counterpart("a.b.C", "sigmoid({s})").markdown() == "`b.C` of `sigmoid(s)`"
    assert Counterpart("a.B", options={"x": 1}).markdown() == "`B(x=1)`"


def test_what_is_no_loss_of_the_course_and_what_is_no_function_are_refused():
    with pytest.raises(ValueError, match=r"no counterpart of .* is known; known are MSELoss"):
        counterparts(Loss())
    with pytest.raises(ValueError, match=r"keras\.losses\.MeanSquaredError is known by name only"):
        counterparts(MSELoss())["keras"]([1.0], [1.0])
