"""Print what became of the formulas of some pages, or of all."""

import sys
from collections import Counter

from tests.book.formulas import printed

for page in sys.argv[1:] or printed.PAGES:
    results = printed.outcomes(page)
    for outcome in results:
        if outcome.fault:
            print(outcome.fault)
    for name in printed.stale(page):
        print(f"{page}: declared, but not in the text: {name}")
    print(page, dict(Counter(f"{o.formula.kind}: {o.kind}" for o in results)))
