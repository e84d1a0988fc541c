"""Resolve requirements.in into requirements.txt: every package, exactly pinned, for every platform.

pip resolves for the machine it runs on. What only another platform needs (colorama on Windows)
is found by following the requirements of each package under that platform's markers, and pinned
with such a marker, so that one file serves Linux, macOS and Windows.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PLATFORMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "darwin": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "win32": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
WHEELS = {"linux": "manylinux2014_x86_64", "darwin": "macosx_11_0_arm64", "win32": "win_amd64"}
"""Where a package that this machine lacks is looked up; its source might not build here."""
# The CPU build of torch needs none of these, and they weigh gigabytes.
CUDA = ("cuda-", "nvidia-", "triton")
HEADER = """\
# Everything the course needs, exactly pinned. Written by `make pins` from requirements.in:
# edit that file, not this one.
"""


def resolve(*arguments: str) -> dict[str, dict]:
    """What pip would install for these arguments in an empty environment: name -> metadata."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    report = subprocess.run(
        [*pip, "--report", "-", *arguments], check=True, stdout=subprocess.PIPE
    ).stdout
    metadata = [item["metadata"] for item in json.loads(report)["install"]]
    return {canonicalize_name(m["name"]): m for m in metadata}


def needed(roots: list[Requirement], packages: dict[str, dict], platform: str) -> set[str]:
    """Names reachable from `roots` on `platform`; looks up packages that this machine lacks."""
    seen: set[tuple[str, str]] = set()
    queue = [(root, "") for root in roots]
    while queue:
        requirement, extra = queue.pop()
        name = canonicalize_name(requirement.name)
        environment = PLATFORMS[platform] | {"extra": extra}
        if requirement.marker and not requirement.marker.evaluate(environment):
            continue
        if name.startswith(CUDA):
            continue
        if name not in packages:
            wheel = ["--platform", WHEELS[platform], "--only-binary=:all:", "--target", "unused"]
            wanted = f"{requirement.name}{requirement.specifier}"
            packages |= resolve("--no-deps", *wheel, wanted)
        children = [Requirement(text) for text in packages[name].get("requires_dist", [])]
        for key in {(name, e) for e in ("", *requirement.extras)} - seen:
            seen.add(key)
            queue += [(child, key[1]) for child in children]
    return {name for name, _ in seen}


def marker(name: str, users: dict[str, set[str]]) -> str:
    """The marker that limits `name` to the platforms that need it, or nothing."""
    on = [platform for platform, names in users.items() if name in names]
    if len(on) == len(users):
        return ""
    if len(on) == 1:
        return f'; sys_platform == "{on[0]}"'
    (off,) = set(users) - set(on)
    return f'; sys_platform != "{off}"'


def main() -> None:
    """Write requirements.txt beside requirements.in."""
    lines = [line.split("#")[0].strip() for line in Path("requirements.in").read_text().split("\n")]
    roots = [Requirement(line) for line in lines if line]
    packages = resolve("--requirement", "requirements.in")
    users = {platform: needed(roots, packages, platform) for platform in PLATFORMS}
    pins = [
        f"{name}=={Version(packages[name]['version']).public}{marker(name, users)}\n"
        for name in sorted(set().union(*users.values()))
    ]
    Path("requirements.txt").write_text(HEADER + "".join(pins))
    print(f"requirements.txt: {len(pins)} packages")


if __name__ == "__main__":
    main()
