"""Which records are meant by the names of methods that are to be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods.options import short_value
from hsfusion_bench.report.choosing import reading, row_name
from hsfusion_bench.report.comparable import Board, board_of
from hsfusion_bench.report.seeds import Means, means, means_of_seed, noise_spread, split_name, training_spread
from hsfusion_bench.report.sources import Entry
from hsfusion_bench.runs.records import Record
from hsfusion_bench.suggest import unknown

#: What says after a name that one's own record is meant: `gsa@mine`.
_MINE: Final = "mine"


@dataclass(frozen=True)
class Contestant:
    """A record that is compared.

    Parameters
    ----------
    name
        As a command line calls it: `gsa`, `mtf-glp-hs.interpolation-block`, `gsa@recorded`.
    title
        What tables call it; no two contestants have the same.
    record
        Its scores.
    """

    name: str
    title: str
    record: Record


@dataclass(frozen=True)
class Choice:
    """The records that names mean on one task, in the order of the names, and what is to be said of the choice."""

    board: Board
    contestants: list[Contestant]
    notes: list[str]


def task_title(board: Board) -> str:
    """Return what tables call a task."""
    dataset, scale, protocol = board
    return f"{dataset} ×{scale}, protocol {protocol}"


def choose(entries: Iterable[Entry], names: Sequence[str]) -> list[Choice]:
    """Find the records that names mean, on every task that has all of them.

    Parameters
    ----------
    entries
        One's own first: they go before those that came with the package.
    names
        As files of records are called, or titles; ``NAME@recorded`` is the record that came with the package,
        ``NAME@mine`` one's own, ``NAME@FOLDER`` that of one of several folders. Records that differ in seeds alone are
        one contestant, the mean over the seeds; ``NAME.seed-1`` is the training with that seed.

    Raises
    ------
    UsageError
        If there is no such record, fewer than two are named, or two names mean the same.
    HsbenchError
        If no task has all of them.
    """
    names = list(names)
    if len(names) < 2:
        raise UsageError(f"a comparison takes two methods or more, and got {', '.join(names) or 'none'}")
    entries = list(entries)
    joined = means(entries)
    boards = _boards(joined.entries)
    of_seeds = {seed: _boards(means_of_seed(entries, seed)) for _, seed in filter(None, map(split_name, names))}
    places: dict[str, list[str]] = {name: [] for name in names}
    choices = []
    for board, members in boards.items():
        matches = [_matches(members, name) or _of_one_seed(board, of_seeds, name) for name in names]
        for name, matched in zip(names, matches, strict=True):
            places[name] += [task_title(board) + _without_values(matched)] if matched else []
        if all(any(entry.record.summary is not None for entry in matched) for matched in matches):
            choices.append(_choice(board, members, names, matches, joined))
    for name, where in places.items():
        if not where:
            known = sorted({entry.record.key for members in boards.values() for entry in members})
            raise UsageError(unknown("record of", name, known))
    if not choices:
        told = "; ".join(f"{name} on {' and '.join(where)}" for name, where in places.items())
        raise HsbenchError(f"no task has values of all of them: {told}")
    return choices


def whole_tasks(entries: Iterable[Entry]) -> list[Choice]:
    """Return the methods of each task that were scored on its whole split; one's own go before recorded ones.

    Raises
    ------
    HsbenchError
        If no task has two of them.
    """
    choices = []
    joined = means(entries)
    for board, members in _boards(joined.entries).items():
        first: dict[str, Entry] = {}
        for entry in members:
            dataset = entry.record.dataset
            if entry.record.summary is not None and dataset.scenes == dataset.scenes_in_split:
                first.setdefault(entry.record.key, entry)
        if len(first) > 1:
            notes = [note for entry in first.values() for note in _not_taken(entry.record.key, entry, members)]
            notes += _on_seeds(list(first), list(first.values()), joined.remarks_of(board))
            choices.append(Choice(board, _contestants(list(first), list(first.values())), notes))
    if not choices:
        raise HsbenchError("nothing to rank: no two methods were scored on the whole split of a task")
    return choices


def only(choices: Sequence[Choice], how: str) -> Choice:
    """Return the one task of a choice.

    Parameters
    ----------
    choices
        Of `choose`.
    how
        How one of several is chosen, for the message.

    Raises
    ------
    UsageError
        If there are several.
    """
    if len(choices) == 1:
        return choices[0]
    told = "; ".join(task_title(choice.board) for choice in choices)
    raise UsageError(f"several tasks have them: {told}. Choose by {how}")


def contestants_of(records: Sequence[Record]) -> list[Contestant]:
    """Return records of one task as contestants, by their own names."""
    return _contestants([record.key for record in records], [Entry(record) for record in records])


def _boards(entries: Iterable[Entry]) -> dict[Board, list[Entry]]:
    boards: dict[Board, list[Entry]] = {}
    for entry in entries:
        boards.setdefault(board_of(entry.record), []).append(entry)
    return dict(sorted(boards.items()))


def _matches(entries: Sequence[Entry], wanted: str) -> list[Entry]:
    """Return the entries of one task that a name means, by the strictest reading that finds any."""
    stem, at, origin = wanted.rpartition("@")
    there = [entry for entry in entries if origin == entry.origin or (origin == _MINE and not entry.recorded)]
    for members, name in ((entries, wanted), (there if at else (), stem)):
        readings = [reading(entry.record, name) for entry in members]
        strictest = min((reading for reading in readings if reading is not None), default=None)
        if strictest is not None:
            return [entry for entry, reading in zip(members, readings, strict=True) if reading == strictest]
    return []


def _of_one_seed(board: Board, of_seeds: Mapping[int, dict[Board, list[Entry]]], wanted: str) -> list[Entry]:
    """Return the entries that a name such as "feinfn.seed-0" means."""
    named = split_name(wanted)
    return [] if named is None else _matches(of_seeds[named[1]].get(board, []), named[0])


def _choice(
    board: Board, members: Sequence[Entry], names: list[str], matches: Sequence[Sequence[Entry]], joined: Means
) -> Choice:
    taken = [_first(name, matched) for name, matched in zip(names, matches, strict=True)]
    notes = [
        note
        for name, entry in zip(names, taken, strict=True)
        for note in _not_taken(name, entry, [other for other in members if other not in taken])
    ]
    titles = {entry.record.method.title for entry in taken}
    left_out = [line for line in joined.remarks_of(board) if line.partition(":")[0] in titles]
    notes += _on_seeds(names, taken, left_out)
    return Choice(board, _contestants(names, taken), notes)


def _without_values(matched: Sequence[Entry]) -> str:
    """Say why none of the entries has values; nothing if one has."""
    if any(entry.record.summary is not None for entry in matched):
        return ""
    record = matched[0].record
    return f" (no values: {record.error or record.status})"


def _first(name: str, matched: Sequence[Entry]) -> Entry:
    """Return the first entry that has values; those of the same place must not be several."""
    scored = [entry for entry in matched if entry.record.summary is not None]
    first = scored[0]
    beside = [entry.record.key for entry in scored if entry.origin == first.origin]
    if len(beside) > 1:
        raise UsageError(f"{name} may be any of {', '.join(beside)}: name one of them")
    return first


def _not_taken(name: str, taken: Entry, others: Sequence[Entry]) -> list[str]:
    """Say which other records of the same method there are, and how they are named."""
    same = [
        entry
        for entry in others
        if entry is not taken
        and row_name(entry.record) == row_name(taken.record)
        # nor the mean over seeds that it is a part of
        and not any(record is own for record in entry.records for own in taken.records)
    ]
    if not same or "@" in name:
        return []
    whose = "the one that came with the package" if taken.recorded else f"your own{_in(taken.origin)}"
    return [f"{name} is {whose}; there is also {' and '.join(_full_name(entry) for entry in same)}"]


def _on_seeds(names: Sequence[str], entries: Sequence[Entry], left_out: Sequence[str]) -> list[str]:
    """Say over which seeds values are means, where any is one over several, and which seeds are left out."""
    trainings = [training_spread(entry) for entry in entries]
    noises = [noise_spread(entry) for entry in entries]
    notes = []
    for kind, spreads in (("trainings", trainings), ("seeds of the noise", noises)):
        if any(each is not None and len(each.seeds) > 1 for each in spreads):
            told = [
                f"{name} {len(each.seeds)} ({each.told})"
                for name, each in zip(names, spreads, strict=True)
                if each is not None
            ]
            notes.append(f"values are means over {kind}, scene by scene: {', '.join(told)}")
    return [*notes, *left_out]


def _in(origin: str) -> str:
    return f" in {origin}" if origin else ""


def _full_name(entry: Entry) -> str:
    return f"{entry.record.key}@{entry.origin or _MINE}"


def _contestants(names: Sequence[str], entries: Sequence[Entry]) -> list[Contestant]:
    for (name, entry), (other, same) in combinations(zip(names, entries, strict=True), 2):
        if entry is same:
            again = f"{name} is named twice" if name == other else f"{name} and {other} are the same record"
            raise UsageError(f"{again}: a method is compared to another")
    titles = [_title(entry.record) for entry in entries]
    return [
        Contestant(name, title if titles.count(title) == 1 else f"{title} [{name}]", entry.record)
        for name, title, entry in zip(names, titles, entries, strict=True)
    ]


def _title(record: Record) -> str:
    """Return the title of a method with its changed options; the truths it was given are for the leaderboard."""
    method = record.method
    parts = ["blind"] if method.estimated else []
    parts += [f"{name} {short_value(method.options[name])}" for name in method.changed]
    return method.title + (f" ({'; '.join(parts)})" if parts else "")
