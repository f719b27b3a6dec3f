"""What is known of a row before it is run: whether it can be, and how much of it is done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hsfusion_bench.children.calling import call
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import sha256_file
from hsfusion_bench.methods import NetworkMethod
from hsfusion_bench.methods.recipes import Recipe, choose_recipe
from hsfusion_bench.methods.weights import cached_path
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.equipped import account
from hsfusion_bench.runs.joining import identity
from hsfusion_bench.runs.records import Record, Store
from hsfusion_bench.runs.weights.choosing import NoWeightsError, choose
from hsfusion_bench.studies.asked import Asked, Row

#: Seconds that a stranger's method may take to be imported and asked about all its rows.
_LIMIT: Final = 120.0


@dataclass(frozen=True)
class Training:
    """What a row trains first: HR pixels in all, of a network whose log may lie at a path."""

    pixels: int
    log: Path
    recipe: dict[str, Any]
    steps: int
    seed: int


@dataclass(frozen=True)
class Outlook:
    """What is known of a row.

    Parameters
    ----------
    network
        Whether the method is a network.
    record
        As it would begin; None: the method cannot be imported, or nobody knows.
    lacking
        Why there are no weights; None: there are, or none are needed.
    obstacle
        Why the row would fail; None: it need not.
    weights
        SHA-256 of the weights that would be taken; None: none would, or they are trained first.
    training
        What is trained first.
    """

    network: bool = False
    record: Record | None = None
    lacking: str | None = None
    obstacle: str | None = None
    weights: str | None = None
    training: Training | None = None

    def standing(self, store: Store, asked: Asked) -> Record | None:
        """Return the record of a row that was run before, if running it again would give the same one."""
        if self.record is None or self.lacking is not None:
            return None
        found = store.standing(self.record)
        if found is None or found.status != "ok" or not self._is_of(found) or not _shows_all(found, asked):
            return None
        names = [scene.name for scene in self.record.scenes]
        return found if [scene.name for scene in found.scenes] == names else None

    def scenes_done(self, store: Store, asked: Asked) -> int:
        """Return how many scenes an unfinished run of the same left, that need not be fused again."""
        if self.record is None or self.lacking is not None:
            return 0
        done = (store.scene(self.record, scene.name) for scene in self.record.scenes)
        return sum(found is not None and self._is_of(found) and found.further == asked.also for found in done)

    def _is_of(self, found: Record) -> bool:
        assert self.record is not None
        theirs, ours = identity(found), identity(self.record)
        if theirs | {"weights": None} != ours | {"weights": None}:
            return False
        if not self.network:
            return found.weights is None
        if found.weights is None:
            return False
        if self.training is None:
            return found.weights.sha256 == self.weights
        made = found.weights.training
        return made is not None and (made.seed, made.steps, made.planned_steps, made.recipe) == (
            self.training.seed,
            self.training.steps,
            self.training.steps,
            self.training.recipe,
        )


def outlooks(rows: Sequence[Row], tasks: Sequence[Task]) -> list[Outlook]:
    """Say what is known of the rows of one method.

    Parameters
    ----------
    rows
        Of one method; where that is a stranger's, it is imported in a process of its own.
    tasks
        Of each row, opened here.
    """
    if not rows[0].apart:
        contender = rows[0].contender()
        return [_outlook(contender, row.asked, task) for row, task in zip(rows, tasks, strict=True)]
    try:
        return call(_of_rows, rows, time_limit=_LIMIT, quiet=True)
    except HsbenchError:  # its row will say so
        return [Outlook() for _ in rows]


def _of_rows(rows: Sequence[Row]) -> list[Outlook]:
    contender = rows[0].contender()
    return [_outlook(contender, row.asked, row.asked.open()) for row in rows]


def _outlook(contender: Contender, asked: Asked, task: Task) -> Outlook:
    method, setting = contender.method, asked.setting(task, contender)
    if contender.error is not None or method is None:
        return Outlook(obstacle=str(contender.error))
    record = account(contender, setting)
    if not isinstance(method, NetworkMethod):
        return Outlook(record=record)
    if asked.blind and method.card.uses:
        return Outlook(network=True, obstacle="learns with the true camera and cannot run blind")
    found = Outlook(network=True, record=record)
    try:
        budget = asked.budget(contender)
        if budget is not None:
            recipe = choose_recipe(method.recipes, budget.recipe, method.card.title).changed(budget.changes)
            path = cached_path(contender.name, method, task.id, asked.seed)
            return replace(found, training=_training(recipe, budget.steps, path, asked.seed))
        chosen = choose(contender.name, method, task, asked.weights.get(contender.name))
    except NoWeightsError as error:
        return replace(found, lacking=str(error))
    except HsbenchError as error:
        return replace(found, obstacle=str(error))
    return replace(found, weights=sha256_file(chosen.path) if chosen.path.is_file() else None)


def _training(recipe: Recipe, steps: int | None, path: Path, seed: int) -> Training:
    count = recipe.steps if steps is None else steps
    numbers: dict[str, Any] = json.loads(json.dumps(recipe.numbers()))
    return Training(count * recipe.pixels_per_step, path.with_suffix(".csv"), numbers, count, seed)


def _shows_all(record: Record, asked: Asked) -> bool:
    """Whether a record has all that is asked for beside the seven indexes, and was fused in the tiles that are."""
    tiles = record.model.tiles
    in_tiles = {"auto": True, "none": tiles is None}.get(
        str(asked.tile), tiles is not None and tiles.side == asked.tile
    )
    pictured = record.pictures is not None or not asked.pictures
    return in_tiles and pictured and all(scene.further == asked.also for scene in record.scenes)
