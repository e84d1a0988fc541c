"""The files of Python for browsers: a smaller module, and parts that no build changes."""

import gzip
import json
import re
import struct
import zipfile
from io import BytesIO

import pytest

from tools.run_here import parts, wasm


def section(kind, body):
    return bytes([kind]) + wasm.encoded(len(body)) + body


def named(text):
    return wasm.encoded(len(text)) + text.encode()


@pytest.fixture
def module(monkeypatch):
    """A module of 60 functions, of which those numbered 21 to 49 are of a package to leave out."""
    monkeypatch.setattr(wasm, "LEFT_OUT", {"pandas": "^pd_"})
    names = {n: f"pd_{n}" if 21 <= n < 50 and n != 30 else f"own::{n}" for n in range(1, 61)}
    listed = wasm.encoded(len(names)) + b"".join(
        wasm.encoded(number) + named(name) for number, name in names.items()
    )
    body = b"\x06\x00" + b"\x01" * 4 + b"\x0b"
    return b"\0asm\1\0\0\0" + b"".join(
        [
            section(2, b"\1" + named("host") + named("call") + b"\0\0"),
            section(10, wasm.encoded(60) + body * 60),
            section(0, named("name") + b"\1" + wasm.encoded(len(listed)) + listed),
        ]
    )


def test_bodies_of_a_package_are_emptied_and_names_dropped(module):
    made, emptied = wasm.smaller(module)
    assert emptied == {"pandas": 28}  # number 30 may be shared
    assert [s.kind for s in wasm.sections_of(made)] == [2, 10]
    code = list(wasm.sections_of(made))[1].body
    bodies = code[1:].replace(wasm.UNREACHABLE, b"-").replace(b"\x06\x00\x01\x01\x01\x01\x0b", b"+")
    expected = "".join("-" if 21 <= n < 50 and n != 30 else "+" for n in range(1, 61))
    assert bodies.decode() == expected


def test_another_module_than_expected_is_refused(module, monkeypatch):
    monkeypatch.setattr(wasm, "LEFT_OUT", {"lxml": "^lx_"})
    with pytest.raises(ValueError, match="no function of lxml is in the module"):
        wasm.smaller(module)
    with pytest.raises(ValueError, match="begins with"):
        wasm.smaller(b"PK\3\4")


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**32 - 1])
def test_numbers_are_read_as_they_are_written(number):
    written = wasm.encoded(number)
    assert wasm.decoded(b"\xff" + written + b"\xff", 1) == (number, 1 + len(written))


def test_each_member_is_in_one_part():
    names = [
        "re/__init__.pyc",
        "scipy/stats/__init__.pyc",
        "pandas/core.pyc",
        "sklearn/base.pyc",
        "scikit_learn-1.9.1.dist-info/METADATA",
        "numpy/tests/test_a.pyc",
        "mpmath/ctx.pyc",
    ]
    assert parts.split(names) == {
        "base": ["re/__init__.pyc"],
        "scipy": ["scipy/stats/__init__.pyc"],
        "sklearn": ["scikit_learn-1.9.1.dist-info/METADATA", "sklearn/base.pyc"],
        "mpmath": ["mpmath/ctx.pyc"],
    }


def test_parts_are_the_same_in_every_build(tmp_path):
    files = {"b.py": b"2", "a.py": b"1"}
    assert parts.stored(files) == parts.stored(dict(reversed(files.items())))
    with zipfile.ZipFile(BytesIO(parts.stored(files))) as archive:
        assert archive.namelist() == ["a.py", "b.py"]
    entry = parts.write(tmp_path, "x.zip", b"content")
    assert re.fullmatch(r"x-[0-9a-f]{16}\.zip\.gz", entry["file"])
    assert gzip.decompress((tmp_path / entry["file"]).read_bytes()) == b"content"
    assert parts.write(tmp_path, "x.zip", b"other")["file"] != entry["file"]


def test_joined_files_can_be_told_apart():
    whole = parts.joined({"a": b"12", "b/c": b"345"})
    (length,) = struct.unpack("<I", whole[:4])
    assert json.loads(whole[4 : 4 + length]) == [["a", 2], ["b/c", 3]]
    assert whole[4 + length :] == b"12345"


def test_the_course_goes_along_with_what_runs_it():
    files = parts.course()
    assert {"lossutils/__init__.py", "course_kernel.py", "IPython/display.py"} <= set(files)
    assert not [name for name in files if "__pycache__" in name]


def test_no_wheel_is_a_clear_message(monkeypatch, tmp_path):
    monkeypatch.setattr(parts, "REQUIREMENTS", tmp_path / "missing.txt")
    with pytest.raises(SystemExit, match="could not be downloaded"):
        parts.download(tmp_path)
