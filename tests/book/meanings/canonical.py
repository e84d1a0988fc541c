"""What the symbols of the chapter on canonical links mean."""

from scipy import stats

from lossutils.losses import PoissonNLLLoss, ProbitLoss
from tests.book.formulas.sheet import Function, choice, real, unit
from tests.book.meanings import one

CHAPTER = {}
TAGS = {}
INLINE = {}
CONDITIONS = []
UNREAD = {}
DOCSTRINGS = {
    "PoissonNLLLoss": dict(
        s=real("K"),
        y=choice(*range(10), shape=("K",)),
        l=lambda s, y: one(PoissonNLLLoss())(s, y),
    ),
    "ProbitLoss": dict(
        s=real("K"),
        y=unit("K"),
        l=lambda s, y: one(ProbitLoss())(s, y),
        varphi=Function(stats.norm.pdf),
        h=Function(lambda s: stats.norm.pdf(s) / stats.norm.cdf(s)),
    ),
}
