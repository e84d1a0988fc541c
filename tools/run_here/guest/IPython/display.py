"""Objects that are shown in one form."""

from course_kernel import display  # noqa: F401


class Shown:
    """A text that stands for itself in one form."""

    def __init__(self, data):
        self.data = data

    def __repr__(self):
        return f"<IPython.core.display.{type(self).__name__} object>"


class Markdown(Shown):
    """A text in Markdown."""

    def _repr_markdown_(self):
        return self.data


class HTML(Shown):
    """A piece of a page."""

    def _repr_html_(self):
        return self.data


class SVG(Shown):
    """A drawing."""

    def _repr_svg_(self):
        return self.data


class Latex(Shown):
    """A text with formulas."""

    def _repr_latex_(self):
        return self.data


class Math(Shown):
    """A formula."""

    def _repr_latex_(self):
        return f"$\\displaystyle {self.data}$"
