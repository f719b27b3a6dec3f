"""A leaderboard: the records of one (dataset, scale, protocol), side by side and ranked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hsfusion_bench.errors import UsageError
from hsfusion_bench.report.published import PROTOCOL, PublishedRow, published_rows
from hsfusion_bench.runs.records import Record, Speed
from hsfusion_metrics import METRICS

DEFAULT_INDEXES = ("psnr", "sam", "ergas", "ssim")

# printed digits of mean and deviation: two for decibels, degrees and ERGAS, four for what lies in [0, 1]
_DIGITS = {"psnr": 2, "sam": 2, "ergas": 2}


@dataclass(frozen=True)
class Row:
    """A record, the speed measured beside it, and its place for each index."""

    record: Record
    speed: Speed | None
    places: dict[str, int]
    """1 for the best value of an index, 2 for the second; nothing for the others and for unranked rows.

    What is printed equal has the same place.
    """

    @property
    def title(self) -> str:
        """Title of the method, with its changed options and the truths it was given or estimated."""
        return self.record.method.full_title

    @property
    def scenes(self) -> str:
        """How many of the split's scenes were scored, such as "2 of 11"."""
        dataset = self.record.dataset
        return f"{dataset.scenes} of {dataset.scenes_in_split}"

    @property
    def complete(self) -> bool:
        """Whether every scene of the split was scored."""
        return self.record.summary is not None and self.record.dataset.scenes == self.record.dataset.scenes_in_split

    @property
    def note(self) -> str:
        """What a reader must know of the row: `notes` in one line."""
        return "; ".join(self.notes)

    @property
    def notes(self) -> list[str]:
        """What a reader must know of the row: why there is no value, which weights, which budget."""
        if self.record.status == "no weights":
            return ["no weights"]
        if self.record.summary is None:
            return [f"failed: {self.record.error}"]
        weights, external = self.record.weights, self.record.external
        parts = []
        if external is not None:
            parts.append("made elsewhere")
            if external.reported:
                parts.append(f"*{' and '.join(external.reported)} as reported")
            if external.reference == "theirs":
                parts.append("scored against a reference of its own")
        if weights is not None and weights.training is not None:
            parts.append("trained " + weights.training.describe())
        elif weights is not None:
            parts.append("weights of its authors")
        tiles = self.record.model.tiles
        if tiles is not None:
            parts.append(f"in tiles of {tiles.side} pixels")
        if self.record.status == "incomplete":
            parts.append("incomplete")
        return parts

    def value(self, index: str) -> tuple[float, float] | None:
        """Return (mean, std) of an index, or None where nothing was scored."""
        if self.record.summary is None:
            return None
        statistic = self.record.summary[index]
        return statistic.mean, statistic.std

    def printed(self, index: str, plus_minus: str = "±") -> str:
        """Return "mean±std" in the digits that papers print, or a dash."""
        value = self.value(index)
        if value is None:
            return "-"
        return plus_minus.join(_fixed(part, index) for part in value)

    @property
    def parameters(self) -> str:
        """Number of parameters in millions, or a dash; with a star where it is only reported."""
        count = self.record.model.parameters
        return "-" if count is None else f"{count / 1e6:.3f}{self._star('parameters')}"

    @property
    def latency(self) -> str:
        """Latency in milliseconds (the median, if measured), or a dash; with a star where it is only reported."""
        milliseconds = self.latency_ms
        if milliseconds is None:
            return "-"
        return (f"{milliseconds:.1f}" if milliseconds < 1000 else f"{milliseconds:.0f}") + self._star("latency")

    @property
    def latency_ms(self) -> float | None:
        """Latency in milliseconds: the median that was measured, or what is reported of results made elsewhere."""
        if self.record.external is not None:
            return self.record.external.latency_ms
        return self.speed.latency.median_ms if self.speed else None

    @property
    def reported(self) -> Sequence[str]:
        """What is only reported of the row: parameters, latency."""
        return self.record.external.reported if self.record.external else ()

    def _star(self, what: str) -> str:
        return "*" if what in self.reported else ""


@dataclass(frozen=True)
class Printed:
    """A row that a paper printed: shown below the measured ones, and never ranked with them."""

    row: PublishedRow
    number: int
    """Of its source, see `Leaderboard.sources`."""

    @property
    def title(self) -> str:
        """The paper's name of the method, and the number of the source: "BDT [1]"."""
        return f"{self.row.method} [{self.number}]"

    def printed(self, index: str, plus_minus: str = "±") -> str:
        """Return "mean±std" digit by digit, the mean alone where no deviation was printed, or a dash."""
        parts = [self.row.values[name] for name in (index, f"{index}_std") if name in self.row.values]
        return plus_minus.join(parts) or "-"

    @property
    def parameters(self) -> str:
        """Number of parameters in millions, or a dash."""
        return self.row.values.get("params_m", "-")


@dataclass(frozen=True)
class Leaderboard:
    """Rows that may be compared: same dataset, scale and protocol."""

    dataset: str
    scale: int
    protocol: str
    device: str | None
    """Name of the device of the latencies, or None if nothing was timed."""
    rows: list[Row]
    published: list[Printed] = field(default_factory=list)

    @property
    def sources(self) -> list[str]:
        """Where the published rows were printed, and what is suspect of them: a line each, by number."""
        lines = dict.fromkeys(f"[{line.number}] {line.row.source}" for line in self.published)
        doubts = [f"{line.title}: {line.row.note}" for line in self.published if line.row.note]
        said = "published rows are as printed, and not ours: of the cameras that methods were told, papers say little"
        return [said, *lines, *doubts] if lines else []

    @property
    def title(self) -> str:
        """Heading of the table."""
        return f"{self.dataset} ×{self.scale}, protocol {self.protocol}, {self.coverage}"

    @property
    def coverage(self) -> str:
        """Scenes behind the rows: one statement if all rows agree."""
        counts = Counter(row.scenes for row in self.rows if row.record.summary is not None)
        if len(counts) == 1:
            return f"{next(iter(counts))} scenes"
        return "no scenes scored" if not counts else "rows with different scenes"


def leaderboards(
    records: Iterable[Record],
    speeds: Iterable[Speed] = (),
    *,
    sort: str = "psnr",
    device: str | None = None,
    published: bool = False,
) -> list[Leaderboard]:
    """Group records by (dataset, scale, protocol), join their speeds, rank and sort them.

    Parameters
    ----------
    records, speeds
        What was measured.
    sort
        Index to sort by, best first; rows without a value come last.
    device
        Name, or part of it, of the device whose latencies are shown; by default the one with most measurements.
    published
        Whether rows that papers printed are put below the measured ones.

    Raises
    ------
    UsageError
        If there is no such index or device.
    """
    if sort not in METRICS:
        raise UsageError(f"there is no index {sort!r} to sort by; the indexes are {', '.join(METRICS)}")
    speeds = list(speeds)
    groups: dict[tuple[str, int, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record.dataset.name, record.dataset.scale, record.dataset.protocol), []).append(record)
    boards = []
    for (dataset, scale, protocol), members in sorted(groups.items()):
        here = [speed for speed in speeds if (speed.dataset, speed.scale, speed.protocol) == (dataset, scale, protocol)]
        name = _choose_device(here, device)
        by_method = {(speed.method, speed.variant): speed for speed in here if speed.device == name}
        places = _places(members)
        rows = [
            Row(record, None if record.external else by_method.get(_key(record)), places[number])
            for number, record in enumerate(members)
        ]
        rows.sort(key=lambda row: _order(row, sort))
        printed = _published(dataset, scale, protocol, sort) if published else []
        boards.append(Leaderboard(dataset, scale, protocol, name, rows, printed))
    return boards


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


def _key(record: Record) -> tuple[str, str]:
    return record.method.name, record.method.variant


def _choose_device(speeds: Sequence[Speed], wanted: str | None) -> str | None:
    counts = Counter(speed.device for speed in speeds)
    if wanted is None:
        return counts.most_common(1)[0][0] if counts else None
    matching = [name for name in counts if wanted.lower() in name.lower()]
    if not matching:
        known = f"measured were {', '.join(sorted(counts))}" if counts else "nothing was timed"
        raise UsageError(f"no latency was measured on a device called {wanted!r}: {known}")
    return matching[0]


def _places(records: Sequence[Record]) -> list[dict[str, int]]:
    """Give first and second place for each index among the records with the most scenes, by the printed means."""
    most = max(record.dataset.scenes for record in records)
    places: list[dict[str, int]] = [{} for _ in records]
    for index, metric in METRICS.items():
        values = {
            number: float(_fixed(record.summary[index].mean, index))
            for number, record in enumerate(records)
            if record.summary is not None
            and record.dataset.scenes == most
            and not math.isnan(record.summary[index].mean)
        }
        ranked = sorted(set(values.values()), reverse=metric.better == "higher")
        for number, value in values.items():
            place = ranked.index(value) + 1
            if place <= 2:
                places[number][index] = place
    return places


def _order(row: Row, sort: str) -> tuple[bool, float, str]:
    value = row.value(sort)
    if value is None or math.isnan(value[0]):
        return True, 0.0, row.record.method.name
    return False, -value[0] if METRICS[sort].better == "higher" else value[0], row.record.method.name


def _fixed(value: float, index: str) -> str:
    """Return a value of an index in the digits that papers print."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:.{_DIGITS.get(index, 4)}f}"
