"""Split the LaTeX of a formula into tokens, in one spelling."""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"\\(?:text|operatorname)\{[^{}]*\}|\\math(?:rm|bf|bb|cal)\s*(?:\{[^{}]*\}|[A-Z])"
    r"|\\[A-Za-z]+|\\.|\d+(?:\{,\}\d{3})*(?:\.\d+)?|.",
    re.DOTALL,
)
SIZES = {rf"\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r")}
SPACES = {r"\,", r"\;", r"\!", r"\ ", r"\:", r"\left", r"\right", r"\displaystyle", "~"} | SIZES
SPELLINGS = {
    r"\leq": r"\le", r"\geq": r"\ge", r"\neq": r"\ne", r"\dfrac": r"\frac", r"\tfrac": r"\frac",
    r"\vert": "|", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\Vert": r"\mid", r"\ln": r"\log",
    r"\star": "*", r"\iff": r"\Longleftrightarrow", r"\implies": r"\Longrightarrow",
    r"\rightarrow": r"\to",
}  # fmt: skip


@dataclass(frozen=True)
class Token:
    text: str
    at: int  # in the LaTeX
    number: int = 0  # in the formula

    @property
    def words(self):
        """Return the text of \\text{…}, or None."""
        return self.text[6:-1].strip() if self.text.startswith(r"\text{") else None


def tokenize(tex):
    """Return the tokens of a formula, without spaces and sizes, in one spelling."""
    tex = re.sub(r"\\tag\{[^}]*\}", lambda tag: " " * len(tag[0]), tex)
    tokens, size = [], ""
    for match in TOKEN.finditer(tex.replace(r"\arg\min", r"\argmin ")):
        text, at = match[0], match.start()
        if text.isspace() or text in SPACES:
            size = text if text in SPACES else size
            continue
        text = SPELLINGS.get(text, text)
        if text == "|" and size and size[-1] in "lt":  # \bigl, \bigr, \left, \right
            text = r"\lvert" if size.endswith(("l", "left")) else r"\rvert"
        if text == "|" and size.endswith("r"):
            text = r"\rvert"
        size = ""
        before = [token.text for token in tokens[-2:]]
        digits = text.isdigit() and len(text) > 1 and r"\frac" in before and before[-1] != "{"
        for k, character in enumerate(text if digits else [text]):  # \frac12
            tokens.append(Token(character, at + k, len(tokens)))
    return tokens
