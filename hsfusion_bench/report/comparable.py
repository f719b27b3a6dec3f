"""Which records may stand in one table, and which of them say the same.

Means over other scenes, other references, another observation or another suite of indexes are no ranks of methods:
such records are kept apart, or restricted to the scenes that all of them have.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from hsfusion_bench.report.sources import Entry
from hsfusion_bench.runs.account import summary_of
from hsfusion_bench.runs.records import Record
from hsfusion_metrics import METRICS

Board: TypeAlias = tuple[str, int, str]
"""Data set, scale and protocol."""

# printed digits of mean and deviation: two for decibels, degrees and ERGAS, four for what lies in [0, 1]
_DIGITS: Final = {"psnr": 2, "sam": 2, "ergas": 2, "ergas_fused": 2}


def digits(index: str) -> int:
    """Return how many digits behind the point papers print of an index."""
    return _DIGITS.get(index, 4)


@dataclass(frozen=True)
class Scores:
    """What decides whether the values of two records may be ranked.

    Parameters
    ----------
    protocol, suite
        Digest of the protocol; the suite of indexes and its constants.
    scenes
        Name and digest of the reference of every scene that was scored.
    wavelengths
        Those that the user gave; None: the data set's own.
    """

    protocol: str
    suite: tuple[tuple[str, str], ...]
    scenes: frozenset[tuple[str, str | None]]
    wavelengths: str | None = None

    @classmethod
    def of(cls, record: Record) -> Scores:
        """Return what a record was scored on."""
        scenes = frozenset((scene.name, scene.digest) for scene in record.scenes if scene.psnr is not None)
        suite = tuple(sorted((name, str(value)) for name, value in record.metrics.items()))
        return cls(record.dataset.protocol_digest, suite, scenes, record.dataset.wavelengths)

    def unlike(self, other: Scores) -> str:
        """Say in what these scores cannot be compared to others; nothing where they can."""
        if self.protocol != other.protocol:
            return "the protocol had another content (digest)"
        if self.wavelengths != other.wavelengths:
            return "other wavelengths were given (--wavelengths)"
        if self.suite != other.suite:
            return "another suite of indexes, or other constants of it"
        ours, theirs = dict(self.scenes), dict(other.scenes)
        changed = sorted(name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name])
        if changed:
            return f"the reference of {', '.join(changed[:3])}{' ...' if len(changed) > 3 else ''} is another (digest)"
        return "other scenes" if ours.keys() != theirs.keys() else ""


def board_of(record: Record) -> Board:
    """Return data set, scale and protocol of a record."""
    return record.dataset.name, record.dataset.scale, record.dataset.protocol


def by_scores(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Group entries of one board so that within a group all values were scored on the same; the largest group first.

    Entries without values stand in the first group.
    """
    groups: dict[Scores, list[Entry]] = {}
    empty = []
    for entry in entries:
        if entry.record.summary is None:
            empty.append(entry)
        else:
            groups.setdefault(Scores.of(entry.record), []).append(entry)
    ordered = sorted(groups.values(), key=lambda group: (-group[0].record.dataset.scenes, -len(group)))
    if not ordered:
        return [empty] if empty else []
    return [ordered[0] + empty, *ordered[1:]]


def in_common(entries: Sequence[Entry]) -> list[Entry]:
    """Return entries of one board as if only the scenes had been scored that all of them have.

    Entries of another protocol's content or suite are left as they are, as are all if there is no such scene.
    """
    scored = [entry for entry in entries if entry.record.summary is not None]
    if not scored:
        return list(entries)
    kinds = [
        (scores.protocol, scores.suite, scores.wavelengths) for scores in (Scores.of(entry.record) for entry in scored)
    ]
    kind = max(dict.fromkeys(kinds), key=kinds.count)
    alike = [entry for entry, its in zip(scored, kinds, strict=True) if its == kind]
    common = frozenset.intersection(*(Scores.of(entry.record).scenes for entry in alike))
    if not common:
        return list(entries)
    restricted = {id(entry): replace(entry, record=_restricted(entry.record, common)) for entry in alike}
    return [restricted.get(id(entry), entry) for entry in entries]


def _restricted(record: Record, scenes: frozenset[tuple[str, str | None]]) -> Record:
    kept = [scene for scene in record.scenes if (scene.name, scene.digest) in scenes]
    if len(kept) == record.dataset.scenes:
        return record
    dataset = record.dataset.model_copy(update={"scenes": len(kept)})
    return record.model_copy(update={"scenes": kept, "summary": summary_of(kept), "dataset": dataset})


def without_doubles(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """Leave out entries of one board that have no values where the same method has some; say so, a line each."""
    scored = {method_of(entry) for entry in entries if entry.record.summary is not None}
    kept: list[Entry] = []
    lines: list[str] = []
    empty = set()
    for entry in entries:
        key = method_of(entry)
        if entry.record.summary is None:
            if key in scored:
                if not entry.recorded:
                    reason = entry.record.error or entry.record.status
                    seed = f" of training seed {entry.record.training_seed}" if entry.record.training_seed else ""
                    lines.append(f"{entry.record.method.title}: a run{seed} without values is not shown ({reason})")
                continue
            if (key, entry.record.training_seed) in empty:
                continue
            empty.add((key, entry.record.training_seed))
        kept.append(entry)
    return kept, lines


def agree(one: Record, other: Record) -> bool:
    """Whether two records have the same values on the same scenes, to a tenth of the last digit that is printed."""
    means, others = one.summary, other.summary
    if (
        means is None
        or others is None
        or not all(_close(means[name].mean, others[name].mean, name) for name in METRICS)
    ):
        return False
    if Scores.of(one) != Scores.of(other):
        return False
    second = {scene.name: scene for scene in other.scenes}
    pairs = [(first, second[first.name]) for first in one.scenes if first.psnr is not None]
    return all(
        _close(getattr(first, index), getattr(second, index), index)
        for first, second in pairs
        for index in (*METRICS, *(name for name in first.further if name in second.further))
    )


def method_of(entry: Entry) -> tuple[str, str]:
    """Return what entries of one method share that have the same options, with or without the true camera."""
    return entry.record.method.name, entry.record.method.variant


def _close(first: float, second: float, index: str) -> bool:
    if first == second or (math.isnan(first) and math.isnan(second)):
        return True
    return abs(first - second) <= 10.0 ** -(digits(index) + 1)
