"""The tasks of a study: each data set at each scale under each protocol, opened without reading a scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from hsfusion_bench.data.catalog import about
from hsfusion_bench.data.observing.protocols import ProtocolChoice, load_protocol
from hsfusion_bench.data.observing.sweeps import parse_sweep
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError, MissingDataError, UsageError
from hsfusion_bench.runs.weights.choosing import Named
from hsfusion_bench.studies.asked import Asked
from hsfusion_bench.studies.study import ALL, Study

#: Data sets that are one file, or none.
_ALONE: Final = ("mat:", "h5:", "demo")


@dataclass(frozen=True)
class Place:
    """Where a study is run.

    Parameters
    ----------
    results_dir
        Folder of the records.
    device
        "cpu" or "cuda", where networks compute.
    data_roots
        Folders of the data sets' files, by data set; by "" that of all others.
    save_mat
        Folder that receives the results for the MATLAB script.
    time_again
        Time also what was timed on this device already.
    """

    results_dir: Path
    device: str
    data_roots: Mapping[str, Path] = field(default_factory=dict)
    save_mat: Path | None = None
    time_again: bool = False

    def root(self, dataset: str) -> Path | None:
        """Return the folder of a data set's files; None: not said."""
        return self.data_roots.get(dataset, self.data_roots.get(""))


@dataclass(frozen=True)
class Point:
    """A task of a study, as far as it can be opened.

    Parameters
    ----------
    asked
        Its options; the seed is that of every method that is not trained.
    task
        None where it cannot be opened.
    problem
        Why not.
    """

    asked: Asked
    task: Task | None
    problem: HsbenchError | None = None

    @property
    def state(self) -> Literal["open", "missing", "impossible", "broken"]:
        """Whether the task is open, lacks data, makes no sense, or has data that cannot be read."""
        if self.problem is None:
            return "open"
        if isinstance(self.problem, MissingDataError):
            return "missing"
        return "impossible" if isinstance(self.problem, UsageError) else "broken"

    @property
    def title(self) -> str:
        """What it is called in a plan, such as ``cave ×4 uestc``."""
        if self.task is not None:
            return f"{self.task.source.name} ×{self.task.scale} {self.task.protocol.id}"
        choice = self.asked.protocol
        return " ".join([f"{self.asked.dataset} ×{self.asked.scale}", *([choice.name] if choice.name else [])])


def require_known(study: Study, where: str = "") -> None:
    """Refuse names of data sets, protocols and cameras that there are not: nothing of what they are in can be run.

    Parameters
    ----------
    study
        Whose names.
    where
        The file they are in, for messages; else they were options.

    Raises
    ------
    HsbenchError
        If there is one.
    """
    with _told(where, "datasets"):
        for dataset in study.datasets:
            if not dataset.startswith(_ALONE):
                about(dataset)
    with _told(where, "protocols" if study.observing == ProtocolChoice() else "observing"):
        for choice in choices(study):
            load_protocol(choice)


@contextmanager
def _told(where: str, key: str) -> Iterator[None]:
    try:
        yield
    except HsbenchError as error:
        raise type(error)(f"{where}: {key}: {error}" if where else str(error)) from error


def choices(study: Study) -> list[ProtocolChoice]:
    """Return the protocols of a study, with all that is changed of each.

    Raises
    ------
    UsageError
        If a sweep makes no sense.
    """
    bases = [
        replace(study.observing, name=name, noise_seed=seed)
        for name in study.protocols or (None,)
        for seed in study.noise_seeds
    ]
    if not study.sweeps:
        return bases
    swept = [parse_sweep(text, base).points for base in bases for text in study.sweeps]
    return list(dict.fromkeys(choice for each in swept for _, choice in each))


def points(study: Study, names: list[str], weights: Mapping[str, Named], place: Place) -> list[Point]:
    """Open the tasks of a study.

    Parameters
    ----------
    study
        What is to be run.
    names
        Of its methods.
    weights
        Those that are named, by method.
    place
        Where.

    Returns
    -------
    The tasks in the order of the data sets, scales and protocols; two that are the same are one.

    Raises
    ------
    UsageError
        If a sweep makes no sense.
    """
    steps = dict.fromkeys(names, study.max_steps[ALL]) if ALL in study.max_steps else {}
    steps |= {name: count for name, count in study.max_steps.items() if name != ALL}
    found: dict[object, Point] = {}
    for dataset in study.datasets:
        for scale in study.scales:
            for choice in choices(study):
                asked = Asked(
                    dataset=dataset,
                    scale=scale,
                    protocol=choice,
                    data_root=place.root(dataset),
                    scenes=list(study.scenes) or None,
                    wavelengths=study.wavelengths,
                    results_dir=place.results_dir,
                    device=place.device,
                    seed=0,
                    timing=study.timing,
                    train=study.train,
                    steps=steps,
                    changes=study.settings,
                    weights=weights,
                    blind=study.blind,
                    tile=study.tile,
                    also=study.also,
                    save_mat=place.save_mat,
                    pictures=study.pictures,
                    time_again=place.time_again,
                )
                point = _opened(asked)
                found.setdefault(point.task.id if point.task else len(found), point)
    return list(found.values())


def _opened(asked: Asked) -> Point:
    try:
        task = asked.open()
    except HsbenchError as error:
        return Point(asked, None, error)
    return Point(asked, task)


def possible(point: Point) -> Point:
    """Return a point with the problem that its scenes would have, as far as that is known without reading one."""
    task = point.task
    if task is None:
        return point
    try:
        if not task.names:
            raise UsageError(f"split {task.plan.split.id} of {task.source.name} has no test scenes")
        size = task.source.size(task.names[0])
        if size is not None:  # of a cube without bands: it is refused if the scale does not divide it
            task.protocol.cropped(np.empty((0, *size), np.float32), task.scale)
    except HsbenchError as error:
        return replace(point, task=None, problem=error)
    return point
