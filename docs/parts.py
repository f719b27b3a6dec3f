"""Parts of pages that programs write: tables in Markdown between two comments.

``<!-- NAME: written by PROGRAM -->`` begins a part, and ``<!-- end -->`` ends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping


def table(lines: Iterable[Iterable[str]]) -> str:
    """Return lines of cells as a table in Markdown; the second line aligns the columns."""
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def filled(page: str, program: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with the parts of a program written anew, which must be all of them, in their order."""
    part = re.compile(rf"(<!-- (\w+): written by {re.escape(program)} -->\n)(?:.*?)(<!-- end -->)", flags=re.DOTALL)
    assert [name for _, name, _ in part.findall(page)] == list(parts)
    return part.sub(lambda found: f"{found[1]}\n{parts[found[2]]()}\n{found[3]}", page)
