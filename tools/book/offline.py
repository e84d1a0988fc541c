"""Pack the built site so that it works from a folder, without a network or a server.

Every page finds its styles, fonts, pictures and scripts by relative addresses, so the site is
packed unchanged, except for the files that only a web server needs, and for the button that runs a
page in the browser. ``make offline`` leaves it out; ``make offline WITH_PYTHON=1`` packs what it
needs, where ``make python`` has made that, and the zip is several times as large.
"""

from __future__ import annotations

import argparse
import re
import zipfile
from pathlib import Path

from tools.facts import NAME, SITE
from tools.run_here import folder
from tools.run_here.parts import OUT, read_manifest

ZIP = SITE.parent / f"{NAME}-offline.zip"
ONLY_FOR_SERVERS = re.compile(
    r"404\.html|robots\.txt|sitemap\.xml|objects\.inv|\.buildinfo|_cards/|_python/|_static/run_here-"
)
RUN_BUTTON = re.compile(r"<script [^>]*data-run-here[^>]*></script>")


def pack(site: Path, file: Path, *, python: bool = False) -> int:
    """Pack a built site into a zip that holds one folder; return the number of files.

    Parameters
    ----------
    site : Path
        The folder of the site.
    file : Path
        The zip to write.
    python : bool
        Whether to pack Python, too, so that a page runs from the folder.
    """
    paths = sorted(path for path in site.rglob("*") if path.is_file())
    kept = [p for p in paths if not ONLY_FOR_SERVERS.match(p.relative_to(site).as_posix())]
    if site / "index.html" not in kept:
        raise FileNotFoundError(
            f"{site} has no index.html, so the site is not built; run: make book"
        )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in kept:
            name, content = path.relative_to(site), path.read_bytes()
            if path.suffix == ".html":
                page = content.decode()
                content = (folder.on_page(page) if python else RUN_BUTTON.sub("", page)).encode()
            archive.writestr(str(Path(NAME, name)), content)
        added = list(folder.files(site)) if python else []
        for script, content in added:
            archive.writestr(str(Path(NAME, script)), content)
    return len(kept) + len(added)


def main() -> None:
    """Pack the built site, and print the address of the zip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="store_true", help="pack Python, too")
    python = parser.parse_args().python
    if python and not read_manifest(SITE / OUT.name):
        parser.error("the site has no Python for browsers; run: make python book")
    number = pack(SITE, ZIP, python=python)
    print(f"{ZIP}: {number} files, {ZIP.stat().st_size / 1e6:.1f} MB; unpack it, open index.html")


if __name__ == "__main__":
    main()
