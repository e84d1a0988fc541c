"""Formulas for books: KaTeX's MathML, made fit for narrow pages and for what books are read with.

Readers know MathML Core, which neither breaks a line within a formula nor has letters in bold or
script other than those of Unicode, and whose tables stand centred. So a formula's name moves
outside; a long formula becomes several, between which a line may break; and the rest is said in
ways that Core has.
"""

from __future__ import annotations

import unicodedata

from lxml import etree, html
from lxml.html import HtmlElement

MATHML = "http://www.w3.org/1998/Math/MathML"
RELATIONS = set("=≠≈∼≤≥<>∝≡→←⟺⟹⇒⇔∈↦")
OPERATIONS = set("+−±∓⋅×⊙")
OPENING, CLOSING = set("([{⟨⌊"), set(")]}⟩⌋")
APPLICATION = "\N{FUNCTION APPLICATION}"
NORM = "∥"
THIN = "0.1667em"
WITH_INDICES = ("msub", "msup", "msubsup", "munder", "mover", "munderover")
SHORT = {"block": 18, "inline": 10}
"""Widths, in letters, up to which a formula stays whole: a phone's line has about 25."""
LONG = 34
"""Width from which what does not break is set smaller."""
STYLES = {"bold": "BOLD", "script": "SCRIPT", "double-struck": "DOUBLE-STRUCK"}


def adapt(formula: HtmlElement, mark: str = "") -> HtmlElement:
    """Return what stands in a book for a formula that KaTeX has typeset: its ``.katex``.

    A mark, the comma behind a formula for instance, stays with the formula's end.
    """
    math = formula.find(".//math")
    kind = math.get("display", "inline")
    row, annotation = math.find("semantics")
    row, name = unwrap(row)
    for element in list(row.iter()):
        restyle(element)
    clauses = divide(row, SHORT[kind]) if width(row) > SHORT[kind] else [[list(row)]]
    book = html.Element("span", {"class": f"formula-{kind}"})
    body = etree.SubElement(book, "span", {"class": "formula-body"})
    if any(sum(map(width, piece)) > LONG for clause in clauses for piece in clause):
        body.set("class", "formula-body formula-long")
    for clause in clauses:
        place = body
        if len(clauses) > 1:
            place = etree.SubElement(body, "span", {"class": "clause"})
            place.tail = " "
        for piece in clause:
            part = etree.SubElement(place, "math", {"xmlns": MATHML})
            part.tail = "\N{ZERO WIDTH SPACE}"  # a line may break here
            part.extend(piece)
            if kind == "block":
                part.set("displaystyle", "true")
            first = piece[0]
            if piece is not clauses[0][0] and first.tag == "mo" and "form" not in first.attrib:
                first.set("form", "infix")  # it begins a part, yet stands between two
        part.tail = None
    if len(clauses) == 1 and len(clauses[0]) == 1:
        part.set("alttext", annotation.text.strip())
        if kind == "block":
            part.set("display", "block")
    if mark:
        end = html.Element("span", {"class": "with-mark"})
        part.addprevious(end)
        end.append(part)
        part.tail = mark
    if name:
        etree.SubElement(book, "span", {"class": "formula-name"}).text = name
    return book


def unwrap(row: HtmlElement) -> tuple[HtmlElement, str]:
    """Return a formula, and the name that KaTeX sets beside it in a table as wide as the page."""
    if row.tag == "mtable" and row.get("width"):
        _, cell, _, name = row[0]
        return (cell[0] if len(cell) == 1 and cell[0].tag == "mrow" else cell), name.text_content()
    return row, ""


def restyle(element: HtmlElement) -> None:
    """Say in MathML Core what KaTeX says in an older MathML."""
    style = STYLES.get(element.get("mathvariant", ""))
    if style and element.text:
        element.text = "".join(letter(character, style) for character in element.text)
        del element.attrib["mathvariant"]
    if element.tag == "mo":
        space_sign(element)
    if element.tag == "mtable":
        columns = element.get("columnalign", "center").split()
        gap = element.get("columnspacing", "1em").split()[0]
        for line in element:
            for number, cell in enumerate(line):
                side = columns[min(number, len(columns) - 1)]
                before = gap if number else "0"
                cell.set("style", f"text-align: {side}; padding: 0.2em 0 0.2em {before}")


def space_sign(sign: HtmlElement) -> None:
    """Space a sign as TeX does: Core sees in it what it mostly is, not what it is here."""
    before, after = sign.getprevious(), sign.getnext()
    if sign.text == APPLICATION:
        if after is not None and sign_of(after) not in OPENING:
            sign.set("rspace", THIN)
        if before is not None and not leads(before.getprevious()):
            before.addprevious(html.Element("mspace", {"width": THIN}))
    elif sign.text in ("+", "−", "±", "∓") and before is not None and leads(before):
        sign.set("form", "prefix")
    elif sign.text == NORM:
        sign.set("lspace", "0")
        sign.set("rspace", "0")
    elif sign.text in RELATIONS and before is None:
        sign.set("lspace", "0")


def letter(character: str, style: str) -> str:
    """Return a letter in a style, as Unicode has it."""
    name = unicodedata.name(character).replace("LATIN ", "").replace("LETTER ", "")
    for full in (f"MATHEMATICAL {style} {name}", f"{style} {name}"):
        try:
            return unicodedata.lookup(full)
        except KeyError:
            continue
    raise ValueError(f"Unicode has no {character!r} in {style.lower()}; mend STYLES or the formula")


def divide(row: HtmlElement, limit: float) -> list[list[list[HtmlElement]]]:
    """Divide a formula: into clauses at wide spaces, and these before relations and operations.

    What an operation joins stays together up to a limit of width.
    """
    clauses: list[list[list[HtmlElement]]] = [[[]]]
    depth, in_norm = 0, False
    for element in row:
        if is_wide(element) and depth == 0:
            if clauses[-1] != [[]]:
                clauses.append([[]])
            continue
        sign, last = sign_of(element), (clauses[-1][-1] or [None])[-1]
        joins = sign in RELATIONS or (sign in OPERATIONS and not leads(last))
        if joins and last is not None and depth == 0 and not in_norm:
            clauses[-1].append([])
        depth += (sign in OPENING) - (sign in CLOSING)
        if sign == NORM:
            in_norm = not in_norm
        clauses[-1][-1].append(element)
    return [joined(clause, limit) for clause in clauses if clause != [[]]]


def joined(pieces: list[list[HtmlElement]], limit: float) -> list[list[HtmlElement]]:
    """Join short pieces again where an operation stands between them."""
    found = pieces[:1]
    for piece in pieces[1:]:
        if sign_of(piece[0]) in OPERATIONS and sum(map(width, [*found[-1], *piece])) <= limit:
            found[-1] += piece
        else:
            found.append(piece)
    return found


def sign_of(element: HtmlElement) -> str:
    """Return the sign that an element is, with or without indices; else nothing."""
    base = element[0] if element.tag in WITH_INDICES else element
    return (base.text or "") if base.tag == "mo" else ""


def leads(element: HtmlElement | None) -> bool:
    """Whether a minus after this is that of a number, not between two."""
    if element is None or element.tag == "mspace":
        return True
    return bool(sign_of(element)) and sign_of(element) not in CLOSING | {NORM, "!"}


def is_wide(element: HtmlElement) -> bool:
    """Whether this is a space as wide as a letter, as LaTeX's quad is."""
    return element.tag == "mspace" and element.get("width", "").strip() in ("1em", "2em")


def width(element: HtmlElement) -> float:
    """Return about how wide a formula is, in letters."""
    parts = [width(child) for child in element]
    if element.tag in ("mfrac", "munder", "mover", "munderover"):
        return max(parts)
    if element.tag == "mtable":
        rows = [[width(cell) for cell in row] for row in element]
        return sum(max(column) for column in zip(*rows, strict=True))
    if element.tag in ("msub", "msup", "msubsup"):
        return parts[0] + 0.7 * max(parts[1:])
    if element.tag == "mo" and (element.text or "") in RELATIONS | OPERATIONS:
        return 2.0
    if element.tag == "mspace":
        return 1.0 if is_wide(element) else 0.2
    return sum(parts) + (len((element.text or "").strip()) if not parts else 0)
