"""A class whose grading is interrupted, resumed or spread over machines gets the same grades."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import distributed
import pytest

from grader import batch, report, results
from tests.grader.hostile import CASES
from tests.grader.hostile.case import CHAPTER, POINTS
from tests.grader.notebooks import SEED, write_all
from tools.facts import ROOT

# Cases that end by a limit of time would take long here, and test_hostile.py has them.
QUICK = [
    name
    for name, case in CASES.items()
    if isinstance(case.content, bytes)
    and case.name is None
    and "second" not in case.says
    and "ran for" not in case.says
]
SIZE = 24  # of the class; two in three of its submissions are hostile, all of them different


@pytest.fixture(scope="module")
def mixed_class(sandbox, tmp_path_factory):
    """Folder of a class of honest and hostile students, and the grades that it must get."""
    hostile = iter(random.Random(0).sample(QUICK, k=SIZE))
    names = ["honest" if number % 3 == 0 else next(hostile) for number in range(SIZE)]
    students = {f"student {number:03d}": CASES[name] for number, name in enumerate(names)}
    assert {case.status for case in students.values()} == {"ok", "killed", "invalid"}
    submissions = write_all(
        tmp_path_factory.mktemp("class") / "in",
        **{student: case.content for student, case in students.items()},
    )
    return submissions, {
        student: [case.status, *map(str, (sum(case.earned.values()), 20, *case.earned.values()))]
        for student, case in students.items()
    }


def grades(out):
    """Row of each student in the grades of a folder."""
    report.write_report(out)
    with open(out / "grades.csv", newline="", encoding="utf-8-sig") as file:
        header, *rows = csv.reader(file)
    assert header == ["student", "status", "score", "max_score", *POINTS]
    return {student: row for student, *row in rows}


def test_killed_midway_and_resumed(mixed_class, tmp_path, seed_file):
    submissions, expected = mixed_class
    out = tmp_path / "out"
    command = [sys.executable, "-m", "grader", "run", CHAPTER, submissions, "--out", out]
    command += ["--seed-file", seed_file]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while len(list(out.glob("*.json"))) < SIZE // 3:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    graded_before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.json")}
    assert SIZE // 3 <= len(graded_before) < SIZE
    (out / ".999-1.tmp").write_text("half a result, as a dying writer leaves it")

    batch.run(CHAPTER, submissions, out, seed=SEED, jobs=2, resume=True)
    assert grades(out) == expected
    assert not list(out.glob(".*.tmp"))
    again = [
        name
        for name, time_ns in graded_before.items()
        if (out / name).stat().st_mtime_ns != time_ns and name != results.BATCH
    ]
    assert all(json.loads((out / name).read_text())["status"] == "invalid" for name in again)


def test_order_and_number_of_jobs_do_not_matter(mixed_class, tmp_path):
    submissions, expected = mixed_class
    few = list(expected)[SIZE // 3 :: -1]
    write_all(tmp_path / "in", **{s: (submissions / f"{s}.ipynb").read_bytes() for s in few})
    batch.run(CHAPTER, tmp_path / "in", tmp_path / "out", seed=SEED, jobs=5)
    assert grades(tmp_path / "out") == {student: expected[student] for student in few}


@pytest.mark.filterwarnings("ignore")  # the cluster warns about the worker that the test kills
def test_a_worker_of_a_cluster_dies(mixed_class, tmp_path):
    submissions, expected = mixed_class
    written = Counter()
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=tmp_path,
    ) as cluster:

        def note(result):
            written[result["student"]] += 1
            if written.total() == SIZE // 4:
                victim = next(iter(cluster.workers.values()))
                os.kill(victim.pid, signal.SIGKILL)

        batch.run(
            CHAPTER,
            submissions,
            tmp_path / "out",
            seed=SEED,
            scheduler=cluster.scheduler_address,
            on_result=note,
        )
    assert set(written.values()) == {1}, "a student was graded twice"
    assert grades(tmp_path / "out") == expected
