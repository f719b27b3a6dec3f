"""How much of a recipe a training carries out, how, and who is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Precision = Literal["no", "bf16", "fp16"]
Resume = Literal["auto", "never"]


@dataclass(frozen=True)
class Budget:
    """How much of a recipe is carried out, and how it is changed.

    Parameters
    ----------
    steps
        Optimiser steps; None: the whole recipe. A recipe's schedule is compressed to fewer.
    changes
        Numbers of the recipe that are to be others, see `Recipe.changed`.
    recipe
        Which of the method's recipes, see `NetworkMethod.recipes`.
    minutes
        When to stop this session, whatever step it has reached; the next one goes on from there. The schedule stays
        that of all the steps.
    """

    steps: int | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    recipe: str = "published"
    minutes: float | None = None


@dataclass(frozen=True)
class Course:
    """How a training is carried out.

    Parameters
    ----------
    seed
        Of weights, and of the order and turning of patches.
    device
        "cpu" or "cuda".
    precision
        "no": float32 throughout; "bf16", "fp16": mixed.
    compiled
        Whether torch compiles the network.
    resume
        "auto": go on from the state that lies beside the weights; "never": start anew; else go on from this file.
    validate_every
        Epochs between two looks at the validation part.
    save_minutes
        Minutes between two states on disk.
    tensorboard
        Folder of TensorBoard's files; None: none are written.
    """

    seed: int = 0
    device: str = "cpu"
    precision: Precision = "no"
    compiled: bool = False
    resume: Resume | Path = "auto"
    validate_every: int = 20
    save_minutes: float = 5.0
    tensorboard: Path | None = None


@dataclass(frozen=True)
class StepReport:
    """How a training stands after a step."""

    step: int
    steps: int
    loss: float
    psnr: float | None
    """On the validation part, as last looked at, dB."""
    patches_per_second: float


class TrainingListener:
    """Is told how a training goes; this one stays silent."""

    def scene_observed(self, done: int, total: int, scene: str) -> None:
        """Take note that so many scenes are observed, and which is next; none at the end."""

    def resumed(self, method: str, step: int, steps: int, path: Path) -> None:
        """Take note that a training goes on from a state, or that its finished weights lie there."""

    def step_done(self, method: str, report: StepReport) -> None:
        """Take note that a training step was made."""
