"""Makes what students choose, such as the names of their files, safe to show and to write."""

from __future__ import annotations

import hashlib
import unicodedata

# Some systems do not allow these in file names; at `;` and `|` some spreadsheets split a line.
UNSAFE = '/\\:*?"<>|;`'
FIRST = "=+-@'.~"  # begins a formula, an option of a command, a hidden file or a home folder
LAST = "."  # which Windows removes from the end of a name
LONGEST = 200  # bytes; file systems allow 255, and an ending follows


def visible(text: str, also: str = "") -> str:
    """Text in which each character that does not show as itself is percent-escaped.

    Such characters command a terminal, change the direction of the text behind them, or are
    invisible. The characters in ``also`` are escaped too.
    """
    return "".join(c if c.isprintable() and c not in also else _escaped(c) for c in text)


def safe(text: str, also: str = "") -> str:
    """Text that neither a spreadsheet, a shell, a terminal nor a file system interprets.

    A text that is safe already stays as it is.
    """
    text = visible(text, UNSAFE + also)
    # A full-width equals sign begins a formula too.
    if text and (text[0].isspace() or unicodedata.normalize("NFKC", text[0])[0] in FIRST):
        text = _escaped(text[0]) + text[1:]
    if text and (text[-1].isspace() or text[-1] in LAST):
        text = text[:-1] + _escaped(text[-1])
    return text


def file_name(student: str) -> str:
    """Name of a student for files and tables; different students get different ones."""
    name = safe(student, also="%") or "%"
    data = name.encode()
    if len(data) <= LONGEST:
        return name
    # "%~" occurs in no other name, since there two hexadecimal digits follow each "%".
    digest = hashlib.sha256(data).hexdigest()[:32]
    return f"{data[: LONGEST - 50].decode('utf-8', 'ignore')}%~{digest}"


def _escaped(character: str) -> str:
    """Percent-escaped bytes of a character; bytes of a name that are not UTF-8 have one too."""
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
