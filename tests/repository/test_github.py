"""What the workflows say on GitHub, tried on a gh that answers from a folder."""

import json
import os
import subprocess
import sys
import zipfile
from io import BytesIO

import pytest

from tools.facts import ROOT
from tools.github import api, comment, weekly
from tools.site import changes
from tools.site.changes import Change, Changes

REPOSITORY = "owner/name"
SHA = "0123456789abcdef0123456789abcdef01234567"

# Answers with the file that is named after the path; notes every call, and what came with it.
GH = """#!{python}
import json, sys
from pathlib import Path
folder, path = Path({folder!r}), sys.argv[2]
sent = sys.stdin.read() if "--input" in sys.argv else None
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps([sys.argv[1:], sent and json.loads(sent)]) + "\\n")
if sent is None:
    answer = (folder / path.partition("?")[0].replace("/", "+")).read_bytes()
    if "--slurp" in sys.argv:
        answer = b"[" + answer + b"]"
    sys.stdout.buffer.write(answer)
"""


class Hub:
    """A folder of answers, and a gh that gives them."""

    def __init__(self, folder):
        self.folder = folder
        gh = folder / "bin" / "gh"
        gh.parent.mkdir()
        gh.write_text(GH.format(python=sys.executable, folder=str(folder)))
        gh.chmod(0o755)

    def answer(self, path, content):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        (self.folder / f"repos/{REPOSITORY}/{path}".replace("/", "+")).write_bytes(content)

    def run(self, module, **variables):
        variables = {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_RUN_ID": "7",
            **variables,
        }
        run = [sys.executable, "-m", module]
        environment = {**os.environ, **variables}
        return subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True)

    @property
    def written(self):
        """Path and content of every call that changes something."""
        lines = (self.folder / "calls").read_text().splitlines()
        calls = [json.loads(line) for line in lines]
        return [
            (arguments[1].removeprefix(f"repos/{REPOSITORY}/"), sent)
            for arguments, sent in calls
            if sent is not None
        ]


pytestmark = pytest.mark.skipif(os.name == "nt", reason="the gh of these tests is a POSIX script")


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
PULLS = [
    {"number": 3, "head": {"sha": "f" * 40}},
    {"number": 4, "head": {"sha": SHA}},
]
MINE = {"id": 11, "user": {"login": api.BOT}, "body": f"{comment.MARK}\nold"}
THEIRS = {"id": 12, "user": {"login": "somebody"}, "body": f"{comment.MARK}\nforged"}


def artifact(name, number, size=100, expired=False):
    return {"name": name, "id": number, "size_in_bytes": size, "expired": expired}


def preview(hub, archive, *, comments=(), pulls=PULLS, size=100, listed=comment.LIST):
    hub.answer("pulls", pulls)
    stored = [artifact(listed, 21, size), artifact(comment.PREVIEW, 22)]
    hub.answer("actions/runs/5/artifacts", {"total_count": 2, "artifacts": stored})
    hub.answer("actions/artifacts/21/zip", archive)
    hub.answer("issues/4/comments", list(comments))
    return hub.run("tools.github.comment", RUN_ID="5", HEAD_SHA=SHA)


def test_a_pull_request_gets_its_first_comment(hub):
    done = preview(hub, packed(GOOD), comments=[THEIRS])
    assert done.returncode == 0, done.stderr
    ((path, sent),) = hub.written
    assert path == "issues/4/comments"
    body = sent["body"]
    assert body.startswith(comment.MARK)
    assert "- `new`: new\n" in body
    assert f"]({changes.published()}chapters/mse.html): 2 words added, 1 word removed\n" in body
    assert "](https://github.example/owner/name/actions/runs/5/artifacts/22)" in body


def test_the_next_one_takes_its_place(hub):
    done = preview(hub, packed(GOOD), comments=[THEIRS, MINE])
    assert done.returncode == 0, done.stderr
    assert [path for path, _ in hub.written] == ["issues/comments/11"]


def test_a_commit_that_is_no_longer_the_newest_is_left_alone(hub):
    done = preview(hub, packed(GOOD), pulls=PULLS[:1])
    assert done.returncode == 0
    assert "nothing to say" in done.stdout
    assert not hub.written


@pytest.mark.parametrize(
    ("archive", "options", "says"),
    [
        (b"no zip", {}, "no zip"),
        (packed(GOOD)[:-30], {}, "no zip"),
        (packed(GOOD, "../changes.json"), {}, "alone is expected"),
        (packed(GOOD, more="x"), {}, "alone is expected"),
        (packed("0" * 10_000_000), {}, "more than"),
        (packed(b"\xff"), {}, "no text"),
        (packed('{"added": ["@everybody"], "changed": {}, "removed": []}'), {}, "no name"),
        (
            packed('{"added": ["[x](https://evil.example)"], "changed": {}, "removed": []}'),
            {},
            "no",
        ),
        (packed(GOOD), {"size": 10**9}, "more than"),
        (packed(GOOD), {"listed": "other"}, "no list"),
    ],
)
def test_what_a_pull_request_may_forge_is_refused(hub, archive, options, says):
    done = preview(hub, archive, **options)
    assert done.returncode == 1
    assert done.stderr.startswith("No comment is written: ")
    assert says in done.stderr
    assert not hub.written


def test_no_more_is_unpacked_than_is_allowed(monkeypatch):
    asked, read = [], zipfile.ZipExtFile.read
    monkeypatch.setattr(
        zipfile.ZipExtFile, "read", lambda file, size=-1: asked.append(size) or read(file, size)
    )
    with pytest.raises(ValueError, match="more than"):
        comment.unpack(packed("0" * 10_000_000))
    assert asked == [comment.LARGEST + 1]


@pytest.mark.parametrize("variables", [{"RUN_ID": "5/../6"}, {"HEAD_SHA": "main"}, {"RUN_ID": ""}])
def test_variables_are_looked_at(hub, variables):
    done = hub.run("tools.github.comment", **{"RUN_ID": "5", "HEAD_SHA": SHA} | variables)
    assert done.returncode == 1
    assert "RUN_ID" in done.stderr
    assert not (hub.folder / "calls").exists()


def job(number, name, conclusion, step="Run make links"):
    steps = [
        {"name": "Set up job", "conclusion": "success"},
        {"name": step, "conclusion": conclusion},
    ]
    address = f"https://github.example/job/{number}"
    return {
        "id": number,
        "name": name,
        "conclusion": conclusion,
        "steps": steps,
        "html_url": address,
    }


LOG = "\n".join(
    [
        *(f"2026-01-01T00:00:{n:02}.1234567Z line {n}" for n in range(60)),
        "2026-01-01T00:01:00.1234567Z \x1b[31m```wrong```\x1b[0m",
        "2026-01-01T00:01:00.1234567Z ##[error]Process completed with exit code 2.",
        "2026-01-01T00:01:01.1234567Z Post job cleanup.",
    ]
)


def week(hub, jobs, issues=()):
    hub.answer("actions/runs/7/jobs", {"total_count": len(jobs), "jobs": jobs})
    hub.answer("actions/jobs/2/logs", LOG.encode())
    hub.answer("issues", list(issues))
    return hub.run("tools.github.weekly")


FAILED = [job(1, "newest", "success"), job(2, "links", "failure"), job(3, "report", None)]


def test_a_week_that_fails_opens_an_issue(hub):
    forged = {"number": 8, "title": weekly.TITLE, "user": {"login": "somebody"}}
    done = week(hub, FAILED, [forged])
    assert done.returncode == 0, done.stderr
    ((path, sent),) = hub.written
    assert (path, sent["title"]) == ("issues", weekly.TITLE)
    assert "https://github.example/owner/name/actions/runs/7" in sent["body"]
    assert "**[links](https://github.example/job/2)**: `Run make links` failed" in sent["body"]
    assert "newest](" not in sent["body"]
    code = [line for line in sent["body"].splitlines() if line.startswith("    ")]
    assert code[0] == "    line 22"
    assert code[-2:] == ["    ```wrong```", "    ##[error]Process completed with exit code 2."]
    assert len(code) == weekly.LINES


def test_the_next_week_adds_to_it(hub):
    issue = {"number": 9, "title": weekly.TITLE, "user": {"login": api.BOT}}
    done = week(hub, FAILED, [{"number": 1, "title": "x", "user": {"login": "me"}}, issue])
    assert done.returncode == 0, done.stderr
    assert [path for path, _ in hub.written] == ["issues/9/comments"]


def test_a_week_without_failures_says_nothing(hub):
    done = week(hub, [job(1, "newest", "success")])
    assert done.returncode == 0
    assert not hub.written
