"""Run the package's tests with the oldest versions that it promises to work with, and the newest.

The oldest are the lower bounds in `pyproject.toml`; the newest are whatever pip finds. Each run has
an environment of its own. Run it with ``make test-matrix``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from tools.facts import ROOT, cpu_index
from tools.package import environments

ENVIRONMENTS = ROOT / "_build" / "environments"
EXTRA = "chapters"  # what those who run the chapters install
TESTERS = ("beautifulsoup4", "html5lib", "hypothesis", "pytest")
# an old library may call what a newer one beneath it has deprecated, and warn of its own future
TOLERATED = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")


def project() -> dict:
    """The table `project` of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]


def required() -> list[Requirement]:
    """What the package needs, with all that its extras add."""
    extras = project()["optional-dependencies"].values()
    texts = {*project()["dependencies"], *(text for extra in extras for text in extra)}
    needed = [Requirement(text) for text in sorted(texts)]
    return [each for each in needed if each.name != project()["name"]]


def lower_bound(requirement: Requirement) -> str:
    """Pin a requirement to the oldest version that it admits."""
    bounds = [bound.version for bound in requirement.specifier if bound.operator == ">="]
    if len(bounds) != 1:
        raise ValueError(f"pyproject.toml: {requirement} needs one lower bound, as name>=1.2")
    return f"{requirement.name}=={bounds[0]}"


def testers() -> list[str]:
    """Pins of what runs the tests, which is the same everywhere."""
    pins = (ROOT / "requirements.txt").read_text("utf8").splitlines()
    return [pin for pin in pins if pin.partition("==")[0] in TESTERS]


def oldest_python() -> str:
    """Return the oldest Python that the package supports; exit where it is missing."""
    oldest = re.search(r">=(3\.\d+)", project()["requires-python"])[1]
    if oldest == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    return shutil.which(f"python{oldest}") or sys.exit(
        f"Python {oldest}, the oldest that the package supports, is needed and was not found."
    )


def package_tests() -> list[str]:
    """Files and folders of the tests that need nothing but the package."""
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").glob("test_*.py"))
    return ["lossutils", str(Path("tests", "losses")), *files]


def try_out(version: str) -> bool:
    """Make the environment of one version, and run the package's tests in it."""
    if version == "oldest":
        python, wanted = oldest_python(), [lower_bound(each) for each in required()]
    else:
        python, wanted = environments.newest_python(), [each.name for each in required()]
    print(f"{version}: {python} with {', '.join(wanted)}; installing takes minutes ...", flush=True)
    inside = environments.make(ENVIRONMENTS / version, python)
    index = ["--extra-index-url", cpu_index()]
    environments.pip(inside, "install", "--quiet", *index, *wanted, *testers())
    environments.pip(inside, "install", "--quiet", "--no-deps", "--editable", str(ROOT))
    there = environments.packages(inside)
    print(f"{version}:", ", ".join(f"{each.name} {there[each.name]}" for each in required()))
    tests = [inside, "-m", "pytest", "-q", "--doctest-modules", *package_tests()]
    tests += [option for kind in TOLERATED for option in ("-W", f"default::{kind}")]
    return subprocess.run(tests, cwd=ROOT, env=environments.clean()).returncode == 0


def main() -> None:
    """Try each version that is asked for; exit with 1 if any fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = ("oldest", "newest")
    parser.add_argument("versions", nargs="*", metavar="VERSION", help="oldest, newest, or both")
    versions = parser.parse_args().versions or known
    for version in versions:
        if version not in known:
            parser.error(f"{version!r} is none of the versions, which are oldest and newest")
    failed = [version for version in versions if not try_out(version)]
    sys.exit(f"The tests failed with the {' and the '.join(failed)} versions." if failed else 0)


if __name__ == "__main__":
    main()
