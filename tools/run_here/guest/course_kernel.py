"""Runs cells in the reader's browser as IPython would, and posts each output as it comes.

The page is reached through one function of the host, ``_host.call(bytes) -> bytes``: ``b"cell"``
answers the source of the cell to run; ``b"rest"`` loads the modules that no chapter imports;
anything else is an output as JSON, and is answered ``b""``.
"""

import ast
import importlib
import io
import json
import linecache
import sys
import traceback
import types
import warnings

import _host

main = types.ModuleType("__main__")
sys.modules["__main__"] = main
NAMESPACE = main.__dict__

ABSENT = "PyTorch", "threads", "memory-mapped files"
"""What no browser has. Statements that need it are left out, so that the rest can run."""
unbound = {"torch": "PyTorch"}
"""Names that only left-out statements would have bound, and what those need."""

REPRESENTATIONS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "image/svg+xml": "_repr_svg_",
    "text/latex": "_repr_latex_",
}
count = 0


def post(kind, **content):
    """Send an output to the page, after what was printed before it."""
    if kind != "stream":
        sys.stdout.flush()
        sys.stderr.flush()
    _host.call(json.dumps({"type": kind, **content}).encode())


class Stream(io.TextIOBase):
    """Standard output or error, which goes to the page line by line."""

    encoding = "utf-8"

    def __init__(self, name):
        self.name, self.held = name, ""

    def writable(self):
        """Return True: a file that can be written to."""
        return True

    def write(self, text):
        """Keep a text until its line ends."""
        self.held += text
        if "\n" in text or "\r" in text or len(self.held) > 8192:
            self.flush()
        return len(text)

    def flush(self):
        """Send what was kept."""
        held, self.held = self.held, ""
        if held:
            post("stream", name=self.name, text=held)


def bundle(value):
    """Return an object in each form that it has, by media type."""
    data = {"text/plain": repr(value)}
    if method := getattr(value, "_repr_mimebundle_", None):
        made = method()
        return data | (made[0] if isinstance(made, tuple) else made)
    for kind, name in REPRESENTATIONS.items():
        if (method := getattr(value, name, None)) and (made := method()) is not None:
            data[kind] = made
    return data


def display(*values, **_):
    """Show objects, as IPython's function of this name does."""
    for value in values:
        post("display", data=bundle(value))


def show_figures(*_, **__):
    """Show each open figure as SVG and close it, as the inline backend does."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        if figure.axes or figure.lines:
            out = io.StringIO()
            figure.savefig(
                out,
                format="svg",
                bbox_inches="tight",
                metadata={"Date": None},
                facecolor=figure.get_facecolor(),
                edgecolor=figure.get_edgecolor(),
            )
            post("display", data={"image/svg+xml": out.getvalue(), "text/plain": repr(figure)})
    pyplot.close("all")


def add_package(path):
    """Let a package be imported whose file the page has just put there."""
    if path not in sys.path:
        sys.path.append(path)
    sys.path_importer_cache.pop(path, None)
    importlib.invalidate_caches()


def run():
    """Run the cell that the page holds, and post how it ended: "ok", "skipped" or "error".

    It runs statement by statement. One that needs something `ABSENT` is left out and named; what it
    would have bound is unbound, so that nothing goes on with a value from before.
    """
    global count
    count += 1
    name, source = f"<cell {count}>", without_magics(_host.call(b"cell").decode())
    lines = source.splitlines(True)
    linecache.cache[name] = (len(source), None, lines, name)  # so that tracebacks quote it
    skipped, needs, value = [], set(), None
    try:
        for statement in ast.parse(source, name).body:
            try:
                value = execute(statement, name)
            except Exception as error:
                if (need := absent(error)) is None:
                    raise
                value = None
                skipped.append(statement.lineno)
                needs.add(need)
                for bound in names_bound(statement):
                    NAMESPACE.pop(bound, None)
                    unbound[bound] = need
        if value is not None and not source.rstrip().endswith(";"):
            post("result", data=bundle(value))
        show_figures()
        needs = sorted(needs, key=ABSENT.index)
        post("status", status="skipped" if skipped else "ok", lines=skipped, needs=needs)
    except BaseException as error:  # also SystemExit: a cell must not end Python
        report(error, name)
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close("all")
        post("status", status="error", lines=skipped, needs=[])


def without_magics(source):
    """Replace lines that only a notebook understands, such as ``%pip``, by ``pass``."""
    return "\n".join(
        line[: len(line) - len(line.lstrip())] + "pass"
        if line.lstrip().startswith(("%", "!"))
        else line
        for line in source.split("\n")
    )


def execute(statement, name):
    """Execute a statement; return its value if it is an expression."""
    if isinstance(statement, ast.Expr):
        return eval(compile(ast.Expression(statement.value), name, "eval"), NAMESPACE)
    exec(compile(ast.Module([statement], []), name, "exec"), NAMESPACE)
    for bound in names_bound(statement):
        unbound.pop(bound, None)
    return None


def absent(error):
    """Return what an error says that a browser has not, or what would have bound its name."""
    if isinstance(error, NameError):
        return unbound.get(error.name)
    if isinstance(error, ModuleNotFoundError):
        return "PyTorch" if error.name == "torch" else None
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return "threads"
    if isinstance(error, OSError) and str(error).startswith("mmap is unavailable"):
        return "memory-mapped files"
    return None


def names_bound(statement):
    """Return the names that a statement binds."""
    nodes = list(ast.walk(statement))
    imported = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    return (
        {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        | {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        | {alias.asname or alias.name.partition(".")[0] for n in imported for alias in n.names}
    )


def report(error, name):
    """Post an error with the lines that led to it, from the cell on."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename != name:  # none, for an error of syntax
        frames = frames.tb_next
    text = "".join(traceback.format_exception(type(error), error, frames))
    # Python adds advice about site-packages, which a browser does not have.
    text = text.replace(
        ". Site initialization is disabled, did you forget to add the "
        "site-packages directory to sys.path or to enable your virtual environment?",
        "",
    )
    post("error", ename=type(error).__name__, evalue=str(error), traceback=text)


warnings.filterwarnings("ignore", "tqdm:disabling monitor")  # there are no threads
sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
