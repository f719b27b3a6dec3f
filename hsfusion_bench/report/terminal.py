"""A leaderboard on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from hsfusion_bench.report.leaderboard import DEFAULT_INDEXES, Leaderboard
from hsfusion_metrics import METRICS

_STYLES = {1: "bold", 2: "underline"}


def show(console: Console, boards: Iterable[Leaderboard], indexes: Sequence[str] = DEFAULT_INDEXES) -> None:
    """Print leaderboards: best values bold, second underlined; below, what must be known of the rows."""
    for board in boards:
        console.print(Text(board.title, style="bold"), "", sep="\n")
        _print_whole(console, table(board, indexes))
        for line in notes(board):
            console.print(line, markup=False)
        console.print()


def _print_whole(console: Console, rich_table: Table) -> None:
    """Print a table in its full width: on a terminal that is too narrow, lines are broken but no value is cut off."""
    needed = Measurement.get(console, console.options.update(max_width=10_000), rich_table).maximum
    wide = Console(file=console.file, width=needed, force_terminal=console.is_terminal, highlight=False)
    (wide if needed > console.width else console).print(rich_table)


def table(board: Leaderboard, indexes: Sequence[str] = DEFAULT_INDEXES) -> Table:
    """Return the table of a leaderboard, without title and notes."""
    rich_table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    rich_table.add_column("\nmethod", no_wrap=True)
    for index in indexes:
        arrow = "↑" if METRICS[index].better == "higher" else "↓"
        rich_table.add_column(f"\n{METRICS[index].title} {arrow}", justify="right", no_wrap=True)
    rich_table.add_column("params\n(M)", justify="right", no_wrap=True)
    rich_table.add_column("latency\n(ms)", justify="right", no_wrap=True)
    mixed = len({row.scenes for row in board.rows if row.record.summary is not None}) > 1
    if mixed:
        rich_table.add_column("\nscenes", no_wrap=True)
    for row in board.rows:
        values = [Text(row.printed(index), style=_STYLES.get(row.places.get(index, 0), "")) for index in indexes]
        scenes = [row.scenes] if mixed else []
        rich_table.add_row(Text(row.title), *values, row.parameters, row.latency, *scenes)
    if board.published:
        rich_table.add_section()
        rich_table.add_row(Text("as published", style="italic"))
    for line in board.published:
        rich_table.add_row(Text(line.title), *(line.printed(index) for index in indexes), line.parameters, "-")
    return rich_table


def notes(board: Leaderboard) -> list[str]:
    """Return the lines below a table: notes of rows, the device of the latencies, the sources of published rows."""
    lines = [f"{row.title}: {row.note}" for row in board.rows if row.note]
    if board.device is not None:
        lines.append(f"latency: median, float32, on {board.device}")
    return [*lines, *board.sources]
