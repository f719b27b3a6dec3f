"""The scenes that a training is fed with, observed once and kept as arrays in the cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hsfusion_bench.data.mapped import mapped_folder, prepare_mapped, read_index
from hsfusion_bench.data.prepare import Preparation, Report, no_report
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.files import user_cache, write_text
from hsfusion_bench.methods import Recipe
from hsfusion_bench.training.loading import Chosen, Patches
from hsfusion_bench.training.mapped import MappedPatches


class TrainingScenes:
    """The scenes of a task that are here: training scenes, or one test scene for a method that needs no reference.

    The observed scenes are kept below the cache folder as memory-mapped arrays, and are made anew when a file of
    the data set has changed since.

    Parameters
    ----------
    task
        Training scenes, or one test scene to train on its two images alone.

    Raises
    ------
    HsbenchError
        If none of the scenes is here.
    UsageError
        If methods are told another phase than the true one: a network would be trained by it where patches are turned.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        plan, name = task.plan, task.source.name
        if not plan.asked:
            raise HsbenchError(f"the data set {name} has no training scenes (split {plan.split.id})")
        if not plan.present:
            raise HsbenchError(
                f"none of the {len(plan.asked)} training scenes of {name} is there; training needs at least one of "
                f"{', '.join(plan.asked[:3])}, ..."
            )
        if task.protocol.told_phase(task.scale) != task.protocol.phase(task.scale):
            raise UsageError(
                "a network cannot be trained with a phase that is not the true one: turned patches are cut by it. "
                "Train without --told-phase; the weights are taken for runs with it"
            )
        if plan.part == "test" and len(plan.present) != 1:
            raise HsbenchError("of test scenes, training takes one at a time")
        self._digests: list[str] = []

    @property
    def scene(self) -> str | None:
        """The test scene that is trained on alone; None: training scenes are."""
        return self.task.names[0] if self.task.plan.part == "test" else None

    def identity(self) -> dict[str, Any]:
        """Return what decides the observations, as plain JSON; with digests of the scenes once `patches` was called."""
        return {
            "dataset": self.task.source.name,
            "scale": self.task.scale,
            "protocol": self.task.protocol.id,
            "protocol_digest": self.task.protocol_digest,
            "split_digest": self.task.plan.split.digest,
            "scenes": list(self.task.names),
            "digests": self._digests,
        }

    def patches(self, recipe: Recipe, seed: int, *, reference: bool, report: Report = no_report) -> Patches:
        """Return the patches that a recipe asks for.

        Parameters
        ----------
        recipe
            Whose patch, stride and turns are taken; a patch larger than a scene becomes the scene, a stride smaller
            than an LR pixel becomes one.
        seed
            Of the turning.
        reference
            Whether batches hold the reference; without, its files are not opened.
        report
            Called as scenes are observed, see `hsfusion_bench.data.prepare.prepare_train`.
        """
        folder = self._folder(report)
        index = read_index(folder)
        self._digests = [scene.digest for scene in index.scenes if scene.name in self.task.names]
        scale = self.task.scale
        smallest = min(min(scene.height, scene.width) for scene in index.scenes)
        patch = min(recipe.patch, smallest // scale * scale)
        patches = MappedPatches(
            folder,
            patch=patch,
            stride=min(max(recipe.stride or patch // 2, scale), patch),
            turns=recipe.turns,
            seed=seed,
            reference=reference,
        )
        if self.scene is None:
            return patches
        [number] = (number for number, scene in enumerate(index.scenes) if scene.name == self.scene)
        return Chosen(patches, [patch for patch, place in enumerate(patches.places) if place[0] == number])

    def _folder(self, report: Report) -> Path:
        """Return the folder of observed scenes, made if it is not there or its originals have changed."""
        part, side = self.task.plan.part, self.task.protocol.patch
        job = Preparation(self.task, side, side, partial=True)
        root = user_cache() / "scenes" / self.task.protocol_digest[:12]
        folder, seen = mapped_folder(root, job, part), self._originals()
        note = folder / "originals.json"
        if seen and note.is_file() and (folder / "index.json").is_file() and json.loads(note.read_text()) == seen:
            return folder
        note.unlink(missing_ok=True)
        prepare_mapped(job, part, root, report)
        write_text(note, json.dumps(seen))
        return folder

    def _originals(self) -> dict[str, list[list[int | str]]]:
        """Return name, size and time of every file of the scenes, and the digest that they must have, if one is known.

        Nothing where a data set names no files.
        """
        source, part = self.task.source, self.task.plan.part
        files = {name: source.files(name) for name in self.task.of(part).names}
        if not all(files.values()):
            return {}
        stated: dict[str, list[list[int | str]]] = {
            name: [[str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns] for file in some]
            for name, some in files.items()
        }
        for name, facts in stated.items():
            if digest := source.known_digest(name):
                facts.append([digest])
        return stated
