"""Execute notebooks and store their outputs, so that a second run changes nothing.

We leave out what differs from run to run without meaning anything: the time of each cell, the patch
release of Python, and the state and random ids of widgets.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from tqdm import tqdm

from tools.files import draft_of

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"


def execute(
    path: Path, timeout: int, environment: dict[str, str] | None = None
) -> nbformat.NotebookNode:
    """Run the notebook at `path` in a new kernel, and return it with reproducible outputs.

    The kernel gets the environment variables `environment`, by default those of this process.
    """
    notebook = nbformat.read(path, as_version=4)
    running = 0

    def start(cell: nbformat.NotebookNode, cell_index: int) -> None:
        nonlocal running
        running = cell_index
        bar.update(cell_index + 1 - bar.n)

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        on_cell_start=start,
        # hide the kernel's own log: its warnings do not concern the notebook
        extra_arguments=["--log-level=ERROR"],
    )
    with tqdm(total=len(notebook.cells), desc=str(path), unit="cell") as bar:
        try:
            client.execute(env=environment or dict(os.environ))
        except (CellControlSignal, DeadKernelError) as error:
            cell = notebook.cells[running]
            where = f"{path}, cell {running + 1} of {len(notebook.cells)} (id {cell.get('id')})"
            raise RuntimeError(f"{where}:\n{error}") from error

    notebook.metadata.pop("widgets", None)
    notebook.metadata.update(METADATA)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    return notebook


def save(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook completely or not at all."""
    with draft_of(path) as draft:
        draft.write_text(nbformat.writes(notebook) + "\n", encoding="utf8", newline="\n")


def all_notebooks() -> list[Path]:
    """List the notebooks of the book: the landing page, then chapters and appendix."""
    folders = (Path(), Path("chapters"), Path("appendix"))
    return [path for folder in folders for path in sorted(folder.glob("*.ipynb"))]


def main() -> int:
    """Refresh each notebook, and return how many failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.site.refresh", description=__doc__)
    parser.add_argument(
        "notebooks", nargs="*", type=Path, help="default: all notebooks of the book"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write copies there instead")
    parser.add_argument(
        "--timeout", type=int, default=600, help="seconds for one cell (%(default)s)"
    )
    options = parser.parse_args()

    failures = 0
    for path in options.notebooks or all_notebooks():
        try:
            notebook = execute(path, options.timeout)
        except RuntimeError as error:
            failures += 1
            print(f"\n{error}\n{path} is unchanged.", file=sys.stderr)
            continue
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
        save(notebook, options.out / path.name if options.out else path)
    return failures


if __name__ == "__main__":
    sys.exit(main())
