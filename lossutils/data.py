"""The data sets of the course, and how to split, spoil or open data.

They are drawn from a seed or included in scikit-learn, never downloaded.
"""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import Float64Array, check_count
from ._optional import optional_import


class Split(NamedTuple):
    """A data set in two parts, for training and for testing."""

    X_train: Float64Array
    """(m, n) features; rows are examples."""
    y_train: np.ndarray
    """(m,) targets."""
    X_test: Float64Array
    y_test: np.ndarray
    feature_names: tuple[str, ...]
    """What the n columns are."""
    target_names: tuple[str, ...]
    """Names of the classes 0 … K-1, or of the one target in regression."""


def gaussian_clouds(
    m: int,
    *,
    seed: int = 0,
    means: tuple[tuple[float, ...], tuple[float, ...]] = ((-2.0, -2.0), (2.0, 2.0)),
    positive_share: float = 0.5,
) -> tuple[Float64Array, np.ndarray]:
    r"""Draw two Gaussian clouds of unit variance, class 0 and class 1, as in text 002.

    With equal shares and means at a distance d, the Bayes error is :math:`\Phi(-d/2)`. The default
    has :math:`\Phi(-2\sqrt2) \approx 0.0023`.

    Parameters
    ----------
    m : int
        Number of examples, at least 2.
    seed : int, default 0
        Seed of the draw.
    means : pair of points
        Centres of class 0 and class 1.
    positive_share : float in (0, 1), default 0.5
        Share of class 1. It gets ``round(positive_share * m)`` examples, and each class at least 1.

    Returns
    -------
    X : ndarray, shape (m, n)
        Points, in random order.
    y : ndarray of int, shape (m,)
        Labels 0 and 1.

    Raises
    ------
    ValueError
        If ``m`` or ``positive_share`` is out of range, or the means differ in length.
    """
    m = check_count("m", m, 2)  # at least one example of each class
    if not 0 < positive_share < 1:
        raise ValueError(f"positive_share must lie between 0 and 1, got {positive_share!r}")
    if len(means) != 2 or np.ndim(means[0]) != 1 or np.shape(means[0]) != np.shape(means[1]):
        raise ValueError(f"means must be two points of the same length, got {means!r}")
    centres = np.asarray(means, dtype=np.float64)
    positives = min(max(round(positive_share * m), 1), m - 1)
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([0, 1], [m - positives, positives]))
    return centres[y] + rng.normal(size=(m, centres.shape[1])), y


def noisy_line(
    m: int,
    *,
    noise: Literal["gaussian", "laplace", "outliers"] = "gaussian",
    slope: float = 2.0,
    intercept: float = 1.0,
    scale: float = 1.0,
    seed: int = 0,
) -> tuple[Float64Array, Float64Array]:
    """Draw points about a line, with noise of a given kind and standard deviation.

    Parameters
    ----------
    m : int
        Number of examples, at least 2.
    noise : {"gaussian", "laplace", "outliers"}, default "gaussian"
        "outliers" is Gaussian noise, and a tenth of the examples (at least one) are raised by 20
        ``scale``.
    slope, intercept : float
        The line.
    scale : float, default 1.0
        Standard deviation of the noise without the outliers, at least 0.
    seed : int, default 0
        Seed of the draw.

    Returns
    -------
    X : ndarray, shape (m, 1)
        One feature, uniform on [-3, 3].
    y : ndarray, shape (m,)
        Targets.

    Raises
    ------
    ValueError
        If ``m``, ``scale`` or ``noise`` is out of range.
    """
    m = check_count("m", m, 2)  # the points that a line needs
    if not 0 <= scale < np.inf:
        raise ValueError(f"scale must be non-negative and finite, got {scale!r}")
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3.0, 3.0, size=m)
    if noise == "gaussian":
        eta = rng.normal(size=m)
    elif noise == "laplace":
        eta = rng.laplace(scale=np.sqrt(0.5), size=m)  # variance 2 * scale**2 = 1
    elif noise == "outliers":
        eta = rng.normal(size=m)
        eta[rng.permutation(m)[: max(1, m // 10)]] += 20.0
    else:
        raise ValueError(f"noise must be 'gaussian', 'laplace' or 'outliers', got {noise!r}")
    return x[:, None], slope * x + intercept + scale * eta


def digits(*, test_share: float = 0.25, seed: int = 0) -> Split:
    """Load 1797 images of handwritten digits, 8 by 8 pixels, classes 0 to 9.

    Pixels are scaled from 0 … 16 to [0, 1]. The split keeps the share of each class.

    Parameters
    ----------
    test_share : float in (0, 1), default 0.25
        Share of the examples in the test part.
    seed : int, default 0
        Seed of the split.

    Returns
    -------
    Split
        With 64 features.

    Notes
    -----
    Source: ``sklearn.datasets.load_digits``; E. Alpaydin and C. Kaynak, UCI (1998).
    """
    bunch = optional_import("sklearn.datasets", "data").load_digits()
    names = tuple(str(name) for name in bunch.target_names)
    X = bunch.data / 16.0
    return _split(X, bunch.target, tuple(bunch.feature_names), names, test_share, seed, scale=False)


def breast_cancer(*, test_share: float = 0.25, seed: int = 0) -> Split:
    """Load 569 tumours described by 30 measurements; class 1 is malignant.

    Each feature is scaled to mean 0 and standard deviation 1 of the training part. The split keeps
    the share of each class. scikit-learn numbers the classes the other way round; here class 1 is
    the one to be detected.

    Parameters
    ----------
    test_share : float in (0, 1), default 0.25
        Share of the examples in the test part.
    seed : int, default 0
        Seed of the split.

    Returns
    -------
    Split
        With 30 features.

    Notes
    -----
    Source: ``sklearn.datasets.load_breast_cancer``; W. Wolberg et al., UCI (1995).
    """
    bunch = optional_import("sklearn.datasets", "data").load_breast_cancer()
    names = tuple(str(name) for name in bunch.target_names[::-1])
    features = tuple(str(name) for name in bunch.feature_names)
    return _split(bunch.data, 1 - bunch.target, features, names, test_share, seed, scale=True)


def diabetes(*, test_share: float = 0.25, seed: int = 0) -> Split:
    """Load 442 patients with 10 measurements and the progression of their disease a year later.

    Each feature is scaled to mean 0 and standard deviation 1 of the training part. The target is a
    score between 25 and 346 and is not scaled.

    Parameters
    ----------
    test_share : float in (0, 1), default 0.25
        Share of the examples in the test part.
    seed : int, default 0
        Seed of the split.

    Returns
    -------
    Split
        With 10 features and real targets.

    Notes
    -----
    Source: ``sklearn.datasets.load_diabetes``; B. Efron et al., Annals of Statistics 32 (2004).
    """
    bunch = optional_import("sklearn.datasets", "data").load_diabetes(scaled=False)
    features = tuple(bunch.feature_names)
    return _split(
        bunch.data, bunch.target, features, ("progression",), test_share, seed, scale=True
    )


def split(X: ArrayLike, y: ArrayLike, *, test_share: float = 0.25, seed: int = 0) -> Split:
    """Split off a random share of the examples, such as validation data.

    Features are not scaled. If the targets are integers, the share of each class is kept.

    Parameters
    ----------
    X : array_like, shape (m, n)
        Features; rows are examples.
    y : array_like, shape (m,)
        Targets.
    test_share : float in (0, 1), default 0.25
        Share of the examples to split off.
    seed : int, default 0
        Seed of the split.

    Returns
    -------
    Split
        Without names.

    Raises
    ------
    ValueError
        If ``test_share`` is out of range, or X and y differ in length.
    """
    X, y = np.asarray(X), np.asarray(y)
    return _split(X, y, (), (), test_share, seed, scale=False)


def zen_of_python() -> list[str]:
    """Return the nineteen sentences of the *Zen of Python* (Tim Peters), a text to model.

    Every Python has them, in its module ``this``, which prints them when it is imported.

    Returns
    -------
    list of str
        The sentences in lower case, without the title; each ends with a line break.
    """
    with redirect_stdout(StringIO()):
        import this
    poem = "".join(this.d.get(letter, letter) for letter in this.s)
    return [f"{line.lower()}\n" for line in poem.splitlines()[2:]]


def open_in_chunks(path: str | Path, *, rows: int | None = None) -> Any:
    """Open an array that ``np.save`` wrote as a dask array with chunks of rows.

    Each chunk is read by the worker that needs it, when it needs it, and only the path is sent to
    workers. (``dask.array.from_array`` of an ``np.memmap`` would send the data.)

    Parameters
    ----------
    path : str or Path
        The ``.npy`` file. The workers of a cluster must see it under the same path.
    rows : int, optional
        Rows per chunk. The default is as many as dask's setting ``array.chunk-size`` allows.

    Returns
    -------
    dask.array.Array
        For `lossutils.linear.linear_value_and_grad` and `lossutils.train.fit_linear`.

    Raises
    ------
    ModuleNotFoundError
        If dask is not installed.
    ValueError
        If ``rows`` is out of range, or the file contains a single number.
    """
    da = optional_import("dask.array", "dask")
    file = _NpyFile(Path(path).resolve())
    if file.ndim == 0:
        raise ValueError(f"{path} holds a single number, and no rows to divide into chunks")
    first = "auto" if rows is None else check_count("rows", rows, 1)
    return da.from_array(
        file,
        chunks=(first, *file.shape[1:]),
        inline_array=True,  # otherwise the file is a task of its own on a single worker
        meta=np.empty((0,) * file.ndim, file.dtype),
    )


class _NpyFile:
    """An array in a file. Each slice is read into memory when dask asks for it."""

    def __init__(self, path):
        self.path = path
        array = np.load(path, mmap_mode="r")
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index):
        return np.array(np.load(self.path, mmap_mode="r")[index])

    def __dask_tokenize__(self):
        state = self.path.stat()  # a changed file is another array
        return str(self.path), state.st_mtime_ns, state.st_size


def flip_labels(
    labels: ArrayLike, share: float, *, classes: int = 2, seed: int = 0
) -> NDArray[np.int64]:
    """Change a share of the labels to another class, drawn uniformly.

    Parameters
    ----------
    labels : array_like of int, shape (m,)
        Labels 0 ... classes-1. They are not changed in place.
    share : float in [0, 1]
        Share of the labels to change, rounded to whole examples.
    classes : int, default 2
        Number of classes.
    seed : int, default 0
        Seed of the draw.

    Returns
    -------
    ndarray of int, shape (m,)
        The labels, with ``round(share * m)`` of them changed.

    Raises
    ------
    ValueError
        If the labels are not integers in 0 ... classes-1, or ``share`` is out of range.
    """
    y = np.array(labels)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers, shape (m,), got {y.dtype} of shape {y.shape}")
    check_count("classes", classes, 2)
    if y.size and (y.min() < 0 or y.max() >= classes):
        raise ValueError(
            f"labels must be 0 to {classes - 1} for {classes} classes, "
            f"got labels from {y.min()} to {y.max()}"
        )
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie in [0, 1], got {share!r}")
    rng = np.random.default_rng(seed)
    moved = rng.permutation(len(y))[: round(share * len(y))]
    y = y.astype(np.int64)
    y[moved] = (y[moved] + rng.integers(1, classes, size=len(moved))) % classes
    return y


def _split(X, y, feature_names, target_names, test_share, seed, *, scale) -> Split:
    if not 0 < test_share < 1:
        raise ValueError(f"test_share must lie between 0 and 1, got {test_share!r}")
    model_selection = optional_import("sklearn.model_selection", "data")
    X_train, X_test, y_train, y_test = model_selection.train_test_split(
        X,
        y,
        test_size=test_share,
        random_state=seed,
        stratify=y if y.dtype.kind in "iu" else None,
    )
    if scale:  # by the training part alone, since the test part must stay unseen
        mean, std = X_train.mean(axis=0), X_train.std(axis=0)
        X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
    return Split(X_train, y_train, X_test, y_test, feature_names, target_names)
