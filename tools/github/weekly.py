"""Say in an issue what the weekly run against the newest dependencies broke.

There is one issue, by its title: a further week that fails adds a comment to it, and nothing here
closes it. It reads the variables that a workflow's job has.
"""

from __future__ import annotations

import re

from tools.github import api

TITLE = "The newest dependencies break something"
LINES = 40
"""Lines from the end of a failed job's log that are shown."""


def tail(log: str) -> str:
    """Return the last lines of a job's log, without times and colours, indented as code."""
    lines = []
    for line in log.splitlines():
        line = re.sub(r"^\ufeff?\d{4}-\d\d-\d\dT[\d:.]+Z ", "", line)
        line = re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", line)
        lines.append(f"    {line}"[:300])
    # what comes after the first failing step is clearing up
    ends = [n for n, line in enumerate(lines) if line.startswith("    ##[error]")]
    end = ends[-1] + 1 if ends else len(lines)
    return "\n".join(lines[max(0, end - LINES) : end])


def report(jobs: list[dict]) -> str:
    """Describe the jobs of this run that failed; "" if none has."""
    parts = []
    for job in jobs:
        if job["conclusion"] in ("failure", "timed_out"):
            step = next((s["name"] for s in job["steps"] if s["conclusion"] == "failure"), "it")
            log = api.call(f"actions/jobs/{job['id']}/logs").decode(errors="replace")
            parts.append(
                f"**[{job['name']}]({job['html_url']})**: `{step}` failed. The end of its log:\n\n"
                + tail(log)
            )
    if not parts:
        return ""
    head = f"[This run]({api.run_address()}) failed with what was newest on its day."
    return "\n\n".join([head, *parts]) + "\n"


def main() -> None:
    """Open the issue, or add to it."""
    run = api.variable("GITHUB_RUN_ID")
    text = report(api.collect(f"actions/runs/{run}/jobs?per_page=100"))
    if not text:
        print("No job of this run failed; there is nothing to say.")
        return
    issues = [
        issue["number"]
        for issue in api.collect("issues?state=open&per_page=100")
        if issue["title"] == TITLE and issue["user"]["login"] == api.BOT
    ]
    if issues:
        api.call(f"issues/{issues[0]}/comments", body={"body": text})
        print(f"Added to issue {issues[0]}.")
    else:
        api.call("issues", body={"title": TITLE, "body": text})
        print("Opened an issue.")


if __name__ == "__main__":
    main()
