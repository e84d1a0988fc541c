"""What the workflows write on GitHub, tested with a fake gh that answers from files."""

import json
import os
import subprocess
import sys
import zipfile
from io import BytesIO

import pytest
import yaml

from tools.facts import ROOT
from tools.github import comment
from tools.site import changes
from tools.site.changes import Change, Changes

REPOSITORY = "owner/name"
SHA = "0123456789abcdef0123456789abcdef01234567"

# The fake gh answers with the file that is named after the command or path, through jq if asked.
# It logs every command that writes, with its text.
GH = """#!{python}
import argparse, json, sys
from pathlib import Path
folder = Path({folder!r})
parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--jq")
parser.add_argument("--body-file")
options, rest = parser.parse_known_args()
if options.body_file:
    body = sys.stdin.read() if options.body_file == "-" else Path(options.body_file).read_text()
    with (folder / "written").open("a") as written:
        written.write(json.dumps([sys.argv[1:], body]) + "\\n")
    raise SystemExit
name = rest[1].partition("?")[0] if rest[0] == "api" else " ".join(rest[:2])
answer = (folder / name.replace("/", "+")).read_bytes()
if options.jq:
    import jq
    found = jq.compile(options.jq).input_text(answer.decode()).all()
    lines = [one if isinstance(one, str) else json.dumps(one) for one in found]
    answer = "".join(line + "\\n" for line in lines).encode()
sys.stdout.buffer.write(answer)
"""


class Hub:
    """A folder of answers, and a fake gh that gives them."""

    def __init__(self, folder):
        self.folder = folder
        gh = folder / "bin" / "gh"
        gh.parent.mkdir()
        gh.write_text(GH.format(python=sys.executable, folder=str(folder)))
        gh.chmod(0o755)

    def answer(self, name, content):
        """Set the answer to a command, or to a path below this repository."""
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        name = name if " " in name else f"repos/{REPOSITORY}/{name}"
        (self.folder / name.replace("/", "+")).write_bytes(content)

    def run(self, command, cwd=ROOT, **variables):
        environment = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "GH_REPO": REPOSITORY,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_RUN_ID": "7",
            **variables,
        }
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)

    def comment(self, **variables):
        return self.run([sys.executable, "-m", "tools.github.comment"], **variables)

    @property
    def written(self):
        """Return arguments and text of every command that wrote something."""
        file = self.folder / "written"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]


pytestmark = pytest.mark.skipif(os.name == "nt", reason="the gh of these tests is a POSIX script")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the weekly report runs on Ubuntu")
WEEKLY = ROOT / ".github" / "workflows" / "weekly.yml"


@pytest.fixture
def hub(tmp_path):
    return Hub(tmp_path)


def packed(text, name="changes.json", **more):
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, content in {name: text, **more}.items():
            archive.writestr(key, content)
    return file.getvalue()


GOOD = changes.dump(Changes(["new"], {"chapters/mse": Change(2, 1)}, []))
PULLS = [{"number": 3, "headRefOid": "f" * 40}, {"number": 4, "headRefOid": SHA}]


def artifact(name, number, size=100, expired=False):
    return {"name": name, "id": number, "size_in_bytes": size, "expired": expired}


def preview(hub, archive, *, pulls=PULLS, size=100, listed=comment.LIST, expired=False):
    hub.answer("pr list", pulls)
    stored = [artifact(listed, 21, size, expired), artifact(comment.PREVIEW, 22)]
    hub.answer("actions/runs/5/artifacts", {"total_count": 2, "artifacts": stored})
    hub.answer("actions/artifacts/21/zip", archive)
    return hub.comment(RUN_ID="5", HEAD_SHA=SHA)


def test_a_pull_request_gets_one_comment(hub):
    done = preview(hub, packed(GOOD))
    assert done.returncode == 0, done.stderr
    ((arguments, body),) = hub.written
    assert arguments[:3] == ["pr", "comment", "4"]
    # a later run replaces this comment, and no comment of anyone else
    assert {"--edit-last", "--create-if-none"} < set(arguments)
    assert "- `new`: new\n" in body
    assert f"]({changes.published()}chapters/mse.html): 2 words added, 1 word removed\n" in body
    assert "](https://github.example/owner/name/actions/runs/5/artifacts/22)" in body


def test_a_commit_that_is_no_longer_the_newest_is_left_alone(hub):
    done = preview(hub, packed(GOOD), pulls=PULLS[:1])
    assert done.returncode == 0
    assert "nothing to say" in done.stdout
    assert not hub.written


@pytest.mark.parametrize(
    ("archive", "options", "says"),
    [
        (b"no zip", {}, "cannot be read as a zip"),
        (packed(GOOD)[:-30], {}, "cannot be read as a zip"),
        (packed(GOOD, "../changes.json"), {}, "must hold only changes.json"),
        (packed(GOOD, more="x"), {}, "must hold only changes.json"),
        (packed("0" * 10_000_000), {}, "more than"),
        (packed(b"\xff"), {}, "no UTF-8 text"),
        (packed('{"added": ["@everybody"], "changed": {}, "removed": []}'), {}, "not the name"),
        (
            packed('{"added": ["[x](https://evil.example)"], "changed": {}, "removed": []}'),
            {},
            "not the name",
        ),
        (packed(GOOD), {"size": 10**9}, "more than"),
        (packed(GOOD), {"listed": "other"}, "no list"),
        (packed(GOOD), {"expired": True}, "no list"),
    ],
)
def test_forged_artifacts_are_refused(hub, archive, options, says):
    done = preview(hub, archive, **options)
    assert done.returncode == 1
    assert done.stderr.startswith("No comment is written: ")
    assert says in done.stderr
    assert not hub.written


def test_no_more_than_the_limit_is_unpacked(monkeypatch):
    asked, read = [], zipfile.ZipExtFile.read
    monkeypatch.setattr(
        zipfile.ZipExtFile, "read", lambda file, size=-1: asked.append(size) or read(file, size)
    )
    with pytest.raises(ValueError, match="more than"):
        comment.unpack(packed("0" * 10_000_000))
    assert asked == [comment.LARGEST + 1]


@pytest.mark.parametrize("variables", [{"RUN_ID": "5/../6"}, {"HEAD_SHA": "main"}, {"RUN_ID": ""}])
def test_forged_variables_are_refused(hub, variables):
    done = hub.comment(**{"RUN_ID": "5", "HEAD_SHA": SHA} | variables)
    assert done.returncode == 1
    assert done.stderr.startswith("RUN_ID must be a number and HEAD_SHA a commit")


def job(number, name, conclusion, step="Run make links"):
    return {
        "id": number,
        "name": name,
        "conclusion": conclusion,
        "steps": [
            {"name": "Set up job", "conclusion": "success"},
            {"name": step, "conclusion": conclusion},
        ],
        "html_url": f"https://github.example/job/{number}",
    }


TIME = "2026-01-01T00:00:00.1234567Z"
LOG = "\n".join(
    [
        f"\ufeff{TIME} line 0",
        *(f"{TIME} line {n}" for n in range(1, 60)),
        f"{TIME} {'x' * 400}",
        f"{TIME} \x1b[31m```wrong```\x1b[0m",
        f"{TIME} ##[error]Process completed with exit code 2.",
        f"{TIME} Post job cleanup.",
    ]
)
JOBS = [
    job(1, "newest", "success"),
    job(2, "links", "failure"),
    job(3, "hosts", "timed_out"),
    job(4, "report", None),
]


def run_weekly_report(hub, issues):
    """Run the one step of the weekly report."""
    (step,) = yaml.safe_load(WEEKLY.read_text("utf8"))["jobs"]["report"]["steps"]
    variables = {name: text for name, text in step["env"].items() if "${{" not in text}
    hub.answer("actions/runs/7/jobs", {"total_count": len(JOBS), "jobs": JOBS})
    for failed in (2, 3):
        hub.answer(f"actions/jobs/{failed}/logs", LOG.encode())
    hub.answer("issue list", issues)
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return hub.run(shell, cwd=hub.folder, RUN="https://github.example/run/7", **variables)


@on_linux
def test_a_week_that_fails_opens_an_issue(hub):
    done = run_weekly_report(hub, [])
    assert done.returncode == 0, done.stderr
    ((arguments, body),) = hub.written
    assert arguments[:2] == ["issue", "create"]
    assert "The weekly checks found something" in arguments
    assert body.startswith("[This run](https://github.example/run/7) failed")
    assert "\n**[links](https://github.example/job/2)**: `Run make links` failed. The end" in body
    assert "\n**[hosts](https://github.example/job/3)**: `it` failed. The end of its log:" in body
    assert "newest](" not in body
    code = [line for line in body.splitlines() if line.startswith("    ")][:40]
    assert code[0] == "    line 23"
    assert len(code[-3]) == 300
    assert code[-2:] == ["    ```wrong```", "    ##[error]Process completed with exit code 2."]
    assert "Post job" not in body


@on_linux
def test_another_failing_week_comments_on_the_issue(hub):
    done = run_weekly_report(hub, [{"number": 9}, {"number": 8}])
    assert done.returncode == 0, done.stderr
    ((arguments, body),) = hub.written
    assert arguments[:3] == ["issue", "comment", "9"]
    assert "`Run make links` failed" in body


@on_linux
def test_a_failing_command_stops_the_report(hub):
    (hub.folder / "bin" / "tac").write_text("#!/bin/sh\nexit 1\n")
    (hub.folder / "bin" / "tac").chmod(0o755)
    assert run_weekly_report(hub, []).returncode != 0
    assert not hub.written
