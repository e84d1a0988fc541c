"""The assignment on ten bugs: each breaks one of the laws that can be tried on it, and no other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import assignment
from lossutils._evidence import LARGEST, shown
from lossutils.laws import LAWS
from tests.grader.degenerate import recorded

LOADED = assignment.load("find_the_bug")
HIDDEN = vars(assignment.load_module(assignment.ASSIGNMENTS / "find_the_bug" / "hidden_tests.py"))
BUGS, AMONG = HIDDEN["BUGS"], HIDDEN["AMONG"]
EVIDENCE = {n: getattr(LOADED.reference, f"evidence_{n}") for n in AMONG}
NAMED = {n: evidence(6)[0] for n, evidence in EVIDENCE.items()}
ONE_LOGIT, ROWS = (6, 8), (7, 10)
"""Bugs whose scores are a logit for each example, and whose targets are rows."""


def test_no_two_bugs_break_the_same_law():
    assert sorted(NAMED.values()) == list(range(1, len(LAWS) + 1))
    assert all(NAMED[n] in among for n, among in AMONG.items())


def test_the_text_numbers_the_laws_as_the_package_does():
    cells = assignment.load_master("find_the_bug")["cells"]
    text = "".join(cells[1]["source"])
    for number, law in enumerate(LAWS, 1):
        assert f"| {number} | {law.name.replace('_', '-')} |" in text
    checks = ["".join(cell["source"]) for cell in cells]
    for n, among in AMONG.items():
        laws = ", ".join(map(str, among))
        assert f"check_evidence(evidence_{n}, bug_{n}, among=[{laws}])" in checks
        assert any(f"## {n}. " in cell and f"Laws to try: {laws}." in cell for cell in checks)


def test_each_bug_links_the_thread_in_which_it_was_noticed():
    cells = ["".join(cell["source"]) for cell in assignment.load_master("find_the_bug")["cells"]]
    headings = [cell for cell in cells if cell.startswith("## ")]
    assert len(headings) == len(AMONG)
    assert all("[How it was noticed](https://github.com/" in cell for cell in headings)


@st.composite
def batches(draw, number):
    """Draw a batch for a bug, small or large, with ties."""
    m, scale = draw(st.integers(5, 9)), draw(st.sampled_from([0.25, 2.0, 30.0, 60.0]))

    def array(shape, elements):
        size = int(np.prod(shape))
        return np.reshape(draw(st.lists(elements, min_size=size, max_size=size)), shape)

    whole = st.integers(-12, 12)
    if number in ONE_LOGIT:
        return m, scale * array(m, whole), array(m, st.integers(0, 1))
    K = {7: 4, 9: 4}.get(number, 3)
    if number in ROWS:
        rows = array((m, K), st.integers(0, 4)) + (np.arange(K) == 0)
        rows = rows / rows.sum(axis=1, keepdims=True)
        scores = array((m, K), st.integers(0, 4)) / 4 if number == 10 else None
        return m, scale * array((m, K), whole) if scores is None else scores, rows
    return m, scale * array((m, K), whole), array(m, st.integers(0, K - 1))


@pytest.mark.parametrize(
    ("number", "law"), [(n, law) for n, among in AMONG.items() for law in among if law != NAMED[n]]
)
@settings(max_examples=50)
@given(data=st.data())
def test_the_other_laws_hold(number, law, data):
    m, scores, targets = data.draw(batches(number))
    assert np.abs(scores).max() <= LARGEST
    answer = law, scores, targets
    if LAWS[law - 1].name == "repetition":
        answer += (data.draw(st.permutations(range(1, m + 1))),)
    assert shown(answer, BUGS[f"bug_{number}"], m, AMONG[number]) is None


@pytest.mark.parametrize("number", AMONG)
def test_a_repaired_function_keeps_the_law(number):
    """Where it takes what the bug takes; the others have tests of their own."""
    reference = LOADED.reference
    repaired = {
        1: lambda s, y, w=None: reference.mean_by_weights(
            s, y, np.ones(len(s)) if w is None else w
        ),
        2: reference.shifted_cross_entropy,
        3: lambda s, y: reference.weighted_rows(
            s, np.eye(3)[y] if y.ndim == 1 else y, np.array([1.0, 2.0, 4.0])
        ),
        4: reference.padded_cross_entropy,
        6: reference.unclipped_entropy,
        7: reference.distillation,
        8: lambda z, y: reference.focal_and_gradient(z, y, 2.0),
        9: lambda s, y: reference.named_cross_entropy(s, y, np.arange(4)),
        10: reference.soft_dice,
    }
    if number in repaired:
        answer = EVIDENCE[number](7)
        assert shown(answer, BUGS[f"bug_{number}"], 7, AMONG[number])
        assert shown(answer, repaired[number], 7, AMONG[number]) is None


def test_any_evidence_counts():
    """A batch of the student's own, and not that of the solution."""
    (test,) = (t for t in LOADED.tests if t.question == "evidence_5")
    sizes = [call.args["m"] for call in recorded(test, LOADED, "a seed")]
    assert len(set(sizes)) == 3

    class Student:
        def evidence_5(self, m):
            rng = np.random.default_rng(m)
            return [5.0, rng.normal(size=(m, 3)), rng.integers(3, size=m)]

    test.function(Student(), LOADED.reference, LOADED.rng(test, "a seed"))
