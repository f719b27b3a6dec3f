"""Marks the rows of a leaderboard that do not differ significantly from its best one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hsfusion_bench.report.comparison import alike_with_best
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.rows import ALIKE_MARK


def mark_alike(boards: Iterable[Leaderboard], index: str) -> list[Leaderboard]:
    """Return leaderboards with a mark at each row that does not differ significantly from the best by an index.

    A line below the table says what was tested, or why nothing is marked; see
    `hsfusion_bench.report.comparison.alike_with_best`.
    """
    return [_marked(board, index) for board in boards]


def _marked(board: Leaderboard, index: str) -> Leaderboard:
    found = alike_with_best([row.record for row in board.rows], index)
    rows = [
        replace(
            row,
            p_best=found.p.get(number),
            mark=f"{row.mark} {ALIKE_MARK}".strip() if number in found.others else row.mark,
        )
        for number, row in enumerate(board.rows)
    ]
    return replace(board, rows=rows, remarks=(*board.remarks, *([found.note] if found.note else [])))
