"""What all methods of a run have in common, who is told of it, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hsfusion_bench.data.task import Task
from hsfusion_bench.methods import Tile
from hsfusion_bench.runs.records import Record, Speed, Store, Written
from hsfusion_bench.runs.weights.choosing import Named
from hsfusion_bench.training.course import Budget, TrainingListener


class Listener(TrainingListener):
    """Is told how a run goes; this one stays silent."""

    def scene_done(self, method: str, scene: str, number: int, total: int) -> None:
        """Take note that a scene was fused and scored."""

    def weights_taken(self, method: str, text: str) -> None:
        """Take note which weights a network runs with, where they are from, and what budget they had."""

    def failed(self, method: str, error: BaseException) -> None:
        """Take note that a method, or its training, failed."""


@dataclass(frozen=True)
class Setting:
    """What all methods of one run have in common."""

    task: Task
    store: Store
    device: str = "cpu"
    seed: int = 0
    timing: bool = True
    time_again: bool = False
    """Time also what was timed on this device already, see `Store.speed`."""
    counting: bool = True
    """Count the operations of the first scene, see `measure`."""
    budget: Budget | None = None
    """Train networks first, with this budget; None: use weights that exist."""
    resume: Literal["auto", "never"] = "never"
    """Whether that training goes on where one of the same kind stopped, see `Course`."""
    weights: Mapping[str, Named] = field(default_factory=dict)
    """Weights that are named, by method; else `choose` looks for some."""
    blind: bool = False
    """Withhold PSF and SRF from every method; one that needs them has to estimate them."""
    tile: Tile = "auto"
    """Whether networks fuse in tiles, see `NetworkMethod.ready`."""
    also: tuple[str, ...] = ()
    """Indexes beyond the seven, see `further_indexes`."""
    save_mat: Path | None = None
    """Folder that receives each method's results for the MATLAB script, called as the record is."""
    pictures: bool = False
    """Keep small pictures of each scene beside the record, see `hsfusion_bench.runs.pictures`."""
    many_machines: bool = False
    """Take scenes of the same run from other machines, too: the record says of which they are."""
    listener: Listener = field(default_factory=Listener)


@dataclass(frozen=True)
class Result:
    """What a run of one method left behind."""

    record: Record
    speed: Speed | None
    written: Written
    cubes: Path | None = None
    """Where the results for the MATLAB script lie, if they were asked for."""
    lost: str | None = None
    """Why they, or the pictures, do not."""
    pictures: Path | None = None
    """Where the pictures lie, if they were asked for and made."""
    timed_before: bool = False
    """Whether `speed` is of an earlier run, on this very device."""
