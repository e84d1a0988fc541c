"""matplotlib's backend in the page: figures are shown as soon as ``plt.show()`` is called.

Its name ends in "inline", which tells `lossutils.plots` that it is a notebook.
"""

from course_kernel import show_figures as show  # noqa: F401  (pyplot.show calls it)
from matplotlib.backend_bases import FigureManagerBase as FigureManager  # noqa: F401
from matplotlib.backends.backend_svg import FigureCanvasSVG as FigureCanvas  # noqa: F401
