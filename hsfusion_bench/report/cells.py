"""What stands in the cells of tables and is somebody else's text: nothing of it is a formula, markup or a command.

Of other outputs: `hsfusion_bench.terminal.neutral` for terminals, `hsfusion_bench.report.tex.escape` for LaTeX.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from hsfusion_bench.terminal import neutral

#: What a spreadsheet takes for the beginning of a formula, also in the wide form of East Asian fonts.
_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|-?Inf|NaN")
#: What Markdown or HTML would not show as it stands: each where it can mean something, so that plain texts stay plain.
_MARKUP: Final = re.compile(
    r"[\\`|]"
    r"|<(?=[A-Za-z/!?])|&(?=#?\w+;)"  # HTML
    r"|\](?=[(\[:])"  # links
    r"|\*(?=[^\s*])|\*(?=\*)"  # emphasis; a star behind a number is none
    r"|(?<![A-Za-z0-9])_(?=\S)|~(?=~)|\$(?=\S)"
    r"|^[#>](?=\s)|^[-+](?=\s)"
)
_ENTITIES: Final = {"<": "&lt;", "&": "&amp;", "|": "\\|"}


def csv_cell(value: Any) -> Any:
    """Return a value for a CSV file; a text that a spreadsheet would compute begins with an apostrophe instead.

    Numbers, also those that are spelled, stay what they are; line breaks are spaces.
    """
    if not isinstance(value, str):
        return value
    text = neutral(" ".join(value.split("\n")).replace("\r", " ").replace("\t", " "))
    computed = text.lstrip().startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    return f"'{text}" if computed else text


def csv_text(heads: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return lines as the text of a CSV file, each cell as `csv_cell` has it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(heads), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def markdown_text(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line, also in a cell of a table."""
    line = neutral(" ".join(text.split()))
    return _MARKUP.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), line)


def markdown_row(cells: Iterable[str]) -> str:
    """Return a row of a Markdown table, of cells that are `markdown_text` already, or markup of ours."""
    return "| " + " | ".join(cells) + " |"
