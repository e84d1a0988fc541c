"""Try the laws on the losses of all libraries, print the table, and keep ``appendix/laws.md``.

``make laws`` writes the page; ``make laws CHECK=--check`` only says whether it is as stored.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable
from importlib import metadata
from itertools import chain

from lossutils.laws import LAWS
from tools.facts import ROOT

from .cases import LIBRARIES, ROWS, Called

PAGE = ROOT / "appendix" / "laws.md"
BEGIN, END = "<!-- make laws writes this -->\n\n", "\n\n<!-- as far as here -->"
TRIED = ("torch", "scikit-learn", "optax", "jax", "keras", "mlx", "fvcore", "monai", "numpy")
HOLDS, BROKEN, NOT_TRIED = "✓", "✗", "—"
Findings = list[tuple[Called, dict[str, str]]]


def all_losses() -> Iterable[Called]:
    """Return the losses of all libraries."""
    from . import on_jax, on_mlx, on_numpy, on_torch

    return chain(
        on_torch.pytorch(),
        on_numpy.sklearn(),
        on_jax.of_optax(),
        on_jax.of_keras(),
        on_mlx.of_mlx(),
        on_torch.fvcore(),
        on_torch.monai(),
        on_numpy.ours(),
    )


def findings_of(losses: Iterable[Called]) -> Findings:
    """Try all laws on some losses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a library may warn where a law is broken
        return [(called, called.findings()) for called in losses]


def table(findings: Findings) -> str:
    """Return the table: law by library."""
    of_cell = defaultdict(list)
    for called, found in findings:
        for row, case in found.items():
            of_cell[row, called.library].append(case)
    lines = [
        "| Law | " + " | ".join(LIBRARIES) + " |",
        "|:--|" + ":-:|" * len(LIBRARIES),
    ]
    for row in ROWS:
        cells = [_cell(of_cell[row, library]) for library in LIBRARIES]
        lines.append(f"| {_title(row)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(cases: list[str]) -> str:
    """Return one cell: in how many calls the law is broken, of those that were tried."""
    broken = sum(map(bool, cases))
    if not cases:
        return NOT_TRIED
    return f"{BROKEN} {broken}/{len(cases)}" if broken else HOLDS


def _title(row: str) -> str:
    return row.replace("_", "-")


def broken(findings: Findings) -> str:
    """Return the failing cases of all libraries."""
    return "\n\n".join(broken_of(library, findings) for library in LIBRARIES)


def broken_of(library: str, findings: Findings) -> str:
    """Return the failing cases of a library: what was called, what came, where it is discussed."""
    lines = [f"### {library}\n"]
    for called, found in findings:
        broken = [row for row, case in found.items() if case and called.library == library]
        if broken:
            lines.append(f"- `{called.call}`")
        lines += [f"  - **{_title(row)}**: {found[row]}.{_beside(called, row)}" for row in broken]
    return "\n".join(lines if len(lines) > 1 else [*lines, "No law is broken."])


def _beside(called: Called, row: str) -> str:
    note = f" {called.notes[row]}" if row in called.notes else ""
    thread = f" Discussed in {_link(called.threads[row])}." if row in called.threads else ""
    return note + thread


def _link(thread: str) -> str:
    owner, name, _, number = thread.split("/")
    return f"[{name}#{number}](https://github.com/{owner}/{name}/{thread.split('/', 2)[2]})"


def mended(findings: Findings) -> str:
    """Return the threads that report a broken law which holds in the pinned version."""
    lines = [
        f"- **{_title(row)}**, `{called.call}`: {_link(thread)}."
        for called, found in findings
        for row, thread in called.threads.items()
        if not found[row]
    ]
    return "\n".join(lines)


def reasons() -> str:
    """Return the table of the laws, with formula and reason."""
    lines = ["| Law | Says | Because |", "|:--|:--|:--|"]
    lines += [f"| {_title(law.name)} | {law.formula} | {law.reason} |" for law in LAWS]
    return "\n".join(lines)


def report(findings: Findings) -> str:
    """Return what the page shows between its two marks."""
    # PyTorch's version names its build, as in 2.13.0+cpu
    of = {name: metadata.version(name).partition("+")[0] for name in TRIED}
    versions = ", ".join(f"{name} {version}" for name, version in of.items())
    return f"""\
{reasons()}

## Law by library

{HOLDS}: the law holds in every call that was tried. {BROKEN} 1/4: it is broken in one of four \
calls, and the case is below. {NOT_TRIED}: the law does not apply, or what it needs is not offered.

:::{{container}} counts
{table(findings)}
:::

Versions: {versions}.

## Where a law is broken

{broken(findings)}

## Broken once, and mended

These threads report that a function broke the law; in the pinned version it holds.

{mended(findings)}"""


def stored() -> tuple[str, str, str]:
    """Return the page: what stands before the marks, between them, and after."""
    before, rest = PAGE.read_text("utf8").split(BEGIN)
    between, after = rest.split(END)
    return before, between, after


def main() -> int:
    """Print the table; write the page, or compare with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the page, and exit")
    check = parser.parse_args().check
    findings = findings_of(all_losses())
    print(table(findings))
    before, between, after = stored()
    new = report(findings)
    if new == between:
        print(f"\n{PAGE.name} says the same.")
    elif check:
        lines = difflib.unified_diff(between.splitlines(), new.splitlines(), "stored", "new")
        print("\n".join(["", *lines]))
        print(f"\n{PAGE.name} differs; make laws writes it.")
        return 1
    else:
        PAGE.write_text(before + BEGIN + new + END + after, "utf8")
        print(f"\n{PAGE.name} is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
