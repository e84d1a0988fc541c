"""Settings that all tests share."""

import pytest
from hypothesis import settings

# Derandomised: a run that passes today passes tomorrow. No deadline: a test that is slow on a busy
# machine is not wrong.
settings.register_profile(
    "course", derandomize=True, deadline=None, max_examples=25, print_blob=True, database=None
)
settings.load_profile("course")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items):
    """Keep what a file sets up, such as a notebook's kernel, on one of several workers.

    Tests marked ``any_worker`` are long and set up nothing, so they go wherever there is time.
    """
    for item in items:
        if not item.get_closest_marker("any_worker"):
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


@pytest.fixture
def house_style():
    """Figures in the style of the course, for one test."""
    # here, since only the tests that draw need matplotlib
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    from lossutils import plots

    with mpl.rc_context():
        plots.use_house_style()
        yield
        plt.close("all")
