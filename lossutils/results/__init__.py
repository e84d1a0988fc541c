"""Stored measurements, so that a chapter shows times and is still the same on every run.

``make bench`` writes ``scaling.json`` and ``linear.json`` into this folder in pyperf's format, with
the machine, the date and the versions. (``linear_avx2.json`` is made by hand: see
``benchmarks/bench_linear.py``.) They are part of the package, since a chapter in Colab has no other
files. Reading them does not need pyperf.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from statistics import median
from typing import Any

import numpy as np

from .._checks import Float64Array

Row = dict[str, Any]
"""One measurement: what was measured, its times ``values``, and their median ``seconds``."""


@dataclass(frozen=True)
class Measurements:
    """The content of one file."""

    about: Row
    """What all rows share: the machine, the date, the versions."""

    rows: list[Row]
    """One row per measurement, in the order of the file."""

    def select(self, **which: Any) -> list[Row]:
        """Return the rows with all of these values.

        Parameters
        ----------
        **which
            Such as ``select(series="rows", way="lossutils")``.

        Returns
        -------
        list of dict
            At least one.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        found = [r for r in self.rows if all(r.get(name) == v for name, v in which.items())]
        if not found:
            raise ValueError(f"no measurement has {which}; there are {_known(self.rows)}")
        return found

    def column(self, name: str, **which: Any) -> Float64Array:
        """Return one number per row, such as "seconds", "m" or "scratch_mb".

        Parameters
        ----------
        name : str
            Name of the number.
        **which
            As for `select`.

        Returns
        -------
        ndarray of float64
        """
        return np.array([row[name] for row in self.select(**which)], dtype=np.float64)

    @property
    def machine(self) -> str:
        """The machine, the date and the versions, in one line."""
        about = self.rows[0]
        return (
            f"{about.get('cpu_model_name', 'unknown processor')}, {about['cpu_count']} cores, "
            f"{about['vectors']}, {about['date'][:10]}; NumPy {about['numpy_version']}, "
            f"PyTorch {about['torch_version']}"
        )


def load(name: str) -> Measurements:
    """Read stored measurements.

    Parameters
    ----------
    name : str
        Such as "scaling" or "linear".

    Returns
    -------
    Measurements

    Raises
    ------
    FileNotFoundError
        If there are no measurements of this name.
    """
    file = resources.files(__package__) / f"{name}.json"
    if not file.is_file():
        here = resources.files(__package__).iterdir()
        known = sorted(f.name.removesuffix(".json") for f in here if f.name.endswith(".json"))
        raise FileNotFoundError(
            f"there are no measurements named {name!r}; stored are {', '.join(known) or 'none'}; "
            "make bench writes them"
        )
    stored = json.loads(file.read_text("utf8"))
    about, rows = stored.get("metadata", {}), []
    for benchmark in stored["benchmarks"]:
        values = [value for run in benchmark["runs"] for value in run["values"]]
        own = benchmark.get("metadata", {}) | benchmark["runs"][0].get("metadata", {})
        rows.append({**about, **own, "values": values, "seconds": median(values)})
    return Measurements(about, rows)


def _known(rows: list[Row]) -> str:
    names = {f"{row.get('series', row.get('case'))}: {row['way']}" for row in rows}
    return ", ".join(sorted(names))
