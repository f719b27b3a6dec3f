"""A leaderboard as a Markdown table, for a README or a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hsfusion_bench.report.cells import markdown_row, markdown_text
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.rows import KNOWN, Printed, Row


def markdown(boards: Iterable[Leaderboard], indexes: Sequence[str] | None = None) -> str:
    """Return one table for each leaderboard, by default of its own `indexes`: best in bold, second underlined."""
    return "\n".join(_table(board, indexes or board.indexes) for board in boards)


def _table(board: Leaderboard, indexes: Sequence[str]) -> str:
    latency = "latency (ms)" + (f" on {board.device}" if board.device else "")
    heads = [
        "method",
        *(KNOWN[index].title for index in indexes),
        "params (M)",
        latency,
        *_seeds(board, "seeds"),
        "scenes",
        "note",
    ]
    lines = [
        f"**{markdown_text(board.title)}**",
        "",
        markdown_row(map(markdown_text, heads)),
        markdown_row(["---", *("---:" for _ in indexes), "---:", "---:", *_seeds(board, "---:"), "---", "---"]),
        *(markdown_row(_cells(board, row, indexes)) for row in board.rows),
        *(markdown_row(map(markdown_text, _published(board, line, indexes))) for line in board.published),
    ]
    said = [*board.remarks, *board.sources]
    if said:
        lines += ["", *(f"- {markdown_text(line)}" for line in said)]
    return "\n".join(lines) + "\n"


def _seeds(board: Leaderboard, cell: str) -> list[str]:
    """Return the cell of a column that is there only where a row is the mean over seeds."""
    return [cell] if board.seeded else []


def _cells(board: Leaderboard, row: Row, indexes: Sequence[str]) -> list[str]:
    marks = {1: "**{}**", 2: "<u>{}</u>"}
    values = [marks.get(row.places.get(index, 0), "{}").format(row.printed(index)) for index in indexes]
    told = (row.title, row.parameters, row.latency, *_seeds(board, row.seeds), row.scenes, row.note)
    title, *others = map(markdown_text, told)
    return [title, *values, *others]


def _published(board: Leaderboard, line: Printed, indexes: Sequence[str]) -> list[str]:
    values = [line.printed(index) for index in indexes]
    return [line.title, *values, line.parameters, "-", *_seeds(board, "-"), "", "as published"]
