"""The command line of the grader: ``python -m grader build | run | report``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from . import assignment, batch, notebook, report, results
from .assignment import AssignmentError
from .grading import INFRASTRUCTURE
from .notebook import NotebookError
from .sandbox import NoSandbox
from .submissions import BatchError

SEED = "GRADER_SEED"
SHORTEST = 16  # characters of a seed that students cannot guess
UNSAFE = (
    "warning: --unsafe: students' code runs with all your rights. It can read and delete your "
    "files, use the network, and leave processes running."
)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except (AssignmentError, BatchError, NotebookError, NoSandbox) as error:
        print(f"grader: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\ngrader: interrupted; finished results are kept, and run --resume continues",
            file=sys.stderr,
        )
        return 130


def build(options: argparse.Namespace) -> int:
    """Write the students' copies."""
    for chapter in options.chapter or assignment.chapters():
        student = notebook.without_solutions(assignment.load_master(chapter))
        file = assignment.folder(chapter) / f"{chapter}.ipynb"
        results.write_atomically(file, notebook.dump(student))
        print(os.path.relpath(file))
    return 0


def run(options: argparse.Namespace) -> int:
    """Grade a folder of submissions."""
    if options.unsafe:
        print(UNSAFE, file=sys.stderr)
    if (options.executor == "dask") != (options.scheduler is not None):
        raise BatchError("--executor dask and --scheduler tcp://… go together; only one was given")
    count = batch.run(
        options.chapter,
        options.submissions,
        options.out,
        seed=_seed(options.seed_file),
        jobs=options.jobs,
        resume=options.resume,
        unsafe=options.unsafe,
        scheduler=options.scheduler,
        write_gradescope=options.gradescope,
    )
    print(", ".join(f"{number} {status}" for status, number in count.items()))
    if count[INFRASTRUCTURE]:
        print(
            f"grader: {count[INFRASTRUCTURE]} could not be graded, through no fault of the "
            "students; their results say why, and --resume tries again",
            file=sys.stderr,
        )
        return 3
    print(f"Next: python -m grader report {options.out}")
    return 0


def make_report(options: argparse.Namespace) -> int:
    """Write ``grades.csv`` and ``summary.html``."""
    print(report.write_report(options.out))
    print(f"{options.out / 'grades.csv'}, {options.out / 'summary.html'}")
    return 0


def _seed(file: Path | None) -> str:
    """Return the secret seed of the hidden inputs, from a file or the environment."""
    try:
        seed = (file.read_text(encoding="utf-8") if file else os.environ.get(SEED, "")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BatchError(f"the seed cannot be read from {file}: {error}") from None
    different = len(set(seed))
    if len(seed) < SHORTEST or different < SHORTEST // 3:
        if seed:
            problem = (
                f"{file or SEED} has {len(seed)} characters, {different} of them different, and "
                f"can be guessed; use at least {SHORTEST}, {SHORTEST // 3} of them different"
            )
        else:
            problem = f"{file} is empty" if file else f"neither --seed-file nor {SEED} was given"
        raise BatchError(
            f"the hidden inputs are drawn from a secret seed, but {problem}. Make one, and keep "
            "it outside the repository:\n"
            '    python -c "import secrets; print(secrets.token_hex())" > ../seed.txt'
        )
    return seed


def _jobs(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"it must be a whole number of at least 1, not {text!r}")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grader",
        description="Build the assignments of the course, and grade submissions to them.",
        epilog=f"Assignments: {', '.join(assignment.chapters())}. See appendix/grading.md.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("build", help="write the students' copies of the assignments")
    command.add_argument("chapter", nargs="*", metavar="CHAPTER", help="default: all")
    command.set_defaults(command=build)

    command = commands.add_parser(
        "run",
        help="grade a folder of submissions",
        description="Grade a folder of submissions: <student>.ipynb or <student>/<chapter>.ipynb.",
        epilog="Exit status: 0 if all were graded, 2 if the command is wrong, 3 if the grader "
        "failed on some submissions, 130 if it was interrupted.",
    )
    add = command.add_argument
    add("chapter", metavar="CHAPTER", help="name of the assignment")
    add("submissions", type=Path, metavar="SUBMISSIONS", help="folder with the notebooks")
    add("--out", type=Path, required=True, metavar="OUT", help="folder for the results")
    add(
        "--seed-file",
        type=Path,
        metavar="F",
        help=f"file with the secret seed (default: the environment variable {SEED})",
    )
    add(
        "--jobs", type=_jobs, metavar="N", help="submissions at a time (default: one per processor)"
    )
    add("--resume", action="store_true", help="continue; grade only what is new or has changed")
    add("--gradescope", action="store_true", help="also write gradescope/<student>/results.json")
    add("--executor", choices=("local", "dask"), default="local", help="where to grade")
    add("--scheduler", metavar="tcp://…", help="address of the dask scheduler")
    add("--unsafe", action="store_true", help="run students' code without a sandbox")
    command.set_defaults(command=run)

    command = commands.add_parser("report", help="write grades.csv and summary.html")
    command.add_argument("out", type=Path, metavar="OUT", help="folder with the results")
    command.set_defaults(command=make_report)
    return parser


if __name__ == "__main__":
    sys.exit(main())
