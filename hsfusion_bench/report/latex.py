"""A leaderboard as a LaTeX table for a paper: booktabs, best in bold, second underlined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hsfusion_bench.report.leaderboard import DEFAULT_INDEXES, Leaderboard
from hsfusion_bench.report.rows import Printed, Row
from hsfusion_metrics import METRICS

_SPECIAL = {
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
    "±": r"$\pm$",
    "×": r"$\times$",
    "†": r"$^\dagger$",
    "≈": r"$\approx$",
    "≥": r"$\geq$",
}


def escape(text: str) -> str:
    """Return a text in which LaTeX sees no commands."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def latex(boards: Iterable[Leaderboard], indexes: Sequence[str] = DEFAULT_INDEXES) -> str:
    r"""Return one ``table`` environment for each leaderboard, to be ``\input`` where booktabs is loaded."""
    header = "% Made by hsbench. Needs \\usepackage{booktabs}.\n"
    return header + "\n".join(_table(board, indexes) for board in boards)


def _table(board: Leaderboard, indexes: Sequence[str]) -> str:
    arrows = {index: r"\uparrow" if METRICS[index].better == "higher" else r"\downarrow" for index in indexes}
    heads = [f"{escape(METRICS[index].title)} ${arrows[index]}$" for index in indexes]
    caption = f"Results on {board.dataset} at scale ×{board.scale}, protocol {board.protocol}, {board.coverage}."
    if board.device is not None:
        caption += f" Latency: median on {board.device}."
    lines = [
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{escape(caption)} Mean $\pm$ standard deviation; best in bold, second underlined.}}",
        rf"\begin{{tabular}}{{l{'c' * len(indexes)}rr}}",
        r"\toprule",
        " & ".join(["Method", *heads, "Params (M)", "Latency (ms)"]) + r" \\",
        r"\midrule",
        *(_line(row, indexes) for row in board.rows),
        *([r"\midrule"] if board.published else []),
        *(_published(line, indexes) for line in board.published),
        r"\bottomrule",
        r"\end{tabular}",
        *_notes(board),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _notes(board: Leaderboard) -> list[str]:
    """Return what must be known of single rows, as small print below the table."""
    notes = [f"{row.title}: {row.note}" for row in board.rows if row.note] + [*board.remarks, *board.sources]
    return [rf"\par\smallskip{{\footnotesize {escape('; '.join(notes))}.\par}}"] if notes else []


def _line(row: Row, indexes: Sequence[str]) -> str:
    title = escape(row.title)
    if row.record.summary is None:
        reason = escape("no weights" if row.record.status == "no weights" else "failed")
        cells = [rf"\multicolumn{{{len(indexes)}}}{{c}}{{{reason}}}"]
    else:
        cells = [_cell(row, index) for index in indexes]
    numbers = [cell if cell != "-" else "--" for cell in (row.parameters, row.latency)]
    return " & ".join([title, *cells, *numbers]) + r" \\"


def _published(line: Printed, indexes: Sequence[str]) -> str:
    cells = [line.title, *(line.printed(index) for index in indexes), line.parameters, "-"]
    return " & ".join("--" if cell == "-" else escape(cell) for cell in cells) + r" \\"


def _cell(row: Row, index: str) -> str:
    text = escape(row.printed(index))
    commands = {1: r"\textbf{%s}", 2: r"\underline{%s}"}
    return commands.get(row.places.get(index, 0), "%s") % text
