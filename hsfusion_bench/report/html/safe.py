"""Texts of strangers on a page: what a browser would obey is shown instead, and JSON cannot end its element.

Jinja escapes HTML; this is for what escaping leaves: signs that turn the direction of a line, titles without an end.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any, Final

#: Signs that turn the direction of what follows them.
_TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Control signs, halves of signs, and separators that end a line.
_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_MARKUP: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def plain(text: object, most: int = 160) -> str:
    r"""Return a text in one line of at most `most` signs; those that a reader cannot see are spelled, as ``\u202e``."""
    line = str(text)[: 4 * most].translate({ord("\n"): " ", ord("\r"): " ", ord("\t"): " "})
    shown = "".join(f"\\u{ord(each):04x}" if _is_hidden(each) else each for each in line)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def script_json(value: Any) -> str:
    """Return JSON that may stand in a ``script`` element: without ``<``, ``>``, ``&`` and signs beyond ASCII.

    Raises
    ------
    ValueError
        If a number is not finite, which JSON does not know.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.translate(_MARKUP)


def _is_hidden(sign: str) -> bool:
    return sign in _TURNING or unicodedata.category(sign) in _CATEGORIES
