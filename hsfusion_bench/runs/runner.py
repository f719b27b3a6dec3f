"""One method on one dataset: scenes in, a record out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from hsfusion_bench.data.scenes import Scene, scene_digest
from hsfusion_bench.data.task import Task
from hsfusion_bench.determinism import make_deterministic
from hsfusion_bench.errors import DifferentDataError, HsbenchError, reason_of
from hsfusion_bench.machine import cores
from hsfusion_bench.matlab.export import MatExport
from hsfusion_bench.methods import Cube, Method, NetworkMethod, Observation, Tile, Truth
from hsfusion_bench.methods.fusing import doubts_about, fuse_checked
from hsfusion_bench.methods.weights import Weights, cached_path, joined
from hsfusion_bench.runs.account import (
    dataset_info,
    environment,
    method_info,
    metrics_info,
    scene_result,
    status_of,
    summary_of,
    weights_info,
)
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.gallery import Gallery
from hsfusion_bench.runs.measure import count_parameters, device_name, measure, measure_latency
from hsfusion_bench.runs.pictures import folder_of
from hsfusion_bench.runs.records import Memory, ModelInfo, Record, SceneResult, Speed, Store, Written
from hsfusion_bench.runs.weights.choosing import Chosen, Named, NoWeightsError, choose
from hsfusion_bench.scratch import alone
from hsfusion_bench.training.course import Budget, Course, TrainingListener

if TYPE_CHECKING:
    import torch

_LOG = logging.getLogger("hsfusion_bench")


class Listener(TrainingListener):
    """Is told how a run goes; this one stays silent."""

    def scene_done(self, method: str, scene: str, number: int, total: int) -> None:
        """Take note that a scene was fused and scored."""

    def weights_taken(self, method: str, text: str) -> None:
        """Take note which weights a network runs with, where they are from, and what budget they had."""

    def failed(self, method: str, error: BaseException) -> None:
        """Take note that a method, or its training, failed."""


@dataclass(frozen=True)
class Setting:
    """What all methods of one run have in common."""

    task: Task
    store: Store
    device: str = "cpu"
    seed: int = 0
    timing: bool = True
    counting: bool = True
    """Count the operations of the first scene, see `measure`."""
    budget: Budget | None = None
    """Train networks first, with this budget; None: use weights that exist."""
    resume: Literal["auto", "never"] = "never"
    """Whether that training goes on where one of the same kind stopped, see `Course`."""
    weights: Mapping[str, Named] = field(default_factory=dict)
    """Weights that are named, by method; else `choose` looks for some."""
    blind: bool = False
    """Withhold PSF and SRF from every method; one that needs them has to estimate them."""
    tile: Tile = "auto"
    """Whether networks fuse in tiles, see `NetworkMethod.ready`."""
    also: tuple[str, ...] = ()
    """Indexes beyond the seven, see `further_indexes`."""
    save_mat: Path | None = None
    """Folder that receives each method's results for the MATLAB script, called as the record is."""
    pictures: bool = False
    """Keep small pictures of each scene beside the record, see `hsfusion_bench.runs.pictures`."""
    listener: Listener = field(default_factory=Listener)


@dataclass(frozen=True)
class Result:
    """What a run of one method left behind."""

    record: Record
    speed: Speed | None
    written: Written
    cubes: Path | None = None
    """Where the results for the MATLAB script lie, if they were asked for."""
    lost: str | None = None
    """Why they, or the pictures, do not."""
    pictures: Path | None = None
    """Where the pictures lie, if they were asked for and made."""


@contextmanager
def alone_with(contenders: Sequence[Contender], setting: Setting) -> Iterator[None]:
    """Be the only process that writes the records of methods, and their results for the MATLAB script.

    Raises
    ------
    HsbenchError
        If another process writes one of them; the message names it.
    """
    with ExitStack() as stack:
        targets: dict[Path, None] = {}
        for contender in contenders:
            run = _Run(contender, setting)
            targets[setting.store.path(run.record())] = None
            if setting.save_mat is not None:
                targets[run.cubes_path()] = None
        for target in targets:
            stack.enter_context(alone(target))
        yield


def begun(contender: Contender, setting: Setting) -> Record:
    """Return the record of a run as it stands before the first scene, without weights: what a store is asked by."""
    return _Run(contender, setting).record()


def run_method(contender: Contender, setting: Setting) -> Result:
    """Run one method over the planned scenes, score it, and write its record after every scene.

    What goes wrong with the method or with a scene is not raised: the record says it, and keeps what was scored.

    Raises
    ------
    DifferentDataError
        If a scene is not the one that its name says: no record of the data set is to mention it.
    KeyboardInterrupt
        After the record has been written. The next run of the same method takes up where this one stopped.
    """
    run = _Run(contender, setting)
    try:
        if run.equip():
            run.fuse_all()
    except DifferentDataError:
        raise
    except HsbenchError as error:
        setting.listener.failed(contender.name, error)
        run.fail(str(error))
    except KeyboardInterrupt:
        run.fail("interrupted")
        run.write()
        raise
    except BaseException as error:  # a stranger's network may raise anything while it is built, trained or loaded
        setting.listener.failed(contender.name, error)
        run.fail(reason_of(error))
    unpainted = run.finish_pictures()
    written = run.write()
    lost = run.finish_cubes() or unpainted
    made = run.gallery.folder if run.gallery is not None and run.pictures is not None else None
    return Result(run.record(), run.speed, written, run.export.path if run.export else None, lost, made)


class _Run:
    """The state of one method's run."""

    def __init__(self, contender: Contender, setting: Setting) -> None:
        self.contender = contender
        self.setting = setting
        self.method = contender.method
        self.fusing: Method | None = None
        """The method with its weights, where it needs some."""
        self.weights: Weights | None = None
        self.chosen: Chosen | None = None
        """A file of weights, or a folder of those that each scene has of its own."""
        self.scene_weights: dict[str, Weights] = {}
        self.model = ModelInfo()
        self.results: dict[str, SceneResult] = {}
        self.speed: Speed | None = None
        self.error: str | None = None
        self.without_weights = False
        self.measured = False
        self.export: MatExport | None = None
        self.gallery: Gallery | None = None
        self.pictures: str | None = None
        """Digest of their `pictures.json`, once they are made."""
        self.known: frozenset[Truth] = frozenset() if setting.blind else frozenset(get_args(Truth))

    # -- before the first scene

    def equip(self) -> bool:
        """Import the method and give it weights; return whether it can run."""
        if self.contender.error is not None:
            raise self.contender.error
        self.fusing = self.method
        if not isinstance(self.method, NetworkMethod):
            return True
        if self.setting.blind and self.method.card.uses:
            raise HsbenchError(f"{self.method.card.title} learns with the true camera and cannot run blind")
        setting, problem = self.setting, self.setting.task.problem
        make_deterministic()
        total, trainable = count_parameters(self.method.build(problem))
        self.model = ModelInfo(parameters=total, trainable=trainable)
        if self.contender.loaded is not None:
            self.fusing, self.weights = self.contender.loaded, self.contender.loaded.weights
            if self.weights is not None:
                setting.listener.weights_taken(self.contender.name, self.weights.describe())
            return True
        try:
            self.chosen = self._choose(self.method)
        except NoWeightsError as error:
            self.without_weights = True
            self.error = str(error)
            return False
        if not self.chosen.path.is_dir():
            self._load(self.chosen)
        return True

    def _load(self, chosen: Chosen, scene: str | None = None) -> Weights:
        """Give the method the weights that were chosen, or those of a scene."""
        assert isinstance(self.method, NetworkMethod)
        setting = self.setting
        loaded = chosen.load(self.method, setting.task.problem, self._device(), tile=setting.tile, scene=scene)
        assert loaded.weights is not None
        if self.weights is None:
            setting.listener.weights_taken(self.contender.name, chosen.describe(loaded.weights))
        self.fusing, self.weights = loaded, loaded.weights
        return loaded.weights

    def _take_weights_of(self, scene: str) -> None:
        """Give the method the weights that a scene has of its own, where it has."""
        if self.chosen is None or not self.chosen.path.is_dir():
            return
        self.scene_weights[scene] = self._load(self.chosen, scene)
        self.weights = joined(self.chosen.path, self.scene_weights)

    def _choose(self, method: NetworkMethod) -> Chosen:
        """Choose weights that there are, or train some."""
        setting, name = self.setting, self.contender.name
        given = setting.weights.get(name)
        if given is not None or setting.budget is None:
            return choose(name, method, setting.task, given)
        from hsfusion_bench.training.scenes import TrainingScenes
        from hsfusion_bench.training.session import train_weights

        scenes = TrainingScenes(setting.task.train)
        path = cached_path(name, method, setting.task.id, setting.seed)
        course = Course(seed=setting.seed, device=self._device_type(), resume=setting.resume)
        trained = train_weights(method, scenes, path, setting.budget, course, setting.listener)
        return Chosen(trained.path, f"of this run's training ({trained.path})")

    # -- scene by scene

    def fuse_all(self) -> None:
        """Fuse and score the planned scenes, one at a time."""
        setting = self.setting
        names = setting.task.names
        earlier = self._earlier()
        if setting.save_mat is not None:
            self.export = MatExport(self.cubes_path(), names, _identity(self.record()))
        if setting.pictures:
            record = self.record()
            self.gallery = Gallery(folder_of(setting.store, record), setting.task, _identity(record))
        for number, name in enumerate(names, start=1):
            try:
                scene = setting.task[name]
            except DifferentDataError:  # another scene under this one's name has no place in a record
                raise
            except HsbenchError as error:  # one bad file costs one scene
                self.results[name] = SceneResult(name=name, digest=None, error=str(error))
                continue
            digest = scene_digest(scene.hr_hsi)
            self._take_weights_of(name)
            if self.measured and name in earlier and earlier[name].digest == digest and self._has_more(name, digest):
                self.results[name] = earlier[name]
            else:
                fused = self._fuse(scene) if self.measured else self._measure(scene)
                if (doubt := doubts_about(fused, scene.hr_hsi)) is not None:
                    _LOG.warning("warning: %s %s, for scene %s", self.contender.name, doubt, name)
                self.results[name] = scene_result(
                    name, digest, scene.hr_hsi, fused, setting.task.scale, scene.cropped_from, setting.also
                )
                if self.export is not None:
                    self.export.add(name, digest, scene.hr_hsi, fused)
                if self.gallery is not None:
                    self.gallery.add(name, digest, scene.hr_hsi, fused)
            setting.listener.scene_done(self.contender.name, name, number, len(names))
            if number < len(names):
                self.write()

    def cubes_path(self) -> Path:
        """Return where the results for the MATLAB script belong: called as the record is."""
        assert self.setting.save_mat is not None
        record = self.setting.store.path(self.record())
        return self.setting.save_mat / record.parent.name / f"{record.stem}.mat"

    def _has_more(self, name: str, digest: str) -> bool:
        """Whether cube and pictures of a scene that was scored earlier are here, where they are asked for."""
        has_cube = self.export is None or self.export.has(name, digest)
        return has_cube and (self.gallery is None or self.gallery.has(name, digest))

    def finish_pictures(self) -> str | None:
        """Put the pictures in their place, if they were asked for; returns why not, where they are not."""
        record = self.record()
        if self.gallery is None or self.setting.store.keeps(record):  # those of the record that is kept stay, too
            return None
        try:
            self.pictures = self.gallery.finish(complete=record.status == "ok")
        except HsbenchError as error:
            return str(error)
        return None

    def finish_cubes(self) -> str | None:
        """Write the results for the MATLAB script, if they were asked for; returns why not, where they are not."""
        if self.setting.save_mat is None:
            return None
        if self.export is None:
            return f"there are no cubes to be written to {self.cubes_path()}"
        try:
            self.export.finish()
        except HsbenchError as error:
            return str(error)
        return None

    def _measure(self, scene: Scene) -> Cube:
        """Fuse a scene, and measure while at it: operations, memory, latency."""
        assert self.fusing is not None
        found = measure(self.fusing, self._seen(scene), self._device(), scene.name, count=self.setting.counting)
        self.model = self.model.model_copy(update={"flops": found.flops, "tiles": found.tiles})
        self.measured = True
        if self.setting.timing:
            self.speed = self._time(scene, found.memory)
        return found.cube

    def _time(self, scene: Scene, memory: Memory | None) -> Speed:
        assert self.method is not None
        assert self.fusing is not None
        method, fusing, setting, device = self.method, self.fusing, self.setting, self._device()
        observation = self._seen(scene)
        threads = None if device.type == "cuda" else _threads(fusing.network is not None)
        return Speed(
            method=self.contender.name,
            variant=method_info(self.contender, method, self.known).variant,
            version=self.contender.origin.version,
            dataset=setting.task.source.name,
            scale=setting.task.scale,
            protocol=setting.task.protocol.id,
            device_kind="GPU" if device.type == "cuda" else "CPU",
            device=device_name(device),
            threads=threads,
            latency=measure_latency(lambda: fusing.fuse(observation), device, scene.hr_hsi.shape[1:], warmed_up=1),
            memory=memory,
            measured=datetime.now(UTC).date().isoformat(),
            environment=self._environment(),
        )

    def _fuse(self, scene: Scene) -> Cube:
        assert self.fusing is not None
        return fuse_checked(self.fusing, self._seen(scene), scene.name)

    def _seen(self, scene: Scene) -> Observation:
        """Return what the method may see of a scene, and remember which truths there were."""
        assert self.method is not None
        observation = scene.observation.blind() if self.setting.blind else scene.observation
        self.known = observation.known
        return observation.seen_by(self.method.card)

    def _earlier(self) -> dict[str, SceneResult]:
        """Return the scenes of an unfinished run of the very same thing, scored by the same indexes."""
        earlier = self.setting.store.unfinished(self.record())
        if earlier is None or _identity(earlier) != _identity(self.record()):
            return {}
        also = self.setting.also
        return {scene.name: scene for scene in earlier.scenes if scene.psnr is not None and scene.further == also}

    # -- the record

    def fail(self, message: str) -> None:
        """Note why the run stopped."""
        self.error = message

    def write(self) -> Written:
        """Write what there is: the record, and the speed if it was measured."""
        if self.speed is not None:
            self.setting.store.write_speed(self.speed)
        return self.setting.store.write(self.record())

    def record(self) -> Record:
        """Return the record as it stands."""
        setting = self.setting
        scenes = [self.results.get(name) or SceneResult(name=name, digest=None) for name in setting.task.names]
        bad = next((f"{scene.name}: {scene.error}" for scene in scenes if scene.error is not None), None)
        scored = sum(scene.psnr is not None for scene in scenes)
        return Record(
            status="no weights" if self.without_weights else status_of(scenes),
            error=self.error or bad,
            method=method_info(self.contender, self.method, self.known),
            dataset=dataset_info(setting.task, scored),
            scenes=scenes,
            summary=summary_of(scenes),
            model=self.model,
            weights=weights_info(self.weights),
            metrics=metrics_info(setting.task.scale),
            seed=setting.seed,
            device=self._device_type(),
            environment=self._environment(),
            pictures=self.pictures,
        )

    def _device(self) -> torch.device:
        import torch

        return torch.device(self._device_type())

    def _environment(self) -> dict[str, str]:
        return environment(self._device_type() if isinstance(self.method, NetworkMethod) else None)

    def _device_type(self) -> str:
        """Return where the method computes: only networks know another device than the CPU."""
        if self.contender.loaded is not None:
            return self.contender.loaded.device.type
        return self.setting.device if isinstance(self.method, NetworkMethod) else "cpu"


def _identity(record: Record) -> dict[str, Any]:
    """Return all of a record that must agree before scenes of one run may be taken over into another."""
    return record.model_dump(exclude={"scenes", "summary", "status", "error", "model", "pictures"}) | {
        "dataset": record.dataset.model_dump(exclude={"scenes"})
    }


def _threads(network: bool) -> int:
    if network:
        import torch

        return torch.get_num_threads()
    return cores()
