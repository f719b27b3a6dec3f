"""Methods compared on the scenes that all of them have: means, ranks, and whether differences are real."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.report.comparable import Board, Scores, board_of, digits
from hsfusion_bench.report.contestants import Choice, Contestant, contestants_of, task_title
from hsfusion_bench.report.rows import KNOWN
from hsfusion_bench.report.significance import (
    LEVEL,
    TIE,
    Floats,
    friedman,
    gains,
    holm,
    least_p,
    mean_interval,
    rank_biserial,
    scene_ranks,
    signed_rank,
)
from hsfusion_bench.runs.records import Record
from hsfusion_metrics import METRICS

#: With one scene there is nothing to test, and no interval.
_LEAST_SCENES: Final = 2


@dataclass(frozen=True)
class Standing:
    """A method's mean over the scenes, and the average of its ranks on them; 1 is the best."""

    name: str
    title: str
    mean: float
    rank: float


@dataclass(frozen=True)
class Pair:
    """Two methods.

    Parameters
    ----------
    first, second
        Their titles.
    names
        Their names.
    difference, interval
        Mean of first less second, in the index's unit, and where it lies with 95 % confidence.
    wins, losses, ties
        On how many scenes the first is better, is worse, is neither.
    effect
        Matched-pairs rank-biserial correlation, positive in favour of the first; None where all scenes are ties.
    p, corrected
        Of the signed-rank test, alone and after Holm's correction for all pairs; None where all scenes are ties.
    exact
        Whether the p was counted; else it is of the normal approximation.
    """

    first: str
    second: str
    names: tuple[str, str]
    difference: float
    interval: tuple[float, float] | None
    wins: int
    losses: int
    ties: int
    effect: float | None
    p: float | None
    corrected: float | None
    exact: bool

    @property
    def scenes(self) -> int:
        """On how many scenes they were compared."""
        return self.wins + self.losses + self.ties

    @property
    def significant(self) -> bool:
        """Whether the corrected p is below 0.05."""
        return self.corrected is not None and self.corrected < LEVEL


@dataclass(frozen=True)
class Ranking:
    """Methods of one task by one index, over the scenes that all have."""

    board: Board
    index: str
    scenes: tuple[str, ...]
    standings: list[Standing]
    friedman: float | None
    """p of Friedman's test that all methods are alike; None where it makes no sense, see `significance.friedman`."""
    notes: list[str]
    """What a reader must know: scenes that were left out, and what such a sample cannot show."""

    @property
    def title(self) -> str:
        """Heading of a table."""
        return f"{task_title(self.board)}, {count(len(self.scenes), 'scene')}: {index_title(self.index)}"


@dataclass(frozen=True)
class Comparison(Ranking):
    """The same, with every pair of the methods."""

    pairs: list[Pair]


def index_title(index: str) -> str:
    """Return an index with its unit and its better direction."""
    metric = KNOWN[index]
    unit = f" ({metric.unit})" if metric.unit else ""
    return f"{metric.title}{unit}, {metric.better} is better"


def rank(contestants: Sequence[Contestant], index: str) -> Ranking:
    """Rank methods of one task on every scene that all have, and average the ranks.

    Raises
    ------
    HsbenchError
        If they have no scene in common, or were scored under other conditions.
    """
    scenes, values, notes = _values(contestants, index)
    standings, p = _standings(contestants, values, index)
    return Ranking(board_of(contestants[0].record), index, scenes, standings, p, notes)


def rank_all(choices: Sequence[Choice], index: str) -> tuple[list[Ranking], list[str]]:
    """Rank the same methods on several tasks; a task where they cannot be is left out, and a line says why.

    Raises
    ------
    HsbenchError
        If they cannot be ranked on any.
    """
    rankings, failed = [], []
    for choice in choices:
        try:
            rankings.append(rank(choice.contestants, index))
        except HsbenchError as error:
            failed.append(f"{task_title(choice.board)}, left out: {error}")
    if not rankings:
        raise HsbenchError("; ".join(failed))
    return rankings, failed


def compare(contestants: Sequence[Contestant], index: str) -> Comparison:
    """Compare every pair of methods of one task on the scenes that all have.

    Parameters
    ----------
    contestants
        Two or more.
    index
        One of the seven.

    Raises
    ------
    HsbenchError
        If they have fewer than two scenes in common, or were scored under other conditions.
    """
    scenes, values, notes = _values(contestants, index)
    if len(scenes) < _LEAST_SCENES:
        raise HsbenchError(
            f"{count(len(scenes), 'scene')} in common ({', '.join(scenes)}): a comparison needs "
            f"{_LEAST_SCENES} or more, and {_needed(1)} to find a difference significant"
        )
    standings, p = _standings(contestants, values, index)
    pairs = _pairs(contestants, values, index)
    tested = sum(pair.p is not None for pair in pairs)
    if tested and (told := _powerless(len(scenes), tested)):
        notes = [*notes, told]
    return Comparison(board_of(contestants[0].record), index, scenes, standings, p, notes, pairs)


def words(pair: Pair, index: str) -> str:
    """Return what is found of a pair, in a sentence; the better in the mean goes first."""
    metric, scenes = METRICS[index], count(pair.scenes, "scene")
    if pair.p is None or pair.corrected is None or pair.effect is None:
        return f"{pair.first} and {pair.second} are equal on all {scenes}, to {TIE:g}: nothing is tested"
    p = f"p = {p_text(pair.p)}"
    if pair.p != pair.corrected:
        p = f"p = {p_text(pair.corrected)} corrected, {p_text(pair.p)} alone"
    verdict = "significant" if pair.significant else "not significant"
    told = f"{verdict} ({p.replace('= <', '< ')}, {scenes})"
    by_ranks = (pair.first, pair.second) if pair.effect >= 0 else (pair.second, pair.first)
    if not math.isfinite(pair.difference) or not pair.difference:
        size = "equal" if not pair.difference else "not finite"
        return f"{by_ranks[0]} is better than {by_ranks[1]} by ranks, their means' difference is {size}; {told}"
    first_better = (pair.difference > 0) == (metric.better == "higher")
    by_mean = (pair.first, pair.second) if first_better else (pair.second, pair.first)
    if pair.significant and by_mean != by_ranks:
        told = f"{by_ranks[0]} is better by the ranks of the scenes, and that is {told}"
    side = "above" if metric.better == "higher" else "below"
    unit = f" {metric.unit}" if metric.unit.isalpha() else metric.unit
    return f"{by_mean[0]} is {amount(abs(pair.difference), index)}{unit} {side} {by_mean[1]} in the mean; {told}"


def amount(value: float, index: str) -> str:
    """Return a difference in the digits of its index, and in two that count where these are all zero."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"
    text = f"{value:.{digits(index)}f}"
    return f"{value:.2g}" if value and not float(text) else text


def p_text(p: float) -> str:
    """Return a p in two digits that count."""
    return "<0.0001" if p < 1e-4 else f"{p:#.2g}" if p < 0.995 else "1.0"


def count(number: int, noun: str) -> str:
    """Return "1 scene", "2 scenes"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class Alike:
    """How far records differ from the best one.

    Parameters
    ----------
    best
        Number of the best record; None if nothing can be said.
    p
        Corrected p of each other record that was compared with it, by number; 1 for one that is equal.
    note
        What was tested, or why nothing was.
    """

    best: int | None
    p: dict[int, float]
    note: str

    @property
    def others(self) -> frozenset[int]:
        """Numbers of the records that do not differ significantly from the best."""
        return frozenset(number for number, p in self.p.items() if p >= LEVEL)


def alike_with_best(records: Sequence[Record], index: str) -> Alike:
    """Test each record of a board against the best by an index, with Holm's correction for their number.

    Parameters
    ----------
    records
        Of one task. Only those with the most scenes are compared, as only those take places.
    index
        One of the seven.
    """
    scored = [number for number, record in enumerate(records) if _is_complete(record, index)]
    groups: dict[Scores, list[int]] = {}
    for number in scored:
        groups.setdefault(Scores.of(records[number]), []).append(number)
    group = max(groups.values(), key=lambda each: (records[each[0]].dataset.scenes, len(each)), default=[])
    if len(group) < 2:
        return Alike(None, {}, "")
    contestants = contestants_of([records[number] for number in group])
    scenes, values, _ = _values(contestants, index)
    better = METRICS[index].better
    means = _mean(values)
    leader = int(np.argmax(means) if better == "higher" else np.argmin(means))
    rest = [row for row in range(len(group)) if row != leader]
    tests = {row: signed_rank(gains(values[leader], values[row], better)) for row in rest}
    tested = {row: test.p for row, test in tests.items() if test is not None}
    if tested and (told := _powerless(len(scenes), len(tested))):
        return Alike(None, {}, f"nothing is marked ≈: {told}")
    corrected = dict(zip(tested, holm(list(tested.values())), strict=True))
    best = contestants[leader].title
    title = METRICS[index].title
    note = (
        f"≈ {title} not significantly different from {best}'s: Wilcoxon's signed-rank test over "
        f"{count(len(scenes), 'scene')}, p ≥ {LEVEL} after Holm's correction for {count(len(tested), 'test')}"
    )
    return Alike(group[leader], {group[row]: corrected.get(row, 1.0) for row in rest}, note)


def _is_complete(record: Record, index: str) -> bool:
    """Whether the mean of an index says something of every scene that was scored."""
    return record.summary is not None and not math.isnan(record.summary[index].mean)


def _values(contestants: Sequence[Contestant], index: str) -> tuple[tuple[str, ...], Floats, list[str]]:
    """Return the scenes that all have, the index [methods, scenes], and what was left out."""
    first = contestants[0]
    for other in contestants[1:]:
        _require_same_conditions(first, other)
    scored = [_scored(each.record) for each in contestants]
    common = [scene for scene in scored[0] if all(scene in each for each in scored)]
    notes = _left_out(contestants, scored, common)
    if not common:
        raise HsbenchError(f"no scene in common: {'; '.join(notes)}")
    values = np.array([[getattr(each[scene], index) for scene in common] for each in scored], dtype=np.float64)
    defined: npt.NDArray[np.bool_] = np.asarray(~np.isnan(values).any(axis=0))
    if not defined.all():
        names = [name for (name, _), kept in zip(common, defined, strict=True) if not kept]
        notes.append(f"left out, for {METRICS[index].title} is NaN there: {', '.join(names)}")
    if not defined.any():
        raise HsbenchError(f"nothing to compare: {METRICS[index].title} is NaN on every scene of one of them")
    if np.isinf(values).any():
        notes.append(f"{METRICS[index].title} is Inf on some scenes: it counts as the greatest value there")
    return tuple(name for (name, _), kept in zip(common, defined, strict=True) if kept), values[:, defined], notes


def _scored(record: Record) -> dict[tuple[str, str | None], object]:
    return {(scene.name, scene.digest): scene for scene in record.scenes if scene.psnr is not None}


def _left_out(
    contestants: Sequence[Contestant],
    scored: Sequence[dict[tuple[str, str | None], object]],
    common: Sequence[tuple[str, str | None]],
) -> list[str]:
    """Say which scenes some have and not all, and which have another reference."""
    kept = {name for name, _ in common}
    changed = sorted(
        {
            name
            for one in scored
            for name, digest in one
            for other in scored
            for same, its in other
            if same == name and its != digest
        }
    )
    notes = []
    if changed:
        notes.append(f"left out, for the references differ (digest): {', '.join(changed)}")
    for contestant, each in zip(contestants, scored, strict=True):
        more = [name for name, _ in each if name not in kept and name not in changed]
        if more:
            notes.append(f"left out, for not all have it: {', '.join(more)} of {contestant.title}")
    return notes


def _require_same_conditions(one: Contestant, other: Contestant) -> None:
    first, second = Scores.of(one.record), Scores.of(other.record)
    if first.protocol != second.protocol:
        raise HsbenchError(
            f"{one.title} and {other.title} cannot be compared: protocol {one.record.dataset.protocol} had another "
            "content (digest) when they ran"
        )
    if first.suite != second.suite:
        raise HsbenchError(
            f"{one.title} and {other.title} cannot be compared: another suite of indexes, or other constants of it"
        )


def _standings(contestants: Sequence[Contestant], values: Floats, index: str) -> tuple[list[Standing], float | None]:
    ranks = scene_ranks(values, METRICS[index].better)
    means, average = _mean(values), ranks.mean(axis=1)
    standings = [
        Standing(each.name, each.title, float(means[number]), float(average[number]))
        for number, each in enumerate(contestants)
    ]
    return sorted(standings, key=lambda each: each.rank), friedman(ranks)


def _pairs(contestants: Sequence[Contestant], values: Floats, index: str) -> list[Pair]:
    better = METRICS[index].better
    numbers = list(combinations(range(len(contestants)), 2))
    gain = [gains(values[one], values[other], better) for one, other in numbers]
    tests = [signed_rank(each) for each in gain]
    corrected = iter(holm([test.p for test in tests if test is not None]))
    pairs = []
    for (one, other), each, test in zip(numbers, gain, tests, strict=True):
        difference = each if better == "higher" else 0.0 - each
        pairs.append(
            Pair(
                contestants[one].title,
                contestants[other].title,
                (contestants[one].name, contestants[other].name),
                float(_mean(difference)),
                mean_interval(difference) if test else None,
                int(np.sum(each > 0)),
                int(np.sum(each < 0)),
                int(np.sum(each == 0)),
                rank_biserial(each),
                test.p if test else None,
                next(corrected) if test else None,
                test.exact if test else False,
            )
        )
    return pairs


def _mean(values: Floats) -> Floats:
    """Return means over the last axis; Inf on one scene and -Inf on another have none."""
    with np.errstate(invalid="ignore"):
        mean: Floats = np.asarray(values.mean(axis=-1))
    return mean


def _powerless(scenes: int, tests: int) -> str:
    """Say that nothing can be significant, if so; nothing otherwise."""
    least = min(1.0, tests * least_p(scenes))
    if least < LEVEL:
        return ""
    corrected = f" after correction for {tests} tests" if tests > 1 else ""
    return (
        f"over {count(scenes, 'scene')} no difference can be significant: the least p that the test can give is "
        f"{p_text(least)}{corrected}; {count(_needed(tests), 'scene')} would be enough"
    )


def _needed(tests: int) -> int:
    """Return the least number of scenes with which one of several tests can be significant."""
    scenes = 1
    while tests * least_p(scenes) >= LEVEL:
        scenes += 1
    return scenes
