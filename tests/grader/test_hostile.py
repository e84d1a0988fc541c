"""Hostile submissions, graded together with honest ones: each gets exactly what it earned."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

from grader import assignment, report
from grader.names import file_name
from tests.grader.hostile import CASES
from tests.grader.hostile.case import HONEST, POINTS, TOKEN, Case
from tests.grader.notebooks import SEED
from tests.grader.users import USERS, run_as

ROOT = assignment.ASSIGNMENTS.parent
NEIGHBOURS = [f"neighbour {number}" for number in range(12)]


def hand_in(case: Case, path: Path, **places):
    """Write a case to a file, with the places of this machine filled in."""
    if callable(case.content):
        case.content(path)
    else:
        content = case.content
        for place, value in places.items():
            content = content.replace(f"{{{place}}}".encode(), str(value).encode())
        path.write_bytes(content)


def fingerprints(folder):
    """SHA-256 of every file in a folder."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def cases_for(user: str, full: bool) -> list[str]:
    """Names of the cases that a user grades.

    Whoever runs the tests grades all. The other user meets the same sandbox, started in another
    way: a quarter of the cases, and all that concern processes, which are counted by user.
    """
    if full or (user == "root") == (os.getuid() == 0):
        return list(CASES)
    always = ("honest", "raises its inputs")
    return [
        name
        for number, name in enumerate(CASES)
        if number % 4 == 0 or "process" in name or name in always
    ]


def pytest_generate_tests(metafunc):
    full = metafunc.config.getoption("full")
    if "name" in metafunc.fixturenames:
        each = [(user, name) for user in USERS for name in cases_for(user, full)]
        metafunc.parametrize(("graded", "name"), each, indirect=["graded"])
    elif "graded" in metafunc.fixturenames:
        metafunc.parametrize("graded", USERS, indirect=True)


@pytest.fixture(scope="module")
def gradings(request, sandbox):
    """Return a function that grades all cases of a user, once, whatever the order of the tests."""
    full = request.config.getoption("full")
    with ExitStack() as stack:
        yield cache(lambda user: stack.enter_context(grading(user, cases_for(user, full))))


@pytest.fixture
def graded(request, gradings):
    """Folder of results of a user."""
    return gradings(request.param)


@contextmanager
def grading(user, cases):
    """Grade cases and the honest neighbours, in one run by a user; give the folder of results."""
    become = run_as(user)
    # Pytest's own temporary folders cannot be entered by other users.
    place = Path(tempfile.mkdtemp(prefix="hostile-"))
    submissions, home, out = place / "submissions", place / "home", place / "out"
    for folder in (submissions, home, out):
        folder.mkdir()
    (home / "secret").write_text("a secret")
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: connections.append(server.accept()), daemon=True).start()
        places = {
            "submissions": submissions,
            "home": home,
            "root": ROOT,
            "port": server.getsockname()[1],
            "token": TOKEN,
        }
        for name in cases:
            case = CASES[name]
            hand_in(case, submissions / (case.name or f"{name}.ipynb"), **places)
        for name in NEIGHBOURS:
            (submissions / f"{name}.ipynb").write_bytes(HONEST)
        for folder in (place, out):
            folder.chmod(0o777)
        before = fingerprints(place)
        variables = {"GRADER_SEED": SEED, "PYTHONPATH": ROOT, "PYTHONDONTWRITEBYTECODE": 1}
        environment = ["env", *(f"{name}={value}" for name, value in variables.items())]
        grade = [sys.executable, "-m", "tests.grader.hostile", str(submissions), str(out)]
        ran = subprocess.run(
            [*become, *environment, *grade], cwd="/", capture_output=True, text=True, check=False
        )
        after = {file: digest for file, digest in fingerprints(place).items() if file in before}
    try:
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout).get("infrastructure", 0) == 0
        assert after == before, "a submission has changed a file"
        assert not connections, "a submission has reached the network"
        yield out
    finally:
        subprocess.run([*become, "rm", "-rf", *out.glob("*")], check=True)
        shutil.rmtree(place)


def result_of(graded, student):
    return json.loads((graded / f"{file_name(student)}.json").read_text("utf-8"))


def test_submission_gets_what_it_earned(graded, name):
    case, result = CASES[name], result_of(graded, name)
    assert {q["question"]: q["score"] for q in result["questions"]} == case.earned, result
    assert result["score"] == sum(case.earned.values())
    assert result["status"] == case.status, result
    assert case.says in json.dumps(result, ensure_ascii=False), result
    if not case.says and not case.lost and case.status == "ok":
        assert result["cells"] == [], "an assertion of its own failed in the sandbox"


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_honest_neighbour_gets_all_points(graded, neighbour):
    result = result_of(graded, neighbour)
    assert (result["status"], result["score"], result["cells"]) == ("ok", 20, [])


def test_there_are_enough_cases():
    assert len(CASES) >= 170


def test_no_process_stays_behind(graded):
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        assert TOKEN.encode() not in line


def test_no_file_stays_behind(graded):
    assert not list(Path("/tmp").glob(f"{TOKEN}*"))
    students = {path.name for path in (graded / "gradescope").iterdir()}
    assert students >= {file_name(name) for name in NEIGHBOURS}
    assert {path.name for path in graded.iterdir()} == {
        ".batch.json",
        "feedback",
        "gradescope",
        *(f"{name}.json" for name in students),
    }
    assert {path.name for path in (graded / "feedback").iterdir()} == {
        f"{name}.md" for name in students
    }


def test_students_read_no_hidden_value(graded):
    """Only the teacher's results quote exceptions, which may hold hidden inputs."""
    teachers = (graded / f"{file_name('raises its inputs')}.json").read_text("utf-8")
    assert "leaked array" in teachers
    for file in [*graded.glob("feedback/*"), *graded.glob("gradescope/*/*")]:
        assert "leaked" not in file.read_text("utf-8"), file


def test_each_submission_is_a_row_of_the_grades(graded):
    report.write_report(graded)
    lines = (graded / "grades.csv").read_text("utf-8-sig").splitlines()
    assert len(lines) == 1 + len(list((graded / "feedback").iterdir()))
    assert lines[0] == "student,status,score,max_score," + ",".join(POINTS)
    assert f"honest,ok,20,20,{','.join(map(str, POINTS.values()))}" in lines
    for name in ("grades.csv", "summary.html"):
        (graded / name).unlink()
