"""The files of Python for browsers: a smaller module, and parts that no build changes."""

import dis
import gzip
import importlib.util
import json
import marshal
import re
import struct
import subprocess
import sys
import types
import zipfile
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import pytest
from fontTools.ttLib import TTFont

from tools.run_here import bytecode, compare, fonts, parts, reads, wasm


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
        "tkinter/__init__.pyc",
        "scipy/stats/__init__.pyc",
        "pandas/core.pyc",
        "sklearn/base.pyc",
        "scikit_learn-1.9.1.dist-info/METADATA",
        "numpy/tests/test_a.pyc",
        "mpmath/ctx.pyc",
    ]
    read = {"re/__init__.pyc", "scipy/stats/__init__.pyc", "sklearn/base.pyc"}
    assert parts.split(names, read) == {
        "base": ["re/__init__.pyc"],
        "scipy": ["scipy/stats/__init__.pyc"],
        "sklearn": ["scikit_learn-1.9.1.dist-info/METADATA", "sklearn/base.pyc"],
        "mpmath": [],
        "rest": ["mpmath/ctx.pyc", "tkinter/__init__.pyc"],
    }


def test_the_list_of_what_chapters_import_is_read_as_it_is_written():
    members = {"re/__init__.pyc", "six.pyc", "numpy/linalg/_linalg.pyc"}
    members |= {f"many/module{number}.pyc" for number in range(40)}
    text = reads.listing(members)
    assert max(map(len, text.splitlines())) <= 100
    assert parts.read_modules(text) == members
    assert "numpy/__init__.pyc" in parts.read_modules()
    assert [parts.module_name(name) for name in ("a/b/__init__.pyc", "six.pyc")] == ["a.b", "six"]


def test_parts_are_the_same_in_every_build(tmp_path):
    files = {"b.py": b"2", "a.py": b"1"}
    assert parts.stored(files) == parts.stored(dict(reversed(files.items())))
    with zipfile.ZipFile(BytesIO(parts.stored(files))) as archive:
        assert archive.namelist() == ["a.py", "b.py"]
    entry = parts.write(tmp_path, "x.zip.gz", b"content")
    assert re.fullmatch(r"x-[0-9a-f]{16}\.zip\.gz", entry["file"])
    assert gzip.decompress((tmp_path / entry["file"]).read_bytes()) == b"content"
    assert parts.write(tmp_path, "x.zip.gz", b"other")["file"] != entry["file"]
    plain = parts.write(tmp_path, "x.zip", b"content")
    assert (tmp_path / plain["file"]).read_bytes() == b"content"


SOURCE = '''
"""The docstring of a module."""

class Counter:
    """The docstring of a class."""

    def count(self, *values, start=10**30):
        total = start
        for value in values:
            total += (
                1 / value
            )

        return total, "The docstring of a class.", b"bytes", 1.5, {"a": (None, True)}

class Other:
    """Another docstring."""
'''


@pytest.fixture
def own_bytecode(monkeypatch):
    """The bytecode of `SOURCE`, by the Python that runs this: its format is that of 3.15.

    Only the numbers of operations differ, and the flag of functions with a docstring is newer.
    """
    monkeypatch.setattr(bytecode, "MAGIC", importlib.util.MAGIC_NUMBER)
    monkeypatch.setattr(bytecode, "LOAD_CONST", dis.opmap["LOAD_CONST"])
    monkeypatch.setattr(bytecode, "STORE_NAME", dis.opmap["STORE_NAME"])
    code = compile(SOURCE, "<source>", "exec")
    return code, importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


def all_codes(code):
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return [code, *(each for one in inner for each in all_codes(one))]


def test_smaller_bytecode_does_the_same_and_names_the_same_lines(own_bytecode):
    code, whole = own_bytecode
    small = bytecode.smaller(whole)
    assert len(small) < len(whole)
    made = marshal.loads(small[bytecode.HEADER :])
    for old, new in zip(all_codes(code), all_codes(made), strict=True):
        assert line_of_each(new) == line_of_each(old)
        assert not any(start for _, _, start, _ in new.co_positions() if start)
    before, after = {}, {}
    exec(code, before)
    exec(made, after)
    results = [scope["Counter"]().count(4, start=3) for scope in (before, after)]
    assert results[0] == results[1]
    assert after["__doc__"] == after["Other"].__doc__ == ""
    assert after["Counter"].__doc__ == "The docstring of a class.", "a function returns it, too"
    kept = marshal.loads(bytecode.smaller(whole, docstrings=True)[bytecode.HEADER :])
    assert kept.co_consts[0] == "The docstring of a module."


def line_of_each(code):
    """The line of each operation of some bytecode."""
    return [line for start, end, line in code.co_lines() for _ in range(start, end, 2)]


def test_other_bytecode_is_refused(own_bytecode, monkeypatch):
    monkeypatch.setattr(bytecode, "MAGIC", b"R\x0e\r\n")
    with pytest.raises(ValueError, match=r"not the bytecode of CPython 3\.15: it begins"):
        bytecode.smaller(own_bytecode[1])


def test_a_smaller_font_draws_the_same():
    folder = Path(mpl.get_data_path(), "fonts", "ttf")
    whole = (folder / "DejaVuSans.ttf").read_bytes()
    small = fonts.smaller("DejaVuSans.ttf", whole)
    assert len(small) < len(whole) / 1.5
    old, new = (TTFont(BytesIO(content)) for content in (whole, small))
    for character in "Aé−σ∂√":
        name = old.getBestCmap()[ord(character)]
        assert new.getGlyphID(name) == old.getGlyphID(name)
        outlines = [font["glyf"][name].getCoordinates(font["glyf"])[0] for font in (old, new)]
        assert outlines[0] == outlines[1]
        assert new["hmtx"][name] == old["hmtx"][name]
    assert ord("ש") in old.getBestCmap()
    assert ord("ש") not in new.getBestCmap()
    assert fonts.smaller("cmr10.ttf", b"small") == b"small"


def test_joined_files_can_be_told_apart():
    whole = parts.joined({"a": b"12", "b/c": b"345"})
    (length,) = struct.unpack("<I", whole[:4])
    assert json.loads(whole[4 : 4 + length]) == [["a", 2], ["b/c", 3]]
    assert whole[4 + length :] == b"12345"


def test_the_course_goes_along_with_what_runs_it():
    files = parts.course()
    assert {"lossutils/__init__.py", "course_kernel.py", "IPython/display.py"} <= set(files)
    assert not [name for name in files if "__pycache__" in name]


def test_the_wheel_is_asked_for_only_when_its_parts_must_be_made(tmp_path, monkeypatch):
    asked, out, maker = [], tmp_path / "_python", tmp_path / "reads.txt"
    maker.write_text("1", "utf8")

    def large(wheel, folder):
        (folder / "LICENSES.txt").write_text("MIT", "utf8")
        return {"base": parts.write(folder, "base.zip.gz", wheel)}

    monkeypatch.setattr(parts, "MAKERS", [maker])
    monkeypatch.setattr(parts, "make_large_parts", large)

    def make():
        return parts.make(lambda: asked.append(1) or b"base", out)

    first = make()
    assert make() == first
    monkeypatch.setattr(parts, "course", lambda: {"changed.py": b""})
    changed = make()
    assert changed["parts"]["base"] == first["parts"]["base"]
    assert changed["parts"]["course"] != first["parts"]["course"]
    assert {each["file"] for each in changed["parts"].values()} < {f.name for f in out.iterdir()}
    assert len(asked) == 1
    maker.write_text("2", "utf8")
    make()
    assert len(asked) == 2


def test_no_wheel_is_a_clear_message(monkeypatch, tmp_path):
    monkeypatch.setattr(parts, "REQUIREMENTS", tmp_path / "missing.txt")
    with pytest.raises(SystemExit, match="could not be downloaded"):
        parts.download(tmp_path)


def ids(chapter):
    notebook = json.loads((compare.ROOT / "chapters" / f"{chapter}.ipynb").read_text("utf8"))
    return {cell["id"] for cell in notebook["cells"] if cell["cell_type"] == "code"}


def test_the_appendix_tells_how_many_cells_are_the_same_and_why_others_are_not():
    written = compare.RUNNING.read_text("utf8").partition(compare.BEGIN)[2]
    assert written.partition(compare.END)[0] == compare.table(), "run: make compare"


def test_few_cells_are_excepted_and_each_is_a_cell():
    number = {}
    for kind, of in compare.stated().items():
        for chapter, cells in of.items():
            assert set(cells) <= ids(chapter), chapter
            number[kind] = number.get(kind, 0) + len(cells)
    assert number.pop("different") <= 4
    assert sum(number.values()) <= 65


def test_cells_that_are_not_the_same_are_told_with_what_they_need():
    ended = [("a", "same", []), ("b", "skipped", ["PyTorch", "threads"]), ("c", "error", [])]
    cells = [dict(zip(("id", "verdict", "needs"), cell, strict=True)) for cell in ended]
    cells.append({"id": "d", "verdict": None, "needs": None})
    assert compare.unequal(cells) == {"b": "PyTorch and threads", "c": "error", "d": "None"}


KERNEL = """
import json, sys, types
sys.modules["torch"] = None  # so that it cannot be imported
cells, posted = json.loads(sys.argv[1]), []
host = sys.modules["_host"] = types.ModuleType("_host")
host.call = lambda asked: cells.pop(0).encode() if asked == b"cell" else posted.append(asked)
import course_kernel
while cells:
    course_kernel.run()
sys.__stdout__.write(json.dumps([json.loads(output) for output in posted]))
"""


def run_in_kernel(*cells):
    """Return how each cell ended in the kernel: the lines left out, what they need, the text."""
    guest = compare.ROOT / "tools" / "run_here" / "guest"
    command = [sys.executable, "-c", KERNEL, json.dumps(cells)]
    done = subprocess.run(command, env={"PYTHONPATH": str(guest)}, capture_output=True, check=True)
    ended, printed = [], ""
    for output in json.loads(done.stdout):
        printed += output.get("text", "")
        if output["type"] == "status":
            ended.append((output["status"], output["lines"], output["needs"], printed))
            printed = ""
    return ended


def test_a_statement_that_needs_what_no_browser_has_is_left_out_and_named():
    threads = 'def start():\n    raise RuntimeError("can\'t start new thread")\na = start()'
    file = "raise OSError('mmap is unavailable on wasm32-wasi')"
    assert run_in_kernel(
        "a = 1\nimport torch\nb = torch.ones(1)\nc = 2",
        "print(a, c)\nprint(b)",
        threads,
        f"b = 5\n{file}\nprint(a)",
        "print(b)",
        "raise RuntimeError('another')",
        "print(d)",
    ) == [
        ("skipped", [2, 3], ["PyTorch"], ""),
        ("skipped", [2], ["PyTorch"], "1 2\n"),
        ("skipped", [3], ["threads"], ""),
        ("skipped", [2, 3], ["threads", "memory-mapped files"], ""),
        ("ok", [], [], "5\n"),
        ("error", [], [], ""),
        ("error", [], [], ""),
    ]
