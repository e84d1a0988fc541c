"""Serve the built site on this machine as a good host would: compressed, and with caching allowed.

``make serve`` runs this; the tests in a browser and Lighthouse use it, too.
"""

from __future__ import annotations

import argparse
import gzip
import mimetypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.facts import SITE

COMPRESSED = ("text/", "application/javascript", "application/json", "image/svg+xml")
"""Types of files to compress; fonts and bitmaps are compressed already."""


@cache
def compress(path: Path, modified: int) -> bytes:
    """Compress a file; the cache is used until the file changes."""
    return gzip.compress(path.read_bytes(), compresslevel=6)


def wire_size(content: bytes) -> int:
    """Return how many bytes are transferred for some content, without headers."""
    return len(gzip.compress(content, compresslevel=6))


class Handler(SimpleHTTPRequestHandler):
    """Serves the files of a folder, and logs only errors."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a file, compressed if that helps; the standard library sends folders and errors."""
        path = Path(self.translate_path(self.path))
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        if not (accepted and path.is_file() and kind.startswith(COMPRESSED)):
            super().do_GET()
            return
        body = compress(path, path.stat().st_mtime_ns)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        """Let a browser keep the file: for a year if its address has a digest, else for minutes."""
        lasting = "?" in self.path or self.path.startswith("/_images/")
        self.send_header("Cache-Control", f"public, max-age={31_536_000 if lasting else 600}")
        super().end_headers()

    def log_request(self, *_: object) -> None:
        """Do not log requests that succeed."""


@contextmanager
def serving(folder: Path = SITE, port: int = 0) -> Iterator[str]:
    """Serve a folder in the background, and yield the address. Port 0 picks a free port."""
    with ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def main() -> None:
    """Serve the site until interrupted."""
    parser = argparse.ArgumentParser(description="Show the built site in a browser.")
    parser.add_argument("--port", type=int, default=8000, help="default: %(default)s")
    port = parser.parse_args().port
    if not (SITE / "index.html").exists():
        parser.error("the site is not built; run: make book")
    try:
        with serving(port=port) as address:
            print(f"{address}   (stop with Ctrl+C)")
            threading.Event().wait()
    except OSError as error:
        parser.error(
            f"port {port} is not available ({error}); choose another: make serve PORT=8001"
        )
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
