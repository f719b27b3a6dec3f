"""Which rows of a leaderboard are shown: those of the methods that are named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from typing import Final

from hsfusion_bench.errors import UsageError
from hsfusion_bench.files import slug
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.published import published_rows
from hsfusion_bench.report.seeds import split_name
from hsfusion_bench.report.sources import Entry
from hsfusion_bench.runs.records import Record
from hsfusion_bench.suggest import unknown

#: How freely a name is read that is a title.
_TITLE: Final = 3


def row_name(record: Record) -> str:
    """Return what a row is chosen by: its method's name, and its variant if it is not the ordinary run."""
    method = record.method
    return f"{method.name}.{method.variant}" if method.variant else method.name


def reading(record: Record, name: str) -> int | None:
    """Return how freely a name is to be read to mean a record: 0 as it stands; None if it does not mean it."""
    whole, plain = row_name(record), name.casefold()
    if name == record.key:
        return 0
    if name == whole:
        return 1
    if plain in (record.key.casefold(), whole.casefold(), slug(whole)):
        return 2
    return _TITLE if plain == record.method.title.casefold() else None


def place_of(record: Record, names: Sequence[str]) -> int:
    """Return the place of a row among names that `spelt` gave: of the first that means it; after all if none does."""
    own = (row_name(record), f"{row_name(record)}.seed-{record.training_seed}", record.method.name)
    return min((names.index(name) for name in own if name in names), default=len(names))


def spelt(entries: Iterable[Entry], names: Sequence[str], *, published: bool = False) -> list[str]:
    """Return names of rows as rows are called: a record may be named by its file, too, and by its title.

    Parameters and errors are those of `choose_entries`.
    """
    entries = list(entries)
    rows = {row_name(entry.record) for entry in entries}
    methods = {entry.record.method.name for entry in entries}
    printed = {row.method.lower() for row in published_rows()} if published else set()
    known = rows | methods | printed
    return [name if name in known else _spelt(entries, name, known) for name in names]


def _spelt(entries: Sequence[Entry], name: str, known: Set[str]) -> str:
    if name.lower() in known:
        return name.lower()
    if _of_seed(entries, name):
        return name
    stem, seed = split_name(name) or (name, None)
    readings = [reading(entry.record, stem) for entry in entries]
    strictest = min((each for each in readings if each is not None), default=None)
    # a title is that of the ordinary run and of its variants, as a method's name is
    found = {
        entry.record.method.name if strictest == _TITLE else row_name(entry.record)
        for entry, each in zip(entries, readings, strict=True)
        if each is not None and each == strictest
    }
    if len(found) > 1:
        raise UsageError(f"{name} may be any of {', '.join(sorted(found))}: name one of them")
    spelling = "".join(found) if seed is None else f"{''.join(found)}.seed-{seed}"
    if not found or (seed is not None and not _of_seed(entries, spelling)):
        raise UsageError(unknown("row of", name, sorted(known)))
    return spelling


def choose_entries(
    entries: Iterable[Entry], names: Sequence[str], *, published: bool = False
) -> tuple[list[Entry], list[str]]:
    """Return the entries of the methods that are named, and the names of variants that were left out.

    A method's name stands for its ordinary run; where it has none, for all its variants. A variant is named as its
    record's file is: ``mtf-glp-hs.interpolation-block``; a training with one seed alone as ``feinfn.seed-1``. What else
    a name may be, says `spelt`.

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
    names = spelt(entries, names, published=published)
    rows = {row_name(entry.record) for entry in entries}
    seeds = {name: _of_seed(entries, name) for name in names if name not in rows}
    whole = set(names) - rows
    of_seeds = {id(entry) for several in seeds.values() for entry in several}
    kept = [
        entry
        for entry in entries
        if row_name(entry.record) in names or entry.record.method.name in whole or id(entry) in of_seeds
    ]
    named = {entry.record.method.name for entry in kept}
    left_out = {row_name(entry.record) for entry in entries if entry.record.method.name in named}
    return kept, sorted(left_out - {row_name(entry.record) for entry in kept})


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
