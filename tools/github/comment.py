"""Tell a pull request which pages it changes, and where its preview is, in one comment.

The workflow *Preview* builds a pull request's site with no rights, and stores what it finds. This
program runs afterwards, with the right to comment, and from the main branch: it runs nothing of the
pull request. What was stored is anyone's text. Only a small file is opened, only the list that
`changes.read` accepts is taken, and the comment is written here. The pull request is the one
whose newest commit was built, by GitHub's word.

It reads the variables ``RUN_ID`` and ``HEAD_SHA``: which run of *Preview*, of which commit.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
import zlib

from tools.github import api
from tools.site import changes

MARK = "<!-- preview -->"
LIST, PREVIEW = "changes", "from-likelihood-to-gradient-offline.zip"
"""Names of what the run has stored."""
LARGEST = 200_000
"""Bytes that the list may have, packed or not."""
LONGEST = 60_000
"""Characters that a comment may have, with room below what GitHub takes."""


def unpack(archive: bytes) -> str:
    """Return the one file of a zip; anything else is a `ValueError`."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names = opened.namelist()
            if names != ["changes.json"]:
                raise ValueError(f"changes.json alone is expected, {len(names)} files came")
            # what is declared may be a lie, so read no more than is allowed
            with opened.open("changes.json") as file:
                content = file.read(LARGEST + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        raise ValueError("what the run stored is no zip that can be read") from None
    if len(content) > LARGEST:
        raise ValueError(f"changes.json has more than {LARGEST:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError("changes.json is no text") from None


def pull_request(sha: str) -> int | None:
    """Return the number of the open pull request whose newest commit this is, if there is one."""
    found = api.collect("pulls?state=open&per_page=100")
    numbers = [pull["number"] for pull in found if pull["head"]["sha"] == sha]
    return numbers[0] if numbers else None


def write(stored: list[dict]) -> str:
    """Write the comment, from what the run has stored."""
    files = {file["name"]: file for file in stored if not file["expired"]}
    if LIST not in files:
        raise ValueError("the run has stored no list of changes")
    if files[LIST]["size_in_bytes"] > LARGEST:
        raise ValueError(f"the list of changes has more than {LARGEST:,} bytes")
    archive = api.call(f"actions/artifacts/{int(files[LIST]['id'])}/zip")
    listed = changes.markdown(changes.read(unpack(archive)))
    run = api.run_address()
    lines = [MARK, "**Pages that this pull request changes**", "", listed.rstrip(), ""]
    if PREVIEW in files:
        preview = f"{run}/artifacts/{int(files[PREVIEW]['id'])}"
        lines.append(
            f"[Download the preview]({preview}), unpack it, and open `index.html`. It was built "
            f"from the pull request by [this run]({run}); nobody has reviewed what is in it."
        )
    comment = "\n".join(lines) + "\n"
    if len(comment) > LONGEST:
        raise ValueError(f"the comment would have more than {LONGEST:,} characters")
    return comment


def main() -> None:
    """Write the comment, or write it anew."""
    run, sha = api.variable("RUN_ID"), api.variable("HEAD_SHA")
    if not (re.fullmatch(r"\d+", run, re.ASCII) and re.fullmatch(r"[0-9a-f]{40}", sha)):
        sys.exit(f"RUN_ID should be a number and HEAD_SHA a commit; {run!a} and {sha!a} came.")
    number = pull_request(sha)
    if number is None:
        print("No open pull request has this commit as its newest; there is nothing to say.")
        return
    try:
        comment = write(api.collect(f"actions/runs/{run}/artifacts?per_page=100"))
    except ValueError as error:
        sys.exit(f"No comment is written: {error}.")
    old = [
        item["id"]
        for item in api.collect(f"issues/{number}/comments?per_page=100")
        if item["user"]["login"] == api.BOT and item["body"].startswith(MARK)
    ]
    if old:
        api.call(f"issues/comments/{old[0]}", "--method", "PATCH", body={"body": comment})
    else:
        api.call(f"issues/{number}/comments", body={"body": comment})
    print(f"{'Updated' if old else 'Wrote'} the comment on pull request {number}.")


if __name__ == "__main__":
    main()
