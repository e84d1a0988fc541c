"""Grades a folder as `tests.grader.test_hostile` does: in a process that may have another user."""

import json
import sys

from grader import batch
from grader.sandbox import Limits
from tests.grader.hostile.case import CHAPTER
from tests.grader.notebooks import SEED

if __name__ == "__main__":
    submissions, out = sys.argv[1:]
    # More jobs than processors, since many cases only wait for their time to run out.
    counts = batch.run(
        CHAPTER,
        submissions,
        out,
        seed=SEED,
        limits=Limits(call=2.0, total=8.0, call_wall=20.0),
        jobs=3,
        write_gradescope=True,
    )
    print(json.dumps(counts))
