"""What `hsbench run` is asked for, apart from the methods; it can be sent to another process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hsfusion_bench.data.observing.protocols import ProtocolChoice
from hsfusion_bench.data.task import Task, open_task
from hsfusion_bench.methods import Tile
from hsfusion_bench.runs.records import Store
from hsfusion_bench.runs.runner import run_method
from hsfusion_bench.runs.setting import Listener, Result, Setting
from hsfusion_bench.runs.weights.choosing import Named
from hsfusion_bench.training.course import Budget

if TYPE_CHECKING:
    from hsfusion_bench.runs.contenders import Contender


@dataclass(frozen=True)
class Asked:
    """The options of a run; `steps`, `changes` and `weights` are by method."""

    dataset: str
    scale: int
    protocol: ProtocolChoice
    data_root: Path | None
    scenes: Sequence[str] | None
    wavelengths: str | None
    results_dir: Path
    device: str
    seed: int
    timing: bool
    train: bool
    steps: Mapping[str, int]
    changes: Mapping[str, Mapping[str, str]]
    weights: Mapping[str, Named]
    blind: bool
    tile: Tile
    also: tuple[str, ...]
    save_mat: Path | None
    pictures: bool

    def open(self) -> Task:
        """Open the task; raises what `open_task` does."""
        return open_task(
            self.dataset,
            self.scale,
            protocol=self.protocol,
            data_root=self.data_root,
            scenes=self.scenes,
            wavelengths=self.wavelengths,
        )

    def run(self, contender: Contender, task: Task, listener: Listener) -> Result:
        """Run a method on the task, and leave its record, which nobody else is to write: see `alone_with`."""
        budget = Budget(self.steps.get(contender.name), contender.recipe_changes) if self.train else None
        return run_method(contender, replace(self.setting(task), budget=budget, listener=listener))

    def setting(self, task: Task) -> Setting:
        """Return what all methods of the run have in common."""
        return Setting(
            task=task,
            store=Store(self.results_dir),
            device=self.device,
            seed=self.seed,
            timing=self.timing,
            weights=self.weights,
            blind=self.blind,
            tile=self.tile,
            also=self.also,
            save_mat=self.save_mat,
            pictures=self.pictures,
        )
