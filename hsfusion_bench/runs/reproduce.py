"""A row run again from its own account, and held against what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isnan
from pathlib import Path
from typing import Any, Final, Literal

from hsfusion_bench import machine
from hsfusion_bench.data.observing.protocols import choice_of
from hsfusion_bench.data.scenes import scene_digest
from hsfusion_bench.data.task import Task, open_task
from hsfusion_bench.devices import choose_device
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.files import sha256_file, slug, user_cache
from hsfusion_bench.methods import Method, NetworkMethod, Tile, Truth
from hsfusion_bench.methods.options import options_of
from hsfusion_bench.methods.weights import cached_path, joined_digest, scenes_folder
from hsfusion_bench.registry import entries
from hsfusion_bench.runs import account
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.differences import Difference, Effect, differences, scenes_of
from hsfusion_bench.runs.recorded import recorded_root, say_once
from hsfusion_bench.runs.records import Record, SceneResult, Store, WeightsInfo, read_record
from hsfusion_bench.runs.runner import run_method
from hsfusion_bench.runs.setting import Listener, Setting
from hsfusion_bench.runs.weights.catalogue import of_content
from hsfusion_bench.scratch import TemporaryFolder
from hsfusion_bench.suggest import unknown
from hsfusion_metrics import METRICS

#: Indexes agree within rounding if they differ by no more, relatively. Measured with other kernels (AVX2 and SSE for
#: AVX-512): IR-TenSR and NSSR differ by up to 7e-5, all others by less than 3e-6; only LTMR, which clusters, by 5e-3.
#: What tables print hardly changes by it: it is 0.003 dB at 34 dB.
ROUNDING: Final = 1e-4
#: The same for an index near 0.
_NEAR_ZERO: Final = 1e-6

Verdict = Literal["identical", "equal within rounding", "differs", "not run"]


@dataclass(frozen=True)
class Asked:
    """What a record cannot tell of itself, and how it is to be run again.

    Parameters
    ----------
    data_root
        Folder of the data set's files.
    dataset, protocol, method
        Where these are files of the user's own: ``mat:FILE``, ``FILE.toml``, ``FILE.py:NAME``; or a `Method` itself.
    scenes
        Only these of the recorded scenes.
    weights
        File of the weights; None: one of the recorded SHA-256 is looked for.
    device
        "auto", "cpu" or "cuda"; None: as recorded.
    force
        Run even if the account already says that it is not the same thing.
    """

    data_root: str | Path | None = None
    dataset: str | None = None
    protocol: str | None = None
    method: str | Method | Callable[..., Any] | None = None
    scenes: Sequence[str] | None = None
    weights: Path | None = None
    device: str | None = None
    force: bool = False


@dataclass(frozen=True)
class SceneComparison:
    """A scene's indexes as recorded and as found here."""

    name: str
    recorded: SceneResult
    here: SceneResult

    @property
    def indexes(self) -> tuple[str, ...]:
        """The seven, and what was recorded beyond them."""
        return (*METRICS, *self.recorded.further)

    @property
    def relative(self) -> dict[str, float]:
        """Differences of the indexes, relative to the recorded ones."""
        return {name: _relative(getattr(self.recorded, name), getattr(self.here, name)) for name in self.indexes}

    @property
    def largest(self) -> tuple[str, float]:
        """The index that differs most, relatively, and by how much."""
        return max(self.relative.items(), key=lambda item: item[1])

    @property
    def identical(self) -> bool:
        """Whether every index is the same, bit for bit."""
        return all(_same(getattr(self.recorded, name), getattr(self.here, name)) for name in self.indexes)

    @property
    def within_rounding(self) -> bool:
        """Whether every index is the same within `ROUNDING`."""
        return self.largest[1] <= ROUNDING


@dataclass(frozen=True)
class Reproduction:
    """A row, and what running it again gave.

    Parameters
    ----------
    recorded
        The record.
    here
        That of the run here; None if nothing was run.
    differences
        Of the two accounts.
    scenes
        The scenes that were run; none if nothing was.
    weights
        The file that the network ran with.
    """

    recorded: Record
    here: Record | None
    differences: tuple[Difference, ...]
    scenes: tuple[SceneComparison, ...] = ()
    weights: Path | None = None

    @property
    def verdict(self) -> Verdict:
        """What is to be said of the row."""
        if self.here is None:
            return "not run"
        if self.of_effect(Effect.OTHER) or not all(scene.within_rounding for scene in self.scenes):
            return "differs"
        return "identical" if all(scene.identical for scene in self.scenes) else "equal within rounding"

    @property
    def reproduced(self) -> bool:
        """Whether the row holds: identical, or equal within rounding."""
        return self.verdict in ("identical", "equal within rounding")

    @property
    def largest(self) -> tuple[str, str, float]:
        """Scene and index that differ most, relatively, and by how much."""
        return max(((scene.name, *scene.largest) for scene in self.scenes), key=lambda found: found[2])

    def of_effect(self, *effects: Effect) -> list[Difference]:
        """Return the differences of the accounts that have one of these effects."""
        return [difference for difference in self.differences if difference.effect in effects]


def find_record(
    asked: str, dataset: str | None = None, scale: int | None = None, protocol: str | None = None
) -> tuple[Path, Record]:
    """Return a record and its path: that of a file, or one that comes with the package, by its file's name.

    Raises
    ------
    UsageError
        If a name is of no such record, or of several.
    HsbenchError
        If the file is not there, or is no record.
    """
    if asked.endswith(".json") or Path(asked).is_file():
        path = Path(asked).expanduser()
        return path, read_record(path)
    paths = sorted(recorded_root().glob(f"*-x*-*/{slug(asked)}.json"))
    found = []
    for path in paths:
        try:
            record = read_record(path)
        except HsbenchError as error:
            say_once(str(error))
            continue
        told = record.dataset
        if dataset in (None, told.name) and scale in (None, told.scale) and protocol in (None, told.protocol):
            found.append((path, record))
    if len(found) == 1:
        return found[0]
    if found:
        ways = "; ".join(
            f"--dataset {record.dataset.name} --scale {record.dataset.scale} --protocol {record.dataset.protocol}"
            for _, record in found
        )
        raise UsageError(f"{asked}: {len(found)} records of that name come with hsbench; say which by {ways}")
    there = sorted({path.stem for path in recorded_root().glob("*-x*-*/*.json")})
    of = "" if not paths else " of that data set, scale and protocol"
    raise UsageError(
        f"{asked}: no record of that name{of} comes with hsbench, and there is no such file. There are: "
        f"{', '.join(path.parent.name for path in paths) if paths else ', '.join(there)}"
    )


def reproduce(record: Record, asked: Asked | None = None, listener: Listener | None = None) -> Reproduction:
    """Run a row again from its own account. Nothing is written.

    Parameters
    ----------
    record
        The row.
    asked
        What the record cannot tell.
    listener
        Is told how the run goes.

    Returns
    -------
    Reproduction
        Where the account already says that it is not the same thing (other data, another protocol), nothing was run,
        unless that was asked for.

    Raises
    ------
    UsageError
        If a scene is asked for that was not recorded.
    HsbenchError
        If the row cannot be run here: results made elsewhere, a run that failed, a method, a data set or weights that
        are not here. The message says what is missing. Also if the run here fails.
    """
    asked = asked or Asked()
    names = _require_scores(record, asked.scenes)
    contender = _contender(record, asked)
    task = _task(record, asked, names)
    with task.cached() as cached:
        weights = _weights(record, contender, cached, asked)
        device = choose_device(asked.device or record.device)
        planned = _planned(record, contender, cached, device, weights)
        before = differences(record, planned)
        if not asked.force and any(each.effect is Effect.OTHER for each in before):
            return Reproduction(record, None, tuple(before), weights=weights)
        here = _run(record, contender, cached, device, weights, listener or Listener())
    if weights is not None and record.weights is not None and weights.is_dir():
        # of weights that each scene has of its own, the digest of all was compared before
        here = here.model_copy(update={"weights": planned.weights})
    then, now = scenes_of(record), scenes_of(here)
    compared = tuple(SceneComparison(name, then[name], now[name]) for name in task.names)
    return Reproduction(record, here, tuple(differences(record, here)), compared, weights)


def _require_scores(record: Record, scenes: Sequence[str] | None) -> list[str]:
    """Return the names of the scenes that are to be run again."""
    name = record.method.name
    if record.external is not None or record.method.origin == "external":
        raise HsbenchError(
            f"{name}: these results were made elsewhere, and nothing here can make them again. `hsbench evaluate` "
            "scores their cubes again, where they are at hand"
        )
    scored = scenes_of(record)
    if not scored:
        raise HsbenchError(
            f"{name}: the record has no indexes that could be reproduced: {record.error or record.status}"
        )
    for scene in scenes or ():
        if scene not in scored:
            raise UsageError(f"scene {scene} is not among those of the record: {', '.join(scored)}")
    return [scene for scene in scored if scenes is None or scene in scenes]


def _contender(record: Record, asked: Asked) -> Contender:
    """Find the method, and give it the recorded options that it has."""
    told = record.method
    if told.origin == "file" and asked.method is None:
        raise HsbenchError(
            f"{told.name} is a method in a file, {told.distribution}"
            + (f", whose SHA-256 begins with {told.version}" if told.version else "")
            + ": name it by --method FILE.py:NAME"
        )
    try:
        if asked.method is None and told.name not in entries():
            # a record is data: what it calls a method is a name, and never a file to be run
            raise UsageError(unknown("method", told.name, entries()))
        plain = Contender.of(asked.method or told.name)
    except UsageError as error:
        if told.origin != "plugin" or asked.method is not None:
            raise
        raise HsbenchError(
            f"{told.name} is a method of the package {told.distribution} {told.version}, which is not installed here"
        ) from error
    if plain.error is not None:
        raise plain.error
    if plain.loaded is not None:
        raise UsageError(f"{plain.name} is loaded: give the method itself, and its weights by `weights`")
    assert plain.method is not None
    known = options_of(plain.method)
    settings = {name: _text(value) for name, value in told.options.items() if name in known}
    return Contender.of(asked.method or told.name, settings)


def _task(record: Record, asked: Asked, names: Sequence[str]) -> Task:
    """Open the recorded scenes, observed as recorded."""
    told = record.dataset
    own = asked.protocol if asked.protocol and asked.protocol.endswith(".toml") else None
    try:
        protocol = choice_of(told.protocol, own)
    except UsageError as error:
        raise HsbenchError(
            f"protocol {told.protocol}, digest {told.protocol_digest[:12]}, cannot be made from its name: {error} "
            "The file of one's own is named by --protocol FILE.toml"
        ) from error
    dataset = asked.dataset or told.name
    prefix, colon, file = dataset.partition(":")
    if asked.dataset is None and told.name.endswith(".toml"):
        raise HsbenchError(f"the data set {told.name} is a description in a file: name it by --dataset FILE.toml")
    if asked.dataset is None and colon and not Path(file.partition(":")[0]).is_file():
        raise HsbenchError(f"the data set {told.name} is a file: name it by --dataset {prefix}:FILE")
    given = told.wavelengths
    return open_task(dataset, told.scale, protocol=protocol, data_root=asked.data_root, scenes=names, wavelengths=given)


def _planned(record: Record, contender: Contender, task: Task, device: str, weights: Path | None) -> Record:
    """Return the account of the run that is to be made: all but its indexes."""
    method = contender.method
    assert method is not None
    network = isinstance(method, NetworkMethod)
    known: frozenset[Truth] = frozenset() if record.method.estimated else frozenset(("psf", "srf"))
    return record.model_copy(
        update={
            "method": account.method_info(contender, method, known),
            "dataset": account.dataset_info(task, 0),
            "scenes": [
                SceneResult(name=scene.name, digest=scene_digest(scene.hr_hsi), cropped_from=scene.cropped_from)
                for scene in task
            ],
            "summary": None,
            "weights": _told_of(weights, record),
            "metrics": account.metrics_info(task.scale),
            "device": device if network else "cpu",
            "environment": account.environment(device if network else None),
        }
    )


def _told_of(weights: Path | None, record: Record) -> WeightsInfo | None:
    """Return what the record says of its weights, with the digest of those that are here."""
    if weights is None or record.weights is None:
        return None
    digest = weights_digest(weights, list(scenes_of(record)))
    return record.weights.model_copy(update={"sha256": digest, "file": weights.name})


def _run(
    record: Record, contender: Contender, task: Task, device: str, weights: Path | None, listener: Listener
) -> Record:
    with TemporaryFolder() as scratch:
        setting = Setting(
            task=task,
            store=Store(scratch),
            device=device,
            seed=record.seed or 0,
            timing=False,
            counting=task.names[0] == next(iter(scenes_of(record))),  # as the recorded run did, to the last bit
            weights={} if weights is None else {contender.name: weights},
            blind=bool(record.method.estimated),
            also=record.further,
            tile=_tile(record, contender.method),
            listener=listener,
        )
        here = run_method(contender, setting).record
    if here.status != "ok":
        raise HsbenchError(f"{record.method.name} ran, but failed here: {here.error}")
    return here


def _tile(record: Record, method: Method | None) -> Tile:
    """Return the tiles in which the recorded run fused."""
    tiles = record.model.tiles
    if tiles is None:
        return "none"
    from hsfusion_bench.methods.tiling import Tiles  # which needs torch

    usual = method.default_tile if isinstance(method, NetworkMethod) else None
    if usual is not None and Tiles.of(usual, record.dataset.scale).side == tiles.side:
        return "auto"  # smaller images are fused whole
    return tiles.side


# -- weights


def _weights(record: Record, contender: Contender, task: Task, asked: Asked) -> Path | None:
    """Find the weights that the recorded run had."""
    told = record.weights
    if told is None:
        if asked.weights is not None:
            raise UsageError(f"--weights {asked.weights}: {record.method.name} was recorded without weights")
        return None
    if asked.weights is not None:
        if not asked.weights.exists():
            raise HsbenchError(f"{asked.weights}: there is no such weights file")
        return asked.weights
    scenes = list(scenes_of(record))
    folders = told.training is not None and told.training.per_scene
    for path in _candidates(contender, task, record.training_seed, folders=folders):
        if weights_digest(path, scenes) == told.sha256:
            return path
    raise HsbenchError(_no_weights(record, told, task))


def _candidates(contender: Contender, task: Task, seed: int, *, folders: bool) -> Iterator[Path]:
    """Give the files (or folders of one a scene) that may hold the weights, the likeliest first."""
    assert isinstance(contender.method, NetworkMethod)
    usual = cached_path(contender.name, contender.method, task.id, seed)
    likely = scenes_folder(usual) if folders else usual
    if likely.exists():
        yield likely
    for root in (user_cache() / "weights", recorded_root() / "weights"):
        for path in sorted(root.rglob("*")):
            wanted = path.is_dir() and path.suffix == ".scenes" if folders else path.is_file()
            if wanted and path != likely and path.suffix not in (".json", ".csv", ".part"):
                yield path


def weights_digest(path: Path, scenes: Sequence[str]) -> str | None:
    """Return the SHA-256 by which a record knows a file of weights, or a folder of one a scene.

    None where a scene has no file in the folder.
    """
    if path.is_file():
        return sha256_file(path)
    files = {scene: path / f"{scene}.safetensors" for scene in scenes}
    if not all(file.is_file() for file in files.values()):
        return None
    return joined_digest({scene: sha256_file(file) for scene, file in files.items()})


def _no_weights(record: Record, told: WeightsInfo, task: Task) -> str:
    """Say which weights are missing, and how to get them."""
    text = (
        f"the weights of {record.method.name} are not here: {told.file}, SHA-256 {told.sha256}. "
        f"Looked for in {user_cache() / 'weights'} and {recorded_root() / 'weights'}; --weights FILE names them. "
    )
    known = of_content(told.sha256)
    if known is not None and known.download is not None:
        return text + f"Or {known.command} fetches them"
    if told.origin == "authors":
        return text + "They are a file that the method's authors released"
    budget = f" ({told.training.describe()})" if told.training else ""
    return text + (
        f"They were trained by hsbench{budget}. Training again gives them on the same machine only: with other CPUs, "
        f"instructions or threads, training amplifies the rounding, and the numbers are others{_elsewhere(told)}"
    )


def _elsewhere(told: WeightsInfo) -> str:
    """Say what of the machine that trained the weights is another one here."""
    made = told.training
    if made is None or made.machine is None:
        return ""
    here = machine.of_training(made.device if made.device == "cpu" else choose_device("auto"))
    others = [
        f"{name} {before} (here {here.get(name, 'none')})"
        for name, before in made.machine.items()
        if here.get(name) != before
    ]
    return f". They were trained with {', '.join(others)}" if others else ". This machine is such a one"


# -- numbers


def _same(recorded: float | None, here: float | None) -> bool:
    if recorded is None or here is None:
        return recorded is here
    return recorded == here or (isnan(recorded) and isnan(here))


def _relative(recorded: float | None, here: float | None) -> float:
    """Return by how much an index differs, relatively; 0 for two that are NaN, infinite for one that is."""
    if _same(recorded, here):
        return 0.0
    if recorded is None or here is None:
        return inf
    difference = abs(recorded - here) / max(abs(recorded), _NEAR_ZERO / ROUNDING)
    return inf if isnan(difference) else difference


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
