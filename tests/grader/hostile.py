"""Broken and hostile submissions to the assignment ``mse``, and what each must get.

Each is the reference solution with something done to it. `lost` are the questions that it loses by
that, out of six; where a name is not in it, the points were earned and are given.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from grader import assignment
from tests.grader.notebooks import Notebook, notebook

CHAPTER = "mse"
SOLUTIONS = dict(
    zip(
        assignment.load(CHAPTER).questions,
        assignment.solution_cells(assignment.load_master(CHAPTER)),
        strict=True,
    )
)
FIRST, *OTHERS = SOLUTIONS
ALL = tuple(SOLUTIONS)
TOKEN = "left-behind-8917"  # what a submission that leaves something behind calls it
IMPORTS = "import os, sys, time, json, ctypes, socket, signal, threading\nimport numpy as np\n"


@dataclass(frozen=True)
class Case:
    """A submission, and what it must get."""

    content: bytes | Callable[[Path], None]
    lost: tuple[str, ...] = ()
    status: str = "ok"
    says: str = ""  # part of the result, as the teacher sees it
    name: str | None = field(default=None)  # of the file, if it matters


def solved(*, first: str | None = None, before: str = "", after: str = "") -> Notebook:
    """The reference, with another answer to the first question, and cells before and after."""
    sources = {**SOLUTIONS, FIRST: SOLUTIONS[FIRST] if first is None else first}
    cells = [IMPORTS, before, *sources.values(), after]
    return notebook(*(source for source in cells if source))


def saved(content: Notebook) -> bytes:
    return json.dumps(content).encode()


def answer(body: str, **options) -> Case:
    """A case whose answer to the first question is this code, and wrong."""
    lines = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    source = f"def {FIRST}(scores, targets):\n{lines}"
    return Case(saved(solved(first=source)), **{"lost": (FIRST,), **options})


def cell(source: str, **options) -> Case:
    """A case whose first cell is this code; the solutions follow."""
    return Case(saved(solved(before=source)), **options)


def first_cell(source: str, **options) -> Case:
    """A case where the cell that answers the first question begins with this code."""
    source += "\n" + SOLUTIONS[FIRST]
    return Case(saved(solved(first=source)), **{"lost": (FIRST,), **options})


def invalid(content: bytes | Callable[[Path], None], says: str) -> Case:
    return Case(content, lost=ALL, status="invalid", says=says)


def altered(**changes) -> bytes:
    return saved({**solved(), **changes})


NEST = "[" * 100_000 + "]" * 100_000
FORGE = """
def frames():
    frame = sys._getframe()
    while frame:
        yield frame
        frame = frame.f_back
def forge(body, number=None):
    main = next(f for f in frames() if "replies" in f.f_locals)
    number = main.f_locals["number"] if number is None else number
    main.f_locals["replies"].write(main.f_globals["wire"].HEADER.pack(number, len(body)) + body)
    main.f_locals["replies"].flush()
"""
ENCODE = """
import wire
real = wire.encode
def encode(value, depth=0):
    return {forged} if np.ndim(value) == 0 else real(value, depth)
wire.encode = encode
"""
HEADER = r"""
import base64, io
def forged(shape, descr="'<f8'", data=b"12345678"):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    length = len(header).to_bytes(2, "little")
    return base64.b64encode(b"\x93NUMPY\x01\x00" + length + header + data).decode()
"""


def forger(body: str, says: str = "forged a reply") -> Case:
    """A case whose answer to the first question is this code, which can forge replies."""
    lines = "\n".join("    " + line for line in body.split("\n"))
    source = f"def {FIRST}(scores, targets):\n{lines}"
    return Case(saved(solved(before=FORGE, first=source)), (FIRST,), "killed", says)


def npy(call: str) -> Case:
    """A case whose numbers travel as a forged array; the questions that return numbers are lost."""
    forged = ENCODE.replace("{forged}", f'{{"npy": {call}}}')
    return cell(HEADER + forged, lost=(FIRST, *ALL[2:]), says="unusable")


CASES: dict[str, Case] = {
    # ---- honest, if odd
    "honest": Case(saved(solved())),
    "byte order mark": Case(b"\xef\xbb\xbf" + saved(solved())),
    "no metadata": Case(altered(metadata={})),
    "odd metadata": Case(altered(metadata={"kernelspec": [], "language_info": {"name": 3}})),
    "reordered cells": Case(saved(notebook(*reversed([IMPORTS, *SOLUTIONS.values()])))),
    "duplicated cell": Case(saved(solved(after=SOLUTIONS[FIRST]))),
    "mutated arguments": answer(
        "scores -= targets\nscores *= scores\nreturn np.mean(scores)", lost=()
    ),
    "magics": cell(
        "%matplotlib inline\n!ls\nfiles = !ls\nnp.mean?\nx = (7\n     % 4)\n"
        "if x == 3:\n    %time pass"
    ),
    "cell magic": Case(saved(solved(first="%%time\n" + SOLUTIONS[FIRST]))),
    "shell cell": cell("%%bash\nrm -rf /"),
    "plots": first_cell(
        "import matplotlib.pyplot as plt\nfrom IPython.display import Markdown\n"
        "fig, (left, right) = plt.subplots(1, 2)\nleft.plot([1], [2])\nright.set_title('t')\n"
        "fig, ax = plt.subplots()\nwith plt.style.context('x'):\n    ax.plot(1)[0].set_label('y')\n"
        "plt.show()\ndisplay(Markdown('x'))\nfrom tqdm import tqdm\n"
        "assert [k for k in tqdm(range(3))] == [0, 1, 2]",
        lost=(),
    ),
    "self-check": cell("from lossutils.selfcheck import check\ncheck(len, [1], expected=1)"),
    # ---- broken
    "exception in a cell": first_cell("1 / 0", says="ZeroDivisionError"),
    "syntax error": first_cell("def (:", says="SyntaxError"),
    "null byte": first_cell("\0", says="null bytes"),
    "exit in a cell": first_cell("sys.exit()", says="SystemExit"),
    "interrupt in a cell": first_cell("raise KeyboardInterrupt", says="KeyboardInterrupt"),
    "missing cell": Case(saved(solved(first="")), lost=(FIRST,), says="no such function"),
    "duplicated stub": Case(
        saved(solved(after=f"def {FIRST}(s, y):\n    raise NotImplementedError")),
        lost=(FIRST,),
        says="has not been answered",
    ),
    "not a function": Case(saved(solved(first=f"{FIRST} = 3")), lost=(FIRST,)),
    "wrong signature": Case(
        saved(solved(first=f"def {FIRST}(): return 1")), lost=(FIRST,), says="raised TypeError"
    ),
    "exception in a call": answer("return scores.missing", says="raised AttributeError"),
    "exit in a call": answer("sys.exit()", says="raised SystemExit"),
    "endless recursion": answer(f"return {FIRST}(scores, targets)", says="raised RecursionError"),
    "exception that cannot be shown": answer(
        "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd",
        says="an exception of its own kind",
    ),
    "returns nothing": answer("pass", says="returned None"),
    "returns a text": answer("return 'x' * 5000", says="at most 1000"),
    "returns a dict": answer("return {1: 2}", says="a dict"),
    "returns objects": answer("return np.array([None])", says="dtype object"),
    "returns a huge integer": answer("return 10 ** 4000", says="unusable"),
    "returns not a number": answer("return np.nan", says="not a number where"),
    "returns a vector": answer("return scores", says="a vector, expected is a single number"),
    "lossutils in a cell": first_cell(
        "from lossutils.losses import MSELoss", says="in NumPy alone"
    ),
    "lossutils itself": first_cell("import lossutils; lossutils.losses", says="in NumPy alone"),
    "empty file": invalid(b"", "it is empty"),
    "truncated file": invalid(saved(solved())[:-100], "it is not JSON"),
    "UTF-16 file": invalid(json.dumps(solved()).encode("utf-16"), "it is not UTF-8"),
    "not UTF-8": invalid(b'{"cells": ["\xff"]}', "it is not UTF-8"),
    "nested JSON": invalid(NEST.encode(), "it is not JSON"),
    "no notebook": invalid(b"[1, 2]", "no list of cells"),
    "old format": invalid(altered(cells=None, worksheets=[]), "older than format 4"),
    "cells of another kind": invalid(altered(cells=[1]), "no list of cells"),
    "source of another kind": invalid(
        altered(cells=[{"cell_type": "code", "source": [1]}]), "source of cell 1 is not text"
    ),
    "another kernel": invalid(
        altered(metadata={"kernelspec": {"language": "R", "name": "ir"}}), "its kernel speaks r"
    ),
    "huge file": invalid(saved(solved()) + b" " * (21 << 20), "at most 20 MB"),
    "huge code": invalid(saved(solved(after="#" * 600_000)), "characters of code"),
    "symbolic link": invalid(lambda path: path.symlink_to("honest.ipynb"), "symbolic link"),
    "link to a secret": invalid(lambda path: path.symlink_to("/etc/passwd"), "symbolic link"),
    "folder without a notebook": Case(
        lambda path: path.mkdir(), ALL, "invalid", "0 notebooks", name="folder without a notebook"
    ),
    # ---- endless
    "endless cell": first_cell("while True: pass", status="killed", says="ran for more than"),
    "endless cell, signals ignored": first_cell(
        "for s in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    signal.signal(s, signal.SIG_IGN)\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        status="killed",
        says="ran for more than",
    ),
    "endless call": answer("while True: time.sleep(1)", status="killed", says="ran for more than"),
    "endless call in C": answer("return sum(range(10**15))", status="killed", says="ran for more"),
    "endless everywhere": Case(
        saved(
            solved(
                after="def slow(*args):\n    time.sleep(100)\n"
                + "\n".join(f"{name} = slow" for name in SOLUTIONS)
            )
        ),
        ALL,
        "killed",
        "seconds were used up",
    ),
    # ---- deadly
    "exit of the process": first_cell("os._exit(0)", status="killed", says="its process ended"),
    "exit of the process in a call": answer("os._exit(0)", status="killed", says="process ended"),
    "segmentation fault": first_cell("ctypes.string_at(0)", status="killed", says="process ended"),
    "segmentation fault in a call": answer("ctypes.string_at(0)", status="killed"),
    "kills everybody": first_cell(
        "try: os.kill(-1, 9)\nfinally: os.kill(os.getpid(), 9)", status="killed"
    ),
    "closes all files": first_cell("os.closerange(0, 64)", status="killed"),
    # ---- greedy
    "12 GB": first_cell("x = np.ones(12 << 27)", says="MemoryError"),
    "12 GB in a call": answer("return np.ones(12 << 27).sum()", says="MemoryError"),
    "fork bomb": first_cell("while True: os.fork()", says="BlockingIOError"),
    "forks that remain": cell(
        "for _ in range(5):\n    if os.fork() == 0:\n        while True: time.sleep(1)"
    ),
    "forks times memory": first_cell(
        "for _ in range(8):\n    if os.fork() == 0:\n        x = bytearray(400 << 20)\n"
        "        time.sleep(60)\ntime.sleep(60)",
        status="killed",
        says="GB of memory",
    ),
    "threads": first_cell(
        "end, started = threading.Event(), []\ntry:\n    for _ in range(100):\n"
        "        started.append(threading.Thread(target=end.wait))\n        started[-1].start()\n"
        "finally:\n    end.set()\n    [thread.join() for thread in started[:-1]]",
        says="can't start new thread",
    ),
    "hidden memory": first_cell("os.memfd_create('x')", says="PermissionError"),
    "orphan daemon": cell(
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        os.execv('/usr/bin/sleep', ['{TOKEN}', '1000'])\n    os._exit(0)"
    ),
    "200 MB of output": first_cell(
        "for _ in range(200): print('x' * 10**6)", status="killed", says="printed more than"
    ),
    "200 MB of output in a call": answer(
        "os.write(2, b'x' * 200_000_000)", status="killed", says="printed more than"
    ),
    "full disk": first_cell(
        f"for k in range(100):\n    open(f'/tmp/{TOKEN}-{{k}}', 'wb').write(bytes(9 << 20))",
        says="No space left",
    ),
    "large file": first_cell("open('/tmp/x', 'wb').write(bytes(99 << 20))", says="File too large"),
    # ---- prying
    "deletes everything": cell(
        "import shutil\n"
        "for path in ('/grader', '/packages/numpy/fft', '{submissions}', '{home}', '{root}'):\n"
        "    shutil.rmtree(path, ignore_errors=True)"
    ),
    "writes elsewhere": first_cell("open('/grader/wire.py', 'w')", says="Read-only"),
    "writes to the root": first_cell("open('/x', 'w')", says="Read-only"),
    "writes to devices": first_cell("open('/dev/x', 'w')", says="Read-only"),
    "overwrites a neighbour": first_cell(
        "open('{submissions}/honest.ipynb', 'w')", says="FileNotFoundError"
    ),
    "reads a neighbour": first_cell(
        "open('{submissions}/honest.ipynb').read()", says="FileNotFoundError"
    ),
    "reads the hidden tests": first_cell(
        "open('{root}/assignments/mse/hidden_tests.py').read()", says="FileNotFoundError"
    ),
    "reads a home directory": first_cell("open('{home}/secret').read()", says="FileNotFoundError"),
    "reads accounts": first_cell("open('/etc/passwd').read()", says="FileNotFoundError"),
    "reads the environment": first_cell("os.environ['GRADER_SEED']", says="KeyError"),
    "reads its first process": first_cell("open('/proc/1/mem', 'rb').read(1)", says="Error"),
    "sees no other process": cell(
        "found = {int(name) for name in os.listdir('/proc') if name.isdigit()}\n"
        "assert max(found) < 50, found\n"
        "assert '{token}' not in ''.join(open(f'/proc/{p}/cmdline').read() for p in found)"
    ),
    "traces": first_cell(
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "assert libc.ptrace(16, 1, 0, 0) == 0, os.strerror(ctypes.get_errno())",
        says="Operation not permitted",
    ),
    "becomes root": first_cell("os.setuid(0)", says="Invalid argument"),
    "new namespace": first_cell(
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "assert libc.unshare(0x10000000) == 0, os.strerror(ctypes.get_errno())",
        says="Operation not permitted",
    ),
    "network": first_cell(
        "socket.create_connection(('127.0.0.1', {port}), timeout=2)", says="PermissionError"
    ),
    "network by another way": first_cell(
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{port}', timeout=2)",
        says="Operation not permitted",
    ),
    "sees only its own network": cell(
        "devices = [line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line]\n"
        "assert devices == ['lo'], devices"
    ),
    "raises its inputs": answer("raise ValueError(f'leaked {scores!r}')", says="raised ValueError"),
    "a class named by its inputs": answer(
        "raise type(f'leaked{scores[0]}', (Exception,), {})", says="an exception of its own kind"
    ),
    "returns a class named by its inputs": answer(
        "return type(f'leaked{scores[0]}', (), {})()", says="something else"
    ),
    # ---- cheating
    "patched numpy": Case(
        saved(
            solved(
                after="np.allclose = np.isclose = np.array_equal = lambda *a, **k: True\n"
                "np.asarray = np.mean = np.abs = lambda *a, **k: 1.0\n"
                f"def {FIRST}(s, y): return 0.0"
            )
        ),
        ALL,
    ),
    "patched json": cell(
        "json.loads = lambda *a: {}\njson.dumps = lambda *a, **k: '{\"value\": true}'", lost=ALL
    ),
    "patched builtins": Case(
        saved(
            solved(
                after="import builtins\nbuiltins.abs = builtins.all = lambda *a: True\n"
                f"builtins.isinstance = lambda *a: True\ndef {FIRST}(s, y): return 0.0"
            )
        ),
        status="killed",
    ),
    "equal to everything": answer(
        "class Right(float):\n    def __eq__(self, other): return True\n"
        "    __le__ = __ge__ = __lt__ = __gt__ = __eq__\n    __hash__ = None\nreturn Right(0)"
    ),
    "an array equal to everything": answer(
        "class Right(np.ndarray):\n    def __eq__(self, other): return True\n"
        "    def __array_ufunc__(self, *a, **k): return True\n"
        "return np.zeros(()).view(Right)"
    ),
    "fakes the self-check": Case(
        saved(
            notebook(
                "import lossutils.selfcheck\n"
                "lossutils.selfcheck.check = lambda *a, **k: print('right. 20 of 20 points')",
                *(f"def {name}(*a): return None" for name in SOLUTIONS),
            )
        ),
        ALL,
    ),
    "prints a score": answer('print(\'{"score": 20, "status": "ok"}\')\nreturn 0.0'),
    "replies in advance": first_cell(
        FORGE + "for _ in range(9): forge(b'{\"value\": 0.0}', number=1)",
        status="killed",
        says="forged a reply",
    ),
    "answers twice in a cell": cell(FORGE + "forge(b'{}')", status="killed", says="forged a reply"),
    "answers twice in a call": forger(
        "forge(b'{\"value\": 0.0}')\nreturn 0.0", says="points are lost"
    ),
    "answers twice, with what is right": forger(
        "right = float(np.mean((scores - targets) ** 2))\n"
        "forge(json.dumps({'value': right}).encode())\nreturn right",
        says="points are lost",
    ),
    "answers twice at the very end": Case(
        saved(
            solved(
                before=FORGE,
                after=f"real = {ALL[-1]}\ndef {ALL[-1]}(X):\n"
                "    forge(json.dumps({'value': float(real(X))}).encode())\n    return real(X)",
            )
        ),
        ALL[-1:],
        "killed",
        "points are lost",
    ),
    "answers from a thread": forger(
        "main = next(f for f in frames() if 'replies' in f.f_locals)\n"
        "number, replies = main.f_locals['number'], main.f_locals['replies']\n"
        "wire = main.f_globals['wire']\ndef late():\n    time.sleep(0.1)\n"
        "    replies.write(wire.frame(number, {'value': 0.0}))\n    replies.flush()\n"
        "threading.Thread(target=late).start()\ntime.sleep(0.2)\nreturn 0.0"
    ),
    "an error of another kind": forger('forge(b\'{"error": {"x": []}, "line": "y", "text": 7}\')'),
    "a nested reply": forger("forge(b'[' * 500_000 + b']' * 500_000)"),
    "a reply that is no object": forger("forge(b'1e400')"),
    "a flood of replies": first_cell(
        "while True:\n    for k in range(3, 12):\n        try: os.write(k, bytes(60_000))\n"
        "        except OSError: pass",
        status="killed",
        says="forged a reply",
    ),
    "a giant reply": answer("return np.ones(10**7)", status="killed", says="larger than 1 MB"),
    "a reply that claims to be giant": forger(
        "main = next(f for f in frames() if 'replies' in f.f_locals)\n"
        "header = main.f_globals['wire'].HEADER.pack(main.f_locals['number'], 2**32 - 1)\n"
        "main.f_locals['replies'].write(header)\nmain.f_locals['replies'].flush()\ntime.sleep(60)",
        says="larger than 1 MB",
    ),
    "nested lists": answer("x = []\nfor _ in range(9): x = [x]\nreturn x", says="nested too deep"),
    "header of a giant array": npy("forged((10**12,))"),
    "header of a negative array": npy("forged((-1,))"),
    "header of overflowing shape": npy("forged((2**62, 2**62, 2**4))"),
    "header of objects": npy("""forged((1,), "'|O'")"""),
    "header of a giant item": npy("""forged((1,), "('<f8', (10**12,))")"""),
    "header of nested brackets": npy("""forged("(" * 5000)"""),
    "array of many dimensions": npy("forged((1,) * 30)"),
    "array that is not base64": npy("'*' * 100"),
}
