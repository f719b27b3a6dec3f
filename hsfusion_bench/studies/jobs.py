"""What the workers of a study do: a training, a scene of a method, a measurement of its speed.

Each leaves its result in a file, whole or not at all, and returns what is small; so each may be done twice.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from socket import gethostname

from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import DifferentDataError, HsbenchError, reason_of
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.equipped import Equipped, account
from hsfusion_bench.runs.records import Record, Speed
from hsfusion_bench.runs.scenes import Scenes
from hsfusion_bench.runs.setting import Listener, Setting
from hsfusion_bench.runs.timing import known_speed, time_scene
from hsfusion_bench.runs.weights.choosing import NoWeightsError
from hsfusion_bench.studies.asked import Row
from hsfusion_bench.studies.engines.packing import of_engine


@dataclass(frozen=True)
class Done:
    """What came of a scene.

    Parameters
    ----------
    account
        The record of the run before any scene.
    scene
        The record of the scene alone; None: the method failed.
    error
        Why; the whole row is to stop.
    told
        Which weights were taken.
    """

    account: Record
    scene: Record | None = None
    error: str | None = None
    told: str | None = None


@dataclass(frozen=True)
class Extras:
    """What a row left beside its record."""

    cubes: Path | None = None
    pictures: Path | None = None
    digest: str | None = None
    """Of the pictures."""
    lost: str | None = None
    """Why one of them is not there."""


def packed(row: Row, task: Task) -> bytes:
    """Return a row and its task as bytes, by which a worker knows them again from one scene to the next."""
    import cloudpickle

    content: bytes = cloudpickle.dumps((_anywhere(row), task, gethostname()))
    return content


def _anywhere(row: Row) -> Row:
    """Return a row whose paths are whole: a worker may be in another folder."""
    asked = row.asked
    file, _, attribute = row.spec.rpartition(":")
    spec = f"{Path(file).resolve()}:{attribute}" if file.endswith(".py") else row.spec
    weights = {name: path.resolve() if isinstance(path, Path) else path for name, path in asked.weights.items()}
    save_mat = None if asked.save_mat is None else asked.save_mat.resolve()
    whole = replace(asked, results_dir=asked.results_dir.resolve(), save_mat=save_mat, weights=weights)
    return replace(row, spec=spec, asked=whole)


@dataclass
class _Told(Listener):
    lines: list[str] = field(default_factory=list)

    def weights_taken(self, method: str, text: str) -> None:
        """Keep what is told."""
        self.lines.append(text)


@dataclass(frozen=True)
class _Work:
    contender: Contender
    setting: Setting
    told: _Told
    host: str
    """The machine of the one that asks."""

    def equipped(self) -> Equipped:
        """Return the method without weights."""
        return Equipped.of(self.contender, self.setting)


def _work(content: bytes) -> _Work:
    row, task, host = pickle.loads(content)
    told, contender = _Told(), row.contender()
    setting = replace(row.asked.setting(task, contender), many_machines=True, listener=told)
    return _Work(contender, setting, told, host)


@lru_cache(maxsize=1)
def _scenes(content: bytes) -> tuple[Scenes, _Work]:
    work = _work(content)
    return Scenes(work.equipped().ready()), work


def train(content: bytes) -> Path | None:
    """Train a row's network, and return its weights, or the folder of those that each scene has; None: it is none.

    Raises
    ------
    HsbenchError
        If the training fails.
    """
    equipped = _work(content).equipped().ready()
    return None if equipped.chosen is None else equipped.chosen.path


def fuse(content: bytes, name: str, counted: bool) -> Done:
    """Read, fuse and score a scene, unless an earlier run of the very same thing left it.

    Raises
    ------
    DifferentDataError
        If the scene is not the one that its name says.
    """
    try:
        scenes, work = _scenes(content)
        ready = scenes.read(name)
        if isinstance(ready, Record):
            return Done(scenes.account, _told_where(ready, work))
        earlier = scenes.earlier(ready, counted=counted)
        scene = earlier or scenes.score(ready, scenes.fuse(ready, counted=counted))
        return Done(scenes.account, scene, told=next(iter(work.told.lines), None))
    except (DifferentDataError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a stranger's method may raise anything
        if (over := of_engine(error)) is not None:
            raise over from None
        return Done(_account(content, error), error=str(error) if isinstance(error, HsbenchError) else reason_of(error))


def _told_where(record: Record, work: _Work) -> Record:
    """Say which worker could not read a scene: data that are missing are missing there."""
    here = gethostname()
    if here == work.host:
        return record
    scenes = [scene.model_copy(update={"error": f"{scene.error} (on worker {here})"}) for scene in record.scenes]
    return record.model_copy(update={"scenes": scenes, "error": f"{record.error} (on worker {here})"})


def _account(content: bytes, error: BaseException) -> Record:
    """Return the record of a row that failed, as far as it is known."""
    work = _work(content)
    try:
        equipped = work.equipped()
    except BaseException:  # that is what is wrong
        equipped = None
    status = "no weights" if isinstance(error, NoWeightsError) else "failed"
    return account(work.contender, work.setting, equipped).model_copy(update={"status": status})


def time(content: bytes, name: str) -> tuple[Speed, bool]:
    """Time a method on a scene, unless it was timed on this device; return whether it was. Nothing else may run.

    Raises
    ------
    HsbenchError
        If the scene cannot be read, or the method fails.
    """
    scenes, _ = _scenes(content)
    ready = scenes.read(name)
    if isinstance(ready, Record):
        raise HsbenchError(str(ready.error))
    if (known := known_speed(scenes, ready)) is not None:
        return known, True
    fused = scenes.fuse(ready, counted=False, measured=True)
    speed = time_scene(scenes, ready, fused.memory)
    scenes.setting.store.write_speed(speed)
    return speed, False


def finish(content: bytes, digests: dict[str, str], complete: bool, kept: bool) -> Extras:
    """Put the cubes and pictures of a row in their place, from what its scenes left.

    Parameters
    ----------
    content
        The row.
    digests
        Of the scenes that were scored, by name.
    complete
        Whether all were.
    kept
        Whether an earlier record stays, and its pictures with it.
    """
    scenes, _ = _scenes(content)
    lost = digest = None
    gallery, export = scenes.gallery, scenes.export
    if gallery is not None and not kept:
        for name, its in digests.items():
            gallery.has(name, its)
        try:
            digest = gallery.finish(complete=complete)
        except HsbenchError as error:
            lost = str(error)
    if export is not None:
        for name, its in digests.items():
            export.has(name, its)
        try:
            export.finish()
        except HsbenchError as error:
            lost = str(error)
    pictures = gallery.folder if gallery is not None and digest is not None else None
    return Extras(export.path if export else None, pictures, digest, lost)
