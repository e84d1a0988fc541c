"""Plant faults in the losses, one at a time, and count those that the tests catch.

mutmut changes a sign, a number, a comparison, an argument or a message, and runs the tests that
reach the changed function. It works in a temporary copy, so no fault can stay in the repository.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tools.facts import ROOT

ENOUGH = 0.95
"""The share of faults that the tests must catch."""

# The comparisons with PyTorch are left out, because mutmut forks and autograd does not survive a
# fork. The comparisons with the exact reference must catch those faults instead.
CONFIGURATION = """
[mutmut]
source_paths = lossutils
only_mutate =
    {targets}
pytest_add_cli_args =
    -p
    no:cacheprovider
    -k
    not pytorch
pytest_add_cli_args_test_selection =
    tests/losses
    tests/test_special.py
    tests/test_engine.py
"""


def mutmut(copy: Path, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """Run mutmut in the copy."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=copy, env=os.environ | threads, text=True, **options)


def make_copy(copy: Path, targets: list[str]) -> None:
    """Copy the package and the tests of the losses, and configure mutmut."""
    for folder in ("lossutils", "tests/losses"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in [*(ROOT / "tests").glob("*.py"), ROOT / "pyproject.toml"]:
        shutil.copy(file, copy / file.relative_to(ROOT))
    (copy / "setup.cfg").write_text(CONFIGURATION.format(targets="\n    ".join(targets)))


def outcomes(copy: Path) -> dict[str, str]:
    """Return the outcome of each mutant by its name."""
    listing = mutmut(copy, "results", "--all", "true", capture_output=True, check=True).stdout
    pairs = (line.strip().rsplit(": ", 1) for line in listing.splitlines() if ": " in line)
    return {name: outcome for name, outcome in pairs if "__mutmut_" in name}


def main() -> int:
    """Run mutmut, and print every fault that no test caught; return 0 if few enough were missed."""
    parser = argparse.ArgumentParser(prog="python -m tools.package.mutants", description=__doc__)
    parser.add_argument(
        "targets",
        nargs="*",
        default=["lossutils/losses/*.py", "lossutils/_kernels.py", "lossutils/special.py"],
        help="files to plant faults in (%(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count(),
        help="faults to try in parallel (%(default)s)",
    )
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        make_copy(copy, arguments.targets)
        run = mutmut(copy, "run", "--max-children", str(arguments.workers))
        if run.returncode != 0:
            print("\nmutmut stopped; see whether the unchanged package passes its tests")
            return run.returncode
        by_name = outcomes(copy)
        missed = [name for name, outcome in by_name.items() if outcome != "killed"]
        for name in missed:
            shown = mutmut(copy, "show", name, capture_output=True, check=True).stdout
            print(f"\n{shown.strip()}")

    counts = Counter(by_name.values())
    share = counts["killed"] / max(1, len(by_name))
    print(f"\n{len(by_name)} faults planted:", *(f"{n} {what}" for what, n in counts.most_common()))
    print(f"{share:.1%} killed; at least {ENOUGH:.0%} must be")
    return 0 if share >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
