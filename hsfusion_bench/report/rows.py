"""A row of a leaderboard: what was measured of a method, or what a paper printed of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hsfusion_bench.methods.weights import OTHER_CODE
from hsfusion_bench.report.comparable import digits
from hsfusion_bench.report.published import MEANT, PublishedRow
from hsfusion_bench.report.seeds import Spread, noise_seed
from hsfusion_bench.runs.records import MethodInfo, Record, Speed
from hsfusion_metrics import METRICS, PUBLISHED_METRICS, Metric

#: Of these indexes a note says how far seeds lie apart; CSV says it of all.
_TOLD: Final = ("psnr", "sam", "ergas", "ssim")

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
    members
        Records of single seeds that `record` is the mean of; nothing: it is as recorded.
    trainings, noises
        Seeds of the trainings and of the noise, and how far they lie apart, on a board where a row has several; None
        elsewhere, and where no training decides.
    apart
        Which seed it is, where another row of the same method is of others.
    """

    record: Record
    speed: Speed | None
    places: dict[str, int]
    recorded: bool = False
    also: tuple[MethodInfo, ...] = ()
    mark: str = ""
    p_best: float | None = None
    members: tuple[Record, ...] = ()
    trainings: Spread | None = None
    noises: Spread | None = None
    apart: str = ""

    @property
    def records(self) -> tuple[Record, ...]:
        """The records behind it, one a seed."""
        return self.members or (self.record,)

    @property
    def seeds(self) -> str:
        """How many seeds the values are means over: "3", trainings by noise "3×2", or a dash where there is none."""
        counts = [str(len(each.seeds)) for each in (self.trainings, self.noises) if each is not None]
        return "×".join(counts) or "-"

    def which(self, record: Record) -> str:
        """Say of which seeds one of the `records` is."""
        told = [f"training seed {record.training_seed}"] if self.trainings is not None else []
        told += [f"noise seed {noise_seed(record)}"] if self.noises is not None else []
        return ", ".join(told)

    @property
    def name(self) -> str:
        """Title of the method, or of the methods."""
        return " = ".join(method.title for method in (self.record.method, *self.also))

    @property
    def title(self) -> str:
        """Name of the row, with its changed options, the truths it was given or estimated, its seed, and its mark."""
        details = [*self.record.method.details, *([self.apart] if self.apart else [])]
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
        parts = self.seed_notes
        if external is not None:
            parts.append("made elsewhere")
            if external.reported:
                parts.append(f"*{' and '.join(external.reported)} as reported")
            if external.reference == "theirs":
                parts.append("scored against a reference of its own")
        if weights is not None and weights.training is not None:
            parts.append("trained " + weights.training.describe())
            if weights.training.code not in (None, self.record.method.code):
                parts.append(OTHER_CODE)
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

    @property
    def seed_notes(self) -> list[str]:
        """Over which seeds the values are means, and how far these lie apart; nothing where no row has several."""
        return [*self._told_of(self.trainings, "training"), *self._told_of(self.noises, "seed of the noise")]

    def _told_of(self, spread: Spread | None, noun: str) -> list[str]:
        """Say over which seeds the values are means, and how far these lie apart."""
        if spread is None:
            return []
        if not spread.std:
            return [f"one {noun} ({spread.told})"]
        apart = ", ".join(f"{KNOWN[name].title} {_small(spread.std[name], name)}" for name in _TOLD)
        plural = noun.replace("training", "trainings").replace("seed of", "seeds of")
        return [f"mean over {len(spread.seeds)} {plural} ({spread.told}), ± over them: {apart}"]

    def value(self, index: str) -> tuple[float, float] | None:
        """Return (mean, std over the scenes) of an index, or None where nothing was scored by it."""
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


def _small(value: float, index: str) -> str:
    """Return a deviation in the digits of its index, and in two that count where these are all zero."""
    text = fixed(value, index)
    return f"{value:.2g}" if value and math.isfinite(value) and not float(text) else text


def fixed(value: float, index: str) -> str:
    """Return a value of an index in the digits that papers print."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:.{digits(index)}f}"
