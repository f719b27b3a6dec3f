"""The task: scenes of a data set, observed by a protocol at a scale, and which of them a run is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hsfusion_bench.data.cached import CachedSource
from hsfusion_bench.data.catalog import open_dataset
from hsfusion_bench.data.observing.protocols import Part, Protocol, ProtocolChoice, Split, load_protocol
from hsfusion_bench.data.scenes import Scene, SceneSource, check_scene, require_names, require_names_of
from hsfusion_bench.errors import MissingDataError, UsageError
from hsfusion_bench.files import slug
from hsfusion_bench.methods import Problem
from hsfusion_bench.suggest import unknown


@dataclass(frozen=True)
class ScenePlan:
    """Which scenes a run asks for, and which of them are here.

    Parameters
    ----------
    split, part
        The split, and which part of it.
    asked
        Names asked for, in the split's order.
    missing
        Those of them whose files are not here.
    """

    split: Split
    part: Part
    asked: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def present(self) -> tuple[str, ...]:
        """Names asked for whose files are here."""
        return tuple(name for name in self.asked if name not in self.missing)

    @property
    def complete(self) -> bool:
        """Whether the run covers the whole part of the split."""
        return self.present == self.split.scenes(self.part)

    def __str__(self) -> str:
        """Return a line such as "2 of 11 scenes (missing: clay)"."""
        missing = f" (missing: {', '.join(self.missing)})" if self.missing else ""
        return f"{len(self.present)} of {len(self.split.scenes(self.part))} scenes{missing}"


def split_of(source: SceneSource, protocol: Protocol) -> Split:
    """Return the split of a data set: the protocol's, else the data set's own.

    Raises
    ------
    UsageError
        If there is neither.
    """
    split = protocol.splits.get(source.name) or source.split
    if split is None:
        others = f" (it splits {', '.join(protocol.splits)})" if protocol.splits else ""
        raise UsageError(
            f"protocol {protocol.id} has no split of the data set {source.name}{others}, and the data set brings none "
            "of its own"
        )
    return split


def plan_scenes(
    source: SceneSource, protocol: Protocol, part: Part = "test", names: Sequence[str] | None = None
) -> ScenePlan:
    """Say which scenes a run is about, without reading any.

    Parameters
    ----------
    source
        The data set.
    protocol
        Whose split is taken, see `split_of`.
    part
        "train" or "test".
    names
        A subset of that part; None: all of it.

    Raises
    ------
    UsageError
        If a name is no scene of the data set, or not in that part of the split.
    HsbenchError
        If the data set or the split has a scene whose name is none, see `require_names`.
    """
    split = split_of(source, protocol)
    require_names_of(source)
    require_names((*split.train, *split.test), f"split {split.id}")
    scenes_of_part = split.scenes(part)
    for name in names or ():
        if name in scenes_of_part:
            continue
        if name in split.excluded:
            raise UsageError(f"scene {name} is left out of split {split.id}: {split.excluded[name]}")
        if name in source.scene_names():
            raise UsageError(f"{name} is not one of the {part} scenes of split {split.id}: {', '.join(scenes_of_part)}")
        raise UsageError(unknown(f"{part} scene", name, scenes_of_part))
    asked = tuple(name for name in scenes_of_part if names is None or name in names)
    missing = source.missing()
    return ScenePlan(split, part, asked, tuple(name for name in asked if name in missing))


def require_present(source: SceneSource, plan: ScenePlan) -> None:
    """Refuse a plan of which scenes are missing.

    Raises
    ------
    MissingDataError
        If any is; the message names them, and how to ask for those that are here.
    """
    if not plan.missing:
        return
    message = f"{source.name} lacks {len(plan.missing)} of {len(plan.asked)} scenes: {', '.join(plan.missing)}."
    if plan.present:
        message += f" To run on those that are there: --scenes {','.join(plan.present)}"
    message += f" `hsbench data check {source.name}` tells what is here, `hsbench data info {source.name}` where from"
    raise MissingDataError(message)


def require_response(source: SceneSource, protocol: Protocol) -> None:
    """Refuse a protocol whose multispectral camera cannot be told what it sees of a data set's bands.

    Raises
    ------
    UsageError
        If the camera's response, or the one that methods are told, is not known at the wavelengths of the bands, or
        needs them and they are unknown; or the two have other channels.
    """
    protocol.told_srf_at(source.band_centres)


def choose_protocol(choice: ProtocolChoice, source: SceneSource, scale: int) -> Protocol:
    """Return the protocol that a command line asks for, or that suits the data set.

    Raises
    ------
    UsageError
        If there is none of that name, it is not defined at the scale, or as `require_response`.
    HsbenchError
        If the protocol is in a file, and that is not as it should be.
    """
    name = choice.name or source.protocol
    protocol = load_protocol(replace(choice, name=name))
    # what cannot be is refused before anything is read
    protocol.psf(scale)
    protocol.told_psf(scale)
    require_response(source, protocol)
    return protocol


@dataclass(frozen=True)
class Task:
    """Scenes of a data set, observed by a protocol at a scale: what methods are run on, and compared on.

    ``task["oranges"]`` reads and observes one scene; to iterate over a task does so for one after the other, and holds
    one at a time.

    Parameters
    ----------
    source, protocol, scale
        The data set, and how it is observed.
    plan
        The scenes, and which of them are here.
    """

    source: SceneSource
    protocol: Protocol
    scale: int
    plan: ScenePlan

    @classmethod
    def over(
        cls,
        source: SceneSource,
        protocol: Protocol,
        scale: int,
        part: Part = "test",
        names: Sequence[str] | None = None,
    ) -> Task:
        """Return the task of a part of the split, or of some scenes of it; raises as `plan_scenes`."""
        return cls(source, protocol, scale, plan_scenes(source, protocol, part, names))

    @property
    def id(self) -> str:
        """What files of the task are called by, such as ``cave-x4-uestc``."""
        return f"{slug(self.source.name)}-x{self.scale}-{slug(self.protocol.id)}"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scenes that are here, in the split's order."""
        return self.plan.present

    @property
    def problem(self) -> Problem:
        """The problem that every scene poses, with the phase that methods are told."""
        msi_bands, bands = self.protocol.srf_at(self.source.band_centres).shape
        return Problem(bands, msi_bands, self.scale, self.protocol.told_phase(self.scale))

    @property
    def protocol_digest(self) -> str:
        """SHA-256 of all that the protocol does at this scale to these bands."""
        return self.protocol.digest(self.scale, self.source.band_centres)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[Scene]:
        for name in self.names:
            yield self[name]

    def __getitem__(self, name: str) -> Scene:
        """Read one scene, check its values, crop it if the protocol does, and observe it.

        Raises
        ------
        UsageError
            If the task has no such scene, or as `require_response`, `Protocol.observe` and `Protocol.cropped`.
        HsbenchError
            If the scene is not here, is damaged, or holds values outside [0, 1].
        """
        if name not in self.plan.asked:
            raise UsageError(unknown(f"scene of {self.id}", name, self.plan.asked))
        require_response(self.source, self.protocol)  # before anything is read
        whole = self.source.read(name)
        check_scene(name, whole, self.source.bands)
        hr_hsi = self.protocol.cropped(whole, self.scale)
        _, height, width = whole.shape
        return Scene(
            name,
            hr_hsi,
            self.protocol.observe(hr_hsi, self.scale, self.source.band_centres, name),
            cropped_from=(height, width) if hr_hsi.shape != whole.shape else None,
        )

    def __str__(self) -> str:
        return f"{self.source.name} ×{self.scale}, protocol {self.protocol.id}, {self.plan}"

    @property
    def train(self) -> Task:
        """The same with the training scenes of the split, as far as they are here."""
        return self.of("train")

    def of(self, part: Part, names: Sequence[str] | None = None) -> Task:
        """Return the same with a part of the split, or some scenes of it.

        Raises
        ------
        UsageError
            If a name is not of that part.
        """
        return Task.over(self.source, self.protocol, self.scale, part, names)

    @contextmanager
    def cached(self) -> Iterator[Task]:
        """Give the same task with scenes that are decoded once, and kept in temporary files until the end."""
        with CachedSource(self.source) as source:
            yield replace(self, source=source)


def open_task(
    dataset: str,
    scale: int,
    *,
    protocol: str | ProtocolChoice | None = None,
    data_root: str | Path | None = None,
    scenes: Sequence[str] | None = None,
    partial: bool = False,
    wavelengths: str | Sequence[float] | None = None,
) -> Task:
    """Open the test scenes of a data set, to be observed by a protocol at a scale.

    Parameters
    ----------
    dataset
        A name, or a file; see `hsfusion_bench.data.catalog.open_dataset`.
    scale
        Ratio of the two resolutions.
    protocol
        A name or a file, or a choice with other cameras or noise; None: what suits the data set.
    data_root
        Folder of the data set's files.
    scenes
        Only these scenes of the test split.
    partial
        Whether scenes may be missing, or the split have no test scenes at all, as for training.
    wavelengths
        Of the bands, where the data set does not state them: "400:700" for evenly spaced ones, "0.9:1.7um" in another
        unit, a text file, or numbers in nanometres; see `hsfusion_bench.formats.wavelengths.stated_by`.

    Raises
    ------
    UsageError
        If there is no such data set, protocol or scene, or the protocol is not defined at the scale, or the camera's
        response needs wavelengths that nobody states.
    HsbenchError
        If scenes are not here; the message names them.
    """
    source = open_dataset(dataset, data_root, wavelengths)
    choice = protocol if isinstance(protocol, ProtocolChoice) else ProtocolChoice(protocol)
    chosen = choose_protocol(choice, source, scale)
    task = Task.over(source, chosen, scale, names=scenes)
    if not partial:
        require_present(source, task.plan)
    return task
