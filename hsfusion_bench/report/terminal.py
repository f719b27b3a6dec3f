"""A leaderboard on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from hsfusion_bench.report.leaderboard import DEFAULT_INDEXES, Leaderboard
from hsfusion_metrics import METRICS

_STYLES = {1: "bold", 2: "underline"}


def table(board: Leaderboard, indexes: Sequence[str] = DEFAULT_INDEXES) -> Table:
    """Return a rich table: best values bold, second underlined, what must be known of a row at its end."""
    rich_table = Table(title=board.title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    rich_table.add_column("method", no_wrap=True)
    for index in indexes:
        arrow = "↑" if METRICS[index].better == "higher" else "↓"
        rich_table.add_column(f"{METRICS[index].title} {arrow}", justify="right", no_wrap=True)
    rich_table.add_column("params (M)", justify="right", no_wrap=True)
    rich_table.add_column("latency (ms)", justify="right", no_wrap=True)
    mixed = board.coverage == "rows with different scenes"
    if mixed:
        rich_table.add_column("scenes", no_wrap=True)
    rich_table.add_column("note", overflow="fold")
    for row in board.rows:
        values = [Text(row.printed(index), style=_STYLES.get(row.places.get(index, 0), "")) for index in indexes]
        scenes = [row.scenes] if mixed else []
        rich_table.add_row(Text(row.title), *values, row.parameters, row.latency, *scenes, Text(row.note))
    if board.device is not None:
        rich_table.caption = f"latency: median, float32, on {board.device}"
        rich_table.caption_justify = "left"
    return rich_table
