"""Dask arrays that cannot be used are refused with the remedy, whatever the scheduler."""

import numpy as np
import pytest

from lossutils.linear import linear_value_and_grad
from lossutils.losses import (
    BCEWithLogitsLoss,
    MSELoss,
    MulticlassHingeLoss,
)
from lossutils.train import fit_linear, fit_linear_autograd

dask = pytest.importorskip("dask", reason="dask arrays need the extra lossutils[dask]")
distributed = pytest.importorskip("distributed", reason="needs the extra lossutils[dask]")
da = pytest.importorskip("dask.array")
X, Y, W = da.zeros((4, 2), chunks=(2, 2)), np.zeros(4), np.zeros(2)
UNKNOWN = X[da.zeros(4, chunks=2) == 0]
HINGE = MulticlassHingeLoss()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"X": UNKNOWN},
            "X has chunks of unknown size, shape (nan, 2); let dask count them first: "
            "X.compute_chunk_sizes()",
        ),
        (
            {"targets": UNKNOWN[:, 0]},
            "targets has chunks of unknown size, shape (nan,); let dask count them first: "
            "targets.compute_chunk_sizes()",
        ),
        (
            {"X": np.zeros((4, 2)), "targets": da.zeros(4)},
            "targets or sample_weight are dask arrays but X is not; bring them into memory with "
            ".compute(), or cut X into chunks with dask.array.from_array",
        ),
        (
            {"X": dask.delayed(Y)},
            "X must be an array, got a dask DelayedLeaf; a DataFrame becomes one with "
            "df.to_dask_array(lengths=True)",
        ),
        (
            {"X": da.zeros(4)},
            "X must have shape (m, n) with at least one row and one column, got (4,); "
            "a single feature becomes one column with X[:, None]",
        ),
        (
            {"targets": da.zeros(3)},
            "X has 4 rows but targets have shape (3,); give one target for each row of X",
        ),
        (
            {"targets": 1.0},
            "X has 4 rows but targets have shape (); give one target for each row of X",
        ),
        (
            {"W": np.zeros(3)},
            "W must have shape (2,) or (2, K) for X with 2 columns, got (3,)",
        ),
        (
            {"X": X.astype(str)},
            "expected real numbers, got an array of dtype <U32; "
            "convert it with np.asarray(x, dtype=float)",
        ),
        (
            {"sample_weight": da.zeros(3)},
            "linear_value_and_grad: sample_weight must have shape (4,), one weight for each "
            "example, got (3,)",
        ),
        (
            {"sample_weight": [1, 1, 1, -1]},
            "linear_value_and_grad: sample_weight must be non-negative, finite and not all zero, "
            "got weights from -1 to 1; a weight of 0 leaves an example out",
        ),
        (
            {"sample_weight": da.from_array([1, 1, 1, -1], chunks=4)},
            "linear_value_and_grad: sample_weight must be non-negative, finite and not all zero, "
            "got weights from -1 to 1; a weight of 0 leaves an example out "
            "(seen in the chunk of rows 2 to 3)",
        ),
        (
            {"sample_weight": da.zeros(4)},
            "linear_value_and_grad: sample_weight must be non-negative, finite and not all zero, "
            "got weights from 0 to 0; a weight of 0 leaves an example out",
        ),
        (
            {"targets": [0, 0, 2, 3], "loss": BCEWithLogitsLoss()},
            "BCEWithLogitsLoss: targets must lie in [0, 1], got values from 2 to 3; "
            "labels in {-1, +1} become {0, 1} with (targets + 1) / 2 "
            "(seen in the chunk of rows 2 to 3)",
        ),
        (
            # both chunks have a wrong label, and the message names the first chunk
            {"targets": [9, 0, 0, 3], "loss": HINGE, "W": np.zeros((2, 3)), "b": np.zeros(3)},
            "MulticlassHingeLoss: labels must be 0 to 2 for scores with 3 columns, got labels "
            "from 0 to 9; labels that count from 1 need targets - 1 "
            "(seen in the chunk of rows 0 to 1)",
        ),
        ({"block_rows": 0}, "block_rows must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_input_is_refused(change, text):
    with pytest.raises(ValueError, match=r".") as caught:
        linear_value_and_grad(
            **{"loss": MSELoss(), "X": X, "targets": Y, "W": W, "b": 0.0, **change}
        )
    assert str(caught.value) == text


def test_a_cluster_gives_the_same_error(client):
    with pytest.raises(ValueError, match=r"^BCEWithLogitsLoss: targets .* rows 0 to 1\)$"):
        linear_value_and_grad(BCEWithLogitsLoss(), X, Y + 2, W, 0.0)


@pytest.mark.parametrize(
    ("train", "options", "text"),
    [
        (fit_linear, {"batch_size": 2}, r"a batch of 2 rows .* X\[:n\]\.compute\(\)"),
        (
            fit_linear_autograd,
            {},
            "takes arrays in memory, got dask arrays; train with",
        ),
        (fit_linear, {"X": np.zeros((4, 2)), "y": da.zeros(4)}, "are dask arrays but X is not"),
    ],
)
def test_training_that_would_fetch_the_rows_is_refused(train, options, text):
    with pytest.raises(ValueError, match=text):
        train(**{"loss": MSELoss(), "X": X, "y": Y, "lr": 0.1, "steps": 1, **options})
