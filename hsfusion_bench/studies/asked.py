"""What a run is asked for: the options of one task, and the rows that are to come of it; both can be sent away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hsfusion_bench.data.observing.protocols import ProtocolChoice
from hsfusion_bench.data.task import Task, open_task
from hsfusion_bench.methods import Tile
from hsfusion_bench.registry import Origin
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.records import Store
from hsfusion_bench.runs.runner import run_method
from hsfusion_bench.runs.setting import Listener, Result, Setting
from hsfusion_bench.runs.weights.choosing import Named
from hsfusion_bench.training.course import Budget


@dataclass(frozen=True)
class Asked:
    """The options of a run on one task; `steps`, `changes` and `weights` are by method."""

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
    time_again: bool = False
    resume: bool = False
    """Whether trainings go on where they were interrupted, and finished ones are not repeated."""

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
        return run_method(contender, replace(self.setting(task, contender), listener=listener))

    def budget(self, contender: Contender) -> Budget | None:
        """Return how a network is trained; None: not at all."""
        return Budget(self.steps.get(contender.name), contender.recipe_changes) if self.train else None

    def setting(self, task: Task, contender: Contender) -> Setting:
        """Return how a method is run; by the training, records are called."""
        return Setting(
            task=task,
            store=Store(self.results_dir),
            device=self.device,
            seed=self.seed,
            budget=self.budget(contender),
            timing=self.timing,
            time_again=self.time_again,
            weights=self.weights,
            blind=self.blind,
            tile=self.tile,
            also=self.also,
            save_mat=self.save_mat,
            pictures=self.pictures,
            resume="auto" if self.resume else "never",
        )


@dataclass(frozen=True)
class Row:
    """One record that is to be: a method on a task, by a seed.

    Parameters
    ----------
    spec
        What the method was called by.
    name, origin
        As the record says them.
    apart
        Whether it is run in a process of its own, as all are that others wrote: it is not imported here.
    asked
        The task, the seed, and how.
    """

    spec: str
    name: str
    origin: Origin
    apart: bool
    asked: Asked

    @property
    def title(self) -> str:
        """The method, and the seed of its training if that is not 0."""
        return f"{self.name}, seed {self.asked.seed}" if self.asked.seed else self.name

    def contender(self) -> Contender:
        """Import the method, with its options."""
        return Contender.of(self.spec, self.asked.changes.get(self.name))
