"""Which rows of a leaderboard are shown: those of the methods that are named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hsfusion_bench.errors import UsageError
from hsfusion_bench.files import slug
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.published import published_rows
from hsfusion_bench.report.seeds import split_name
from hsfusion_bench.report.sources import Entry
from hsfusion_bench.runs.records import Record
from hsfusion_bench.suggest import unknown


def row_name(record: Record) -> str:
    """Return what a row is chosen by: its method's name, and its variant if it is not the ordinary run."""
    method = record.method
    return f"{method.name}.{method.variant}" if method.variant else method.name


def choose_entries(
    entries: Iterable[Entry], names: Sequence[str], *, published: bool = False
) -> tuple[list[Entry], list[str]]:
    """Return the entries of the methods that are named, and the names of variants that were left out.

    A method's name stands for its ordinary run; where it has none, for all its variants. A variant is named as its
    record's file is: ``mtf-glp-hs.interpolation-block``; a training with one seed alone as ``feinfn.seed-1``. A name
    that is none of these as it stands may be the file's of a method (``my-method`` for "My method") or its title, in
    letters of any size.

    Parameters
    ----------
    entries
        To choose from.
    names
        Of methods and variants.
    published
        Whether a name may also be that of a row that a paper printed, see `choose_published`.

    Raises
    ------
    UsageError
        If a name is none of these; the message suggests the nearest.
    """
    entries = list(entries)
    rows = {row_name(entry.record) for entry in entries}
    seeds = {name: _of_seed(entries, name) for name in names if name not in rows}
    methods = {entry.record.method.name for entry in entries}
    printed = {row.method.lower() for row in published_rows()} if published else set()
    meant: set[str] = set()
    for name in names:
        if name in rows | methods or seeds.get(name):
            meant.add(name)
            continue
        found = {row for entry in entries for row in freely(entry.record, name)}
        if not found and name.lower() not in printed:
            raise UsageError(unknown("row of", name, sorted(rows | methods | printed)))
        meant |= found
    whole = meant - rows
    of_seeds = {id(entry) for several in seeds.values() for entry in several}
    kept = [
        entry
        for entry in entries
        if row_name(entry.record) in meant or entry.record.method.name in whole or id(entry) in of_seeds
    ]
    named = {entry.record.method.name for entry in kept}
    left_out = {row_name(entry.record) for entry in entries if entry.record.method.name in named}
    return kept, sorted(left_out - {row_name(entry.record) for entry in kept})


def freely(record: Record, name: str) -> set[str]:
    """Return what a name means of a record if it is read freely: the method's name, the row's, or nothing."""
    asked, row = name.casefold(), row_name(record)
    if asked in (record.method.name.casefold(), slug(record.method.name), record.method.title.casefold()):
        return {record.method.name}
    return {row} if asked in (row.casefold(), slug(row)) else set()


def _of_seed(entries: Iterable[Entry], name: str) -> list[Entry]:
    """Return the entries that a name such as "feinfn.seed-1" means; none if it is no such name."""
    named = split_name(name)
    if named is None:
        return []
    row, seed = named
    return [entry for entry in entries if row_name(entry.record) == row and entry.training_seeds == (seed,)]


def choose_published(boards: Iterable[Leaderboard], names: Sequence[str]) -> list[Leaderboard]:
    """Return leaderboards with the published rows whose method is named, in any letters; those that have rows."""
    chosen, asked = [], {name.lower() for name in names}
    for board in boards:
        lines = [line for line in board.published if line.row.method.lower() in asked]
        sources = list(dict.fromkeys(line.row.source for line in lines))
        numbered = [replace(line, number=sources.index(line.row.source) + 1) for line in lines]
        if board.rows or numbered:
            chosen.append(replace(board, published=numbered))
    return chosen
