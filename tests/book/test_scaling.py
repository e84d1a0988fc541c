"""What the chapter on scale says in words of the times and the memory that it reads from a file.

Its numbers are printed from the file; these are the words around them. Whoever measures again
(`make bench`) learns here which sentence has become wrong. Nothing is timed here.
"""

import tomllib

import numpy as np
import pyperf
import pytest

from lossutils import results
from tools.facts import ROOT

FILES = sorted((ROOT / "lossutils" / "results").glob("*.json"))
MEASURED = results.load("scaling")
SERIES = {"m": "rows", "n": "features", "K": "classes"}


def column(what, **which):
    return MEASURED.column(what, **which)


def slope(what, size, way, series=None):
    which = {"series": series or SERIES[size], "way": way}
    x, cost = column(size, **which), column(what, **which)
    half = len(x) // 2
    return np.polyfit(np.log(x[half:]), np.log(cost[half:]), 1)[0]


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


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_file_comes_with_the_package(path):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["lossutils"]
    assert any(path.relative_to(ROOT / "lossutils").match(pattern) for pattern in patterns)


def test_a_second_pass_costs_once_X_is_larger_than_the_caches():
    one, two, read = (
        column("seconds", series="passes", way=way)
        for way in ("one pass", "two passes", "one read of X")
    )
    assert read[-1] < one[-1] < two[-1]
    assert two[-1] / one[-1] > 1.15
    assert two[0] < 1.1 * one[0], "blocks save nothing where X stays in the cache anyway"


def test_the_best_block_is_neither_the_smallest_nor_the_whole():
    times = column("seconds", series="blocks")
    assert times[0] > 2 * times.min()
    assert times[-1] > 1.1 * times.min()


def test_memory_decides_at_one_score_and_arithmetic_at_a_thousand():
    read = MEASURED.select(series="floors", way="one read of X")[0]
    product = column("seconds", series="floors", way="product, float64")[0]
    bandwidth = 8 * read["m"] * read["n"] / read["seconds"]
    peak = 2e9 / product
    assert peak > 0.5 * bandwidth
    assert 2 * peak < 500 * bandwidth


def test_the_speed_rises_with_the_number_of_scores_and_stays_below_the_peak():
    K = column("K", series="classes", way="lossutils")
    speed = K / column("seconds", series="classes", way="lossutils")
    assert speed[-1] > 3 * speed[0]
    work = 4 * 200 * column("m", series="classes", way="lossutils")
    peak = 2e9 / column("seconds", series="floors", way="product, float64")[0]
    assert (work * speed < 1.1 * peak).all()


@pytest.mark.parametrize("size", SERIES)
@pytest.mark.parametrize("way", ["lossutils", "autograd"])
def test_time_is_nearly_in_proportion_to_each_size(size, way):
    assert 0.6 < slope("seconds", size, way) < 1.35


def test_memory_grows_with_the_rows_for_a_program_that_holds_the_scores_alone():
    assert slope("scratch_mb", "m", "autograd") > 0.9
    assert slope("scratch_mb", "m", "lossutils") < 0.2
    assert abs(slope("scratch_mb", "n", "autograd")) < 0.1
    assert slope("scratch_mb", "K", "autograd") > 0.9
    for series in SERIES.values():
        ours, theirs = (
            column("scratch_mb", series=series, way=way) for way in ("lossutils", "autograd")
        )
        assert (ours[2:] < theirs[2:]).all()


def test_float32_is_faster():
    for series, ways in {
        "precision": ("float32", "float64"),
        "floors": ("product, float32", "product, float64"),
    }.items():
        half, full = (column("seconds", series=series, way=way)[0] for way in ways)
        assert full > 1.3 * half


def test_classes_in_blocks_hold_little_beside_the_gradient_and_cost_no_disaster():
    ways = ("by classes", "by rows", "torch chunked", "autograd")
    K = column("K", series="vocabulary", way="autograd")
    memory = {way: column("scratch_mb", series="vocabulary", way=way) for way in ways}
    seconds = {way: column("seconds", series="vocabulary", way=way) for way in ways}
    assert K[-1] > 100_000
    for way in ways[1:]:
        assert (memory["by classes"][2:] < memory[way][2:]).all()
    for way in ways[:-1]:
        assert (memory["autograd"] > memory[way]).all()
    gradient = 8 * 65 * K / 1e6
    assert gradient[-1] < memory["by classes"][-1] < 1.5 * gradient[-1]
    assert memory["autograd"][-1] > 10 * gradient[-1]
    logits = 8 * 512 * K / 1e6
    assert np.allclose(memory["autograd"] / logits, 3, atol=0.5)
    assert (seconds["by classes"] < 2 * seconds["autograd"]).all()
    for way in ways:
        assert 0.7 < slope("scratch_mb", "K", way, "vocabulary") < 1.1
