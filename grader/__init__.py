"""Build the assignments of the course, and grade what students hand in, whatever it is.

Students' code runs in a sandbox, one process a submission; the hidden tests run outside, in the
process that the teacher trusts, and call the students' functions over a pipe.

- `grader.assignment`: what authors write hidden tests with, and what the grader reads;
- `grader.notebook`: submissions read as hostile; the students' copy made from the master;
- `grader.sandbox`, `grader.seccomp`: how a process is shut in;
- `grader.wire`, `grader.student`: the pipe and its trusted end; `grader.runner`, `grader.magics`:
  its other end, in the sandbox;
- `grader.grading`: one submission; `grader.batch`: a folder of them; `grader.report`: the grades.

``python -m grader --help`` lists the commands.
"""

from .assignment import WrongAnswer, compare, hidden_test, wrong_answer
from .grading import grade

__all__ = ["WrongAnswer", "compare", "grade", "hidden_test", "wrong_answer"]
