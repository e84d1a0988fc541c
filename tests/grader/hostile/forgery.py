"""Submissions that fake results: patched libraries, forged replies, forged arrays."""

from tests.grader.hostile.case import (
    ALL,
    FIRST,
    SOLUTIONS,
    Case,
    answer,
    cell,
    first_cell,
    saved,
    solved,
)
from tests.grader.notebooks import notebook

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
    """A case whose function for the first question has this body, which may call ``forge``."""
    lines = "\n".join("    " + line for line in body.split("\n"))
    source = f"def {FIRST}(scores, targets):\n{lines}"
    return Case(saved(solved(before=FORGE, first=source)), (FIRST,), "killed", says)


def forged_array(call: str) -> Case:
    """A case that sends a forged array for each number; the questions on numbers are lost."""
    forged = ENCODE.replace("{forged}", f'{{"npy": {call}}}')
    return cell(HEADER + forged, lost=(FIRST, *ALL[2:]), says="unusable")


CASES: dict[str, Case] = {
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
    "a giant reply": answer("return np.ones(10**6)", status="killed", says="larger than 1 MB"),
    "a reply that claims to be giant": forger(
        "main = next(f for f in frames() if 'replies' in f.f_locals)\n"
        "header = main.f_globals['wire'].HEADER.pack(main.f_locals['number'], 2**32 - 1)\n"
        "main.f_locals['replies'].write(header)\nmain.f_locals['replies'].flush()\ntime.sleep(60)",
        says="larger than 1 MB",
    ),
    "nested lists": answer("x = []\nfor _ in range(9): x = [x]\nreturn x", says="nested too deep"),
    "header of a giant array": forged_array("forged((10**12,))"),
    "header of a negative array": forged_array("forged((-1,))"),
    "header of overflowing shape": forged_array("forged((2**62, 2**62, 2**4))"),
    "header of objects": forged_array("""forged((1,), "'|O'")"""),
    "header of a giant item": forged_array("""forged((1,), "('<f8', (10**12,))")"""),
    "header of nested brackets": forged_array("""forged("(" * 5000)"""),
    "array of many dimensions": forged_array("forged((1,) * 30)"),
    "array that is not base64": forged_array("'*' * 100"),
}
