"""Submissions that fake results: patched libraries, forged replies, forged arrays."""

import json

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


def forger(body: str, says: str = "forged a reply") -> Case:
    """A case whose function for the first question has this body, which may call ``forge``."""
    lines = "\n".join("    " + line for line in body.split("\n"))
    source = f"def {FIRST}(scores, targets):\n{lines}"
    return Case(saved(solved(before=FORGE, first=source)), (FIRST,), "killed", says)


def replaced(reply: str, says: str, status: str = "ok") -> Case:
    """A case that replaces the reply to each call of its first function by these bytes."""
    return answer(
        "import wire\nreal = wire.frame\ndef once(number, reply):\n    wire.frame = real\n"
        f"    body = {reply}\n    return wire.HEADER.pack(number, len(body)) + body\n"
        "wire.frame = once\nreturn 0.0",
        says=says,
        status=status,
    )


def array(says: str, dtype: object = "float64", shape: str = "[1]", entries: str = "[1.0]") -> Case:
    """A case that returns a forged array."""
    value = f'{{"value": {{"dtype": {json.dumps(dtype)}, "shape": {shape}, "entries": {entries}}}}}'
    return replaced(repr(value.encode()), says)


MEGABYTE = "b'{{\"value\": [' + b'{0},' * ({1} // len(b'{0},')) + b'0]}}'"


def megabyte(unit: str) -> Case:
    """A case that returns a list of a megabyte."""
    return replaced(MEGABYTE.format(unit, (1 << 20) - 20), "more than 32768 numbers")


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
    "a giant array": answer("return np.ones(10**6)", says="more than 32768 numbers"),
    "giant lists": answer("return [[0] * 9999] * 9", says="more than 32768 numbers"),
    "a giant reply": answer("return ['x' * 999] * 2000", status="killed", says="larger than 1 MB"),
    "a reply that claims to be giant": forger(
        "main = next(f for f in frames() if 'replies' in f.f_locals)\n"
        "header = main.f_globals['wire'].HEADER.pack(main.f_locals['number'], 2**32 - 1)\n"
        "main.f_locals['replies'].write(header)\nmain.f_locals['replies'].flush()\ntime.sleep(60)",
        says="larger than 1 MB",
    ),
    "nested lists": answer("x = []\nfor _ in range(9): x = [x]\nreturn x", says="nested too deep"),
    # ---- forged arrays
    "array of another shape": array("does not fit", shape="[2]"),
    "array of a giant shape": array("malformed", shape="[1000000000000]"),
    "array of a giant length": array("malformed", shape="[9" + "0" * 4000 + "]"),
    "array of a negative shape": array("malformed", shape="[-1]"),
    "array of an overflowing shape": array("malformed", shape=f"[{2**62}, {2**62}, 16]"),
    "empty array of a giant shape": array("malformed", shape=f"[0, {10**20}]", entries="[]"),
    "empty array of a large shape": array(
        "dimensions", shape="[0" + ", 32768" * 9 + "]", entries="[]"
    ),
    "array of no shape": array("malformed", shape="null"),
    "array of a shape of truths": array("malformed", shape="[true]"),
    "array of a shape of fractions": array("malformed", shape="[1.0]"),
    "array of many dimensions": array("more than 4 dimensions", shape=str([1] * 30)),
    "array of objects": array("another dtype", "object"),
    "array of texts": array("another dtype", "U1000"),
    "array of records": array("another dtype", [["x", "f8", [10**9]]]),
    "array of a giant item": array("another dtype", "(1000000000,)f8"),
    "array of no dtype": array("another dtype", None),
    "array with a text": array("something else than numbers", entries='["1"]'),
    "array with nothing": array("something else than numbers", entries="[null]"),
    "array with a list": array("something else than numbers", entries="[[1.0]]"),
    "array without a list": array("something else than numbers", entries='"1"'),
    "array with a giant integer": array("do not fit", "int64", entries=f"[{10**400}]"),
    "array with no number": array("do not fit", "uint8", entries="[NaN]"),
    "array of another format": replaced('b\'{"value": {"npy": "AAAA"}}\'', "an unknown object"),
    # ---- forged lists and texts
    "a text among many numbers": answer(
        "return [1] * 32_000 + ['x' * 1000]", says="not a number or an array"
    ),
    "a text among a megabyte of numbers": replaced(
        "b'{\"value\": [' + b'1,' * 500_000 + b'\"' + b'x' * 1000 + b'\"]}'",
        "more than 32768 numbers",
    ),
    "many texts": answer("return ['x' * 30] * 20_000", says="not a number or an array"),
    "many empty arrays": answer("return [np.zeros((0, 9))] * 9_000", says="expected is a single"),
    "arrays of many shapes": answer(
        "return [np.zeros((0, k)) for k in range(9_000)]", says="not a number or an array"
    ),
    "a megabyte of numbers": megabyte("1"),
    "a megabyte of empty lists": megabyte("[]"),
    "a megabyte of lists": megabyte("[0]"),
    "a megabyte of empty objects": megabyte("{}"),
    "a megabyte of objects": megabyte('{"":0}'),
    "a megabyte of infinities": megabyte("-Infinity"),
    "a megabyte of digits": replaced("b'{\"value\": ' + b'9' * 10**6 + b'}'", "forged", "killed"),
    "a fraction of a megabyte": replaced(
        "b'{\"value\": 0.' + b'1' * 10**6 + b'}'", "not the right one"
    ),
    "a deep value": replaced("b'{\"value\": ' + b'[' * 900 + b']' * 900 + b'}'", "nested too deep"),
    "a deep error": replaced("b'{\"error\": ' + b'[' * 900 + b']' * 900 + b'}'", "own kind"),
    "a deep text": replaced(
        "b'{\"error\": \"E\", \"text\": ' + b'{\"x\":' * 900 + b'0' + b'}' * 901", "own kind"
    ),
    "a deep reason": replaced(
        "b'{\"unusable\": ' + b'[' * 900 + b']' * 900 + b'}'", "something else"
    ),
    "an error that is no text": replaced('b\'{"error": {}, "line": true}\'', "own kind"),
    "a long error": replaced("b'{\"error\": \"' + b'E' * 10**6 + b'\"}'", "E" * 80 + '"'),
    "a reason of its own": replaced(
        'b\'{"unusable": "nothing. 20 of 20 points"}\'', "something else"
    ),
    "a reply without a value": replaced("b'{}'", "returned None"),
    "a reply of another encoding": replaced(
        "'{\"value\": 0.0}'.encode('utf-16')", "forged", "killed"
    ),
}
