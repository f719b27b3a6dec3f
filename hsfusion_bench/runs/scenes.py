"""One scene of one method's run: read, fused, scored, and kept in a file of its own.

Done twice, it leaves the same file; so it may be done by any process, and again where one died. A run's record is
joined from what its scenes left: see `hsfusion_bench.runs.joining`.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from hsfusion_bench.data.scenes import Scene, scene_digest
from hsfusion_bench.errors import DifferentDataError, HsbenchError
from hsfusion_bench.matlab.export import MatExport
from hsfusion_bench.methods import Cube, Observation
from hsfusion_bench.methods.fusing import doubts_about, fuse_checked
from hsfusion_bench.runs.account import scene_result, summary_of, weights_info
from hsfusion_bench.runs.equipped import Equipped, account
from hsfusion_bench.runs.gallery import Gallery
from hsfusion_bench.runs.joining import identity
from hsfusion_bench.runs.measure import counting_flops, peak_memory, tiles_of
from hsfusion_bench.runs.pictures import folder_of
from hsfusion_bench.runs.records import Memory, Record, SceneResult
from hsfusion_bench.runs.setting import Setting

_LOG = logging.getLogger("hsfusion_bench")


class Ready(NamedTuple):
    """A scene that was read."""

    scene: Scene
    digest: str


class Fused(NamedTuple):
    """A scene that was fused."""

    cube: Cube
    account: Record
    """The run's, with the weights that the scene has of its own, and what was counted."""
    memory: Memory | None
    """None where it was not measured."""


class Scenes:
    """The scenes of a method that can run."""

    def __init__(self, equipped: Equipped) -> None:
        self.equipped = equipped
        self.setting: Setting = equipped.setting
        self._own: tuple[str, Equipped] | None = None
        """The scene that was last asked for, and the method with its weights."""

    @cached_property
    def account(self) -> Record:
        """The record before any scene."""
        return account(self.equipped.contender, self.setting, self.equipped)

    @cached_property
    def export(self) -> MatExport | None:
        """Where cubes for the MATLAB script are collected, if they were asked for."""
        setting = self.setting
        if setting.save_mat is None:
            return None
        return MatExport(cubes_path(self.account, setting), setting.task.names, self._identity())

    @cached_property
    def gallery(self) -> Gallery | None:
        """Where pictures are collected, if they were asked for."""
        setting = self.setting
        if not setting.pictures:
            return None
        return Gallery(folder_of(setting.store, self.account), setting.task, self._identity())

    def read(self, name: str) -> Ready | Record:
        """Read a scene and observe it; a file that cannot be read gives the record of a scene that failed.

        Raises
        ------
        DifferentDataError
            If the scene is not the one that its name says.
        """
        try:
            scene = self.setting.task[name]
        except DifferentDataError:  # another scene under this one's name has no place in a record
            raise
        except HsbenchError as error:  # one bad file costs one scene
            return self._record(SceneResult(name=name, digest=None, error=str(error)), self.account)
        return Ready(scene, scene_digest(scene.hr_hsi))

    def earlier(self, ready: Ready, *, counted: bool) -> Record | None:
        """Return what an earlier run of the very same thing left of a scene; None where anything asked for lacks."""
        name, setting = ready.scene.name, self.setting
        earlier = setting.store.scene(self.account, name)
        if earlier is None or [(each.name, each.digest) for each in earlier.scenes] != [(name, ready.digest)]:
            return None
        if earlier.scenes[0].psnr is None or earlier.further != setting.also:
            return None
        if (earlier.model.flops is not None) != (counted and self._counts):
            return None
        machine = not setting.many_machines
        if identity(earlier, machine=machine) != identity(self._account_for(name), machine=machine):
            return None
        if self.export is not None and not self.export.has(name, ready.digest):
            return None
        if self.gallery is not None and not self.gallery.has(name, ready.digest):
            return None
        return earlier

    def fuse(self, ready: Ready, *, counted: bool, measured: bool = False) -> Fused:
        """Fuse a scene, with the weights that it has of its own where it has.

        Parameters
        ----------
        ready
            From `read`.
        counted
            Whether the network's operations are counted. Where they are, torch takes its operators apart, and may round
            otherwise: the last bits of the cube may be others.
        measured
            Whether the peak of memory is measured: nothing else may run meanwhile.

        Raises
        ------
        HsbenchError
            As `fuse_checked`.
        """
        equipped, seen = self._with_weights_of(ready.scene.name), self.seen(ready)
        model = equipped.model
        with ExitStack() as stack:
            memory = stack.enter_context(peak_memory(equipped.device)) if measured else []
            flops = []
            if counted:
                model = model.model_copy(update={"tiles": tiles_of(equipped.fusing, seen)})
                if self._counts:
                    flops = stack.enter_context(counting_flops(seen.shape[1:]))
            cube = fuse_checked(equipped.fusing, seen, ready.scene.name)
        if flops:
            model = model.model_copy(update={"flops": flops[0]})
        account = self._account_for(ready.scene.name).model_copy(update={"model": model})
        return Fused(cube, account, memory[0] if memory else None)

    def seen(self, ready: Ready) -> Observation:
        """Return what the method may see of a scene."""
        observation = ready.scene.observation.blind() if self.setting.blind else ready.scene.observation
        return observation.seen_by(self.equipped.fusing.card)

    def score(self, ready: Ready, fused: Fused) -> Record:
        """Score a scene, and write what is asked for of it; return the record of it alone.

        Raises
        ------
        HsbenchError
            If it is too small for the indexes, or something cannot be written.
        """
        scene, setting = ready.scene, self.setting
        if (doubt := doubts_about(fused.cube, scene.hr_hsi)) is not None:
            _LOG.warning("warning: %s %s, for scene %s", self.equipped.contender.name, doubt, scene.name)
        result = scene_result(
            scene.name, ready.digest, scene.hr_hsi, fused.cube, setting.task.scale, scene.cropped_from, setting.also
        )
        if self.export is not None:
            self.export.add(scene.name, ready.digest, scene.hr_hsi, fused.cube)
        if self.gallery is not None:
            self.gallery.add(scene.name, ready.digest, scene.hr_hsi, fused.cube)
        record = self._record(result, fused.account)
        setting.store.write_scene(self.account, record)
        return record

    @property
    def _counts(self) -> bool:
        """Whether there are operations to be counted."""
        return self.equipped.model.parameters is not None and self.setting.counting

    def _with_weights_of(self, name: str) -> Equipped:
        own = self._own
        if own is None or own[0] != name:
            self._own = own = (name, self.equipped.for_scene(name))
        return own[1]

    def _account_for(self, name: str) -> Record:
        """Return the account with the weights that a scene has of its own, where it has."""
        own = self._with_weights_of(name)
        if own is self.equipped:
            return self.account
        assert own.weights is not None
        assert own.chosen is not None
        file = f"{own.chosen.path.name}/{own.weights.file}"
        return self.account.model_copy(update={"weights": weights_info(replace(own.weights, file=file))})

    def _record(self, result: SceneResult, account: Record) -> Record:
        scored = result.psnr is not None
        return account.model_copy(
            update={
                "status": "ok" if scored else "failed",
                "error": None if scored else f"{result.name}: {result.error}",
                "dataset": account.dataset.model_copy(update={"scenes": int(scored)}),
                "scenes": [result],
                "summary": summary_of([result]),
            }
        )

    def _identity(self) -> dict[str, object]:
        return identity(self.account, machine=not self.setting.many_machines)


def cubes_path(record: Record, setting: Setting) -> Path:
    """Return where the results for the MATLAB script belong: called as the record is."""
    assert setting.save_mat is not None
    path = setting.store.path(record)
    return setting.save_mat / path.parent.name / f"{path.stem}.mat"
