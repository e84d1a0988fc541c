"""Reads the printed formulas of the book, and checks that they are true.

`reader` turns LaTeX into trees (`nodes`, `relations`, `operators`), which know their values on a
`sheet` of sampled symbols; `checking` compares the sides at random points. None of these modules
knows the package: what the symbols of a chapter mean stands in `tests/book/meanings`.
`printed` finds the formulas of the book; run ``python -m tests.book.formulas`` for a table.
"""
