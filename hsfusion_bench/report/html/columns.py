"""The columns of a board: what each is called, what stands in it, and what it is sorted by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hsfusion_bench.report.comparison import index_title
from hsfusion_bench.report.costs import CostTable, latency_of
from hsfusion_bench.report.html.safe import plain
from hsfusion_bench.report.leaderboard import DEFAULT_INDEXES, Leaderboard
from hsfusion_bench.report.rows import KNOWN, Printed, Row, fixed
from hsfusion_metrics import METRICS

#: What a row was told beyond the two images: the values of the filter, and what they mean.
TOLD: Final = {
    "given": "PSF or SRF",
    "blind": "neither, estimates what it needs",
    "nothing": "neither, needs none",
    "unknown": "not said",
}


@dataclass(frozen=True)
class Cell:
    """A value of a row.

    Parameters
    ----------
    text
        What is read; a dash where there is nothing.
    key
        What it is sorted by; None sorts last.
    aside
        Small behind the text: a deviation.
    place
        1 for the best of the board, 2 for the second.
    alike, p
        Whether it does not differ significantly from the best, and what the test said.
    """

    text: str
    key: float | str | None = None
    aside: str = ""
    place: int = 0
    alike: bool = False
    p: str = ""


@dataclass(frozen=True)
class Column:
    """A column beside that of the methods.

    Parameters
    ----------
    key
        Name.
    head
        What stands above it.
    title
        The same in full.
    number
        Whether it holds numbers.
    descends
        Whether the first click puts the greatest on top.
    shown
        Whether it is there before anybody chooses.
    """

    key: str
    head: str
    title: str
    number: bool = True
    descends: bool = False
    shown: bool = True


def told_of(row: Row) -> str:
    """Return what a row was told, one of `TOLD`."""
    method = row.record.method
    if method.uses or method.estimated:
        return "given" if method.uses else "blind"
    return "unknown" if method.origin == "external" else "nothing"


def told(row: Row) -> str:
    """Return the truths that a row was given, in capitals as papers have them."""
    words = {"blind": "estimated", "nothing": "neither", "unknown": "not said"}
    return ", ".join(sorted(row.record.method.uses)).upper() or words[told_of(row)]


def indexes_of(board: Leaderboard) -> tuple[str, ...]:
    """Return all indexes that a board has; those that papers print first."""
    first = (*DEFAULT_INDEXES, *board.further)
    return (*first, *(name for name in METRICS if name not in first))


def columns_of(board: Leaderboard) -> list[Column]:
    """Return the columns of a board; those in which nothing would stand are not shown at first."""
    usual = {*DEFAULT_INDEXES, *board.indexes}
    columns = []
    for index in indexes_of(board):
        head = KNOWN[index].title
        descends = KNOWN[index].better == "higher"
        columns.append(Column(index, head, index_title(index), descends=descends, shown=index in usual))
    networks = any(row.record.model.parameters for row in board.rows) or bool(board.published)
    if board.seeded:
        columns.append(Column("seeds", "Seeds", "seeds that the values are means over", descends=True))
    return [
        *columns,
        Column("parameters", "Param. (M)", "parameters, in millions", shown=networks),
        Column("flops", "FLOPs (G)", "floating-point operations of one image, in 10⁹", shown=False),
        Column("latency", "Time (ms)", "median latency of one image, in milliseconds"),
        Column("family", "Family", "family of the method", number=False),
        Column("told", "Told", "what the method was told of the cameras: PSF, SRF or neither", number=False),
        Column("year", "Year", "year of its paper", descends=True, shown=False),
        Column("memory", "Memory (MB)", "peak memory of one fusion, in megabytes", shown=False),
    ]


def cells_of(
    row: Row, columns: Sequence[Column], alike: dict[str, dict[str, str]], costs: CostTable | None
) -> list[Cell]:
    """Return the cells of a row.

    Parameters
    ----------
    row, columns
        Of one board.
    alike
        For each index: what the test said of the row, under "p", and "alike" if it is not significantly different.
    costs
        Latencies for rows that were not timed themselves.
    """
    make: dict[str, Callable[[], Cell]] = {
        "seeds": lambda: Cell(row.seeds, len(row.records)),
        "family": lambda: Cell(plain(row.record.method.family, 30), plain(row.record.method.family, 30)),
        "year": lambda: _number(row.record.method.year, "{:.0f}"),
        "told": lambda: Cell(plain(told(row), 30), plain(told(row), 30)),
        "parameters": lambda: Cell(row.parameters, row.record.model.parameters),
        "flops": lambda: _flops(row),
        "latency": lambda: _latency(row, costs),
        "memory": lambda: _number(row.speed.memory.peak_mb if row.speed and row.speed.memory else None, "{:.0f}"),
    }
    return [
        make[column.key]() if column.key in make else _index(row, column.key, alike.get(column.key, {}))
        for column in columns
    ]


def printed_cells(line: Printed, columns: Sequence[Column]) -> list[Cell]:
    """Return the cells of a row that a paper printed, digit by digit."""
    return [_printed(line, column.key) for column in columns]


def _index(row: Row, index: str, test: dict[str, str]) -> Cell:
    value = row.value(index)
    if value is None:
        return Cell("-")
    mean, std = value
    key = None if math.isnan(mean) else max(-1e300, min(1e300, mean))
    place = row.places.get(index, 0)
    p = test.get("p", "")
    return Cell(fixed(mean, index), key, f"±{fixed(std, index)}", place, "alike" in test, p)


def _printed(line: Printed, key: str) -> Cell:
    if key == "parameters":
        return Cell(line.parameters)
    if key not in KNOWN:
        return Cell("-")
    mean, std = line.value(key)
    return Cell("-") if mean is None else Cell(plain(mean, 20), aside=f"±{plain(std, 20)}" if std else "")


def _number(value: float | None, form: str) -> Cell:
    return Cell("-") if value is None else Cell(form.format(value), value)


def _flops(row: Row) -> Cell:
    flops = row.record.model.flops
    if flops is None:
        return Cell("-")
    return Cell(f"{'≥ ' if flops.lower_bound else ''}{flops.value / 1e9:.1f}", flops.value)


def _latency(row: Row, costs: CostTable | None) -> Cell:
    if row.latency_ms is not None:
        return Cell(row.latency, row.latency_ms)
    value = latency_of(row, costs)
    if value is None:
        return Cell("-")
    return Cell(f"{value:.1f}" if value < 1000 else f"{value:.0f}", value)
