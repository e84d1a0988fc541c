"""Tell which cells of a page another one needs, so that a short one need not wait for all others.

A cell needs those that last bound a name that it reads, or may have changed it since, and what they
need themselves. A function reads its names when it is called. What a function changes in its
arguments is not seen, except for the state of a random generator.
"""

import ast
import re

GENERATOR = re.compile(r"\b(\w+) = np\.random\.default_rng\b")
MODULE = re.compile(r"^import .*?(\w+)$", re.MULTILINE)
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
MAYBE = ast.If | ast.For | ast.While | ast.Try
"""Statements whose inner statements may not be executed, as far as one can see."""


class Names:
    """The names that some Python reads at once, reads when called, binds, and may change."""

    def __init__(self, node):
        self.reads, self.late, self.binds = set(), set(), set()
        self.changes, self.called = set(), set()
        for child in ast.iter_child_nodes(node):
            self.look(child)

    def look(self, node):
        """Take up the names below a node."""
        if isinstance(node, FUNCTIONS | COMPREHENSIONS | ast.ClassDef):
            self.enter(node)
            return
        if isinstance(node, ast.Name):
            (self.reads if isinstance(node.ctx, ast.Load) else self.binds).add(node.id)
        elif isinstance(node, ast.arg):
            self.binds.add(node.arg)
        elif isinstance(node, ast.alias):
            self.binds.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            self.changes.add(root(node))
        elif isinstance(node, ast.AugAssign):
            self.reads.add(root(node.target))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self.called.add(root(node.value.func))  # as `found` in `found.append(1)`
        for child in ast.iter_child_nodes(node):
            self.look(child)

    def enter(self, scope):
        """Take up what a function, a class or a comprehension has from outside."""
        inner = Names(scope)
        reads = self.late if isinstance(scope, FUNCTIONS) else self.reads
        reads |= inner.reads - inner.binds
        self.late |= inner.late - inner.binds
        self.changes |= inner.changes - inner.binds
        self.called |= inner.called - inner.binds
        if hasattr(scope, "name"):
            self.binds.add(scope.name)
        if isinstance(scope, FUNCTIONS):
            outside = [*scope.args.defaults, *filter(None, scope.args.kw_defaults)]
        else:
            outside = [each.iter for each in getattr(scope, "generators", [])[:1]]
        for node in outside:  # evaluated before the names inside exist
            self.look(node)


class Cell:
    """The names of a whole cell; those that it binds for certain apart from those that it may."""

    def __init__(self, source, modules):
        self.reads, self.late, self.binds, self.maybe = set(), set(), set(), set()
        for statement in parsed(source).body:
            names = Names(ast.Module([statement], []))
            self.reads |= names.reads - self.binds
            self.late |= names.late
            self.maybe |= names.changes | (names.called - modules)
            (self.maybe if isinstance(statement, MAYBE) else self.binds).update(names.binds)


def parsed(source):
    """Return a cell's syntax tree, which is empty if it is not Python."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def root(node):
    """Return the name that an expression such as ``a.b[0].c`` begins with, or an empty string."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def needed(sources):
    """Return the places of the cells that the last one needs, in order."""
    modules = {name for source in sources for name in MODULE.findall(source)}
    cells = [Cell(source, modules) for source in sources]
    generators = {name for source in sources for name in GENERATOR.findall(source)}
    for cell in cells:
        cell.maybe |= (cell.reads | cell.late) & generators

    def makers(name, place):
        """Return the cells above a place that made a name what it is there."""
        found = []
        for i in reversed(range(place)):
            if name in cells[i].binds | cells[i].maybe:
                found.append(i)
            if name in cells[i].binds:
                break
        return found

    def read_at(place):
        """Return the names read at a place, also by functions that may be called there."""
        found, new = set(), cells[place].reads | (cells[place].late - cells[place].binds)
        while new:
            found |= new
            made = {i for name in new for i in makers(name, place)}
            new = {name for i in made for name in cells[i].late} - found
        return found

    chosen, open_ones = set(), [len(cells) - 1]
    while open_ones:
        place = open_ones.pop()
        above = {i for name in read_at(place) for i in makers(name, place)}
        open_ones += above - chosen
        chosen |= above
    return sorted(chosen)
