"""Tables of texts with notes below them: on the terminal, in Markdown, in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hsfusion_bench.report.cells import markdown_row, markdown_text
from hsfusion_bench.report.tex import escape


@dataclass(frozen=True)
class Sheet:
    """A table whose first column names the rows; the others are numbers.

    Parameters
    ----------
    title, heads, rows
        Texts; heads may have several lines.
    notes
        Lines below.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default=())


def show(sheets: Iterable[Sheet]) -> None:
    """Print tables on the standard output stream."""
    from hsfusion_bench.terminal import console, fold, print_table, readable

    for sheet in sheets:
        numbers = range(1, len(sheet.heads))
        print_table(sheet.heads, sheet.rows, whole=numbers, right=numbers, title=sheet.title)
        shown = console()
        for note in sheet.notes:
            shown.print("\n".join(fold(readable(note, shown.encoding), shown.width)), soft_wrap=True)
        if sheet.notes:
            shown.print()


def markdown(sheets: Iterable[Sheet]) -> str:
    """Return tables as Markdown."""
    return "\n".join(_markdown(sheet) for sheet in sheets)


def latex(sheets: Iterable[Sheet]) -> str:
    r"""Return a ``table`` environment for each, to be ``\input`` where booktabs is loaded."""
    return "% Made by hsbench. Needs \\usepackage{booktabs}.\n" + "\n".join(_latex(sheet) for sheet in sheets)


def _markdown(sheet: Sheet) -> str:
    lines = [
        f"**{markdown_text(sheet.title)}**",
        "",
        _line(sheet.heads),
        "|---|" + "---:|" * (len(sheet.heads) - 1),
        *map(_line, sheet.rows),
    ]
    if sheet.notes:
        lines += ["", *(f"- {markdown_text(note)}" for note in sheet.notes)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return markdown_row(map(markdown_text, cells))


def _latex(sheet: Sheet) -> str:
    notes = escape(". ".join(note.rstrip(".") for note in sheet.notes))
    lines = [
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{escape(sheet.title)}.}}",
        rf"\begin{{tabular}}{{l{'r' * (len(sheet.heads) - 1)}}}",
        r"\toprule",
        _cells(sheet.heads),
        r"\midrule",
        *map(_cells, sheet.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *([rf"\par\smallskip{{\footnotesize {notes}.\par}}"] if notes else []),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _cells(cells: Sequence[str]) -> str:
    return " & ".join(map(_cell, cells)) + r" \\"


def _cell(text: str) -> str:
    if text == "-":
        return "--"
    # a minus, and not a hyphen
    return re.sub(r"(?<![^\s])-(?=\d)", "$-$", escape(" ".join(text.split())))
