"""The readers of what students send never fail, whatever they read: a few inputs for each."""

import pytest
from hypothesis import given, settings

from tests.grader import fuzz


@pytest.mark.parametrize("reader", fuzz.READERS, ids=lambda reader: reader.__name__)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # about students' code
def test_reader(reader):
    @given(fuzz.READERS[reader])
    @settings(max_examples=100, deadline=None)
    def tried(value):
        reader(value)

    tried()
