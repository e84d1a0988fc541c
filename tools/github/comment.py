"""Tell a pull request which pages it changes, and where its preview is, in one comment.

The workflow *Preview* builds a pull request's site without any right to write, and stores the list
of changes. This program runs afterwards from the main branch, with the right to comment, and runs
none of the pull request's code. The stored list may hold any text that a stranger chose, so we open
only a small file, accept only what `changes.read` accepts, and word the comment here. GitHub says
which open pull request has the commit as its newest.

The variables ``RUN_ID`` and ``HEAD_SHA`` name the run of *Preview* and its commit; gh reads
``GH_REPO`` and ``GH_TOKEN``. Only Python and gh are needed.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
import zlib

from tools.facts import NAME
from tools.site import changes

LIST, PREVIEW = "changes", f"{NAME}-offline.zip"
"""Names of the artifacts that the run stores."""
LARGEST = 200_000
"""Largest size of the list in bytes, packed or unpacked."""
LONGEST = 60_000
"""Longest comment in characters, somewhat below GitHub's limit."""


def gh(*arguments: str, text: str = "") -> bytes:
    """Run GitHub's command line with `text` as its input, and return its output."""
    command = ["gh", *arguments]
    return subprocess.run(command, input=text.encode(), check=True, stdout=subprocess.PIPE).stdout


def unpack(archive: bytes) -> str:
    """Return the one file of a zip; anything else is a `ValueError`."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names = opened.namelist()
            if names != ["changes.json"]:
                raise ValueError(
                    f"the zip must hold only changes.json; it holds {ascii(names)[:100]}"
                )
            # the declared size may be a lie, so read no more than the limit
            with opened.open("changes.json") as file:
                content = file.read(LARGEST + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        raise ValueError("the run stored something that cannot be read as a zip") from None
    if len(content) > LARGEST:
        raise ValueError(f"changes.json has more than {LARGEST:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError("changes.json is no UTF-8 text") from None


def write(repository: str, run: str) -> str:
    """Write the comment from the artifacts that a run stored."""
    actions = f"repos/{repository}/actions"
    stored = json.loads(gh("api", f"{actions}/runs/{run}/artifacts?per_page=100"))["artifacts"]
    files = {file["name"]: file for file in stored if not file["expired"]}
    if LIST not in files:
        raise ValueError("the run has stored no list of changes")
    if files[LIST]["size_in_bytes"] > LARGEST:
        raise ValueError(f"the list of changes has more than {LARGEST:,} bytes")
    archive = gh("api", f"{actions}/artifacts/{int(files[LIST]['id'])}/zip")
    listed = changes.markdown(changes.read(unpack(archive)))
    comment = f"**Pages that this pull request changes**\n\n{listed.rstrip()}\n"
    if PREVIEW in files:
        page = f"{os.environ['GITHUB_SERVER_URL']}/{repository}/actions/runs/{run}"
        preview = f"{page}/artifacts/{int(files[PREVIEW]['id'])}"
        comment += (
            f"\n[Download the preview]({preview}), unpack it, and open `index.html`. "
            f"[This run]({page}) built it from the pull request; nobody has reviewed its content.\n"
        )
    if len(comment) > LONGEST:
        raise ValueError(f"the comment would have more than {LONGEST:,} characters")
    return comment


def main() -> None:
    """Write the comment, or replace the one that an earlier run wrote."""
    run, sha = os.environ.get("RUN_ID", ""), os.environ.get("HEAD_SHA", "")
    if not (re.fullmatch(r"\d+", run, re.ASCII) and re.fullmatch(r"[0-9a-f]{40}", sha)):
        sys.exit(f"RUN_ID must be a number and HEAD_SHA a commit; they are {run!a} and {sha!a}.")
    newest = f'.[] | select(.headRefOid == "{sha}") | .number'
    pulls = gh("pr", "list", "--limit=1000", "--json=number,headRefOid", f"--jq={newest}").split()
    if not pulls:
        print("No open pull request has this commit as its newest; there is nothing to say.")
        return
    try:
        comment = write(os.environ["GH_REPO"], run)
    except ValueError as error:
        sys.exit(f"No comment is written: {error}.")
    replace = ("--edit-last", "--create-if-none", "--body-file=-")
    gh("pr", "comment", pulls[0].decode(), *replace, text=comment)


if __name__ == "__main__":
    main()
