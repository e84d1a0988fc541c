"""Pack the built site so that it works from a folder, without a network or a server.

Every page finds its styles, fonts, pictures and scripts by relative addresses, so the site is
packed unchanged, except for the files that only a web server needs, and for the button that runs a
page in the browser: from a folder no page may load Python. Run it with ``make offline``.
"""

from __future__ import annotations

import argparse
import re
import zipfile
from pathlib import Path

from tools.facts import NAME, SITE

ZIP = SITE.parent / f"{NAME}-offline.zip"
OPTIONS = Path("_static", "documentation_options.js")
ONLY_FOR_SERVERS = re.compile(
    r"404\.html|robots\.txt|sitemap\.xml|objects\.inv|\.buildinfo|_cards/|_python/|_static/run_here-"
)
RUN_BUTTON = re.compile(rb"<script [^>]*data-run-here[^>]*></script>")


def pack(site: Path, file: Path) -> int:
    """Pack a built site into a zip that holds one folder; return the number of files."""
    paths = sorted(path for path in site.rglob("*") if path.is_file())
    kept = [p for p in paths if not ONLY_FOR_SERVERS.match(p.relative_to(site).as_posix())]
    if site / "index.html" not in kept:
        raise FileNotFoundError(
            f"{site} has no index.html, so the site is not built; run: make book"
        )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in kept:
            name, content = path.relative_to(site), path.read_bytes()
            if name == OPTIONS:
                # A page in a folder may not load others, as the search would for its summaries.
                content = content.replace(b"SUMMARY: true", b"SUMMARY: false")
            if path.suffix == ".html":
                content = RUN_BUTTON.sub(b"", content)
            archive.writestr(str(Path(NAME, name)), content)
    return len(kept)


def main() -> None:
    """Pack the built site, and print the address of the zip."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    number = pack(SITE, ZIP)
    print(f"{ZIP}: {number} files, {ZIP.stat().st_size / 1e6:.1f} MB; unpack it, open index.html")


if __name__ == "__main__":
    main()
