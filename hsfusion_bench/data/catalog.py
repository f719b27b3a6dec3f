"""Data sets by name, and the scenes of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np

from hsfusion_bench.data.home import data_home
from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.provenance import Provenance
from hsfusion_bench.data.scenes import SceneSource, require_names_of
from hsfusion_bench.data.sources.cave import CaveSource
from hsfusion_bench.data.sources.cube import CubeSource
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.data.sources.described import DescribedSource, open_description
from hsfusion_bench.data.sources.hdf5 import HDF5Source
from hsfusion_bench.data.sources.toml_schema import read_description
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.wavelengths import short, stated_by
from hsfusion_bench.plugins import entry_points
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
    for point in entry_points(GROUP):
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
    for point in entry_points(GROUP):
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
    protocol: str | None = None
    bands: tuple[int, ...] = ()
    """Which bands of its files the wavelengths are of, from 1, where it is described."""

    @classmethod
    def of(cls, source: SceneSource | type[SceneSource]) -> About:
        """Return what a data set, or its class, says of itself."""
        wavelengths = tuple(source.wavelengths)
        return cls(source.name, source.title, wavelengths, source.split, source.provenance, source.protocol)


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
        centres = said.stated_wavelengths()
        known = tuple(centres.values()), said.as_split(), said.provenance, said.protocol, tuple(centres)
        return About(said.name, said.title, *known)
    for point in entry_points(GROUP):
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


def open_dataset(
    name: str, data_root: str | Path | None = None, wavelengths: str | Sequence[float] | None = None
) -> SceneSource:
    """Open a data set.

    Parameters
    ----------
    name
        One of `dataset_names`; or a file: ``mydata.toml`` describes a data set, ``mat:FILE`` or ``mat:FILE:KEY`` is
        one cube, and ``h5:FILE`` a file of samples as authors publish them.
    data_root
        Folder of its files; None takes the environment variable HSBENCH_DATA, if that is set, else where
        `hsbench data download` puts them. The data set `demo` needs none, nor does a file that holds all.
    wavelengths
        Those of its bands, where it does not state them: as `formats.wavelengths.stated_by` takes them, or numbers in
        nanometres.

    Raises
    ------
    UsageError
        If there is no data set of that name, or it states other wavelengths than are given.
    MissingDataError
        If its files are not there; the message tells how to get them.
    HsbenchError
        If a description or a plugin fails.
    """
    source = _open(name, data_root)
    require_names_of(source)
    if wavelengths is not None:
        _state(source, wavelengths)
    elif source.wavelengths_guess:
        nm = source.wavelengths
        note(
            f"{name}: the wavelengths, {nm[0]:g} to {nm[-1]:g} nm, are guessed from {source.wavelengths_guess}; "
            "--wavelengths states others"
        )
    return source


def _state(source: SceneSource, given: str | Sequence[float]) -> None:
    """Give a data set the wavelengths that the user states: of the bands of its files, or of those that are left."""
    try:
        nm = stated_by(given, source.bands_stored or source.bands)
        nm = tuple(nm[band - 1] for band in source.bands_kept) or nm
    except UsageError:
        if not source.bands_stored:
            raise
        nm = stated_by(given, source.bands)
    known = source.wavelengths
    if known and not source.wavelengths_guess:
        if not np.allclose(known, nm, rtol=1e-6, atol=0):
            raise UsageError(
                f"--wavelengths {short(nm)}: the data set {source.name} states its own, {known[0]:g} to "
                f"{known[-1]:g} nm, and others; leave the option out, or state these in a TOML file that describes it"
            )
        return
    source.wavelengths, source.wavelengths_guess = nm, ""
    # evenly spaced is of the bands of the files
    source.wavelengths_given = short(nm, even=not source.bands_kept)


def _open(name: str, data_root: str | Path | None) -> SceneSource:
    given = data_root or os.environ.get("HSBENCH_DATA")
    home = data_home(name)
    root = Path(given).expanduser() if given else home if home.is_dir() else None
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
    for point in entry_points(GROUP):
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


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed distribution"
