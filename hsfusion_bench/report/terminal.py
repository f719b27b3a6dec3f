"""A leaderboard on the terminal, in as many columns as it has room for."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hsfusion_bench.report.leaderboard import DEFAULT_INDEXES, Leaderboard
from hsfusion_bench.report.published import MEANT
from hsfusion_bench.report.rows import KNOWN, Printed, Row
from hsfusion_bench.terminal import GAP, fold, neutral_console, plain_table, readable
from hsfusion_metrics import METRICS

_ALL = (*DEFAULT_INDEXES, *(index for index in METRICS if index not in DEFAULT_INDEXES))
_STYLES = {1: "bold", 2: "underline"}
#: Titles are folded to this width, or to their longest word, before anything else gives way.
_TITLE = 20


def show(console: Console, boards: Iterable[Leaderboard], indexes: Sequence[str] | None = None) -> None:
    """Print leaderboards: best values bold, second underlined; below, what must be known of the rows.

    Parameters
    ----------
    console
        Where to; its width chooses the layout, and its encoding the signs.
    boards
        The leaderboards.
    indexes
        Columns; by default all where they fit, and else those of `Leaderboard.indexes`.
    """
    for board in boards:
        console.print(Text(" ".join(board.title.split()), style="bold"), "", sep="\n")
        widest = _Layout(board, indexes or (*_ALL, *board.further), console.encoding)
        layout = widest
        if not indexes and layout.width > console.width:
            layout = _Layout(board, board.indexes, console.encoding)
        if not indexes and layout.width > console.width and _further_is_recorded(board):
            layout = _Layout(board, DEFAULT_INDEXES, console.encoding)
        if layout.width > console.width:
            layout = _Layout(board, layout.indexes, console.encoding, stacked=True)
        # values are never cut off: a terminal too narrow for any layout breaks the lines
        console.print(layout.table(console.width), crop=False)
        hidden = [index for index in widest.indexes if index not in layout.indexes]
        if hidden:
            titles = ", ".join(KNOWN[index].title for index in hidden)
            verb = f"hsbench leaderboard --indexes {','.join(hidden)}"
            console.print(Text(f"{verb} shows {titles}; so does a terminal of {widest.width} columns"))
        for line in notes(board):
            console.print(Text(line))
        console.print()


def _further_is_recorded(board: Leaderboard) -> bool:
    """Whether further indexes are there because recorded rows have them, and no published ones stand beside."""
    return not board.published and any(row.recorded for row in board.rows)


def plain(draw: Callable[[Console], None]) -> str:
    """Return what is drawn where there is room for every column: text without marks, for a file."""
    file = io.StringIO()
    draw(neutral_console(file=file, width=1000, highlight=False, markup=False, emoji=False, no_color=True))
    return "\n".join(line.rstrip() for line in file.getvalue().split("\n"))


class _Layout:
    """The cells of a leaderboard with some indexes; each deviation stands behind its mean, or (stacked) below it."""

    def __init__(self, board: Leaderboard, indexes: Sequence[str], encoding: str, *, stacked: bool = False) -> None:
        self.indexes = tuple(indexes)
        self._encoding = encoding
        self._plus_minus = "\n±" if stacked else "±"
        # a column that says nothing of any row has no room taken for it
        counted = [*(row.parameters for row in board.rows), *(line.parameters for line in board.published)]
        self._shown = (board.seeded, set(counted) != {"-"}, any(row.latency != "-" for row in board.rows))
        heads = ["\nmethod", *map(self._head, self.indexes), *self._said("\nseeds", "params\n(M)", "latency\n(ms)")]
        one_line = not any(self._shown[1:]) and not any(index in MEANT.values() for index in self.indexes)
        self._first, *self._heads = [head.lstrip("\n") for head in heads] if one_line else heads
        self._rows = [self._row(row) for row in board.rows]
        self._published = [self._published_row(line) for line in board.published]
        every = [cells for _, *cells in [*self._rows, *self._published]]
        self._widths = [
            max(_width(cell) for cell in (head, *column))
            for head, *column in zip(map(Text, self._heads), *every, strict=True)
        ]

    def _head(self, index: str) -> str:
        namesake = next((name for name, meant in MEANT.items() if meant == index), index)
        above = "" if namesake == index else "papers'"
        arrow = "↑" if KNOWN[index].better == "higher" else "↓"
        return self._readable(f"{above}\n{KNOWN[namesake].title} {arrow}")

    def _row(self, row: Row) -> list[Text]:
        values = [
            # the mark is the value's, not the space's before it
            Text.assemble(
                (self._readable(row.printed(index, self._plus_minus)), _STYLES.get(row.places.get(index, 0), ""))
            )
            for index in self.indexes
        ]
        return [self._title(row.title), *values, *map(Text, self._said(row.seeds, row.parameters, row.latency))]

    def _published_row(self, line: Printed) -> list[Text]:
        values = [self._readable(line.printed(index, self._plus_minus)) for index in self.indexes]
        return [self._title(line.title), *map(Text, (*values, *self._said("-", line.parameters, "-")))]

    def _said(self, *cells: str) -> list[str]:
        """Return those of the cells (seeds, parameters, latency) whose columns are shown."""
        return [cell for cell, shown in zip(cells, self._shown, strict=True) if shown]

    def _title(self, title: str) -> Text:
        return Text(self._readable(" ".join(title.split())))

    def _readable(self, text: str) -> str:
        return readable(text, self._encoding)

    @property
    def _beside_titles(self) -> int:
        return sum(GAP + width for width in self._widths)

    @property
    def width(self) -> int:
        """The least width of the table."""
        titles = [title.plain for title, *_ in [*self._rows, *self._published]]
        words = max(len(word) for title in titles for word in title.split(" "))
        return max(words, min(_TITLE, max(map(len, titles)))) + self._beside_titles

    def table(self, width: int) -> Table:
        """Return the table, in a width or in its least one."""
        room = max(width, self.width) - self._beside_titles
        folded = [Text("\n".join(fold(title.plain, room))) for title, *_ in [*self._rows, *self._published]]
        table = plain_table(self._encoding)
        table.add_column(self._first, no_wrap=True, min_width=max(map(_width, folded)))
        for head, least in zip(self._heads, self._widths, strict=True):
            table.add_column(Text(head), justify="right", no_wrap=True, min_width=least)
        measured = len(self._rows)
        for title, (_, *cells) in zip(folded, self._rows, strict=False):
            table.add_row(title, *cells)
        if self._published:
            table.add_section()
            table.add_row(Text("as published", style="italic"))
        for title, (_, *cells) in zip(folded[measured:], self._published, strict=True):
            table.add_row(title, *cells)
        return table


def _width(cell: Text) -> int:
    return max(len(line) for line in cell.plain.split("\n"))


def notes(board: Leaderboard) -> list[str]:
    """Return the lines below a table: of the table, of rows, the device of latencies, sources of published rows."""
    lines = [*board.remarks, *(f"{row.title}: {row.note}" for row in board.rows if row.note)]
    if board.device is not None:
        lines.append(f"latency: median, float32, on {board.device}")
    return [" ".join(line.split()) for line in (*lines, *board.sources)]
