"""What the chapters call proved is proved, over its whole range."""

import numpy as np
import pytest
from flint import arb, ctx, fmpq

from lossutils import losses
from tests.book.intervals import RefutedError, UnprovedError, prove, prove_polynomial
from tests.book.proofs import CLAIMS, HALF, MARK, RNG, WHOLE, slope
from tests.book.proofs_of_rounding import falling, rising
from tests.book.roundings import EPS, EXP, LOG1P, exp_minus
from tests.book.test_chapters import prose, read
from tools.facts import ROOT

each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=str)


@each_claim
def test_the_claim_is_proved(claim):
    claim.prove(claim.true)


@each_claim
def test_a_stronger_claim_is_refuted(claim):
    with pytest.raises(RefutedError):
        claim.prove(claim.false)


@each_claim
def test_the_proof_is_about_what_the_package_computes(claim):
    formula, package = claim.compare()
    np.testing.assert_allclose(formula, package, rtol=1e-6, atol=1e-9)


@each_claim
def test_the_sentence_says_that_it_is_proved(claim):
    if claim.page.endswith(".py"):
        text = (ROOT / claim.page).read_text("utf8")
        assert f"{claim.sentence} (proved" in text
    else:
        text = prose(read(ROOT / f"chapters/{claim.page}.ipynb"))
        assert text.count(f"{claim.sentence} {MARK}") == 1


def test_nothing_else_is_called_proved(chapter):
    claims = [claim for claim in CLAIMS if claim.page == chapter.stem]
    assert prose(read(chapter)).count("[proved]") == len(claims)


def test_the_docstring_of_the_loss_says_it_too():
    assert "(within 2 eps, proved\n" in losses.BCEWithLogitsLoss.__doc__


def test_the_appendix_says_what_proved_means():
    assert "### What proved means\n" in prose(read(ROOT / "appendix/notation.ipynb"))


@pytest.mark.parametrize(
    ("function", "exact", "off"),
    [
        (lambda x: np.exp(-x), lambda x: (-x).exp(), EXP),
        (lambda x: np.log1p(np.exp(-x)), lambda x: arb(float(np.exp(-float(x)))).log1p(), LOG1P),
    ],
    ids=["exp", "log1p"],
)
def test_numpy_keeps_to_the_model_of_rounding(function, exact, off):
    with ctx.workprec(200):
        for x in RNG.uniform(0, 708, size=2000) * RNG.choice([1, 0.001, 0.1], size=2000):
            true = exact(arb(float(x)))
            assert abs(arb(float(function(x))) - true) <= off * arb(float(np.spacing(float(true))))


# ---- the prover itself ---------------------------------------------------------------------------


def test_what_cannot_be_decided_is_not_proved():
    with pytest.raises(UnprovedError):
        prove(lambda x: (x - arb(2).sqrt()) ** 2, 0, 2)  # equality, but not at an end
    with pytest.raises(UnprovedError):
        prove_polynomial(lambda x: (x - HALF) ** 2 + fmpq(1, 10**9), WHOLE)


def test_strict_means_positive_inside():
    prove_polynomial(slope, WHOLE, strict=True)
    prove_polynomial(lambda x: (x - HALF) ** 2, WHOLE)
    with pytest.raises(UnprovedError):
        prove_polynomial(lambda x: (x - HALF) ** 2, WHOLE, strict=True)
    prove_polynomial(lambda x: 0 * x, WHOLE)
    with pytest.raises(UnprovedError):
        prove_polynomial(lambda x: 0 * x, WHOLE, strict=True)


def test_a_false_claim_about_other_functions_is_refuted():
    with pytest.raises(RefutedError):
        prove(lambda x: x.exp() - 1 - x - x**2, 0, 1)


def test_the_model_counts_every_rounding():
    assert float(exp_minus(arb(1)).error / EPS) == pytest.approx(0.75 * 0.25 / np.exp(-1))
    assert float(rising(arb(1)).error / EPS) < float(falling(arb(1)).error / EPS) < 2
