"""Settings that all tests share."""

from hypothesis import settings

# Derandomised: a run that passes today passes tomorrow. No deadline: a test that is slow on a busy
# machine is not wrong.
settings.register_profile(
    "course", derandomize=True, deadline=None, max_examples=25, print_blob=True, database=None
)
settings.load_profile("course")
