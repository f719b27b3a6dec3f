"""A method with the weights that it runs with, and what a record says of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

from hsfusion_bench.determinism import make_deterministic
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import Method, NetworkMethod, Truth
from hsfusion_bench.methods.weights import Weights, cached_path
from hsfusion_bench.runs.account import dataset_info, environment, method_info, metrics_info, weights_info
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.measure import count_parameters
from hsfusion_bench.runs.records import ModelInfo, Record, SceneResult
from hsfusion_bench.runs.seeds import deciding_seed
from hsfusion_bench.runs.setting import Setting
from hsfusion_bench.runs.weights.choosing import Chosen, choose
from hsfusion_bench.training.course import Course

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Equipped:
    """A method, and the weights that it was given.

    Parameters
    ----------
    contender, setting
        The method as it was asked for, and of which run.
    fusing
        The method, with its weights once it has them.
    model
        Parameters of its network.
    chosen
        The file of its weights, or a folder of those that each scene has of its own.
    weights
        What was loaded of them; None for a folder, until `for_scene`.
    """

    contender: Contender
    setting: Setting
    fusing: Method
    model: ModelInfo
    chosen: Chosen | None = None
    weights: Weights | None = None

    @classmethod
    def of(cls, contender: Contender, setting: Setting) -> Equipped:
        """Return a method without weights: `ready` gives it some.

        Raises
        ------
        HsbenchError
            If it could not be imported, or is to run blind and cannot.
        Exception
            Whatever a stranger's network raises while it is built.
        """
        if contender.error is not None:
            raise contender.error
        method = contender.method
        assert method is not None
        if not isinstance(method, NetworkMethod):
            return cls(contender, setting, method, ModelInfo())
        if setting.blind and method.card.uses:
            raise HsbenchError(f"{method.card.title} learns with the true camera and cannot run blind")
        make_deterministic()
        total, trainable = count_parameters(method.build(setting.task.problem))
        return cls(contender, setting, method, ModelInfo(parameters=total, trainable=trainable))

    def ready(self) -> Equipped:
        """Return the method with its weights, where it needs some; it is trained first, if that is asked for.

        Raises
        ------
        NoWeightsError
            If none are here.
        HsbenchError
            If they do not fit, or the training fails.
        """
        contender, setting = self.contender, self.setting
        if not isinstance(contender.method, NetworkMethod):
            return self
        if contender.loaded is not None:
            if contender.loaded.weights is not None:
                setting.listener.weights_taken(contender.name, contender.loaded.weights.describe())
            return replace(self, fusing=contender.loaded, weights=contender.loaded.weights)
        chosen = chosen_weights(contender, contender.method, setting)
        equipped = replace(self, chosen=chosen)
        return equipped if chosen.path.is_dir() else equipped._with_weights()

    def for_scene(self, name: str) -> Equipped:
        """Return the method with the weights that a scene has of its own, where it has."""
        if self.chosen is None or not self.chosen.path.is_dir():
            return self
        return self._with_weights(name)

    def _with_weights(self, scene: str | None = None) -> Equipped:
        assert isinstance(self.contender.method, NetworkMethod)
        assert self.chosen is not None
        setting = self.setting
        loaded = self.chosen.load(
            self.contender.method, setting.task.problem, self.device, tile=setting.tile, scene=scene
        )
        assert loaded.weights is not None
        if scene is None or scene == setting.task.names[0]:
            setting.listener.weights_taken(self.contender.name, self.chosen.describe(loaded.weights))
        return replace(self, fusing=loaded, weights=loaded.weights)

    @property
    def device(self) -> torch.device:
        """Where the method computes."""
        import torch

        return torch.device(device_type(self.contender, self.setting))


def chosen_weights(contender: Contender, method: NetworkMethod, setting: Setting) -> Chosen:
    """Choose weights that there are, or train some; raises as `choose`, and what training does."""
    given = setting.weights.get(contender.name)
    if given is not None or setting.budget is None:
        return choose(contender.name, method, setting.task, given)
    from hsfusion_bench.training.scenes import TrainingScenes
    from hsfusion_bench.training.session import train_weights

    scenes = TrainingScenes(setting.task.train)
    path = cached_path(contender.name, method, setting.task.id, setting.seed)
    course = Course(seed=setting.seed, device=device_type(contender, setting), resume=setting.resume)
    trained = train_weights(method, scenes, path, setting.budget, course, setting.listener)
    return Chosen(trained.path, f"of this run's training ({trained.path})")


def device_type(contender: Contender, setting: Setting) -> str:
    """Return where a method computes: only networks know another device than the CPU."""
    if contender.loaded is not None:
        return contender.loaded.device.type
    return setting.device if isinstance(contender.method, NetworkMethod) else "cpu"


def account(contender: Contender, setting: Setting, equipped: Equipped | None = None) -> Record:
    """Return the record of a method before any scene is fused.

    Parameters
    ----------
    contender, setting
        The method, and the run.
    equipped
        As far as it is known; None: nothing is.
    """
    task, device = setting.task, device_type(contender, setting)
    known: frozenset[Truth] = frozenset() if setting.blind else frozenset(get_args(Truth))
    return Record(
        status="failed",
        method=method_info(contender, contender.method, known),
        dataset=dataset_info(task, 0),
        scenes=[SceneResult(name=name, digest=None) for name in task.names],
        summary=None,
        model=equipped.model if equipped else ModelInfo(),
        weights=weights_info(equipped.weights if equipped else None),
        metrics=metrics_info(task.scale),
        seed=deciding_seed(contender, setting, equipped.chosen if equipped else None),
        device=device,
        environment=environment(device if isinstance(contender.method, NetworkMethod) else None),
    )
