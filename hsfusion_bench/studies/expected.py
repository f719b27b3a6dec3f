"""How long rows will take, from what was measured before: an estimate, or nothing where nobody measured.

A fusion takes as long as it did before, by the records of speed of the user's and by the table of `hsbench cost`, in
proportion to the pixels; a training, as its log, or that of weights that ship, has it. Only measurements of the same
kind of device count, and the same device goes before another of its kind.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError

from hsfusion_bench.claims import read_text
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.jsonfile import read_json
from hsfusion_bench.runs.costs import Costs
from hsfusion_bench.runs.measure import MIN_RUNS, MIN_SECONDS
from hsfusion_bench.runs.recorded import recorded_root
from hsfusion_bench.runs.records import Speed, Store, read_speed
from hsfusion_bench.studies.outlook import Outlook, Training

Kind = Literal["CPU", "GPU"]

#: Seconds that reading, observing and scoring take for each value of a cube: CAVE's scenes, on one core.
SCORING: Final = 1.2e-7


@dataclass(frozen=True)
class Size:
    """Of the scenes of a task: pixels, bands."""

    pixels: int
    bands: int


@dataclass(frozen=True)
class _Fusion:
    """How long one fusion took, and what it was."""

    method: str
    variant: str
    kind: Kind
    device: str
    dataset: str
    scale: int
    protocol: str
    seconds: float
    pixels: int


class Expected:
    """Estimates, from the measurements below some folders of results, and those that ship.

    Parameters
    ----------
    folders
        The user's folders of results.
    device
        "cpu" or "cuda", where networks compute.
    """

    def __init__(self, folders: Sequence[Path], device: str) -> None:
        self.device = device
        roots = [*folders, recorded_root()]
        self._fusions = [fusion for root in roots for fusion in (*_speeds(root), *_costs(root))]
        self._names: dict[Kind, str] = {}

    def size(self, task: Task) -> Size | None:
        """Return the size of a task's scenes, without reading any: that of the first, or of one that was timed."""
        name = next(iter(task.names), None)
        known = None if name is None else task.source.size(name)
        if known is not None:
            return Size(math.prod(known), task.problem.bands)
        timed = next((each.pixels for each in self._fusions if each.dataset == task.source.name), None)
        return None if timed is None else Size(timed, task.problem.bands)

    def timed(self, task: Task, outlook: Outlook) -> bool:
        """Whether a row was timed before, on this very device."""
        return any(self._is_here(each) and _is_of(each, task) for each in self._of(outlook))

    def seconds(self, task: Task, outlook: Outlook, scenes: int, *, timing: bool) -> float | None:
        """Return how long a row will take; None: nobody knows.

        Parameters
        ----------
        task, outlook
            The row.
        scenes
            How many are to be fused.
        timing
            Whether one is fused again and again, to be timed.
        """
        size = self.size(task)
        if size is None:
            return None
        found = self._of(outlook)
        best = max(
            found,
            key=lambda each: (self._is_here(each), _is_of(each, task), each.scale == task.scale),
            default=None,
        )
        training = 0.0 if outlook.training is None else self._training(outlook, outlook.training)
        if best is None or training is None:
            return None
        once = best.seconds * size.pixels / best.pixels
        repeated = min(MIN_RUNS, math.ceil(MIN_SECONDS / max(once, 1e-9))) * once if timing and scenes else 0.0
        return training + scenes * (once + SCORING * size.pixels * size.bands) + repeated

    def _of(self, outlook: Outlook) -> list[_Fusion]:
        """Return the measurements of a method, of its variant if there are any."""
        if outlook.record is None:
            return []
        told, kind = outlook.record.method, self._kind(outlook)
        found = [each for each in self._fusions if each.method == told.name and each.kind == kind]
        return [each for each in found if each.variant == told.variant] or found

    def _kind(self, outlook: Outlook) -> Kind:
        return "GPU" if outlook.network and self.device == "cuda" else "CPU"

    def _is_here(self, fusion: _Fusion) -> bool:
        if fusion.kind not in self._names:
            from hsfusion_bench.runs.measure import device_name

            self._names[fusion.kind] = device_name("cuda" if fusion.kind == "GPU" else "cpu")
        return fusion.device == self._names[fusion.kind]

    def _training(self, outlook: Outlook, training: Training) -> float | None:
        """Return how long a training will take, by the patches a second of an earlier one of the method."""
        assert outlook.record is not None
        patch: int = training.recipe["patch"]
        own = _last(training.log, "patches_per_second")
        if own:
            return training.pixels / (own * patch**2)
        name = outlook.record.method.name
        for card in sorted((recorded_root() / "weights" / name).glob("*.json")):
            try:
                _, told = read_json(card, "card")
                then, device = int(told["training"]["patch"]), told["training"]["device"]
            except (HsbenchError, KeyError, TypeError, ValueError):
                continue
            shipped = _last(card.with_suffix(".csv"), "patches_per_second")
            if shipped and device == self.device:
                return training.pixels / (shipped * then**2)
        return None


def _is_of(fusion: _Fusion, task: Task) -> bool:
    return (fusion.dataset, fusion.scale, fusion.protocol) == (task.source.name, task.scale, task.protocol.id)


def _speeds(root: Path) -> Iterator[_Fusion]:
    for path in Store(root).speed_files():
        try:
            speed: Speed = read_speed(path)
        except HsbenchError:  # who shows it says so
            continue
        yield _Fusion(
            speed.method,
            speed.variant,
            speed.device_kind,
            speed.device,
            speed.dataset,
            speed.scale,
            speed.protocol,
            speed.latency.median_ms / 1e3,
            math.prod(speed.latency.hr_size),
        )


def _costs(root: Path) -> Iterator[_Fusion]:
    """Give what tables of `hsbench cost` below a folder hold; each is of the data set demo's bands."""
    for path in sorted((*root.glob("cost*.json"), *root.glob("speed/cost*.json"))):
        try:
            text, _ = read_json(path, "table of costs")
            table = Costs.model_validate_json(text)
        except (HsbenchError, ValidationError):
            continue
        kind: Kind = "GPU" if table.workload.device == "cuda" else "CPU"
        for row in table.rows:
            if row.latency is not None:
                # of a table made on a GPU, what is no network ran on the CPU, whose name nobody wrote down
                own: Kind = kind if row.parameters is not None else "CPU"
                device = table.device if own == kind else ""
                seconds, pixels = row.latency.median_ms / 1e3, math.prod(row.latency.hr_size)
                yield _Fusion(row.method, "", own, device, "", table.workload.scale, "", seconds, pixels)


def _last(path: Path, column: str) -> float | None:
    """Return the last number of a column of a CSV file, if there is one above 0."""
    try:
        rows: Iterable[dict[str, str]] = csv.DictReader(read_text(path).splitlines())
        found = [float(row[column] or "nan") for row in rows if row.get(column)]
    except (OSError, ValueError, HsbenchError, csv.Error):
        return None
    return found[-1] if found and found[-1] > 0 and math.isfinite(found[-1]) else None
