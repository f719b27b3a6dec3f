"""A row of a leaderboard: what was measured of a method, or what a paper printed of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hsfusion_bench.report.comparable import digits
from hsfusion_bench.report.published import MEANT, PublishedRow
from hsfusion_bench.runs.records import MethodInfo, Record, Speed
from hsfusion_metrics import METRICS, PUBLISHED_METRICS, Metric

#: Every index that a column can be of: the seven, and those that records have on request.
KNOWN: Final[Mapping[str, Metric]] = {**METRICS, **PUBLISHED_METRICS}

#: The sign of a recorded row among one's own.
RECORDED_MARK = "†"
#: The sign of a row that does not differ significantly from the best.
ALIKE_MARK = "≈"


@dataclass(frozen=True)
class Row:
    """A record, the speed measured beside it, and its place for each index.

    Parameters
    ----------
    record, speed
        What was measured.
    places
        1 for the best value of an index, 2 for the second; nothing for the others and for unranked rows. What is
        printed equal has the same place.
    recorded
        Whether the record came with the package.
    also
        Other methods that gave the same values: one estimator, shown in one row.
    mark
        Stands behind the title: what sets the row apart from another of the same method, see also
        `hsfusion_bench.report.alike`.
    p_best
        Corrected p of the test against the best row, where that was asked for.
    """

    record: Record
    speed: Speed | None
    places: dict[str, int]
    recorded: bool = False
    also: tuple[MethodInfo, ...] = ()
    mark: str = ""
    p_best: float | None = None

    @property
    def name(self) -> str:
        """Title of the method, or of the methods."""
        return " = ".join(method.title for method in (self.record.method, *self.also))

    @property
    def title(self) -> str:
        """Name of the row, with its changed options, the truths it was given or estimated, and its mark."""
        details = self.record.method.details
        return self.name + (f" ({'; '.join(details)})" if details else "") + (f" {self.mark}" if self.mark else "")

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
            parts.append("weights of its authors" if weights.catalogue is None else f"weights {weights.catalogue}")
        data = self.record.dataset
        if (
            weights is not None
            and data.conditions
            and weights.trained_on not in (None, f"{data.name} x{data.scale} {data.protocol}")
        ):
            parts.append(f"trained on {weights.trained_on}, not under these conditions")
        tiles = self.record.model.tiles
        if tiles is not None:
            parts.append(f"in tiles of {tiles.side} pixels")
        if self.record.status == "incomplete":
            parts.append("incomplete")
        return parts

    def value(self, index: str) -> tuple[float, float] | None:
        """Return (mean, std) of an index, or None where nothing was scored by it."""
        statistic = (self.record.summary or {}).get(index)
        return None if statistic is None else (statistic.mean, statistic.std)

    def printed(self, index: str, plus_minus: str = "±") -> str:
        """Return "mean±std" in the digits that papers print, or a dash."""
        value = self.value(index)
        if value is None:
            return "-"
        return plus_minus.join(fixed(part, index) for part in value)

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
    apart: frozenset[str] = frozenset()
    """Which of `PUBLISHED_METRICS` measured rows have, so that there are columns of them: its numbers stand there."""

    @property
    def title(self) -> str:
        """The paper's name of the method, and the number of the source: "BDT [1]"."""
        return f"{self.row.method} [{self.number}]"

    def value(self, index: str) -> tuple[str | None, str | None]:
        """Return mean and deviation as printed, None for what was not, or is of another index."""
        name = next((name for name, meant in MEANT.items() if meant == index), index)
        column = MEANT[name] if MEANT.get(name) in self.apart else name
        if column != index:
            return None, None
        return self.row.values.get(name), self.row.values.get(f"{name}_std")

    def printed(self, index: str, plus_minus: str = "±") -> str:
        """Return "mean±std" digit by digit, the mean alone where no deviation was printed, or a dash."""
        return plus_minus.join(part for part in self.value(index) if part is not None) or "-"

    @property
    def parameters(self) -> str:
        """Number of parameters in millions, or a dash."""
        return self.row.values.get("params_m", "-")


def fixed(value: float, index: str) -> str:
    """Return a value of an index in the digits that papers print."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:.{digits(index)}f}"
