"""Run the chapters again with their experiments changed, and list which conclusions still hold.

Each perturbation of `lossutils.verdicts` changes all numbers of one kind that a chapter has marked
with `vary`; `conclude` then records verdicts. The table goes to appendix/robustness.md. It has a
section for each chapter, so that a run for one chapter keeps the others.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from joblib import Parallel, delayed
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from lossutils.verdicts import PERTURBATION, PERTURBATIONS, RECORD
from tools.facts import ROOT
from tools.files import draft_of

PAGE = ROOT / "appendix" / "robustness.md"
HOLDS, STATED, FLIPS, UNTOUCHED = "✓", "stated", "**flips**", "–"
COLUMNS = {
    "half the steps": "½ steps",
    "twice the steps": "2 × steps",
    "ten times the steps": "10 × steps",
    "rates twice as fine": "finer rates",
    "rates twice as wide": "wider rates",
    "other seeds": "other seeds",
    "another split": "other split",
}
INTRODUCTION = """\
# What the conclusions survive

An experiment shows what happened once. Before a chapter concludes something from it, the experiment
is repeated with what its author chose changed: the number of steps, the learning rates that were
tried, the seeds of random numbers, the split of the data. This page lists every conclusion, and
what became of it.

The columns are half, twice and ten times the steps, a grid of rates twice as fine and twice as
wide, other seeds, and another split.

- ✓: the conclusion is true of the changed experiment, too;
- *stated*: it is not, but it says so itself, for instance by "after 100 steps";
- –: the chapter has nothing of that kind to change.

A conclusion that flips without saying so has no place in this course. `make robust` repeats all
experiments and writes this page. Each table shows the day on which its chapter was tried last.
"""
HEADING = re.compile(r"^## \[(?P<title>.+)\]\(\.\./chapters/(?P<name>\w+)\.ipynb\)$", re.MULTILINE)


def title_of(chapter: Path) -> str:
    """Title of a notebook."""
    first = next(c for c in nbformat.read(chapter, 4).cells if c.cell_type == "markdown")
    return first.source.splitlines()[0].removeprefix("# ")


def source_of(chapter: Path) -> str:
    """Code of a notebook."""
    cells = nbformat.read(chapter, 4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def run(chapter: Path, perturbation: str | None) -> list[dict]:
    """Execute a chapter, and return the verdicts that it recorded.

    Raises
    ------
    RuntimeError
        If a cell fails: an experiment must bear each perturbation.
    """
    notebook = nbformat.read(chapter, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder, "verdicts")
        record.touch()
        environment = {**os.environ, RECORD: str(record)}
        if perturbation:
            environment[PERTURBATION] = perturbation
        client = NotebookClient(
            notebook,
            timeout=None,
            kernel_name="python3",
            resources={"metadata": {"path": str(chapter.parent)}},
            extra_arguments=["--log-level=ERROR"],
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            raise RuntimeError(f"{chapter.stem}, {perturbation or 'unchanged'}:\n{error}") from None
        return [json.loads(line) for line in record.read_text("utf8").splitlines()]


def outcome(verdict: dict, perturbation: str) -> str:
    """Say what became of a verdict under a perturbation."""
    if verdict["holds"]:
        return HOLDS
    return STATED if PERTURBATIONS[perturbation].kind in verdict["given"] else FLIPS


def in_a_table(statement: str) -> str:
    """Statement as it stands in a cell of the table."""
    return statement.replace("|", "\\|")


def section(chapter: Path, found: dict[str, list[dict]]) -> str:
    """Heading, date and table of a chapter, from the verdicts under each perturbation."""
    statements = dict.fromkeys(v["statement"] for verdicts in found.values() for v in verdicts)
    rows = []
    for statement in statements:
        cells = []
        for perturbation in PERTURBATIONS:
            verdicts = [v for v in found.get(perturbation, []) if v["statement"] == statement]
            # a statement that a loop repeats must hold each time
            results = {outcome(verdict, perturbation) for verdict in verdicts}
            worst = next((r for r in (FLIPS, STATED, HOLDS) if r in results), UNTOUCHED)
            cells.append(worst)
        rows.append(f"| {in_a_table(statement)} | {' | '.join(cells)} |")
    today = datetime.now(UTC).date().isoformat()
    return "\n".join(
        [
            f"## [{title_of(chapter)}](../chapters/{chapter.stem}.ipynb)",
            "",
            f"Tried on {today}.",
            "",
            f"| Conclusion | {' | '.join(COLUMNS[name] for name in PERTURBATIONS)} |",
            "|:--|" + ":-:|" * len(PERTURBATIONS),
            *rows,
        ]
    )


def sections(page: str) -> dict[str, str]:
    """Sections of the page by the names of their chapters."""
    starts = [*HEADING.finditer(page)]
    ends = [*(start.start() for start in starts[1:]), len(page)]
    return {
        start["name"]: page[start.start() : end].strip()
        for start, end in zip(starts, ends, strict=True)
    }


def chapters_with_verdicts() -> list[Path]:
    """Chapters that conclude something, in the order of the book."""
    order = re.findall(r"file: (chapters/\w+)", (ROOT / "_toc.yml").read_text("utf8"))
    paths = [ROOT / f"{name}.ipynb" for name in order]
    return [path for path in paths if "conclude(" in source_of(path)]


def perturbations_of(chapter: Path) -> list[str]:
    """Perturbations that change something in a chapter."""
    kinds = set(re.findall(r"""vary\(\s*["'](\w+)["']""", source_of(chapter)))
    return [name for name, perturbation in PERTURBATIONS.items() if perturbation.kind in kinds]


def main(arguments: Iterable[str] | None = None) -> int:
    """Write the page; return 1 if a conclusion flips, or an experiment fails."""
    parser = argparse.ArgumentParser(prog="python -m tools.book.robust", description=__doc__)
    parser.add_argument("chapters", nargs="*", help="names, such as mse (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (%(default)s)")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the tables go")
    options = parser.parse_args(None if arguments is None else list(arguments))
    known = {path.stem: path for path in chapters_with_verdicts()}
    if unknown := set(options.chapters) - set(known):
        parser.error(f"no verdicts in {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    chosen = [known[name] for name in known if not options.chapters or name in options.chapters]
    runs = [(path, name) for path in chosen for name in perturbations_of(path)]

    found: dict[Path, dict[str, list[dict]]] = {path: {} for path in chosen}
    failures = []
    with tqdm(total=len(runs), unit="run") as bar:
        tasks = (delayed(_attempt)(path, name) for path, name in runs)
        results = Parallel(n_jobs=options.jobs, return_as="generator_unordered")(tasks)
        for path, name, verdicts, failure in results:
            found[path][name] = verdicts
            failures += [failure] if failure else []
            bar.update()
    if failures:
        print(*failures, f"{options.page} is unchanged.", sep="\n\n", file=sys.stderr)
        return 1

    old = sections(options.page.read_text("utf8")) if options.page.exists() else {}
    new = {path.stem: section(path, found[path]) for path in chosen}
    tables = old | new
    ordered = [tables[name] for name in known if name in tables]
    with draft_of(options.page) as draft:
        draft.write_text("\n\n".join([INTRODUCTION.strip(), *ordered]) + "\n", "utf8")
    flips = [row for text in new.values() for row in text.splitlines() if FLIPS in row]
    print(*flips, f"{len(flips)} conclusions flip. {options.page} is written.", sep="\n")
    return 1 if flips else 0


def _attempt(chapter: Path, perturbation: str) -> tuple[Path, str, list[dict], str | None]:
    try:
        return chapter, perturbation, run(chapter, perturbation), None
    except RuntimeError as error:
        return chapter, perturbation, [], str(error)


if __name__ == "__main__":
    sys.exit(main())
