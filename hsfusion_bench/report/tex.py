"""Texts that LaTeX sets without fail, in any encoding of font or file, and how wide they come out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from hsfusion_bench.terminal import readable

_SPECIAL: Final = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # babel makes a command of it in some languages
    '"': "''",
    # a row that begins with one of these would be taken for an argument of the line break before it
    "[": "{[}",
    "*": "{*}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "÷": r"$\div$",
    "−": "$-$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "≠": r"$\neq$",
    "∞": r"$\infty$",
    "°": r"$^\circ$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "↔": r"$\leftrightarrow$",
    "∗": r"$\ast$",
    "★": r"$\star$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "•": r"$\bullet$",
    "…": r"\ldots{}",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "ς": r"$\varsigma$",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    "§": r"$\mathsection$",
    "©": "(c)",
}

#: Greek letters that have commands; of the capitals only these, as the others look like Latin ones.
_CAPITALS: Final = frozenset(
    ["Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"]
)
_SMALL: Final = frozenset(
    (
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
    )
)

_ACCENTS: Final = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
}

# Of Computer Modern Roman at 10 pt (cmr10.tfm), points; Times and most others are narrower.
_WIDTHS: Final = {
    character: width
    for width, characters in {
        2.78: "!',.:;[]`il",
        3.06: "fj",
        3.33: " -",
        3.61: "I",
        3.94: "()trs",
        4.44: "cez",
        5.0: '"$*/0123456789^ago~?\\{}↑↓°',
        5.28: "Jkqvxy",
        5.56: "Sbdhnpu",
        6.25: "LZ_",
        6.81: "EFP",
        7.22: "BCTw",
        7.5: "AHNRUVXY",
        7.78: "DGKOQ&+=@<>",
        8.33: "#%m",
        10.28: "MW",
    }.items()
    for character in characters
}
_OTHER: Final = 7.78
#: Of cmbx10 to cmr10, for digits and most letters.
_BOLD: Final = 1.16


@dataclass(frozen=True)
class Piece:
    """A piece of a line: its LaTeX, and its width in points at 10 pt, of ordinary and of super- or subscript letters.

    Pieces add up.
    """

    tex: str = ""
    width: float = 0.0
    small: float = 0.0

    def __add__(self, other: Piece) -> Piece:
        return Piece(self.tex + other.tex, self.width + other.width, self.small + other.small)

    def bold(self) -> Piece:
        """Return the piece in bold."""
        return Piece(rf"\textbf{{{self.tex}}}", _BOLD * self.width, _BOLD * self.small)

    def underlined(self) -> Piece:
        """Return the piece underlined."""
        return Piece(rf"\underline{{{self.tex}}}", self.width, self.small)

    def raised(self) -> Piece:
        """Return the piece as a superscript."""
        return Piece(rf"\textsuperscript{{{self.tex}}}", 0.0, self.width + self.small)


def piece(text: str) -> Piece:
    """Return a text in which LaTeX sees no commands, with its width; line breaks in it are spaces.

    What LaTeX's own fonts lack stands as what reads the same, as the letter without its accent, or as "?".
    """
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    return sum((_character(each) for each in text if unicodedata.category(each) not in ("Cc", "Cf", "Mn")), Piece())


def escape(text: str) -> str:
    """Return the LaTeX of `piece`: plain ASCII, whatever the text."""
    return piece(text).tex


def _character(character: str) -> Piece:
    if character in _SPECIAL:
        return Piece(_SPECIAL[character], _WIDTHS.get(character, _OTHER))
    if character.isascii():
        return Piece(character, _WIDTHS.get(character, _OTHER))
    if greek := _greek(character):
        return Piece(rf"$\{greek}$", _OTHER)
    apart = unicodedata.normalize("NFD", character)
    base, marks = apart[0], apart[1:]
    if base.isascii() and marks in _ACCENTS:
        return Piece(rf"\{_ACCENTS[marks]}{{{base}}}", _WIDTHS.get(base, _OTHER))
    kind, _, _ = unicodedata.decomposition(character).partition(" ")
    plain = readable(unicodedata.normalize("NFKC", character), "ascii")
    command = {"<super>": r"\textsuperscript{%s}", "<sub>": r"$_{\mathrm{%s}}$"}.get(kind, "%s")
    pieces = sum((Piece(_SPECIAL.get(each, each), _WIDTHS.get(each, _OTHER)) for each in plain), Piece())
    return Piece(command % pieces.tex, pieces.width)


def _greek(character: str) -> str:
    """Return the command of a Greek letter, without its backslash; empty for any other."""
    words = unicodedata.name(character, "").split()
    if len(words) != 4 or words[0] != "GREEK" or words[2] != "LETTER":
        return ""
    name = words[3].replace("LAMDA", "LAMBDA").lower()
    name = name if words[1] == "SMALL" else name.capitalize()
    return name if name in _SMALL | _CAPITALS else ""


@dataclass(frozen=True)
class Size:
    """A size of type: its command, and how wide its letters and its scripts are, to those of 10 pt."""

    command: str
    letters: float
    scripts: float

    def width(self, piece: Piece) -> float:
        """Return the width of a piece in this size, points."""
        return self.letters * piece.width + self.scripts * piece.small


# widths of a digit in cmr10, cmr9, cmr8, cmr7, cmr6 and cmr5, which do not shrink as fast as their names
NORMAL: Final = Size("", 1.0, 0.797)
SMALL: Final = Size(r"\small", 0.925, 0.733)
FOOTNOTE: Final = Size(r"\footnotesize", 0.85, 0.733)
SCRIPT: Final = Size(r"\scriptsize", 0.797, 0.68)
