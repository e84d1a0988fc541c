"""Ask GitHub by its command line, gh; for the programs that only workflows run.

Nothing but Python is needed. The variables that they read are those that every job of a workflow
has, and ``GH_TOKEN``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

BOT = "github-actions[bot]"
"""Who writes with the token of a workflow."""


def variable(name: str) -> str:
    """Return a variable of the environment, or end with what is missing."""
    if value := os.environ.get(name):
        return value
    sys.exit(f"The variable {name} is missing. A workflow of .github/workflows sets it.")


def call(path: str, *arguments: str, body: dict | None = None) -> bytes:
    """Return what GitHub answers for a path below this repository; `body` makes it a POST."""
    command = ["gh", "api", f"repos/{variable('GITHUB_REPOSITORY')}/{path}", *arguments]
    content = None if body is None else json.dumps(body).encode()
    if body is not None:
        command += ["--input", "-"]
    return subprocess.run(command, input=content, check=True, stdout=subprocess.PIPE).stdout


def collect(path: str) -> list[dict]:
    """Return all items of a list, page by page."""
    text = call(path, "--paginate", "--slurp").decode()
    found = []
    for page in json.loads(text):
        # a list is an answer by itself, or the one value of an answer that is a list
        found += (
            page if isinstance(page, list) else next(v for v in page.values() if type(v) is list)
        )
    return found


def run_address() -> str:
    """Return where the run of `RUN_ID`, or this one, can be looked at."""
    run = os.environ.get("RUN_ID") or variable("GITHUB_RUN_ID")
    return f"{variable('GITHUB_SERVER_URL')}/{variable('GITHUB_REPOSITORY')}/actions/runs/{run}"
