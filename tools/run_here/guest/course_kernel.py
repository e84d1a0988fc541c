"""Runs cells in the reader's browser as IPython would, and posts each output as it comes.

The page is reached through one function of the host, ``_host.call(bytes) -> bytes``: ``b"cell"``
answers the source of the cell to run; ``b"rest"`` loads the modules that no chapter imports; anything
else is an output as JSON, and is answered ``b""``.
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
import zipimport
from pathlib import Path

import _host

main = types.ModuleType("__main__")
sys.modules["__main__"] = main
NAMESPACE = main.__dict__

ABSENT = "torch"
"""A package that no browser has. Statements that need it are left out, so that the rest can run."""
unbound = {ABSENT}
"""Names that only left-out statements would have bound."""

REPRESENTATIONS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "image/svg+xml": "_repr_svg_",
    "text/latex": "_repr_latex_",
}
BASE, REST = "/usr/local/lib/python315.zip", "/lib/rest.zip"
"""Where the page puts what is always loaded, and what no chapter imports."""
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


class Rest:
    """Finds modules that no chapter imports: the page loads all of them when one is needed."""

    def __init__(self):
        listed = zipimport.zipimporter(BASE).get_data(f"{BASE}/rest.txt")
        self.names = set(listed.decode().split())

    def find_spec(self, name, path=None, target=None):
        """Return where a module is, or None, as the import system asks for."""
        if name not in self.names:
            return None
        if not Path(REST).exists() and (trouble := _host.call(b"rest")):
            raise ImportError(f"{name} could not be loaded: {trouble.decode()}", name=name)
        folder = name.rpartition(".")[0].replace(".", "/")
        return zipimport.zipimporter(f"{REST}/{folder}".rstrip("/")).find_spec(name, target)


def run():
    """Run the cell that the page holds, and post how it ended: "ok", "skipped" or "error".

    It runs statement by statement. One that needs `ABSENT` is left out and named; what it would
    have bound is unbound, so that nothing goes on with a value from before.
    """
    global count
    count += 1
    name, source = f"<cell {count}>", without_magics(_host.call(b"cell").decode())
    lines = source.splitlines(True)
    linecache.cache[name] = (len(source), None, lines, name)  # so that tracebacks quote it
    skipped, value = [], None
    try:
        for statement in ast.parse(source, name).body:
            try:
                value = execute(statement, name)
            except (ModuleNotFoundError, NameError) as error:
                if not is_absent(error):
                    raise
                value = None
                skipped.append(statement.lineno)
                for bound in names_bound(statement):
                    NAMESPACE.pop(bound, None)
                    unbound.add(bound)
        if value is not None and not source.rstrip().endswith(";"):
            post("result", data=bundle(value))
        show_figures()
        post("status", status="skipped" if skipped else "ok", lines=skipped)
    except BaseException as error:  # also SystemExit: a cell must not end Python
        report(error, name)
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close("all")
        post("status", status="error", lines=skipped)


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
    unbound.difference_update(names_bound(statement))
    return None


def is_absent(error):
    """Return whether an error only says that `ABSENT`, or what it would have made, is not there."""
    return (isinstance(error, ModuleNotFoundError) and error.name == ABSENT) or (
        isinstance(error, NameError) and error.name in unbound
    )


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
sys.meta_path.insert(0, Rest())  # first, since a folder without modules would do for a package
