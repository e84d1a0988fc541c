"""Stored measurements can be read, and rows can be selected from them."""

import numpy as np
import pytest

from lossutils import results

STORED = ("linear", "scaling")


@pytest.mark.parametrize("name", STORED)
def test_the_package_contains_the_measurements(name):
    measured = results.load(name)
    for row in measured.rows:
        assert min(row["values"]) <= row["seconds"] <= max(row["values"])
        assert min(row["values"]) > 0
        assert row["way"]
        assert measured.about.items() <= row.items()
    assert measured.rows[0]["date"][:10] in measured.machine


def test_columns_follow_the_rows():
    measured = results.Measurements(
        {}, [{"way": "a", "m": 2, "seconds": 0.5}, {"way": "b", "m": 3}, {"way": "a", "m": 1}]
    )
    assert np.array_equal(measured.column("m", way="a"), [2.0, 1.0])
    assert measured.select(way="a", m=2) == [{"way": "a", "m": 2, "seconds": 0.5}]


def test_unknown_measurements_are_refused():
    with pytest.raises(FileNotFoundError, match=r"named 'speed'; stored are .*scaling"):
        results.load("speed")
    with pytest.raises(ValueError, match=r"no measurement has .*'rows'.*rows: lossutils"):
        results.load("scaling").select(series="rows", way="ours")
