"""The autograder: builds the students' notebooks, and grades the notebooks that they hand in.

A student's code runs in a sandbox, in a process of its own. The hidden tests run outside, in the
teacher's process, and call the student's functions over a pipe.

- `grader.assignment`: the decorators for hidden tests, and the assignment that the grader loads;
- `grader.notebook`: reads submissions, and removes the solutions from a master notebook;
- `grader.sandbox`, `grader.seccomp`: the sandbox, and its filter of system calls; `grader.usage`:
  the time, memory and files that it uses;
- `grader.wire`: the messages on the pipe; `grader.student`: its trusted end; `grader.runner`,
  `grader.magics`, `grader.skipped`: its untrusted end, inside the sandbox;
- `grader.session`: a notebook that runs; `grader.grading`: grades one submission;
  `grader.batch`: a folder of submissions, which `grader.submissions` finds and `grader.names`
  names, into a folder of `grader.results`;
- `grader.feedback`: the page for a student; `grader.report`: grades and summary for the teacher.

``python -m grader --help`` lists the commands.
"""

from .assignment import WrongAnswer, compare, hidden_test, judge, wrong_answer
from .grading import grade

__all__ = ["WrongAnswer", "compare", "grade", "hidden_test", "judge", "wrong_answer"]
