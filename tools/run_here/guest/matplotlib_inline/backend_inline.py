"""Settings of the notebooks' backend; `course_inline` has the course's own built in."""


def set_matplotlib_formats(*_, **__):
    """Do nothing: figures are SVG without a date."""
