"""From a method without weights to a weights file: read the training scenes, train, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from hsfusion_bench import __version__
from hsfusion_bench.data.catalog import plan_scenes, read_scene
from hsfusion_bench.data.protocols import Protocol
from hsfusion_bench.data.scenes import SceneSource
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import NetworkMethod
from hsfusion_bench.training.loop import train
from hsfusion_bench.training.patches import Example
from hsfusion_bench.weights import Training, WeightsCard, cached_path, write_weights

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Budget:
    """How much of a recipe is carried out.

    Parameters
    ----------
    steps
        Optimiser steps; None: the whole recipe.
    changes
        Numbers of the recipe that are to be others, see `Recipe.changed`.
    """

    steps: int | None = None
    changes: Mapping[str, str] = field(default_factory=dict)


def train_weights(
    method: NetworkMethod,
    source: SceneSource,
    protocol: Protocol,
    scale: int,
    budget: Budget,
    *,
    seed: int,
    device: torch.device,
    report: Callable[[int, int, float], None],
) -> Path:
    """Train a method on the training scenes that are there, and keep its weights in the cache.

    Parameters
    ----------
    report
        Called after each step with its number, the number of steps, and the loss.

    Returns
    -------
    The weights file.

    Raises
    ------
    HsbenchError
        If there is no training scene, or training diverges.
    """
    recipe = method.recipe.changed(budget.changes)
    plan = plan_scenes(source, protocol, "train")
    if not plan.present:
        raise HsbenchError(
            f"none of the {len(plan.asked)} training scenes of {source.name} is there; training needs at least one of "
            f"{', '.join(plan.asked[:3])}, ..."
        )
    examples = []
    for name in plan.present:
        scene = read_scene(source, name, protocol, scale)
        reference = scene.hr_hsi if recipe.supervision == "reference" else None
        examples.append(Example(scene.observation.seen_by(method.card), reference))
    steps = budget.steps or recipe.steps
    outcome = train(
        method,
        examples,
        recipe,
        steps=steps,
        seed=seed,
        device=device,
        report=lambda step, loss: report(step, steps, loss),
    )
    card = WeightsCard(
        method=method.card.name,
        dataset=source.name,
        scale=scale,
        protocol=protocol.id,
        protocol_digest=protocol.digest(scale, source.wavelengths),
        training=Training(
            steps=steps,
            recipe_steps=method.recipe.steps,
            batch_size=recipe.batch_size * recipe.accumulate,
            patch=recipe.patch,
            learning_rate=recipe.learning_rate,
            changes=dict(budget.changes),
            supervision=recipe.supervision,
            scenes=list(plan.present),
            seed=seed,
            device=device.type,
            first_loss=outcome.first_loss,
            last_loss=outcome.last_loss,
        ),
        versions={"hsfusion-bench": __version__, "torch": version("torch")},
    )
    path = cached_path(method.card.name, source.name, scale, protocol.id)
    write_weights(path, outcome.network.state_dict(), card)
    return path
