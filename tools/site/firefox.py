"""Drive Firefox without a window, over Marionette, the protocol of its own tests.

Playwright needs a Firefox of its own; this drives the one that is installed, and needs no package.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
"""The path of the one that is installed, or None."""
SECONDS_TO_START = 120
SETTINGS = {
    "marionette.port": 0,  # any that is free; it is written into the profile
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class Firefox:
    """A running Firefox; `send` sends a command of WebDriver."""

    def __init__(self, port: int, seconds: float) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.stream = self.socket.makefile("rb")
        self.number = 0
        self.receive()  # it says who it is
        milliseconds = round(1000 * seconds)
        self.send("WebDriver:NewSession", {})
        self.send("WebDriver:SetTimeouts", {"script": milliseconds, "pageLoad": milliseconds})

    def close(self) -> None:
        """Say no more to it."""
        self.stream.close()
        self.socket.close()

    def receive(self) -> Any:
        """Read a message: its length, a colon, and JSON."""
        length = b""
        while (byte := self.stream.read(1)) != b":":
            if not byte:
                raise ConnectionError("Firefox has ended")
            length += byte
        return json.loads(self.stream.read(int(length)))

    def send(self, command: str, options: dict[str, Any]) -> Any:
        """Send a command and return its result."""
        self.number += 1
        message = json.dumps([0, self.number, command, options]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self.receive()
        if error:
            raise RuntimeError(f"{command}: {error['message']}")
        return result

    def open(self, address: str) -> None:
        """Open a page, and wait until it is loaded."""
        self.send("WebDriver:Navigate", {"url": address})

    def run(self, script: str) -> Any:
        """Run a script, in which ``await`` is possible, and return what it returns."""
        body = f"""
            const done = arguments[0];
            (async () => {{ {script} }})().then(
                (value) => done({{ value }}), (error) => done({{ error: String(error) }}));
        """
        options = {"script": body, "args": []}
        answer = self.send("WebDriver:ExecuteAsyncScript", options)["value"]
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer.get("value")


def version() -> int:
    """Return the main version of the Firefox that is installed."""
    text = subprocess.run([str(FIREFOX), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"Firefox (\d+)", text.stdout)
    if found is None:
        raise RuntimeError(f"{FIREFOX} does not say its version, but {text.stdout!r}")
    return int(found[1])


@contextmanager
def firefox(seconds: float) -> Iterator[Firefox]:
    """Start Firefox with an empty profile; a command may take so many seconds."""
    with tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True) as profile:
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in SETTINGS.items()]
        Path(profile, "user.js").write_text("\n".join(lines), "utf8")
        command = [str(FIREFOX), "--headless", "--marionette", "--profile", profile]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )
        try:
            port_file, start = Path(profile, "MarionetteActivePort"), time.monotonic()
            while not (port_file.exists() and port_file.read_text("utf8")):
                if process.poll() is not None or time.monotonic() - start > SECONDS_TO_START:
                    raise RuntimeError(f"{FIREFOX} did not start")
                time.sleep(0.1)
            with closing(Firefox(int(port_file.read_text("utf8")), seconds)) as tab:
                yield tab
        finally:
            process.terminate()
            process.wait()
