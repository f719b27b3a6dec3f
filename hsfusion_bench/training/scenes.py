"""The scenes that a training is fed with, observed once and kept as arrays in the cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hsfusion_bench.data.catalog import plan_scenes
from hsfusion_bench.data.mapped import mapped_folder, prepare_mapped, read_index
from hsfusion_bench.data.observing.protocols import Part, Protocol
from hsfusion_bench.data.prepare import Preparation, Report, no_report
from hsfusion_bench.data.scenes import SceneSource
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import user_cache, write_text
from hsfusion_bench.methods import Recipe
from hsfusion_bench.training.loading import Chosen, Patches
from hsfusion_bench.training.mapped import MappedPatches


class TrainingScenes:
    """The training scenes of a data set that are here, or one test scene for a method that needs no reference.

    The observed scenes are kept below the cache folder as memory-mapped arrays, and are made anew when a file of
    the data set has changed since.

    Parameters
    ----------
    source, protocol, scale
        The data set, and how it is observed.
    scene
        Name of a test scene to train on its two images alone; None: the training scenes.

    Raises
    ------
    HsbenchError
        If none of the scenes is here.
    """

    def __init__(
        self,
        source: SceneSource,
        protocol: Protocol,
        scale: int,
        *,
        scene: str | None = None,
    ) -> None:
        self.source, self.protocol, self.scale = source, protocol, scale
        self.scene = scene
        self.part: Part = "train" if scene is None else "test"
        protocol.phase(scale)
        plan = plan_scenes(source, protocol, self.part, None if scene is None else [scene])
        if not plan.asked:
            raise HsbenchError(f"the data set {source.name} has no training scenes (split {plan.split.id})")
        if not plan.present:
            raise HsbenchError(
                f"none of the {len(plan.asked)} training scenes of {source.name} is there; training needs at least "
                f"one of {', '.join(plan.asked[:3])}, ..."
            )
        self.plan = plan
        self._digests: list[str] = []

    def identity(self) -> dict[str, Any]:
        """Return what decides the observations, as plain JSON; with digests of the scenes once `patches` was called."""
        return {
            "dataset": self.source.name,
            "scale": self.scale,
            "protocol": self.protocol.id,
            "protocol_digest": self.protocol.digest(self.scale, self.source.band_centres),
            "split_digest": self.plan.split.digest,
            "scenes": list(self.plan.present),
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
        self._digests = [scene.digest for scene in index.scenes if scene.name in self.plan.present]
        smallest = min(min(scene.height, scene.width) for scene in index.scenes)
        patch = min(recipe.patch, smallest // self.scale * self.scale)
        patches = MappedPatches(
            folder,
            patch=patch,
            stride=min(max(recipe.stride or patch // 2, self.scale), patch),
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
        task = Preparation(
            self.source, self.protocol, self.scale, self.protocol.patch, self.protocol.patch, partial=True
        )
        root = user_cache() / "scenes" / self.protocol.digest(self.scale, self.source.band_centres)[:12]
        folder, seen = mapped_folder(root, task, self.part), self._originals()
        note = folder / "originals.json"
        if seen and note.is_file() and (folder / "index.json").is_file() and json.loads(note.read_text()) == seen:
            return folder
        note.unlink(missing_ok=True)
        prepare_mapped(task, self.part, root, report)
        write_text(note, json.dumps(seen))
        return folder

    def _originals(self) -> dict[str, list[list[int | str]]]:
        """Return name, size and time of every file of the scenes; nothing where a data set names none."""
        names = plan_scenes(self.source, self.protocol, self.part).present
        files = {name: [Path(file) for file in self.source.files(name)] for name in names}
        if not all(files.values()):
            return {}
        return {
            name: [[str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns] for file in some]
            for name, some in files.items()
        }
