"""A leaderboard as a Markdown table, for a README or a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.rows import KNOWN, Printed, Row


def markdown(boards: Iterable[Leaderboard], indexes: Sequence[str] | None = None) -> str:
    """Return one table for each leaderboard, by default of its own `indexes`: best in bold, second underlined."""
    return "\n".join(_table(board, indexes or board.indexes) for board in boards)


def _table(board: Leaderboard, indexes: Sequence[str]) -> str:
    latency = "latency (ms)" + (f" on {board.device}" if board.device else "")
    heads = ["method", *(KNOWN[index].title for index in indexes), "params (M)", latency, "scenes", "note"]
    lines = [
        f"**{board.title}**",
        "",
        _join(heads),
        _join(["---", *("---:" for _ in indexes), "---:", "---:", "---", "---"]),
        *(_join(_cells(row, indexes)) for row in board.rows),
        *(_join(_published(line, indexes)) for line in board.published),
    ]
    said = [*board.remarks, *board.sources]
    if said:
        lines += ["", *(f"- {line}" for line in said)]
    return "\n".join(lines) + "\n"


def _cells(row: Row, indexes: Sequence[str]) -> list[str]:
    marks = {1: "**{}**", 2: "<u>{}</u>"}
    values = [marks.get(row.places.get(index, 0), "{}").format(row.printed(index)) for index in indexes]
    return [row.title, *values, row.parameters, row.latency, row.scenes, row.note]


def _published(line: Printed, indexes: Sequence[str]) -> list[str]:
    values = [line.printed(index) for index in indexes]
    return [line.title, *values, line.parameters, "-", "", "as published"]


def _join(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
