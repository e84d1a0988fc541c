"""Settings that all tests share."""

import pytest
from hypothesis import settings

# Derandomised: a run that passes today passes tomorrow. No deadline: a test that is slow on a busy
# machine is not wrong.
settings.register_profile(
    "course", derandomize=True, deadline=None, max_examples=25, print_blob=True, database=None
)
settings.load_profile("course")


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
