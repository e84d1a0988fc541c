"""Evidence that a loss breaks a law: what counts, and what is said of what does not."""

import numpy as np
import pytest

from lossutils._evidence import shown
from lossutils.selfcheck import check_evidence


def cross_entropy(scores, labels, weights=None):
    """Divide by the number of examples, whatever their weights."""
    gap = scores - scores.max(axis=1, keepdims=True)
    losses = np.log(np.exp(gap).sum(axis=1)) - gap[np.arange(len(labels)), labels]
    return np.mean(losses if weights is None else weights * losses)


SCORES, LABELS = [[0.0, 1.0], [2.0, 0.0]], [0, 1]


def told(*answer, among=(5, 6, 7), size=2):
    with pytest.raises(ValueError, match=r".") as caught:
        shown(answer, cross_entropy, size, among)
    return str(caught.value)


def test_a_batch_shows_the_case_with_its_numbers():
    case = shown((6, SCORES, LABELS, [1, 3]), cross_entropy, 2, [5, 6])
    assert case.startswith("the weights [1 3] give 3.8")
    assert shown((6.0, SCORES, LABELS, [1, 1]), cross_entropy, 2, [5, 6]) is None
    assert shown((5, SCORES, LABELS), cross_entropy, 2, [5, 6]) is None


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((6, SCORES), "return a tuple"),
        ((6, SCORES, "one"), "must be numbers"),
        (([6], SCORES, LABELS), "one of the laws 5, 6, 7"),
        ((1, SCORES, LABELS), "one of the laws 5, 6, 7"),
        ((6, SCORES, LABELS), "only repetition needs a fourth entry"),
        ((5, SCORES, LABELS, [1, 1]), "only repetition needs a fourth entry"),
        ((5, SCORES * 2, LABELS * 2), "give 2 examples, one in each row"),
        ((5, [[0.0, 1001.0]] * 2, LABELS), "between -1,000 and 1,000"),
        ((5, [[0.0, np.nan]] * 2, LABELS), "between -1,000 and 1,000"),
        ((5, SCORES, [0, 2]), "from 0 to 1"),
        ((5, SCORES, [0, -1]), "from 0 to 1"),
        ((5, SCORES, [0.5, 0]), "from 0 to 1"),
        ((5, SCORES, [[0, 2.0], [1, 0]]), "must lie in [0, 1]"),
        ((6, SCORES, LABELS, [0.5, 1]), "whole numbers"),
        ((6, SCORES, LABELS, [0, 0]), "whole numbers"),
        ((7, SCORES, [-100, 1]), "ignore all of them"),
        ((7, SCORES, [-100, -100]), "cannot be computed"),
    ],
)
def test_what_is_no_evidence_is_told(answer, text):
    assert text in told(*answer)


def test_a_loss_that_is_nan_shows_nothing():
    with pytest.raises(ValueError, match="it is NaN"):
        shown((1, SCORES, LABELS), lambda s, y: np.nan, 2, [1])


def test_predictions_that_cost_less_than_the_truth_are_shown():
    def product(p, y):
        return np.mean(1 - 2 * (p * y).sum(axis=1) / (p + y).sum(axis=1))

    y = np.array([[0.5, 0.5]])
    case = shown((9, np.ones((1, 2)), y), product, 1, [9])
    assert case == "these predictions cost 0.33333, and the truth itself 0.5"
    assert shown((9, y, y), product, 1, [9]) is None
    with pytest.raises(ValueError, match="predictions must lie"):
        shown((9, 2 * y + 1, y), product, 1, [9])


def test_each_example_must_show_that_the_pull_is_gone():
    def stuck(z, y):
        return 0.0, np.where(np.abs(z) > 9, 0.0, 1 / (1 + np.exp(-z)) - y) / len(z)

    assert "the gradient is 0, and should be 1" in shown((8, [50.0], [0]), stuck, 1, [8])
    assert shown((8, [50.0, 1.0], [0, 0]), stuck, 2, [8]) is None


def evidence(m):
    return 6, np.outer(np.arange(m), [0.0, 1.0]), np.zeros(m, dtype=int), 1 + np.arange(m)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (evidence, "evidence(6): right. The weights [1 2 3 4 5 6] give "),
        (lambda m: (5, *evidence(m)[1:3]), "<lambda>(6): not yet. Here this law holds.\n"),
        (lambda m: (5, 1, 2), "<lambda>(6): not yet. It is no evidence: give 6 examples"),
        (lambda m: 1 / 0, "raised    ZeroDivisionError: division by zero\n  where     line "),
    ],
)
def test_the_check_prints_what_the_batch_shows(function, said, capsys):
    check_evidence(function, cross_entropy, among=[5, 6])
    assert said in capsys.readouterr().out


def test_the_check_waits_for_an_answer(capsys):
    def later(m):
        raise NotImplementedError

    check_evidence(later, cross_entropy, among=[5])
    assert capsys.readouterr().out.startswith("later: waiting for your answer.")
