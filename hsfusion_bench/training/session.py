"""From a method without weights to a weights file: prepare the training scenes, train, keep what was reached."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from hsfusion_bench.__about__ import __version__
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.interrupts import uninterrupted
from hsfusion_bench.machine import of_training
from hsfusion_bench.methods import NetworkMethod, Recipe
from hsfusion_bench.methods.code import code_of
from hsfusion_bench.methods.options import changed_options
from hsfusion_bench.methods.recipes import choose_recipe
from hsfusion_bench.methods.weights import (
    EarlierTraining,
    TrainingInfo,
    ValidationInfo,
    WeightsCard,
    read_weights,
    write_weights,
)
from hsfusion_bench.scratch import alone
from hsfusion_bench.training.course import Budget, Course, StepReport, TrainingListener
from hsfusion_bench.training.fitting import seconds_per_step
from hsfusion_bench.training.log import Log
from hsfusion_bench.training.loop import Training, make_accelerator
from hsfusion_bench.training.scenes import TrainingScenes
from hsfusion_bench.training.state import Identity, identity_digest, read_identity, read_state, write_state
from hsfusion_bench.training.validation import Validation, split_patches

if TYPE_CHECKING:
    from accelerate import Accelerator

    from hsfusion_bench.training.loading import Patches


#: Looks at the validation part at the most, unless told otherwise.
_LOOKS = 20
#: Between the machines that a training went on from and to.
_THEN = ", then "


@dataclass(frozen=True)
class Trained:
    """What a session left behind: the weights, and whether the training is finished."""

    path: Path
    step: int
    steps: int

    @property
    def finished(self) -> bool:
        """Whether all steps are made."""
        return self.step == self.steps


def train_weights(
    method: NetworkMethod,
    scenes: TrainingScenes,
    path: Path,
    budget: Budget,
    course: Course,
    listener: TrainingListener,
) -> Trained:
    """Train a method, and keep its weights.

    Besides the weights there are, with the same stem, a card for people (``.json``), a log (``.csv``) and, until the
    training is finished, its state (``.state``), from which the next session goes on.

    Parameters
    ----------
    method, scenes
        What to train, and on what.
    path
        The weights file, ``.safetensors``.
    budget, course
        How much, and how.
    listener
        Is told after every step.

    Raises
    ------
    UsageError
        If the budget or the course does not go with the recipe or the machine.
    HsbenchError
        If there is no training scene; if another process trains the same weights; if training diverges or memory or
        disk runs out: then the last good state and weights stay.
    KeyboardInterrupt
        After the state and the weights have been kept.
    """
    with ExitStack() as stack:
        if int(os.environ.get("RANK", "0")) == 0:  # of several processes, the first one writes
            stack.enter_context(alone(path))
        return _train(method, scenes, path, budget, course, listener)


def _train(
    method: NetworkMethod,
    scenes: TrainingScenes,
    path: Path,
    budget: Budget,
    course: Course,
    listener: TrainingListener,
) -> Trained:
    recipe = choose_recipe(method.recipes, budget.recipe, method.card.title).changed(budget.changes)
    accelerator = make_accelerator(
        course.device,
        precision=course.precision,
        accumulate=recipe.counted_batches,
        trackers=_trackers(course.tensorboard),
    )
    with accelerator.main_process_first():  # one process prepares the scenes
        patches, validation = _patches(scenes, recipe, course.seed, listener)
    session = _Session(method, recipe, scenes, patches, validation, path, budget, course, accelerator, listener)
    try:
        return session.run()
    finally:
        accelerator.end_training()


def _patches(
    scenes: TrainingScenes, recipe: Recipe, seed: int, listener: TrainingListener
) -> tuple[Patches, Patches | None]:
    """Return the patches to train on, and those to look at now and then.

    A recipe without supervision trains on every patch; as it never sees a reference, it is scored on the same patches,
    whose references only the score opens. A test scene is never scored.
    """
    supervised = recipe.supervision == "reference"
    patches = scenes.patches(recipe, seed, reference=supervised, report=listener.scene_observed)
    if supervised and recipe.validation:
        kept, held_out = split_patches(patches, seed)
        return kept, held_out if len(held_out) else None
    if not supervised and scenes.scene is None:
        return patches, scenes.patches(recipe, seed, reference=True, report=listener.scene_observed)
    return patches, None


class _Session:
    """One session of a training."""

    def __init__(
        self,
        method: NetworkMethod,
        recipe: Recipe,
        scenes: TrainingScenes,
        patches: Patches,
        validation: Patches | None,
        path: Path,
        budget: Budget,
        course: Course,
        accelerator: Accelerator,
        listener: TrainingListener,
    ) -> None:
        self.method, self.recipe, self.scenes, self.path = method, recipe, scenes, path
        self.budget, self.course, self.accelerator, self.listener = budget, course, accelerator, listener
        self.state_path = path.with_suffix(".state")
        self.machine = of_training(accelerator.device.type)
        """What the weights were made with; of a training that went on elsewhere, of both."""
        self.patches = patches
        self.start = None if budget.start is None else read_weights(budget.start, method, patches.problem)
        self.validation = None if validation is None else Validation(method, validation, accelerator.device)
        self.validated: ValidationInfo | None = None
        self.loss = math.nan
        """Of the last step."""
        self.started = self.saved = self.looked = time.monotonic()
        self.steps = budget.steps or recipe.steps
        if budget.fit:
            self.steps = self._fitting_steps()
        self.training = self._new_training()

    def run(self) -> Trained:
        training, steps, name = self.training, self.steps, self.method.card.name
        if self._is_done():
            self.listener.resumed(name, steps, steps, self.path)
            return Trained(self.path, steps, steps)
        self._resume()
        begun = training.progress.step
        untrained = None if begun else self._look(0)
        log = Log(self.path.with_suffix(".csv"), steps=steps, resumed=begun) if self._main else None
        if self.course.tensorboard is not None:
            self.accelerator.init_trackers(name)
        made = training.run()
        try:
            while True:
                with uninterrupted():  # half a step is no state to go on from; and each is looked at and logged once
                    terms = next(made, None)
                    if terms is None:
                        break
                    step, self.loss = training.progress.step, sum(terms.values())
                    looked = self._validate(step)
                    seconds = time.monotonic() - self.started
                    speed = (step - begun) * self.recipe.batch_size * self.recipe.accumulate / max(seconds, 1e-9)
                    psnr = self.validated.last_psnr if self.validated else None
                    if log is not None and step == 1 and untrained is not None:
                        log.add(0, self._logged(dict.fromkeys(terms, math.nan), 0.0) | {"validation_psnr": untrained})
                    if log is not None and (step % log.every == 0 or step == steps or looked):
                        log.add(step, self._logged(terms, speed))
                    if self.course.tensorboard is not None:
                        self.accelerator.log({**terms, **({"psnr": psnr} if looked and psnr else {})}, step=step)
                self.listener.step_done(name, StepReport(step, steps, sum(terms.values()), psnr, speed))
                if self._out_of_time():
                    break
                if time.monotonic() - self.saved > 60 * self.course.save_minutes:
                    self._save()
        except KeyboardInterrupt:
            self._save()
            raise
        finally:
            made.close()
        self._save()
        return Trained(self.path, training.progress.step, steps)

    @property
    def _main(self) -> bool:
        main: bool = self.accelerator.is_main_process
        return main

    def _is_done(self) -> bool:
        """Whether the weights that lie there are those of this very training, finished."""
        return self._finished_steps() == self.steps

    def _finished_steps(self) -> int | None:
        """Return how many steps the weights that lie there had, if they are of this very training but for that."""
        if self.course.resume != "auto" or self.state_path.is_file() or not self.path.is_file():
            return None
        try:
            card = read_weights(self.path, self.method, self.patches.problem).card
        except HsbenchError:  # whatever lies there, it is not what is asked for
            return None
        if card is None or card.training.steps != card.training.planned_steps:
            return None
        identity = {**self._identity(), "steps": card.training.steps}
        return card.training.steps if card.training.identity == identity_digest(identity) else None

    def _resume(self) -> None:
        resume = self.course.resume
        if resume == "never" or (resume == "auto" and not self.state_path.is_file()):
            return
        file = self.state_path if resume == "auto" else Path(resume)
        if not file.is_file():
            raise UsageError(f"--resume {file}: there is no such file")
        state = read_state(file, self._identity())
        self.training.restore(state)
        for name, before in state.get("machine", {}).items():
            here = self.machine.get(name, "none")
            if here not in before.split(_THEN):
                self.machine[name] = f"{before}{_THEN}{here}"
            elif _THEN in before:
                self.machine[name] = before
        if state["validated"] is not None:
            self.validated = ValidationInfo(**state["validated"])
        self.listener.resumed(self.method.card.name, self.training.progress.step, self.steps, file)

    def _identity(self) -> Identity:
        """Return all that decides the weights in the end."""
        options, code = changed_options(self.method), code_of(self.method)
        return {
            "method": self.method.card.name,
            **({"options": options} if options else {}),
            **({"code": code} if code else {}),
            "data": self.scenes.identity(),
            "recipe": self.recipe.numbers(),
            "steps": self.steps,
            "seed": self.course.seed,
            "start": None if self.start is None else self.start.sha256,
            "device": self.accelerator.device.type,
            "precision": self.course.precision,
            "processes": self.accelerator.num_processes,
            "versions": _versions(),
        }

    def _validate(self, step: int) -> bool:
        """Look at the validation part if it is time."""
        every = self.course.validate_every
        if self.validation is None:
            return False
        if every is not None and every.unit == "minutes":
            due = time.monotonic() - self.looked > 60 * every.number
        else:
            per_epoch = self.recipe.steps_per_epoch
            if every is None:
                span = max(1, self.steps // self._looks)
            else:
                span = int(every.number) * (per_epoch if every.unit == "epochs" else 1)
            due = step % span == 0
        if not due and step != self.steps:
            return False
        return self._look(step) is not None

    @property
    def _looks(self) -> int:
        """How often the network is looked at, unless told otherwise: a short training is not to wait for its looks."""
        assert self.validation is not None
        patches = self.steps * self.recipe.counted_batches * self.recipe.batch_size
        return max(1, min(_LOOKS, patches // (2 * len(self.validation.draws))))

    def _look(self, step: int) -> float | None:
        """Score the network on the validation patches, if there are any."""
        if self.validation is None:
            return None
        psnr = self.validation.psnr(self.training.trained, self.recipe.batch_size)
        best = self.validated
        if best is None or psnr > best.best_psnr:
            best = ValidationInfo(
                best_psnr=psnr, best_step=step, last_psnr=psnr, last_step=step, bicubic_psnr=self.validation.bicubic
            )
        self.validated = best.model_copy(update={"last_psnr": psnr, "last_step": step})
        self.looked = time.monotonic()
        self.listener.validated(self.method.card.name, step, psnr, self.validation.bicubic)
        return psnr

    def _logged(self, terms: Mapping[str, float], speed: float) -> dict[str, float]:
        rate = max(group["lr"] for group in self.training.optimiser.param_groups)
        psnr = self.validated.last_psnr if self.validated else float("nan")
        return {
            "learning_rate": rate,
            "loss": sum(terms.values()),
            **terms,
            "validation_psnr": psnr,
            "bicubic_psnr": self.validation.bicubic if self.validation else math.nan,
            "patches_per_second": speed,
        }

    def _new_training(self) -> Training:
        return Training(
            self.method,
            self.recipe,
            self.patches,
            steps=self.steps,
            seed=self.course.seed,
            accelerator=self.accelerator,
            compiled=self.course.compiled,
            start=self.start,
        )

    def _fitting_steps(self) -> int:
        """Return how many steps there is time for; of a training that was begun or finished, as many as it has."""
        minutes = self.budget.minutes
        assert minutes is not None
        if self.course.resume == "auto" and self.state_path.is_file():
            return int(read_identity(self.state_path)["steps"])
        finished = self._finished_steps()
        if finished is not None:
            return finished
        self.training = self._new_training()
        looks = 0.0
        if self.validation is not None:
            begun = time.monotonic()
            self.validation.psnr(self.training.trained, self.recipe.batch_size)
            looks = (_LOOKS + 1) * (time.monotonic() - begun)  # at the most
        each = seconds_per_step(self.training, minutes)
        left = 60 * minutes - (time.monotonic() - self.started) - looks
        found = torch.tensor(max(1.0, left / each), device=self.accelerator.device)
        fitting = int(self.accelerator.reduce(found, "mean").item())
        self.listener.fitted(self.method.card.name, fitting, minutes)
        return fitting

    def _out_of_time(self) -> bool:
        minutes = self.budget.minutes
        if minutes is None or self.budget.fit:
            return False
        late: bool = time.monotonic() - self.started > 60 * minutes
        if self.accelerator.num_processes == 1:
            return late
        # all processes stop at the same step: when the first of them is late
        flag = torch.tensor(float(late), device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag, "sum").item() > 0)

    def _save(self) -> None:
        """Keep the state, or drop it where the training is finished, and the weights."""
        self.saved = time.monotonic()
        if not self._main:
            return
        training = self.training
        self._require_finite()
        finished = training.progress.step == self.steps
        if not finished:
            validated = None if self.validated is None else self.validated.model_dump()
            state = {**training.state(), "validated": validated, "machine": self.machine}
            write_state(self.state_path, self._identity(), state)
        write_weights(self.path, training.trained.state_dict(), self._card())
        if finished:
            self.state_path.unlink(missing_ok=True)

    def _require_finite(self) -> None:
        """Let no weights take the place of good ones that are not numbers any more."""
        states = {"the network": self.training.network, "its moving average": self.training.trained}
        for title, network in states.items():
            wrong = next((name for name, each in network.state_dict().items() if not bool(each.isfinite().all())), None)
            if wrong is not None:
                stays = [str(path) for path in (self.state_path, self.path) if path.is_file()]
                raise HsbenchError(
                    f"training {self.method.card.title}: {wrong} of {title} is not finite after step "
                    f"{self.training.progress.step} of {self.steps}, with a loss of {self.loss:.6g}: it diverged. "
                    + (f"{' and '.join(stays)}, of before, stay as they are. " if stays else "Nothing is written. ")
                    + "A smaller --set learning_rate, or --set clip_norm=1, may help"
                )

    def _card(self) -> WeightsCard:
        training, recipe, course = self.training, self.recipe, self.course
        first, last = training.mean_losses()
        data = self.scenes.identity()
        problem = training.patches.problem
        whole = self.method.recipes[self.budget.recipe]
        return WeightsCard(
            method=self.method.card.name,
            dataset=data["dataset"],
            scale=problem.scale,
            protocol=data["protocol"],
            protocol_digest=data["protocol_digest"],
            split_digest=data["split_digest"],
            dataset_digest=sha256("".join(data["digests"]).encode()).hexdigest(),
            bands=problem.bands,
            msi_bands=problem.msi_bands,
            options=changed_options(self.method),
            training=TrainingInfo(
                steps=training.progress.step,
                planned_steps=self.steps,
                recipe_name=self.budget.recipe,
                recipe_steps=whole.steps,
                recipe_pixels=whole.steps * whole.pixels_per_step,
                pixels=training.progress.step * recipe.counted_batches * recipe.batch_size * training.patches.patch**2,
                batch_size=recipe.batch_size * recipe.counted_batches,
                patch=training.patches.patch,
                learning_rate=recipe.learning_rate,
                changes=recipe.differences(whole),
                recipe=recipe.numbers(),
                supervision=recipe.supervision,
                scenes=data["scenes"],
                per_scene=self.scenes.scene is not None,
                earlier=self._earlier(),
                seed=course.seed,
                device=self.accelerator.device.type,
                precision=course.precision,
                processes=self.accelerator.num_processes,
                first_loss=first,
                last_loss=last,
                validation=self.validated,
                identity=identity_digest(self._identity()),
                code=code_of(self.method),
                machine=self.machine,
            ),
            versions=_versions(),
        )

    def _earlier(self) -> EarlierTraining | None:
        """Return what is known of the training of the weights that this one began with."""
        if self.start is None:
            return None
        card = self.start.card
        if card is None:  # of the method's authors
            return EarlierTraining(sha256=self.start.sha256)
        made = card.training
        before = made.earlier or EarlierTraining(sha256="")
        known = made.pixels is not None and (made.earlier is None or before.pixels is not None)
        return EarlierTraining(
            sha256=self.start.sha256,
            steps=made.steps + (before.steps or 0),
            pixels=(made.pixels or 0) + (before.pixels or 0) if known else None,
        )


def _versions() -> dict[str, str]:
    return {"hsfusion-bench": __version__, "torch": version("torch"), "accelerate": version("accelerate")}


def _trackers(folder: Path | None) -> dict[str, Any]:
    if folder is None:
        return {}
    if find_spec("tensorboard") is None:
        raise UsageError("--tensorboard needs TensorBoard: pip install 'hsfusion-bench[tensorboard]'")
    return {"log_with": "tensorboard", "project_dir": str(folder)}
