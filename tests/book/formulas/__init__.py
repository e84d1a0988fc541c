"""Reads formulas as the book prints them, in LaTeX, and checks that they are true.

`reader` turns LaTeX into trees (`nodes`, `relations`, `operators`), which know their values on a
`sheet` of sampled symbols; `checking` compares the sides at random points. Nothing here knows the
package or the book.
"""
