"""What to say of a name that is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the message: there is no such thing, did you mean this one, and what there is."""
    return f"there is no {kind} {name!r}{suggestion(name, known)}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the rest of such a message, after the name."""
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.6)
    near.sort(key=lambda each: not each.startswith(name.lower()))  # what was typed in part goes first
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    return f"{hint} There are: {', '.join(names) or 'none'}."
