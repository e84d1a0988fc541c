"""Submissions that are broken or hostile, grouped by what they attack, with what each must get."""

from tests.grader.hostile import broken, forgery, intrusion, names, odd, resources
from tests.grader.hostile.case import Case

CASES: dict[str, Case] = {
    **odd.CASES,
    **broken.CASES,
    **resources.CASES,
    **intrusion.CASES,
    **forgery.CASES,
    **names.CASES,
}
