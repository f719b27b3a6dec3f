"""``hsbench train``: a network by its recipe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import (
    chosen_device,
    console,
    dataset_options,
    file_options,
    remark_on_camera,
    settings,
    with_key,
)
from hsfusion_bench.cli.numbers import COUNT, MINUTES, SEED
from hsfusion_bench.cli.sections import Sectioned
from hsfusion_bench.errors import UsageError

if TYPE_CHECKING:
    from hsfusion_bench.cli.display import Display
    from hsfusion_bench.data.observing.protocols import ProtocolChoice
    from hsfusion_bench.data.task import Task
    from hsfusion_bench.methods import NetworkMethod
    from hsfusion_bench.training.course import Budget, Course
    from hsfusion_bench.training.session import Trained


@click.command("train", cls=Sectioned, short_help="Train a network by its recipe, and keep its weights.")
@click.argument("method")
@dataset_options
@file_options
@click.option(
    "--recipe",
    default="published",
    show_default=True,
    metavar="NAME",
    help="One of the recipes that hsbench show lists.",
)
@click.option("--epochs", type=COUNT, metavar="N", help="Cut the recipe to N of its epochs.")
@click.option("--max-steps", type=COUNT, metavar="N", help="Cut the recipe to N optimiser steps.")
@click.option(
    "--from",
    "start",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Begin with these weights instead of random ones.",
)
@click.option("--max-minutes", type=MINUTES, metavar="M", help="Stop after M minutes; the same command resumes.")
@click.option("--fit", is_flag=True, help="Make as many steps as --max-minutes hold, and end the schedule with them.")
@click.option(
    "--batch-size", type=click.IntRange(min=1, max=65536), metavar="N", help="Patches in a batch, over all processes."
)
@click.option("--ema", metavar="DECAY", help="Decay of the moving average of the weights; none for no average.")
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a number of the recipe, as in patch=32."
)
@click.option("--precision", type=click.Choice(["no", "bf16", "fp16"]), default="no", show_default=True)
@click.option("--compile", "compiled", is_flag=True, help="Let torch compile the network.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of weights and patches.")
@click.option(
    "--resume",
    default="auto",
    show_default=True,
    metavar="auto|never|FILE",
    help="Resume from the state beside the weights, start anew, or resume from a state file.",
)
@click.option(
    "--val-every",
    metavar="SPAN",
    help="Between two looks at the validation patches: 500steps, 10minutes or 20epochs. Default: 20 looks, fewer in a "
    "short training.",
)
@click.option(
    "--save-every",
    type=MINUTES,
    default=5.0,
    show_default=True,
    metavar="MINUTES",
    help="Between two states on disk.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Weights file (.safetensors). Default: in the cache, a file a seed; hsbench run finds that of seed 0.",
)
@click.option(
    "--per-scene",
    is_flag=True,
    help="Train on each test scene's two images by itself; for methods that need no reference. --out names a folder.",
)
@click.option(
    "--tensorboard",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Log for TensorBoard, too.",
)
@click.pass_context
def command(
    context: click.Context,
    method: str,
    dataset: str,
    scale: int,
    protocol: ProtocolChoice,
    data_root: Path | None,
    scenes: list[str] | None,
    wavelengths: str | None,
    key: str | None,
    const: float | None,
    recipe: str,
    epochs: int | None,
    max_steps: int | None,
    start: Path | None,
    max_minutes: float | None,
    fit: bool,
    batch_size: int | None,
    ema: str | None,
    changes: tuple[str, ...],
    precision: str,
    compiled: bool,
    seed: int,
    resume: str,
    val_every: str | None,
    save_every: float,
    device: str,
    out: Path | None,
    per_scene: bool,
    tensorboard: Path | None,
) -> None:
    """Train METHOD on the training scenes of a data set, by its recipe.

    The weights lie where `hsbench run` finds them; beside them a card (.json), a log (.csv) and, until the training is
    finished, its state. Whatever interrupts it, the same command resumes from the last state, to the same weights. On
    several GPUs or machines: accelerate launch -m hsfusion_bench train ...

    \b
    Examples:
      hsbench train feinfn --dataset cave --scale 4 --data-root ~/CAVE
      hsbench train feinfn --dataset cave --scale 4 --max-steps 20000 --max-minutes 60
      hsbench train mossfuse --dataset demo --scale 4 --max-steps 300 --set patch=32
    """
    from hsfusion_bench.data.task import open_task
    from hsfusion_bench.methods import NetworkMethod
    from hsfusion_bench.methods.recipes import choose_recipe
    from hsfusion_bench.methods.weights import cached_path, scenes_folder
    from hsfusion_bench.runs.contenders import Contender, configure
    from hsfusion_bench.training.course import Budget, Course, Every

    if epochs is not None and max_steps is not None:
        raise UsageError("--epochs and --max-steps both say how long to train; give one of them")
    if fit and max_minutes is None:
        raise UsageError("--fit makes as many steps as the time holds: say how long by --max-minutes")
    if fit and (epochs is not None or max_steps is not None):
        raise UsageError("--fit and --max-minutes decide the number of steps; leave out --epochs and --max-steps")
    if scenes is not None and not per_scene:
        raise UsageError("--scenes names test scenes, which only --per-scene trains on")
    if out is not None and not per_scene and out.suffix != ".safetensors":
        raise UsageError(f"{out}: a safetensors file is written; give it a name that ends in .safetensors")
    contender = Contender.of(method)
    if contender.error is not None:
        raise contender.error
    if not isinstance(contender.method, NetworkMethod):
        title = contender.method.card.title if contender.method else method
        raise UsageError(f"{title} is not a network: there is nothing to train")
    made, changed = configure(contender.method, _changes(changes, batch_size, ema))
    assert isinstance(made, NetworkMethod)
    rates = choose_recipe(made.recipes, recipe, made.card.title).changed(changed)
    task = open_task(
        with_key(dataset, key, const),
        scale,
        protocol=protocol,
        data_root=data_root,
        partial=True,
        wavelengths=wavelengths,
    )
    remark_on_camera(task)
    steps = max_steps if epochs is None else epochs * rates.steps_per_epoch
    course = Course(
        seed,
        chosen_device(device),
        precision,  # type: ignore[arg-type]  # click lets no other through
        compiled,
        resume if resume in ("auto", "never") else Path(resume),  # type: ignore[arg-type]
        None if val_every is None else Every.parse(val_every),
        save_every,
        tensorboard,
    )
    job = _Job(made, task, Budget(steps, changed, recipe, start, max_minutes, fit), course)
    path = cached_path(contender.name, made, task.id, seed)
    with _display(context.find_root().params["debug"]) as display:
        if per_scene:
            trained = job.each_scene(out or scenes_folder(path), scenes, display)
        else:
            trained = job.run(out or path, display)
    _report(trained, contender.name, found_alone=out is None and not seed)


@dataclass(frozen=True)
class _Job:
    """What is trained, on what, how."""

    method: NetworkMethod
    task: Task
    budget: Budget
    course: Course

    def run(self, path: Path, display: Display | None, scene: str | None = None) -> Trained:
        """Train on the training scenes, or on the two images of one test scene."""
        from hsfusion_bench.training.course import TrainingListener
        from hsfusion_bench.training.scenes import TrainingScenes
        from hsfusion_bench.training.session import train_weights

        task = self.task.train if scene is None else self.task.of("test", [scene])
        return train_weights(
            self.method, TrainingScenes(task), path, self.budget, self.course, display or TrainingListener()
        )

    def each_scene(self, folder: Path, names: list[str] | None, display: Display | None) -> Trained:
        """Train on each test scene by itself; returns the last of them, or the first that is not finished."""
        from hsfusion_bench.data.task import require_present

        if self.method.recipe.supervision != "none":
            raise UsageError(f"--per-scene: {self.method.card.title} learns from references, which a test scene hides")
        tests = self.task.of("test", names)
        require_present(tests.source, tests.plan)
        for name in tests.names:
            trained = self.run(folder / f"{name}.safetensors", display, name)
            if not trained.finished:
                break
        return replace(trained, path=folder)


def _changes(changes: tuple[str, ...], batch_size: int | None, ema: str | None) -> dict[str, str]:
    found = settings(changes, "learning_rate=1e-4")
    if batch_size is not None:
        found["batch_size"] = str(batch_size)
    if ema is not None:
        found["ema"] = ema
    return found


@contextmanager
def _display(debug: bool) -> Iterator[Display | None]:
    """Show progress; of several processes only the first does."""
    if int(os.environ.get("RANK", "0")):
        yield None
        return
    from hsfusion_bench.cli.display import Display

    with Display(debug=debug) as display:
        yield display


def _report(trained: Trained, method: str, *, found_alone: bool) -> None:
    if int(os.environ.get("RANK", "0")):
        return
    notes = console(stderr=True)
    notes.print(f"weights {trained.path}", markup=False, soft_wrap=True)
    if not found_alone or trained.path.is_dir():
        notes.print(f"use them by: hsbench run --weights {method}={trained.path} ...", markup=False, soft_wrap=True)
    if not trained.finished:
        notes.print(
            f"stopped after step {trained.step} of {trained.steps}; the same command resumes there",
            markup=False,
            soft_wrap=True,
        )
