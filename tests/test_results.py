"""Stored measurements: read as pyperf reads them, and shipped with the package."""

import json
import tomllib
from importlib import resources
from pathlib import Path

import numpy as np
import pyperf
import pytest

from lossutils import results

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "lossutils" / "results").glob("*.json"))


def test_what_the_chapter_reads_is_stored():
    assert {"linear", "scaling"} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_medians_and_metadata_are_those_that_pyperf_reads(path):
    measured = results.load(path.stem)
    suite = pyperf.BenchmarkSuite.load(str(path)).get_benchmarks()
    assert len(measured.rows) == len(suite)
    for row, benchmark in zip(measured.rows, suite, strict=True):
        assert row["seconds"] == benchmark.median()
        assert tuple(row["values"]) == benchmark.get_values()
        known = benchmark.get_metadata()
        assert {**measured.about, **row}.items() >= {
            name: known[name] for name in ("way", "date", "cpu_count")
        }.items()
    assert measured.about["date"][:10] in measured.machine


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_file_comes_with_the_package(path):
    assert resources.files("lossutils.results").joinpath(path.name).is_file()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["lossutils"]
    assert any(path.relative_to(ROOT / "lossutils").match(pattern) for pattern in patterns)


def test_columns_follow_the_rows():
    measured = results.Measurements(
        {}, [{"way": "a", "m": 2, "seconds": 0.5}, {"way": "b", "m": 3}, {"way": "a", "m": 1}]
    )
    assert np.array_equal(measured.column("m", way="a"), [2.0, 1.0])
    assert measured.select(way="a", m=2) == [{"way": "a", "m": 2, "seconds": 0.5}]


def test_what_was_not_measured_is_refused():
    with pytest.raises(FileNotFoundError, match=r"no measurements named 'speed' .* scaling"):
        results.load("speed")
    with pytest.raises(ValueError, match=r"nothing measured has .*'rows'.*rows: lossutils"):
        results.load("scaling").select(series="rows", way="ours")


def test_times_are_positive():
    for path in FILES:
        stored = json.loads(path.read_text("utf8"))
        values = [v for b in stored["benchmarks"] for run in b["runs"] for v in run["values"]]
        assert min(values) > 0
