"""A leaderboard: the records of one (dataset, scale, protocol), side by side and ranked.

Rows are ranked among each other only if their values were scored on the same scenes, of the same references; others
stand in a table of their own, which says why.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hsfusion_bench.data.observing.telling import in_words
from hsfusion_bench.errors import UsageError
from hsfusion_bench.report.comparable import (
    Board,
    Scores,
    agree,
    board_of,
    by_scores,
    in_common,
    method_of,
    without_doubles,
)
from hsfusion_bench.report.published import PROTOCOL, PublishedRow, published_rows
from hsfusion_bench.report.rows import RECORDED_MARK, Printed, Row, fixed
from hsfusion_bench.report.seeds import Means, means, noise_spread, training_spread
from hsfusion_bench.report.sources import Entry
from hsfusion_bench.runs.differences import Effect, differences
from hsfusion_bench.runs.records import Record, Speed
from hsfusion_metrics import METRICS, PUBLISHED_METRICS

DEFAULT_INDEXES = ("psnr", "sam", "ergas", "ssim")


@dataclass(frozen=True)
class Leaderboard:
    """Rows that may be compared: same dataset, scale and protocol, and scored on the same scenes.

    Parameters
    ----------
    dataset, scale, protocol
        The task.
    device
        Name of the device of the latencies, or None if nothing was timed.
    rows
        Best first.
    published
        Rows that papers printed.
    remarks
        What must be known of the table as a whole, a line each.
    """

    dataset: str
    scale: int
    protocol: str
    device: str | None
    rows: list[Row]
    published: list[Printed] = field(default_factory=list)
    remarks: tuple[str, ...] = ()

    @property
    def sources(self) -> list[str]:
        """Where the published rows were printed, and what is suspect of them: a line each, by number."""
        lines = dict.fromkeys(f"[{line.number}] {line.row.source}" for line in self.published)
        doubts = [f"{line.title}: {line.row.note}" for line in self.published if line.row.note]
        said = "published rows are as printed, and not ours: of the cameras that methods were told, papers say little"
        return [said, self.meant, *lines, *doubts] if lines else []

    @property
    def meant(self) -> str:
        """What is to be known of the published ERGAS and SSIM."""
        if self.further:
            return (
                f"the papers' ERGAS and SSIM are {' and '.join(PUBLISHED_METRICS)}, as their Bicubic rows prove, and "
                "have columns of their own"
            )
        return (
            "the papers' ERGAS and SSIM are other indexes than ours of these names, as their Bicubic rows prove: "
            f"hsbench run --also {','.join(PUBLISHED_METRICS)} measures them as well"
        )

    @property
    def seeded(self) -> bool:
        """Whether a row is the mean over several seeds."""
        return any(each is not None and each.std for row in self.rows for each in (row.trainings, row.noises))

    @property
    def further(self) -> tuple[str, ...]:
        """Indexes beyond the seven that a row has."""
        return tuple(name for name in PUBLISHED_METRICS if any(row.value(name) is not None for row in self.rows))

    @property
    def indexes(self) -> tuple[str, ...]:
        """The columns, unless others are asked for: what papers print, and further indexes.

        The latter beside published rows, or where all rows have them.
        """
        scored = [row for row in self.rows if row.record.summary is not None]
        shown = [name for name in self.further if self.published or all(row.value(name) for row in scored)]
        return (*DEFAULT_INDEXES, *shown)

    @property
    def title(self) -> str:
        """Heading of the table; of other conditions than the protocol's it says in words which."""
        heading = f"{self.dataset} ×{self.scale}, protocol {self.protocol}, {self.coverage}"
        return f"{heading}: {self.conditions}" if self.conditions else heading

    @property
    def conditions(self) -> str:
        """What departs from the protocol, in words; nothing of older records, whose protocol's name tells."""
        held = next((row.record.dataset.conditions for row in self.rows if row.record.dataset.conditions), None)
        if held and any(row.noises is not None for row in self.rows):
            held = {name: value for name, value in held.items() if name != "noise_seed"}  # rows tell their seeds
        return in_words(held) if held else ""

    @property
    def coverage(self) -> str:
        """Scenes behind the rows, which are the same for all."""
        if not self.rows:
            return "as published"
        scored = next((row for row in self.rows if row.record.summary is not None), None)
        return "no scenes scored" if scored is None else f"{scored.scenes} scenes"


def leaderboards(
    entries: Iterable[Entry],
    *,
    sort: str = "psnr",
    device: str | None = None,
    published: bool = False,
    boards: Iterable[Board] | None = None,
    common: bool = False,
    each_seed: bool = False,
) -> list[Leaderboard]:
    """Group records by task, and by what they were scored on; join their speeds, rank and sort them.

    Parameters
    ----------
    entries
        What was measured, see `hsfusion_bench.report.sources`.
    sort
        Index to sort by, best first; rows without a value come last.
    device
        Name, or part of it, of the device whose latencies are shown; by default the one with most measurements.
    published
        Whether rows that papers printed are put below the measured ones.
    boards
        Tasks of which published rows are shown even if nothing of them was measured; None: no others.
    common
        Whether the rows of a task are restricted to the scenes that all of them have; else rows of other scenes stand
        in tables of their own.
    each_seed
        Whether every seed of a training or of the noise has a row of its own; else they are one row, their mean, see
        `hsfusion_bench.report.seeds`.

    Raises
    ------
    UsageError
        If there is no such index or device.
    """
    if sort not in METRICS:
        raise UsageError(f"there is no index {sort!r} to sort by; the indexes are {', '.join(METRICS)}")
    groups: dict[Board, list[Entry]] = {board: [] for board in boards or ()}
    joined = Means(list(entries), []) if each_seed else means(entries)
    for entry in joined.entries:
        groups.setdefault(board_of(entry.record), []).append(entry)
    every = [speed for members in groups.values() for each in members for speed in each.speeds]
    chosen = None if device is None else _choose_device(every, device)
    made = []
    for board, members in sorted(groups.items()):
        printed = _published(*board, sort) if published else []
        timed = chosen or _choose_device([speed for each in members for speed in each.speeds])
        made += _tables(board, members, sort, timed, printed, common, joined.remarks_of(board))
    return made


def _tables(
    board: Board,
    entries: list[Entry],
    sort: str,
    device: str | None,
    printed: list[Printed],
    common: bool,
    of_seeds: list[str],
) -> list[Leaderboard]:
    """Return the tables of one task; the published rows stand in the first."""
    kept, doubled = without_doubles(entries)
    remarks = [*of_seeds, *doubled]
    if common:
        kept = in_common(kept)
    groups = by_scores(kept)
    if not groups:
        return [Leaderboard(*board, None, [], printed)] if printed else []
    tables = []
    for number, group in enumerate(groups):
        rows, lines = _rows(group, device)
        rows.sort(key=lambda row: _order(row, sort))
        scenes = _scenes_told(group)
        first = number == 0
        why = [] if first else [f"apart from the first table: {_apart(group, groups[0], common)}"]
        said = [*scenes, *why, *lines, *(remarks if first else [])]
        timed = device if any(row.speed for row in rows) else None
        made = Leaderboard(*board, timed, rows, remarks=tuple(said))
        apart = frozenset(made.further)
        tables.append(replace(made, published=[replace(line, apart=apart) for line in printed if first]))
    return tables


def _scenes_told(group: list[Entry]) -> list[str]:
    """Name the scenes of a table that has not those of the whole split."""
    record = next((entry.record for entry in group if entry.record.summary is not None), None)
    if record is None or record.dataset.scenes == record.dataset.scenes_in_split:
        return []
    return [f"scenes: {', '.join(scene.name for scene in record.scenes if scene.psnr is not None)}"]


def _apart(group: list[Entry], first: list[Entry], common: bool) -> str:
    reason = Scores.of(group[0].record).unlike(Scores.of(first[0].record))
    if reason != "other scenes":
        return reason
    return "no scene is in all rows" if common else "other scenes; --common compares over those that all rows have"


def _rows(group: list[Entry], device: str | None) -> tuple[list[Row], list[str]]:
    """Make the rows of entries that may be compared, and lines on how they are related."""
    entries, lines = _settled(group)
    mixed = len({entry.recorded for entry in entries}) > 1
    if mixed:
        lines.append(f"{RECORDED_MARK} recorded: came with hsfusion-bench, not run here")
    elif entries and entries[0].recorded:
        lines.append("all rows are recorded: they came with hsfusion-bench, and were not run here")
    joined: dict[int, list[Entry]] = {}
    shipped: list[int] = []
    for number, entry in enumerate(entries):
        is_shipped = entry.record.method.origin == "shipped"
        same = next((first for first in shipped if is_shipped and _one_estimator(entries[first], entry)), number)
        joined.setdefault(same, []).append(entry)
        if is_shipped and same == number:
            shipped.append(number)
    members = [parts[0] for parts in joined.values()]
    places = _places([entry.record for entry in members])
    rows = []
    count = Counter(map(method_of, members))
    several_trainings = any(len(entry.training_seeds) > 1 for entry in members)
    several_noises = any(len(entry.noise_seeds) > 1 for entry in members)
    for entry, place, parts in zip(members, places, joined.values(), strict=True):
        speed = next((speed for speed in entry.speeds if speed.device == device), None)
        also = tuple(other.record.method for other in parts[1:])
        mark = RECORDED_MARK if mixed and entry.recorded else ""
        if not entry.recorded and count[method_of(entry)] > 1:
            mark = f"[{entry.origin}]" if entry.origin else mark
        row = Row(entry.record, speed, place, entry.recorded, also, mark)
        rows.append(
            replace(
                row,
                members=tuple(member.record for member in entry.members),
                trainings=training_spread(entry) if several_trainings else None,
                noises=noise_spread(entry) if several_noises else None,
                apart=_which_seed(entry, [other for other in members if method_of(other) == method_of(entry)]),
            )
        )
    return rows, lines


def _settled(group: list[Entry]) -> tuple[list[Entry], list[str]]:
    """Keep one of two entries of a method that agree, the one that comes first; say where two disagree."""
    kept: list[Entry] = []
    of_method: dict[object, list[Entry]] = {}
    confirmed, lines = [], []
    for entry in group:
        # those of other seeds are no doubles, and do not disagree
        members = of_method.setdefault((method_of(entry), entry.training_seeds, entry.noise_seeds), [])
        doubles = [other for other in members if other.record.summary is not None]
        equal = next((other for other in doubles if agree(other.record, entry.record)), None)
        if equal is not None:
            if entry.recorded and not equal.recorded:
                confirmed.append(equal.record.method.title)
            continue
        lines += [_disagreement(other, entry) for other in doubles]
        kept.append(entry)
        members.append(entry)
    if confirmed:
        lines.insert(0, f"equal to the recorded rows, within rounding: {', '.join(confirmed)}")
    return kept, lines


def _which_seed(entry: Entry, rows: Sequence[Entry]) -> str:
    """Say which seeds a row has, where others of the same method have others."""
    kinds = (
        ("training seed", entry.training_seeds, {other.training_seeds for other in rows}),
        ("noise seed", entry.noise_seeds, {other.noise_seeds for other in rows}),
    )
    told = [
        f"{kind}{'s' if len(its) > 1 else ''} {', '.join(map(str, its))}"
        for kind, its, theirs in kinds
        if its and theirs - {its, ()}
    ]
    return ", ".join(told)


def _disagreement(one: Entry, other: Entry) -> str:
    """Say that two records of a method have other values, and what is known of the reason."""
    first, second = one.record, other.record
    assert first.summary is not None
    assert second.summary is not None
    means = " and ".join(fixed(each.summary["psnr"].mean, "psnr") for each in (first, second) if each.summary)
    places = " and ".join("recorded" if each.recorded else each.origin or "one's own" for each in (one, other))
    known = [each.what for each in differences(first, second) if each.effect is not Effect.UNKNOWN]
    why = f"what else differs: {', '.join(dict.fromkeys(known))}" if known else "nothing in them says why"
    return f"{first.method.title}: two records disagree, PSNR {means} ({places}){_farthest(first, second)}: {why}"


def _farthest(one: Record, other: Record) -> str:
    """Name the scene in which the PSNR of two records differs most."""
    second = {scene.name: scene.psnr for scene in other.scenes}
    gaps = {
        scene.name: abs(scene.psnr - there)
        for scene in one.scenes
        if scene.psnr is not None and (there := second.get(scene.name)) is not None
    }
    worst = max(gaps, key=lambda name: gaps[name], default=None)
    return f", by up to {gaps[worst]:.3g} dB ({worst})" if worst is not None and gaps[worst] > 0 else ""


def _one_estimator(one: Entry, other: Entry) -> bool:
    """Whether two shipped methods gave the same values, knowing the same, so that one row can stand for both."""
    first, second = one.record.method, other.record.method
    return (
        first.origin == second.origin == "shipped"
        and one.origin == other.origin
        and first.name != second.name
        and agree(one.record, other.record)  # of thousands of pairs, hardly any
        and first.details == second.details
        and (one.training_seeds, one.noise_seeds) == (other.training_seeds, other.noise_seeds)
    )


def _published(dataset: str, scale: int, protocol: str, sort: str) -> list[Printed]:
    """Return what papers printed of a data set, best first."""
    rows = [row for row in published_rows() if (row.dataset, row.scale, PROTOCOL) == (dataset, scale, protocol)]
    sign = -1 if METRICS[sort].better == "higher" else 1

    def order(row: PublishedRow) -> tuple[bool, float]:
        value = row.values.get(sort)
        return value is None, 0.0 if value is None else sign * float(value)

    rows.sort(key=order)
    sources = list(dict.fromkeys(row.source for row in rows))
    return [Printed(row, sources.index(row.source) + 1) for row in rows]


def _choose_device(speeds: Sequence[Speed], wanted: str | None = None) -> str | None:
    counts = Counter(speed.device for speed in speeds)
    if wanted is None:
        return counts.most_common(1)[0][0] if counts else None
    matching = [name for name in counts if wanted.lower() in name.lower()]
    if not matching:
        known = f"measured were {', '.join(sorted(counts))}" if counts else "nothing was timed"
        raise UsageError(f"no latency was measured on a device called {wanted!r}: {known}")
    return matching[0]


def _places(records: Sequence[Record]) -> list[dict[str, int]]:
    """Give first and second place for each index, by the printed means."""
    places: list[dict[str, int]] = [{} for _ in records]
    for index, metric in METRICS.items():
        values = {
            number: float(fixed(record.summary[index].mean, index))
            for number, record in enumerate(records)
            if record.summary is not None and not math.isnan(record.summary[index].mean)
        }
        best = sorted(set(values.values()), reverse=metric.better == "higher")[:2]
        for number, value in values.items():
            if value in best:
                places[number][index] = best.index(value) + 1
    return places


def _order(row: Row, sort: str) -> tuple[bool, float, str]:
    value = row.value(sort)
    if value is None or math.isnan(value[0]):
        return True, 0.0, row.record.method.name
    return False, -value[0] if METRICS[sort].better == "higher" else value[0], row.record.method.name
