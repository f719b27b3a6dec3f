"""Which weights a network is given.

Those that are named; else those of one's own training; else, of the catalogue, the best that are here. Under changed
conditions those that were trained under just these come first; then, in the same order, those of the protocol itself,
and it is said. Nothing is fetched without being asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError, UsageError, reason_of_system
from hsfusion_bench.files import sha256_file
from hsfusion_bench.methods import LoadedNetwork, NetworkMethod, Problem, Tile
from hsfusion_bench.methods.options import changed_options
from hsfusion_bench.methods.weights import Weights, cached_path, scenes_folder
from hsfusion_bench.runs.weights.catalogue import Entry, catalogue, of_content
from hsfusion_bench.suggest import suggestion

if TYPE_CHECKING:
    import torch

Named: TypeAlias = Path | Entry
"""Weights that a user names: a file, a folder of one file a scene, or an entry of the catalogue."""


class NoWeightsError(HsbenchError):
    """There are none; the message says how to get some."""


@dataclass(frozen=True)
class Chosen:
    """Weights that a network is given.

    Parameters
    ----------
    path
        The file, or a folder of one file a scene.
    source
        Where they are from, in words.
    entry
        What the catalogue knows of them.
    better
        An entry that scored more, and is not here.
    elsewhere
        Name of the protocol that they were trained under, where the images were made under changed conditions of it.
    """

    path: Path
    source: str
    entry: Entry | None = None
    better: Entry | None = None
    elsewhere: str | None = None

    def load(
        self,
        method: NetworkMethod,
        problem: Problem,
        device: str | torch.device,
        *,
        tile: Tile = "auto",
        scene: str | None = None,
    ) -> LoadedNetwork:
        """Return the method with these weights, or with those of a scene; raises as `NetworkMethod.load`."""
        path = self.path if scene is None else self.path / f"{scene}.safetensors"
        loaded = method.load(path, problem, device, tile=tile)
        assert loaded.weights is not None
        told = replace(loaded.weights, source=self.source)
        if self.entry is not None:
            told = replace(told, catalogue=self.entry.id, trained=self.entry.budget)
        return replace(loaded, weights=told)

    def describe(self, weights: Weights) -> str:
        """Say in one line which weights ran, where they are from, what budget they had, and what would be better."""
        scored = f"; {self.entry.score} dB on its test split" if self.entry and self.entry.record else ""
        hint = f"; better ones are to be had: {self.better.command}" if self.better else ""
        of_base = f"; none were trained under these conditions: they are of protocol {self.elsewhere}"
        return f"{weights.describe()}{scored}{of_base if self.elsewhere else ''}{hint}"


def named(text: str | Path) -> Named:
    """Return what is meant by a name of weights: a file that is here, else an entry of the catalogue.

    Raises
    ------
    UsageError
        If there is neither; of what can only be a file, loading says so.
    """
    path = Path(text).expanduser()
    if path.exists() or isinstance(text, Path):
        return path
    known = catalogue()
    if text in known:
        return known[text]
    if path.suffix or path.name != text:
        return path
    raise UsageError(
        f"weights {text!r}: there is no such file, and none of that name in the catalogue{suggestion(text, known)}"
    )


def choose(name: str, method: NetworkMethod, task: Task, given: Named | None = None) -> Chosen:
    """Choose the weights of a network for a task.

    Parameters
    ----------
    name
        What the method is called by in records.
    method
        With its options.
    task
        What is to be fused: options, data set, scale, protocol and split of weights of the catalogue must be its own;
        or the protocol that its own is a variant of, with as many channels.
    given
        What the user names.

    Raises
    ------
    NoWeightsError
        If nothing is named, and none are here.
    HsbenchError
        If those that are named are not here or do not fit, or a file that was fetched has changed since.
    """
    if given is not None:
        return choose_named(given, method, task.problem)
    fitting = _fitting(name, method, task)
    chosen = _here(name, method, task, fitting)
    if chosen is not None:
        return chosen
    base = _of_original(task)
    if base is None:
        raise NoWeightsError(_ways(name, method, task, fitting))
    of_base = _fitting(name, method, base)
    chosen = _here(name, method, base, of_base)
    # weights that each scene has of its own were fitted to these very images under the protocol itself
    if chosen is None or chosen.path.is_dir():
        raise NoWeightsError(_ways(name, method, task, fitting or of_base))
    return replace(chosen, elsewhere=base.protocol.id)


def _here(name: str, method: NetworkMethod, task: Task, fitting: list[Entry]) -> Chosen | None:
    """Return the weights that are here for just this task: of one's own training, else of the catalogue."""
    own = cached_path(name, method, task.id)
    for there in (own, scenes_folder(own)):
        if there.exists():
            return Chosen(there, f"from your own training ({there})", _known(there))
    for entry in fitting:
        if entry.path.is_file():
            better = fitting[0] if fitting[0].psnr != entry.psnr else None
            return replace(_of_catalogue(entry), better=better)
    return None


def _of_original(task: Task) -> Task | None:
    """Return the task under the protocol that its own is a variant of; None if it is none, or has other channels."""
    original = task.protocol.original
    if original is None:
        return None
    base = replace(task, protocol=original)
    try:
        same = base.problem.msi_bands == task.problem.msi_bands
    except UsageError:  # the original's camera is not known at these wavelengths
        return None
    return base if same else None


def choose_named(given: Named, method: NetworkMethod, problem: Problem) -> Chosen:
    """Take the weights that a user names; raises as `choose`."""
    if isinstance(given, Entry):
        given.require_fits(method.card.name, changed_options(method), problem)
        return _of_catalogue(given)
    entry = _known(given) if _ships(method) else None
    if entry is not None:
        entry.require_fits(method.card.name, changed_options(method), problem)
    return Chosen(given, f"named by you ({given}{f', which is {entry.id}' if entry else ''})", entry)


def for_pair(method: NetworkMethod, problem: Problem) -> list[Entry]:
    """Return the weights of the catalogue that would load into a network for a pair of images."""
    fitting = []
    for entry in catalogue().values():
        try:
            entry.require_fits(method.card.name, changed_options(method), problem)
        except HsbenchError:
            continue
        fitting.append(entry)
    return fitting


def _of_catalogue(entry: Entry) -> Chosen:
    entry.require_here()
    return Chosen(entry.path, f"{'from the package' if entry.download is None else 'downloaded'} ({entry.id})", entry)


def _known(path: Path) -> Entry | None:
    """Return what the catalogue knows of a file, by its content."""
    if not path.is_file():
        return None
    try:
        return of_content(sha256_file(path))
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {reason_of_system(error)}") from error


def _fitting(name: str, method: NetworkMethod, task: Task) -> list[Entry]:
    """Return the weights of the catalogue that may be taken for a task, best first."""
    return sorted(
        (entry for entry in _of_method(name, method) if entry.only_if_named is None and _suits(entry, method, task)),
        key=lambda entry: float("-inf") if entry.psnr is None else entry.psnr,
        reverse=True,
    )


def _of_method(name: str, method: NetworkMethod) -> list[Entry]:
    """Return the entries of a method; a stranger's of the same name has none."""
    return [entry for entry in catalogue().values() if entry.method == name] if _ships(method) else []


def _ships(method: NetworkMethod) -> bool:
    """Whether a method ships with this package: a stranger's may have its name, or read its files in its own way."""
    return type(method).__module__.startswith("hsfusion_baselines.")


def _suits(entry: Entry, method: NetworkMethod, task: Task) -> bool:
    trained = (entry.dataset, entry.scale, entry.protocol, entry.bands, entry.msi_bands)
    problem, made = task.problem, entry.made
    return (
        trained == (task.source.name, task.scale, task.protocol.id, problem.bands, problem.msi_bands)
        and dict(entry.options) == changed_options(method)
        and made.protocol in (None, task.protocol_digest)
        # another split may test the scenes that were trained on
        and made.split in (None, task.plan.split.digest)
    )


def _ways(name: str, method: NetworkMethod, task: Task, fitting: list[Entry]) -> str:
    """Say that there are no weights, and all ways to some."""
    text = (
        f"no weights of {method.card.title} for {task.id}: train it with --train, `hsbench train` or hb.train; "
        f"or name a file with --weights {name}=FILE or weights=FILE"
    )
    if fitting:
        text += "; or get " + ", or ".join(entry.command for entry in fitting)
    others = [
        entry.id
        for entry in _of_method(name, method)
        if (entry.dataset, entry.scale) == (task.source.name, task.scale) and entry not in fitting
    ]
    if others:
        text += (
            f". The catalogue also has {', '.join(others)}, made under other conditions and taken only where named: "
            f"`hsbench weights info {others[0]}`"
        )
    return text
