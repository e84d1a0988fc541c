"""The workflows are valid, run commands that also run here, and have no unnecessary rights."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.book import offline
from tools.facts import ROOT, cpu_index
from tools.github import comment

FOLDER = ROOT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
ACTIONS = sorted((FOLDER / "actions").glob("*/action.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE))
COMMANDS = {
    "gh release create",
    "git worktree add",
    "sudo sysctl --write kernel.apparmor_restrict_unprivileged_userns=0",
}
"""Commands that a step may run besides make, because they make sense only on GitHub."""
SCRIPTS = {("weekly.yml", "report")}
"""Jobs with one step, a script that test_github.py runs."""
WRITES = {
    ("comment.yml", "comment"): {"pull-requests"},
    ("pages.yml", "deploy"): {"pages", "id-token"},
    ("release.yml", "publish"): {"id-token"},
    ("release.yml", "announce"): {"contents"},
    ("weekly.yml", "report"): {"issues"},
}
"""Every write permission of a job; no whole workflow has one."""


def load(path):
    return yaml.safe_load(path.read_text("utf8"))


def name(path):
    return str(path.relative_to(FOLDER))


def jobs(path):
    return load(path).get("jobs", {})


def steps(path):
    if path.name == "action.yml":
        return load(path)["runs"]["steps"]
    return [step for job in jobs(path).values() for step in job.get("steps", [])]


def unlisted_commands(path, targets=TARGETS):
    """Return the commands of a file that are neither make targets nor in COMMANDS or SCRIPTS."""
    found = []
    scripts = [jobs(path)[job]["steps"] for file, job in SCRIPTS if file == path.name]
    assert all(len(script) == 1 for script in scripts)
    for step in steps(path):
        if [step] in scripts:
            continue
        for line in step.get("run", "").strip().splitlines():
            make = re.fullmatch(
                r"make(?: -C \.base)?((?: [a-z-]+)+)((?: [A-Z]+=[\w./\"$-]+)*)"
                r'(?: >> "\$GITHUB_(?:ENV|STEP_SUMMARY)")?',
                line,
            )
            known = make and set(make[1].split()) <= targets
            if not (known or re.match("|".join(map(re.escape, COMMANDS)), line)):
                found.append(line)
    return found


def unpinned(path):
    """Return third-party actions that are not pinned to a commit with the version in a comment."""
    used = re.findall(r"^ *-? *uses: (.+)$", path.read_text("utf8"), re.MULTILINE)
    theirs = [use for use in used if not use.startswith("./")]
    return [use for use in theirs if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", use)]


def unlisted_rights(path):
    """Return the write permissions of a file that `WRITES` does not list."""
    workflow, found = load(path), []
    if "permissions" not in workflow:
        found.append("all that the repository gives by default")
    for job, given in {"": workflow, **workflow["jobs"]}.items():
        rights = given.get("permissions", {})
        if isinstance(rights, str):
            found.append(rights)
            continue
        writes = {right for right, level in rights.items() if level == "write"}
        found += sorted(writes - WRITES.get((path.name, job), set()))
    return found


def expressions_in_scripts(path):
    """Return expressions in scripts, where they would turn text from strangers into code."""
    return re.findall(r"\$\{\{.+?\}\}", "\n".join(step.get("run", "") for step in steps(path)))


def lint(root):
    """Run actionlint on a repository, and return its complaints."""
    # actionlint calls the shellcheck of the same environment
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = shutil.which("jactionlint", path=path)
    environment = {**os.environ, "PATH": path}
    done = subprocess.run([command], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout if done.returncode else ""


def test_actionlint_finds_nothing():
    assert lint(ROOT) == ""


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=name)
def test_every_command_is_a_make_target(path):
    assert unlisted_commands(path) == []
    assert expressions_in_scripts(path) == []


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=name)
def test_third_party_actions_are_pinned_to_a_commit(path):
    assert unpinned(path) == []


def test_an_action_has_one_pin():
    pins = {}
    for path in [*WORKFLOWS, *ACTIONS]:
        for action, pin in re.findall(r"uses: ([\w/-]+)@(.+)", path.read_text("utf8")):
            pins.setdefault(action, set()).add(pin)
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_only_listed_rights_are_given(path):
    assert unlisted_rights(path) == []


def test_every_right_listed_is_given():
    for (file, job), rights in WRITES.items():
        given = jobs(FOLDER / "workflows" / file)[job]["permissions"]
        assert {right for right, level in given.items() if level == "write"} == rights


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_every_job_has_a_time_limit(path):
    workflow = load(path)
    assert "group" in workflow["concurrency"]
    for job in workflow["jobs"].values():
        assert "uses" in job or job["timeout-minutes"] <= 90
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_the_job_that_may_comment_runs_no_code_of_a_pull_request():
    """It runs code of the main branch, and no action downloads and unpacks an artifact."""
    (job,) = jobs(FOLDER / "workflows" / "comment.yml").values()
    uses = [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]
    assert uses == ["actions/checkout"]
    assert job["steps"][0]["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    for path in WORKFLOWS:
        assert "pull_request_target" not in path.read_text("utf8")


def test_the_comment_follows_the_preview():
    told = load(FOLDER / "workflows" / "comment.yml")[True]["workflow_run"]  # `on` is True in YAML
    assert told["workflows"] == [load(FOLDER / "workflows" / "preview.yml")["name"]]


def test_the_comment_looks_for_the_artifacts_that_the_preview_stores():
    stored = [
        step["with"]
        for step in steps(FOLDER / "workflows" / "preview.yml")
        if "upload-artifact" in step.get("uses", "")
    ]
    assert [one.get("name") for one in stored] == [comment.LIST, None]
    assert stored[1]["path"] == str(offline.ZIP.relative_to(ROOT).as_posix())
    assert offline.ZIP.name == comment.PREVIEW


def test_the_comment_needs_no_package():
    code = "import tools.github.comment"
    subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, check=True)


def test_make_prints_the_index_of_builds_without_cuda():
    make = ["make", "-s", "cpu-index"]
    said = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said == f"PIP_EXTRA_INDEX_URL={cpu_index()}\n"


# ---- the checks themselves, on a copy with a fault ----------------------------------------------


@pytest.fixture
def plant(tmp_path):
    """Return a function that changes a file in a copy of .github/, and returns its path."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    shutil.copytree(FOLDER, tmp_path / ".github")

    def planted(file, old, new):
        path = tmp_path / ".github" / file
        text = path.read_text("utf8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf8")
        return path

    planted.root = tmp_path
    return planted


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("workflows/test.yml", "timeout-minutes:", "timeout-minute:", "timeout-minute"),
        ("workflows/test.yml", "matrix.os }}\n    timeout", "matrix.so }}\n    timeout", '"so"'),
        ("workflows/pages.yml", "needs: test", "needs: tests", "tests"),
        ("workflows/weekly.yml", "17 5 * * 1", "17 25 * * 1", "25"),
        ("workflows/weekly.yml", "issues: write", "issue: write", '"issue"'),
        ("workflows/weekly.yml", "read -r job", "read job", "shellcheck"),
        ("workflows/pages.yml", "path: _build/html", "folder: _build/html", "folder"),
        ("workflows/release.yml", "files/*.whl", "files/*.whl $(ls", "shellcheck"),
        (
            "workflows/preview.yml",
            "run: make offline",
            "run: make ${{ github.head_ref }}",
            "untrusted",
        ),
        ("actions/setup/action.yml", "shell: bash", "shel: bash", "shel"),
        ("dependabot.yml", "interval: monthly", "interval: sometimes", "sometimes"),
    ],
)
def test_actionlint_finds_a_fault(plant, file, old, new, says):
    assert lint(plant.root) == ""
    plant(file, old, new)
    assert says in lint(plant.root)


@pytest.mark.parametrize(
    ("find", "file", "old", "new", "found"),
    [
        (unlisted_commands, "pages.yml", "make links", "make link", ["make link"]),
        (unlisted_commands, "pages.yml", "make links", "make links; id", ["make links; id"]),
        (unlisted_commands, "pages.yml", "make links", "curl a.example", ["curl a.example"]),
        (unlisted_commands, "pages.yml", "make links", "make V=$(id)", ["make V=$(id)"]),
        (
            expressions_in_scripts,
            "preview.yml",
            "make offline",
            "make ${{ github.sha }}",
            ["${{ github.sha }}"],
        ),
        (
            unpinned,
            "weekly.yml",
            "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
            "v7",
            ["actions/checkout@v7"],
        ),
        (unpinned, "release.yml", " # v1.14.0", "", None),
        (unlisted_rights, "test.yml", "contents: read", "contents: write", ["contents"]),
        (unlisted_rights, "pages.yml", "pages: write", "packages: write", ["packages"]),
        (
            unlisted_rights,
            "test.yml",
            "permissions:\n  contents: read",
            "permissions: write-all",
            None,
        ),
        (unlisted_rights, "test.yml", "permissions:\n  contents: read\n", "", None),
    ],
)
def test_our_own_checks_find_a_fault(plant, find, file, old, new, found):
    planted = find(plant(f"workflows/{file}", old, new))
    assert planted == found or (found is None and planted)
