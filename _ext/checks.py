"""Turn the checks of named equations into ticks at the equations."""

from __future__ import annotations

import re

HOLDS = re.compile(r"(?P<name>\S+) holds(?P<where> at .+)? \(to (?P<tolerance>\S+)\)")
"""What `lossutils.verify.check_equal` prints."""
KEEP = "show-check"
"""Tag of a cell whose check stays on the page, since it surprises or its code is worth reading."""


def passed(printed: str) -> list[re.Match[str]]:
    """Return the checks that a cell printed, or an empty list if it printed anything else."""
    found = [HOLDS.fullmatch(line) for line in printed.splitlines()]
    return [match for match in found if match] if all(found) else []
