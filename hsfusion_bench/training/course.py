"""How much of a recipe a training carries out, how, and who is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from hsfusion_bench.errors import UsageError

Precision = Literal["no", "bf16", "fp16"]
Resume = Literal["auto", "never"]


Unit = Literal["epochs", "steps", "minutes"]


class Every(NamedTuple):
    """How often something is done."""

    number: float
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Every:
        """Read ``500steps``, ``10minutes``, ``20epochs`` or ``20``, which is epochs.

        Raises
        ------
        UsageError
            If the text is nothing of that kind.
        """
        stem = text.strip().rstrip("abcdefghijklmnopqrstuvwxyz ")
        word = text.strip()[len(stem) :].strip() or "epochs"
        unit = next((unit for unit in get_args(Unit) if word and unit.startswith(word) and len(word) > 2), None)
        try:
            number = float(stem)
        except ValueError:
            number = 0.0
        if unit is None or not 0 < number < float("inf") or (unit != "minutes" and not number.is_integer()):
            raise UsageError(f"{text!r} is not a span such as 500steps, 10minutes or 20epochs")
        return cls(number, unit)


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
    start
        Weights file to begin with, of the same method and problem; None: random weights.
    minutes
        When to stop this session, whatever step it has reached; the next one resumes there. The schedule stays that of
        all the steps.
    fit
        Whether the minutes decide the number of steps instead: the first steps are timed, the training then begins
        anew, with as many steps as there is time for, and its schedule ends with them.
    """

    steps: int | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    recipe: str = "published"
    start: Path | None = None
    minutes: float | None = None
    fit: bool = False


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
        "auto": resume from the state that lies beside the weights; "never": start anew; else resume from this file.
    validate_every
        Between two looks at the validation part; None: 20 looks in all, or fewer where they would
        take longer than the training.
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
    validate_every: Every | None = None
    save_minutes: float = 5.0
    tensorboard: Path | None = None


@dataclass(frozen=True)
class StepReport:
    """How a training stands after a step."""

    step: int
    steps: int
    loss: float
    psnr: float | None
    """On the validation patches, as last looked at, dB."""
    patches_per_second: float


class TrainingListener:
    """Is told how a training goes; this one stays silent."""

    def scene_observed(self, done: int, total: int, scene: str) -> None:
        """Take note that so many scenes are observed, and which is next; none at the end."""

    def resumed(self, method: str, step: int, steps: int, path: Path) -> None:
        """Take note that a training resumes from a state, or that its finished weights lie there."""

    def fitted(self, method: str, steps: int, minutes: float) -> None:
        """Take note that so many steps fit the time."""

    def validated(self, method: str, step: int, psnr: float, bicubic: float) -> None:
        """Take note of a look at the validation patches: the network's PSNR and that of bicubic interpolation, dB."""

    def step_done(self, method: str, report: StepReport) -> None:
        """Take note that a training step was made."""
