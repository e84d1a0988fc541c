"""Losses of comparisons: accuracy, limits, ties, kinks, denominators, and what they equal."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lossutils.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    DPOLoss,
    HingeLoss,
    InfoNCELoss,
    MulticlassHingeLoss,
    PairwiseHingeLoss,
    PairwiseLogisticLoss,
)
from lossutils.special import exact_product, exact_quotient, sigmoid
from tests.cases import CANDIDATES, GRADE, PREFERENCE, each, example, refusal
from tests.dual import mp
from tests.reference import (
    assert_accurate,
    errors_in_eps,
    grid,
    labels_for,
    precisions,
    reference,
    score_rows,
    widths,
)

TEMPERATURES = pytest.mark.parametrize("temperature", [0.07, 0.5, 1.0, 3.0])


def grades_for(rows):
    """Return grades in which some items of a row are equal; the first row is all equal."""
    grades = np.random.default_rng(0).integers(-1, 2, size=rows.shape)
    grades[0] = 1
    return grades


def rows_without_subnormals(dtype, K, temperature):
    """Return rows of scores; division by a low temperature would enlarge a subnormal's error."""
    rows = score_rows(dtype, K)
    gap = (rows.max(axis=1, keepdims=True) - rows) / temperature
    tiny = -np.log(np.finfo(dtype).tiny)
    return rows[~((gap > tiny - 3) & (gap < 1.1 * tiny)).any(axis=1)]


# ---- pairs of a list -----------------------------------------------------------------------------


@each([*GRADE, PairwiseHingeLoss(margin=0.3)])
@precisions
@widths
def test_pairs_are_accurate_in_both_tails(loss, dtype, K):
    rows = score_rows(dtype, K)
    assert_accurate(loss, rows, grades_for(rows), eps=100)


@each([*GRADE, PairwiseHingeLoss(margin=0.3)])
def test_one_pair_has_no_sum_that_could_cancel(loss):
    rows = score_rows(np.float64, 2)
    for grades in ([1, 0], [0, 1]):
        assert_accurate(loss, rows, np.tile(grades, (len(rows), 1)), eps=4)


@each(GRADE)
@pytest.mark.parametrize("grades", [[1, 0, 0], [0, 1, 1], [0, 1, -1]])
def test_one_infinite_score_gives_the_limit(loss, grades):
    rows = np.array([[np.inf, 0.0, 3.0], [-np.inf, 0.0, 3.0]])
    assert_accurate(loss, rows, np.array([grades, grades]), eps=4)


@each(GRADE)
def test_two_scores_of_infinity_have_no_limit_unless_they_are_tied(loss):
    assert np.isnan(loss([[np.inf, np.inf, 0.0]], [[1, 0, 0]]))
    value, grad = loss.value_and_grad([[np.inf, np.inf, 0.0]], [[1, 1, 0]])
    assert value == 0.0
    assert_array_equal(grad, [[0.0, 0.0, 0.0]])


@each(GRADE)
def test_ties_are_left_out_and_only_the_order_of_the_grades_counts(loss):
    scores, grades = np.array([[0.5, -1.0, 2.0, 0.0]]), np.array([[3, 1, 1, 0]])
    value, grad = loss.value_and_grad(scores, grades)
    again, same = loss.value_and_grad(scores, [[np.inf, -7.5, -7.5, -np.inf]])
    assert value == again
    assert_array_equal(grad, same)
    value, grad = loss.value_and_grad(scores, np.ones((1, 4)))
    assert value == 0.0
    assert_array_equal(grad, np.zeros((1, 4)))
    assert np.isnan(loss([[np.nan, 1.0]], [[1, 1]]))


@each(GRADE)
def test_a_list_is_the_sum_of_its_pairs(loss):
    rng = np.random.default_rng(0)
    scores, grades = rng.normal(size=(1, 5)), rng.integers(3, size=(1, 5))
    pairs = [[i, j] for i in range(5) for j in range(i)]
    of_pairs = loss(scores[0][pairs], grades[0][pairs], reduction="sum")
    assert_allclose(loss(scores, grades), of_pairs, rtol=1e-14)


@each(GRADE)
def test_a_constant_changes_nothing_and_the_gradient_sums_to_zero(loss):
    scores, grades = example(loss)
    assert_allclose(loss(scores + 1024.0, grades), loss(scores, grades), rtol=1e-14)
    assert_allclose(loss.grad(scores, grades).sum(axis=1), 0.0, atol=1e-15)


def test_a_pair_is_binary_cross_entropy_of_the_difference_and_cross_entropy_of_both_scores():
    rng = np.random.default_rng(0)
    scores, first = rng.normal(size=(30, 2)), rng.integers(2, size=30)
    grades = np.stack([first, 1 - first], axis=1)
    value, grad = PairwiseLogisticLoss().value_and_grad(scores, grades)
    lead, slope = BCEWithLogitsLoss().value_and_grad(scores[:, 0] - scores[:, 1], first)
    both, slopes = CrossEntropyLoss().value_and_grad(scores, 1 - first)
    assert_allclose([lead, both], [value, value], rtol=1e-14)
    assert_allclose(grad, np.stack([slope, -slope], axis=1), rtol=1e-13)
    assert_allclose(grad, slopes, rtol=1e-13)


@pytest.mark.parametrize("margin", [0.5, 1.0])
def test_a_pair_is_the_hinge_of_the_difference_and_one_winner_that_of_weston_and_watkins(margin):
    rng = np.random.default_rng(0)
    scores, first = rng.normal(size=(30, 2)), rng.choice([-1, 1], size=30)
    loss = PairwiseHingeLoss(margin)
    value = loss(scores, np.stack([first, -first], axis=1))
    assert value == HingeLoss(margin)(scores[:, 0] - scores[:, 1], first)
    scores, winner = rng.normal(size=(30, 4)), rng.integers(4, size=30)
    of_classes = MulticlassHingeLoss(margin, variant="weston-watkins")
    ours, theirs = (
        loss.value_and_grad(scores, np.eye(4)[winner]),
        of_classes.value_and_grad(scores, winner),
    )
    assert_allclose(ours[0], theirs[0], rtol=1e-14)
    assert_allclose(ours[1], theirs[1], rtol=1e-14, atol=1e-16)


def test_the_triplet_loss_of_pytorch_is_the_hinge_of_distances_but_for_its_eps():
    torch = pytest.importorskip("torch")
    points = np.random.default_rng(0).normal(size=(3, 20, 4))
    anchor, near, far = points
    distances = np.stack([np.linalg.norm(anchor - x, axis=1) for x in (near, far)], axis=1)
    ours = PairwiseHingeLoss(0.5)(-distances, np.tile([1, 0], (20, 1)))
    tensors = [torch.tensor(x) for x in points]
    theirs = [torch.nn.TripletMarginLoss(margin=0.5, eps=eps)(*tensors) for eps in (0.0, 1e-6)]
    assert_allclose(ours, theirs[0].item(), rtol=1e-14)
    assert ours != theirs[1].item()
    assert_allclose(ours, theirs[1].item(), rtol=1e-5)


@each(GRADE[1:])
def test_gradient_at_a_kink_is_zero(loss):
    assert_array_equal(loss.grad([[loss.margin, 0.0]], [[1, 0]]), [[0.0, 0.0]])


ONE_EACH = "nothing broadcasts, so give one target for each score"
EMPTY = "a mean over no example is undefined, so skip empty batches"
REFUSED_GRADES = [
    ({"scores": [1.0, 2.0, 3.0]}, "scores must have shape (m, K), got (3,)"),
    ({"scores": np.zeros((0, 3))}, f"the batch is empty (scores have shape (0, 3)); {EMPTY}"),
    (
        {"scores": np.zeros((3, 1)), "targets": np.zeros((3, 1))},
        "scores must have at least two columns, one for each item of a list, got shape (3, 1)",
    ),
    ({"targets": [1, 0, 2]}, f"scores have shape (3, 3) but targets have shape (3,); {ONE_EACH}"),
    (
        {"targets": [[1, 0, 2], [0, np.nan, np.nan], [1, 2, 3]]},
        "targets must be grades that have an order, got NaN in row 1; "
        "leave items without a grade out",
    ),
]


@each(GRADE)
@pytest.mark.parametrize(("change", "text"), REFUSED_GRADES)
def test_bad_grades_are_refused_with_the_remedy(loss, change, text):
    scores, targets = example(loss)
    arguments = {"scores": scores, "targets": targets, **change}
    for call in (loss, loss.grad):
        assert refusal(call, **arguments) == f"{type(loss).__name__}: {text}"


# ---- candidates ----------------------------------------------------------------------------------


@precisions
@widths
@TEMPERATURES
def test_info_nce_is_accurate_at_every_temperature(dtype, K, temperature):
    rows = rows_without_subnormals(dtype, K, temperature)
    assert_accurate(InfoNCELoss(temperature), rows, labels_for(rows), eps=8)


@widths
@TEMPERATURES
def test_decoupled_info_nce_is_accurate_except_where_its_value_changes_its_sign(K, temperature):
    rows = rows_without_subnormals(np.float64, K, temperature)
    loss, labels = InfoNCELoss(temperature, decoupled=True), labels_for(rows)
    values, grads = errors_in_eps(loss, rows, labels)
    assert grads.max() <= 8
    one_hot = np.eye(K)[labels]
    true = [reference(loss, *map(tuple, pair)).value for pair in zip(rows, one_hot, strict=True)]
    size = np.abs(rows).max(axis=1) / temperature
    assert values[[abs(v) > 0.1 * x for v, x in zip(true, size, strict=True)]].max() <= 40


@each(CANDIDATES)
def test_a_candidate_of_minus_infinity_is_left_out(loss):
    scores = np.array([[0.5, -np.inf, 1.0, -np.inf, -0.25]])
    value, grad = loss.value_and_grad(scores, [2])
    expected, slopes = loss.value_and_grad(scores[:, [0, 2, 4]], [1])
    assert_allclose(value, expected, rtol=1e-15)
    assert_allclose(grad[:, [0, 2, 4]], slopes, rtol=1e-15)
    assert_array_equal(grad[:, [1, 3]], [[0.0, 0.0]])


@each(CANDIDATES[:2])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_limits_of_candidates(loss, label):
    rows = np.array([[np.inf, 0.0, 3.0], [-np.inf, 0.0, 3.0]])
    assert_accurate(loss, rows, np.array([label, label]), eps=4)


def test_limits_of_the_decoupled_loss():
    loss = InfoNCELoss(decoupled=True)
    assert loss([[np.inf, 0.0, 3.0]], [0]) == -np.inf
    assert loss([[-np.inf, 0.0, 3.0]], [0]) == np.inf
    assert_array_equal(loss.grad([[0.0, np.inf, 3.0]], [0]), [[-1.0, 1.0, 0.0]])
    assert np.isnan(loss([[0.0, -np.inf, -np.inf]], [0]))


@pytest.mark.parametrize("K", [2, 5, 100])
def test_equal_scores_cost_the_log_of_the_number_of_candidates_in_the_sum(K):
    scores = np.full((1, K), 0.7)
    assert_allclose(InfoNCELoss(0.1)(scores, [0]), np.log(K), rtol=1e-15)
    decoupled = InfoNCELoss(0.1, decoupled=True)(scores, [0])
    assert_allclose(decoupled, np.log(K - 1), rtol=1e-15)


@TEMPERATURES
def test_both_denominators_differ_by_the_right_candidate_alone(temperature):
    scores, labels = example(InfoNCELoss())
    loss = InfoNCELoss(temperature)(scores, labels, reduction="none")
    decoupled = InfoNCELoss(temperature, decoupled=True)(scores, labels, reduction="none")
    assert_allclose(loss, np.log1p(np.exp(decoupled)), rtol=1e-14)


@TEMPERATURES
def test_the_temperature_divides_scores_and_so_the_gradient(temperature):
    scores, labels = example(InfoNCELoss())
    value, grad = InfoNCELoss(temperature).value_and_grad(scores, labels)
    expected, slopes = CrossEntropyLoss().value_and_grad(scores / temperature, labels)
    assert_allclose(value, expected, rtol=1e-14)
    assert_allclose(grad, slopes / temperature, rtol=1e-13)


@pytest.mark.parametrize("bad", [0, -1.0, np.inf, np.nan])
def test_a_bad_option_that_must_be_positive_is_refused(bad):
    text = f"must be a positive, finite number, got {bad!r}"
    assert refusal(InfoNCELoss, temperature=bad) == f"InfoNCELoss: temperature {text}"
    assert refusal(PairwiseHingeLoss, margin=bad) == f"PairwiseHingeLoss: margin {text}"
    assert refusal(DPOLoss, beta=bad) == f"DPOLoss: beta {text}"


# ---- preferences ---------------------------------------------------------------------------------


@precisions
@pytest.mark.parametrize("beta", [0.1, 0.3, 1.0])
def test_dpo_is_accurate_in_both_tails(dtype, beta):
    rows = score_rows(dtype, 2)
    for targets in (np.zeros_like(rows), np.roll(rows, 7, axis=0)):
        assert_accurate(DPOLoss(beta), rows, targets, eps=4)


def test_smoothed_dpo_is_accurate():
    rows = score_rows(np.float64, 2)
    loss = DPOLoss(0.3, label_smoothing=0.1)
    assert_accurate(loss, rows, np.roll(rows, 7, axis=0), eps=12)


@pytest.mark.parametrize(
    ("scores", "targets"),
    [
        ([1e16, 3.0], [1e16 - 2.0, 1.0]),
        ([1e16, 0.7], [1e16, 0.3]),
        ([-1e300, 0.25], [-1e300, 3.5]),
    ],
)
def test_what_is_left_when_log_probabilities_cancel_is_exact(scores, targets):
    assert_accurate(DPOLoss(), [scores], [targets], eps=4)


@each(PREFERENCE)
def test_infinite_log_probabilities_give_the_limit(loss):
    rows = [[np.inf, 0.0], [-np.inf, 0.0], [0.0, np.inf], [0.0, -np.inf]]
    assert_accurate(loss, rows, np.ones((4, 2)), eps=4)


def test_where_policy_and_reference_agree_the_loss_is_log_2_and_the_slope_half_of_beta():
    scores = np.random.default_rng(0).normal(scale=50, size=(9, 2))
    value, grad = DPOLoss(0.3).value_and_grad(scores, scores, reduction="none")
    assert_array_equal(value, np.full(9, np.log(2)))
    assert_allclose(grad, np.tile([-0.15, 0.15], (9, 1)), rtol=1e-15)


def test_dpo_is_bradley_and_terry_with_the_implicit_reward_for_a_score():
    rng = np.random.default_rng(0)
    policy, of_reference = rng.normal(size=(2, 30, 2))
    reward = 0.3 * (policy - of_reference)
    value, grad = DPOLoss(0.3).value_and_grad(policy, of_reference)
    expected, slopes = PairwiseLogisticLoss().value_and_grad(reward, np.tile([1, 0], (30, 1)))
    assert_allclose(value, expected, rtol=1e-14)
    assert_allclose(grad, 0.3 * slopes, rtol=1e-13)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.4])
def test_label_smoothing_gives_a_pair_a_minimum(share):
    loss = DPOLoss(beta=2.0, label_smoothing=share)
    best = np.log((1 - share) / share) / 2
    assert_allclose(loss.grad([[best, 0.0]], [[0.0, 0.0]]), [[0.0, 0.0]], atol=1e-16)
    assert_allclose(sigmoid(2 * best), 1 - share, rtol=1e-14)


@pytest.mark.parametrize("bad", [-0.1, 0.5, 1.0, np.nan])
def test_a_bad_label_smoothing_is_refused(bad):
    expected = f"DPOLoss: label_smoothing must lie in [0, 0.5), got {bad!r}"
    assert refusal(DPOLoss, label_smoothing=bad) == expected


TWO_COLUMNS = (
    "scores must have two columns, log-probabilities of the answer that was preferred "
    "and of the other, got shape"
)
REFUSED_PREFERENCES = [
    ({"scores": [1.0, 2.0, 3.0]}, "scores must have shape (m, 2), got (3,)"),
    ({"scores": np.zeros((0, 2))}, f"the batch is empty (scores have shape (0, 2)); {EMPTY}"),
    ({"scores": np.zeros((3, 3))}, f"{TWO_COLUMNS} (3, 3)"),
    ({"scores": np.zeros((3, 1))}, f"{TWO_COLUMNS} (3, 1)"),
    (
        {"targets": [0.5, 0.2, 0]},
        f"scores have shape (3, 2) but targets have shape (3,); {ONE_EACH}",
    ),
]


@each(PREFERENCE)
@pytest.mark.parametrize(("change", "text"), REFUSED_PREFERENCES)
def test_bad_log_probabilities_are_refused_with_the_remedy(loss, change, text):
    scores, targets = example(loss)
    arguments = {"scores": scores, "targets": targets, **change}
    for call in (loss, loss.grad):
        assert refusal(call, **arguments) == f"DPOLoss: {text}"


def test_a_nan_log_probability_of_the_reference_gives_a_nan():
    value, grad = DPOLoss().value_and_grad(np.eye(2), [[0, np.nan], [1, 2]], reduction="none")
    assert_array_equal(np.isnan(value), [True, False])
    assert np.isnan(grad[0]).all()


# ---- arithmetic ----------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.1, 0.07, 3.0, 1e-5, 1e5])
def test_products_and_quotients_say_what_rounding_took(factor):
    a = np.concatenate([grid(np.float64)[np.abs(grid(np.float64)) > 1e-100], [np.pi, -np.e]])
    a, error = a[np.abs(a) < 1e290], 1e-20
    for both, true in (
        (exact_product(a, error * a, factor), lambda x: x * mp.mpf(factor)),
        (exact_quotient(a, error * a, factor), lambda x: x / mp.mpf(factor)),
    ):
        for x, rounded, lost in zip(a, *both, strict=True):
            exact = true(mp.mpf(x) + mp.mpf(error * x))
            assert abs(mp.mpf(rounded) + mp.mpf(lost) - exact) <= abs(exact) * mp.mpf(2) ** -100
            assert rounded == float(true(mp.mpf(x)))


@np.errstate(invalid="ignore", over="ignore")
def test_products_of_infinities_have_no_error():
    for function in (exact_product, exact_quotient):
        product, error = function(np.array([np.inf, -np.inf, 1e300]), np.zeros(3), 0.5)
        assert_array_equal(product[:2], [np.inf, -np.inf])
        assert_array_equal(error, np.zeros(3))
