"""Data larger than memory: training works under a limit that loading the file would exceed."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lossutils.losses import BCEWithLogitsLoss, CrossEntropyLoss
from lossutils.train import fit_linear

pytest.importorskip("resource", reason="this system has no way to limit the memory of a process")
if not sys.platform.startswith("linux"):
    pytest.skip(
        "the limit on data that leaves out mapped files is Linux's", allow_module_level=True
    )

LIMIT = 2**27
FEATURES, CLASSES = 64, 3
ROWS = 4 * LIMIT // (8 * FEATURES)
SETTINGS = {"lr": 0.5, "l2": 0.01}

# The limit covers all private memory of the process, interpreter and libraries included. Files
# that are mapped for reading do not count, because the system can drop their pages.
IN_LITTLE_MEMORY = """
import json, resource, sys
import numpy as np
from lossutils.linear import linear_value_and_grad
from lossutils.losses import BCEWithLogitsLoss, CrossEntropyLoss
from lossutils.train import fit_linear

folder, limit, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    np.load(f"{folder}/X.npy")
except MemoryError:
    print("the limit bites", file=sys.stderr)

X, y, labels = (np.load(f"{folder}/{name}.npy", mmap_mode="r") for name in ("X", "y", "labels"))
fits = {
    "all rows": fit_linear(CrossEntropyLoss(), X, labels, steps=2, **settings),
    "batches": fit_linear(BCEWithLogitsLoss(), X, y, steps=3, batch_size=1000, **settings),
}
weights = np.load(f"{folder}/weights.npy", mmap_mode="r")
value, dW, db = linear_value_and_grad(
    BCEWithLogitsLoss(), X, y, X[0], 0.5, sample_weight=weights
)
results = {name: [fit.W.tolist(), np.asarray(fit.b).tolist()] for name, fit in fits.items()}
print(json.dumps({**results, "weighted": [value, dW.tolist(), db]}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write files of 0.6 GB in all, piece by piece, and delete them at the end."""
    folder = tmp_path_factory.mktemp("larger")
    rng = np.random.default_rng(0)
    piece = rng.normal(size=(2**14, FEATURES))
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float64, (ROWS, FEATURES))
    for start in range(0, ROWS, len(piece)):
        # rotate and scale, so that no two pieces are the same
        X[start : start + len(piece)] = np.roll(piece, start // len(piece)) * (1 + start / ROWS)
    X.flush()
    labels = X[:, :CLASSES].argmax(axis=1)
    np.save(folder / "labels.npy", labels.astype(np.int32))
    np.save(folder / "y.npy", (labels == 0).astype(np.int8))
    np.save(folder / "weights.npy", 0.5 + labels)
    del X
    yield folder
    for file in folder.iterdir():
        file.unlink()


def test_training_works_on_a_file_of_four_times_the_memory(folder):
    assert os.path.getsize(folder / "X.npy") > 4 * LIMIT
    done = subprocess.run(
        [sys.executable, "-c", IN_LITTLE_MEMORY, folder, str(LIMIT), json.dumps(SETTINGS)],
        capture_output=True,
        text=True,
        # BLAS reserves memory for each of its threads
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "the limit bites\n"
    found = json.loads(done.stdout)

    X, y, labels, w = (np.load(folder / f"{n}.npy") for n in ("X", "y", "labels", "weights"))
    fits = {
        "all rows": fit_linear(CrossEntropyLoss(), X, labels, steps=2, **SETTINGS),
        "batches": fit_linear(BCEWithLogitsLoss(), X, y, steps=3, batch_size=1000, **SETTINGS),
    }
    for name, fit in fits.items():
        assert_allclose(found[name][0], fit.W, rtol=1e-12)
        assert_allclose(found[name][1], fit.b, rtol=1e-12)
    value, G = BCEWithLogitsLoss().value_and_grad(X @ X[0] + 0.5, y, sample_weight=w)
    for left, right in zip(found["weighted"], (value, G @ X, G.sum()), strict=True):
        assert_allclose(left, right, rtol=1e-12)
