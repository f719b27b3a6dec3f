"""Data sets by name, and the scenes of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from hsfusion_bench.data.observing.protocols import Part, Protocol, ProtocolChoice, Split, load_protocol
from hsfusion_bench.data.provenance import Provenance
from hsfusion_bench.data.scenes import Scene, SceneSource, check_scene
from hsfusion_bench.data.sources.cave import CaveSource
from hsfusion_bench.data.sources.cube import CubeSource
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.data.sources.described import DescribedSource, open_description
from hsfusion_bench.data.sources.hdf5 import HDF5Source
from hsfusion_bench.data.sources.toml_schema import read_description
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.suggest import unknown

GROUP = "hsfusion_bench.datasets"
#: Environment variable that names a folder of descriptions of the user's own.
FOLDER = "HSBENCH_DATASETS"
_BUILT_IN: Mapping[str, type[CaveSource] | type[DemoSource]] = {
    source.name: source for source in (DemoSource, CaveSource)
}
_FILES: Mapping[str, Callable[[str], SceneSource]] = {"mat": CubeSource, "h5": HDF5Source}


def dataset_names() -> dict[str, str]:
    """Return the name and title of every data set: shipped ones first, then the user's, then plugins, not imported."""
    found = {name: source.title for name, source in _BUILT_IN.items()}
    for name, path in _shipped().items():
        found[name] = read_description(path).title
    for name, path in _own().items():
        found.setdefault(name, str(path))
    for point in _plugins():
        found.setdefault(point.name, f"plugin of {_distribution(point)}")
    return found


def dataset_clashes() -> list[str]:
    """Return a line for every data set whose name is taken by one that goes before it."""
    taken = {*_BUILT_IN, *_shipped()}
    lines = []
    for name, path in _own().items():
        if name in taken:
            lines.append(f"data set {name!r} of {path} is hidden by another of that name")
        taken.add(name)
    for point in _plugins():
        if point.name in taken:
            lines.append(f"data set {point.name!r} of {_distribution(point)} is hidden by another of that name")
        taken.add(point.name)
    return lines


@dataclass(frozen=True)
class About:
    """What is known of a data set even where its files are not; the attributes are those of `SceneSource`."""

    name: str
    title: str
    wavelengths: tuple[float, ...] = ()
    split: Split | None = None
    provenance: Provenance | None = None

    @classmethod
    def of(cls, source: SceneSource | type[SceneSource]) -> About:
        """Return what a data set, or its class, says of itself."""
        return cls(source.name, source.title, tuple(source.wavelengths), source.split, source.provenance)


def about(name: str) -> About:
    """Return what is known of a data set, without its files.

    Of a plugin that registers anything but a subclass of `SceneSource` only the name and the distribution are known
    before it is opened.

    Raises
    ------
    UsageError
        If there is no data set of that name.
    """
    if name in _BUILT_IN:
        return About.of(_BUILT_IN[name])
    described = _own() | _shipped()
    if name in described or name.endswith(".toml"):
        said = read_description(described.get(name, Path(name).expanduser()))
        return About(said.name, said.title, said.stated_wavelengths(), said.as_split(), said.provenance)
    for point in _plugins():
        if point.name == name:
            try:
                target = point.load()
            except Exception:  # what is wrong is told when it is opened
                break
            if isinstance(target, type) and issubclass(target, SceneSource):
                return About.of(target)
    titles = dataset_names()
    if name not in titles:
        raise UsageError(unknown("data set", name, titles))
    return About(name, titles[name])


def open_dataset(name: str, data_root: str | Path | None = None) -> SceneSource:
    """Open a data set.

    Parameters
    ----------
    name
        One of `dataset_names`; or a file: ``mydata.toml`` describes a data set, ``mat:FILE`` or ``mat:FILE:KEY`` is
        one cube, and ``h5:FILE`` a file of samples as authors publish them.
    data_root
        Folder of its files; None takes the environment variable HSBENCH_DATA, if that is set. The data set
        `demo` needs none, nor does a file that holds all.

    Raises
    ------
    UsageError
        If there is no data set of that name, or it needs a folder and none is given.
    HsbenchError
        If its files are not there, or a description or a plugin fails.
    """
    given = data_root or os.environ.get("HSBENCH_DATA")
    root = Path(given).expanduser() if given else None
    if name in _BUILT_IN:
        return _BUILT_IN[name](root)
    if name in _shipped():
        return open_description(_shipped()[name], root)
    prefix, colon, rest = name.partition(":")
    if colon and prefix in _FILES:
        return _FILES[prefix](rest)
    if name.endswith(".toml"):
        return _open_own(Path(name).expanduser(), root)
    if name in _own():
        return _open_own(_own()[name], root)
    for point in _plugins():
        if point.name == name:
            return _open_plugin(point, root)
    raise UsageError(unknown("data set", name, dataset_names()))


def _open_own(path: Path, root: Path | None) -> DescribedSource:
    """Open what a TOML file of the user's describes; its data may lie beside it."""
    source = open_description(path, root, path.parent)
    if source.name in (*_BUILT_IN, *_shipped()):
        raise HsbenchError(
            f"{path}: {source.name!r} is a data set that we ship; give this one a name of its own (the key name, or "
            "the name of the file)"
        )
    return source


def _shipped() -> dict[str, Path]:
    return {path.stem: path for path in sorted((Path(__file__).parent / "sources" / "datasets").glob("*.toml"))}


def _own() -> dict[str, Path]:
    folder = os.environ.get(FOLDER)
    return {path.stem.lower(): path for path in sorted(Path(folder).expanduser().glob("*.toml"))} if folder else {}


def _open_plugin(point: EntryPoint, root: Path | None) -> SceneSource:
    try:
        source = point.load()(root)
    except HsbenchError:
        raise
    except Exception as error:  # a stranger's module may raise anything
        raise HsbenchError(
            f"data set {point.name!r} of {_distribution(point)} cannot be opened from {point.value}: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(source, SceneSource):
        raise HsbenchError(
            f"data set {point.name!r} of {_distribution(point)}: {point.value} gives a "
            f"{type(source).__name__}, not a hsfusion_bench.data.scenes.SceneSource"
        )
    return source


def _plugins() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda point: point.name)


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed distribution"


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
    """
    split = split_of(source, protocol)
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
    HsbenchError
        If any is; the message names them, and how to ask for those that are here.
    """
    if not plan.missing:
        return
    message = f"{source.name} lacks {len(plan.missing)} of {len(plan.asked)} scenes: {', '.join(plan.missing)}."
    if plan.present:
        message += f" To run on those that are there: --scenes {','.join(plan.present)}"
    raise HsbenchError(message)


def require_response(source: SceneSource, protocol: Protocol) -> None:
    """Refuse a protocol whose multispectral camera cannot be told what it sees of a data set's bands.

    Raises
    ------
    UsageError
        If the camera's response is not known at the wavelengths of the bands, or needs them and they are unknown.
    """
    protocol.srf_at(source.band_centres)


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
    protocol.first_sample(scale)
    require_response(source, protocol)
    return protocol


def read_scene(source: SceneSource, name: str, protocol: Protocol, scale: int) -> Scene:
    """Read one scene, check its values, crop it if the protocol does, and observe it.

    Raises
    ------
    UsageError
        As `require_response`, `Protocol.observe` and `Protocol.cropped` do.
    HsbenchError
        If the scene is not here, is damaged, or holds values outside [0, 1].
    """
    require_response(source, protocol)  # before anything is read
    whole = source.read(name)
    check_scene(name, whole, source.bands)
    hr_hsi = protocol.cropped(whole, scale)
    _, height, width = whole.shape
    return Scene(
        name,
        hr_hsi,
        protocol.observe(hr_hsi, scale, source.band_centres, name),
        cropped_from=(height, width) if hr_hsi.shape != whole.shape else None,
    )
