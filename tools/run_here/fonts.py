"""Make matplotlib's fonts smaller: the characters that figures of a course use, and many more.

What is kept of a font has its old outlines, kerning and numbers of glyphs, so that a figure has the
same bytes; the hints for small pixels, which figures as SVG do not use, are dropped. A character
that is left out is drawn as an empty box, with a warning.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

from fontTools import subset
from fontTools.ttLib import TTFont

TEXT = (
    *((0x20, 0x17F), (0x2B0, 0x3FF), (0x400, 0x45F)),  # Latin, accents, Greek, Cyrillic
    *((0x2000, 0x218F), (0x2190, 0x22FF)),  # signs, letters as symbols, arrows, mathematics
    *((0x2300, 0x232A), (0x2423, 0x2423)),  # brackets, a sign for a space
    *((0x25A0, 0x266F), (0x2700, 0x27FF)),  # shapes, marks
    *((0x2900, 0x2AFF), (0x1D400, 0x1D7FF)),  # more of mathematics
)
"""Characters of text and formulas, as first and last."""
OF_FONT = {
    "DejaVuSans": TEXT,
    "STIXGeneral": (*TEXT[:3], (0x2000, 0x2AFF), (0xE000, 0xF8FF), (0x1D400, 0x1D7FF)),
    "LastResort": ((0x20, 0x20),),  # matplotlib opens it for any text, and draws none of it
}
"""What is kept of a font, by the beginning of its name; others are small."""


def smaller(name: str, font: bytes) -> bytes:
    """Return a font with fewer characters.

    Parameters
    ----------
    name : str
        Name of its file.
    font : bytes
        A TrueType font.
    """
    for begin, ranges in OF_FONT.items():
        if name.startswith(begin) and "Display" not in name:
            return with_characters(font, (c for a, b in ranges for c in range(a, b + 1)))
    return font


def with_characters(font: bytes, characters: Iterable[int]) -> bytes:
    """Return a font with some of its characters; the numbers of its glyphs stay."""
    options = subset.Options(
        retain_gids=True,
        hinting=False,
        glyph_names=True,
        notdef_outline=True,
        recommended_glyphs=True,
        legacy_kern=True,
        legacy_cmap=True,
        symbol_cmap=True,
        layout_features=["*"],
        layout_scripts=["*"],
        name_IDs=["*"],
        name_legacy=True,
        name_languages=["*"],
        drop_tables=["FFTM", "DSIG"],
        recalc_bounds=False,
        recalc_timestamp=False,
    )
    made = TTFont(io.BytesIO(font), recalcTimestamp=False, recalcBBoxes=False)
    worker = subset.Subsetter(options)
    worker.populate(unicodes=characters)
    worker.subset(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()
