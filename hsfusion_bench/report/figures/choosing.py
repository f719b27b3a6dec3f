"""Which records a figure shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods.options import short_value
from hsfusion_bench.report.choosing import choose_entries, place_of, spelt
from hsfusion_bench.report.comparable import board_of
from hsfusion_bench.report.contestants import task_title
from hsfusion_bench.report.figures.canvas import MOST, plain
from hsfusion_bench.report.leaderboard import Leaderboard, leaderboards
from hsfusion_bench.report.rows import Row
from hsfusion_bench.report.seeds import means
from hsfusion_bench.report.sources import RECORDED, Entry
from hsfusion_bench.runs.recorded import recorded_root
from hsfusion_bench.runs.records import MethodInfo, Store

#: A task with more records than this is not looked at closely: it takes long, and no figure could show it.
_MOST_ENTRIES = 500


@dataclass(frozen=True)
class Asked:
    """The records that were found, and what is asked of them.

    Parameters
    ----------
    entries
        Of the data sets, scale and protocols that are asked for; one's own first.
    folders
        One's own, of the records.
    methods
        Names of rows, in the order of the figure; None: all.
    index
        One of the seven.
    common
        Whether records of other scenes are restricted to those that all have.
    notes
        Receives lines on what a reader must know: what is left out, and why.
    """

    entries: Sequence[Entry]
    folders: Sequence[Path]
    methods: Sequence[str] | None
    index: str
    common: bool
    notes: list[str]

    def chosen(self) -> list[Entry]:
        """Return the entries of the methods that are asked for."""
        if self.methods is None:
            return list(self.entries)
        entries, left_out = choose_entries(self.entries, self.methods)
        if left_out:
            self.notes.append(f"left out, as not named: {', '.join(left_out)}")
        return entries

    @property
    def names(self) -> list[str]:
        """The methods that are asked for, as rows are called."""
        return spelt(self.entries, self.methods or ())

    def means(self) -> list[Entry]:
        """Return the same, those that differ in seeds alone as one, see `hsfusion_bench.report.seeds`."""
        joined = means(self.chosen())
        self.notes.extend(line for _, line in joined.remarks)
        return joined.entries

    def board(self, entries: Iterable[Entry] | None = None, device: str | None = None) -> Leaderboard:
        """Return the one leaderboard of the entries that have values, best first by the index.

        Raises
        ------
        UsageError
            If there are several tasks, or too many methods.
        HsbenchError
            If no record has values.
        """
        given = list(self.chosen() if entries is None else entries)
        boards = list(dict.fromkeys(board_of(entry.record) for entry in means(given).entries))
        if len(boards) > 1:
            told = "; ".join(map(task_title, sorted(boards)[:8])) + ("; ..." if len(boards) > 8 else "")
            raise UsageError(f"records of {len(boards)} tasks: {told}. Choose by --dataset, --scale and --protocol")
        if len(given) > _MOST_ENTRIES:
            raise _too_many(len(given))
        scored = [entry for entry in given if entry.record.summary is not None]
        for entry in given:
            if entry.record.summary is None:
                title = entry.record.method.title
                self.notes.append(f"{title} has no values: {entry.record.error or entry.record.status}")
        if not scored:
            raise HsbenchError("none of these records has values; `hsbench run` makes some")
        first, *others = leaderboards(scored, sort=self.index, device=device, common=self.common)
        self.notes.extend(first.remarks)
        self.notes.extend(f"{row.title}: {'; '.join(row.seed_notes)}" for row in first.rows if row.seed_notes)
        for other in others:
            names = ", ".join(row.title for row in other.rows)
            self.notes.append(f"left out: {names}: {'; '.join(other.remarks)}")
        if len(first.rows) > MOST:
            raise _too_many(len(first.rows))
        return first

    def ordered(self, rows: Sequence[Row]) -> list[Row]:
        """Return rows in the order in which their methods are named; as they are if none is."""
        if self.methods is None:
            return list(rows)
        names = self.names
        return sorted(rows, key=lambda row: place_of(row.record, names))

    def store(self, entry: Entry) -> Store:
        """Return the store that an entry is from."""
        if entry.origin == RECORDED:
            return Store(recorded_root())
        return Store(Path(entry.origin) if entry.origin else self.folders[0])


def short_title(row: Row) -> str:
    """Return what a figure calls a row: its methods, changed options, and its mark."""
    apart = f"[{row.apart}]" if row.apart else ""
    return plain(" ".join(part for part in (row.name + _changes(row.record.method), apart, row.mark) if part))


def method_title(method: MethodInfo) -> str:
    """Return what a figure calls a method."""
    return plain(whole_title(method))


def whole_title(method: MethodInfo) -> str:
    """Return the same at any length, of any characters."""
    return method.title + _changes(method)


def _changes(method: MethodInfo) -> str:
    parts = ["blind"] if method.estimated else []
    parts += [f"{name} {short_value(method.options[name])}" for name in method.changed]
    return f" ({'; '.join(parts)})" if parts else ""


def _too_many(number: int) -> UsageError:
    return UsageError(
        f"{number} records are too many for a figure, which shows {MOST} at most: choose by --methods, --only, "
        "--dataset, --scale and --protocol"
    )
