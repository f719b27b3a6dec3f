"""The CAVE multispectral image database: its own files, its archive, and the MAT-files that people make of it.

F. Yasuma, T. Mitsunaga, D. Iso and S. K. Nayar, "Generalized assorted pixel camera: postcapture control of
resolution, dynamic range, and spectrum", IEEE Trans. Image Processing 19(9), 2010; Columbia University. 32
scenes of 512 x 512 pixels, 31 bands at 400, 410, ... 700 nm, one 16-bit grey PNG per band::

    complete_ms_data/balloons_ms/balloons_ms/balloons_ms_01.png ... balloons_ms_31.png

Folders may nest in any way, drop the ``_ms``, or have any capitals. Values are divided by 65535. The scene
`watercolors` is 8-bit RGBA with three equal channels (its values end at 255): one channel of it is divided by 255. No
other scene may have 8 bits.

What is not there as PNG is looked for in archives (``complete_ms_data.zip``, any name with ``cave`` in it, and those of
single scenes, ``balloons_ms.zip``), and in MAT-files of one cube each (``balloons_ms.mat``, ``balloons.mat``), which
hold the values as they are in [0, 1], or as whole numbers of 16 bits. All forms of a scene give the same cube: values
are compared with Columbia's (`columbia`), and a scene that differs is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeAlias

import numpy as np

from hsfusion_bench.data.home import how_to_get
from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.provenance import Download, Provenance
from hsfusion_bench.data.scenes import Cube, SceneSource
from hsfusion_bench.data.sources.archives import Archive
from hsfusion_bench.data.sources.columbia import different, originals, require_original
from hsfusion_bench.data.sources.pngs import BandFile, read_bands
from hsfusion_bench.errors import DamagedError, DifferentDataError, HsbenchError, MissingDataError, UsageError
from hsfusion_bench.formats.arrays import open_arrays
from hsfusion_bench.formats.cubes import axes_of, divide, find_cube, read_cube
from hsfusion_bench.formats.finding import require_finite
from hsfusion_bench.suggest import unknown

SCENES = (
    "balloons",
    "beads",
    "cd",
    "chart_and_stuffed_toy",
    "clay",
    "cloth",
    "egyptian_statue",
    "face",
    "fake_and_real_beers",
    "fake_and_real_food",
    "fake_and_real_lemon_slices",
    "fake_and_real_lemons",
    "fake_and_real_peppers",
    "fake_and_real_strawberries",
    "fake_and_real_sushi",
    "fake_and_real_tomatoes",
    "feathers",
    "flowers",
    "glass_tiles",
    "hairs",
    "jelly_beans",
    "oil_painting",
    "paints",
    "photo_and_face",
    "pompoms",
    "real_and_fake_apples",
    "real_and_fake_peppers",
    "sponges",
    "stuffed_toys",
    "superballs",
    "thread_spools",
    "watercolors",
)
EIGHT_BIT = frozenset({"watercolors"})
PROVENANCE = Provenance(
    homepage="https://www.cs.columbia.edu/CAVE/databases/multispectral/",
    licence="made available by Columbia University to the research community; free for research",
    reference="""@article{yasuma2010generalized,
  author = {Yasuma, Fumihito and Mitsunaga, Tomoo and Iso, Daisuke and Nayar, Shree K.},
  title = {Generalized Assorted Pixel Camera: Postcapture Control of Resolution, Dynamic Range, and Spectrum},
  journal = {IEEE Transactions on Image Processing},
  volume = {19},
  number = {9},
  pages = {2241--2253},
  year = {2010}
}""",
    downloads=(
        Download(
            "https://cave.cs.columbia.edu/old/databases/multispectral/zip/complete_ms_data.zip",
            "complete_ms_data.zip",
            megabytes=420,
        ),
    ),
    layout="complete_ms_data/balloons_ms/balloons_ms/balloons_ms_01.png ... balloons_ms_31.png, and so for 32 scenes; "
    "or the archive as it is",
)
#: Every scene reaches half of the full scale: the darkest, hairs, 38370 of 65535. Copies of fewer bits do not.
_LEAST_MAXIMUM = 0.5
#: Folders within folders in which files are looked for.
_DEPTH = 5
#: The same for MAT-files, whose names those of results may have.
_MAT_DEPTH = 2
_ALTERNATIVES = "|".join(SCENES)
_BAND = re.compile(rf"(({_ALTERNATIVES})(?:_ms)?_)(\d\d)\.png", re.IGNORECASE)
_MAT_FILE = re.compile(rf"({_ALTERNATIVES})(?:_ms)?\.mat", re.IGNORECASE)
#: Of archives, also as a browser names a second copy: ``complete_ms_data (1).zip``.
_ARCHIVE = re.compile(rf"(?:.*cave.*|complete_ms_data.*|({_ALTERNATIVES})(?:_ms)?(?: ?\(\d+\))?)\.zip", re.IGNORECASE)


class CaveSource(SceneSource):
    """Reader of the CAVE database.

    Parameters
    ----------
    data_root
        Folder that holds ``complete_ms_data``, or is it, or one like it, or holds the archive or MAT-files; or the
        archive itself.

    Raises
    ------
    MissingDataError
        If no folder is given, it is not there, or it holds no scene of the database.
    HsbenchError
        If an archive in it is damaged.
    """

    name = "cave"
    title = "CAVE, 32 scenes of 512 x 512 x 31, 400-700 nm"
    wavelengths = WAVELENGTHS
    #: For protocols that have none of their own: as `xidian` divides it.
    split = Split("cave-alphabetical-20-12", SCENES[:20], SCENES[20:])
    provenance = PROVENANCE

    def __init__(self, data_root: Path | None) -> None:
        if data_root is None:
            raise MissingDataError(f"the data set cave is not here; {how_to_get('cave', PROVENANCE)}")
        if not data_root.exists():
            raise MissingDataError(
                f"{data_root}: there is no such folder (the root of the CAVE database); "
                f"{how_to_get('cave', PROVENANCE, data_root)}"
            )
        self._root = data_root
        self._stored = _find(data_root)
        if not self._stored:
            raise MissingDataError(
                f"{data_root} holds no scene of the CAVE database: folders such as balloons_ms and files such "
                f"as balloons_ms.mat or complete_ms_data.zip were looked for; "
                f"{how_to_get('cave', PROVENANCE, data_root)}"
            )

    def scene_names(self) -> tuple[str, ...]:
        """Names of the 32 scenes of the database."""
        return SCENES

    def missing(self) -> tuple[str, ...]:
        """Names of the scenes that are not here in any form."""
        return tuple(name for name in SCENES if name not in self._stored)

    def size(self, name: str) -> tuple[int, int]:
        """Return height and width of a scene, pixels: that of Columbia's, since no others are read."""
        return 512, 512

    def files(self, name: str) -> tuple[Path, ...]:
        """Return the files of a scene: its PNGs, or the archive, or its MAT-file."""
        return self._stored[name][0].files if name in self._stored else ()

    def known_digest(self, name: str) -> str:
        """Return the digest of Columbia's scene."""
        return originals()[name].digest

    def read(self, name: str) -> Cube:
        """Return a scene, float32 [31, H, W], values in [0, 1].

        Raises
        ------
        UsageError
            If the database has no such scene.
        DamagedError
            If it lacks bands, or a file is damaged.
        DifferentDataError
            If its values are not Columbia's; the message says how they differ. Or it is here twice, and the two differ.
        HsbenchError
            If the scene is not here.
        """
        if name not in SCENES:
            raise UsageError(unknown("CAVE scene", name, SCENES))
        if name not in self._stored:
            raise HsbenchError(
                f"{self._root} has no folder of the CAVE scene {name} ({name}_ms was looked for), nor an archive or a "
                f"file {name}_ms.mat with it"
            )
        first, *others = self._stored[name]
        for other in others:
            if not _equal(first, other):
                raise DifferentDataError(
                    f"the scene {name} is here twice, and the two differ: {first.place} and {other.place}; leave only "
                    "Columbia's there, or name its folder by --data-root"
                )
        cube = first.read()
        require_original(name, cube, first.place)
        return cube


@dataclass(frozen=True)
class _Pngs:
    """A scene of which the bands are PNG files."""

    name: str
    place: str
    bands: Mapping[int, BandFile]
    files: tuple[Path, ...]

    def read(self) -> Cube:
        numbers = range(1, len(WAVELENGTHS) + 1)
        lacking = [f"{self.name}_ms_{number:02d}.png" for number in numbers if number not in self.bands]
        if lacking:
            raise DamagedError(f"{self.place}: the scene {self.name} lacks {', '.join(lacking)}")
        return read_bands([self.bands[number] for number in numbers], eight_bit=self.name in EIGHT_BIT)


@dataclass(frozen=True)
class _Mat:
    """A scene in a MAT-file."""

    name: str
    path: Path
    depth: int

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.path,)

    @property
    def place(self) -> str:
        return str(self.path)

    def read(self) -> Cube:
        with open_arrays(self.path) as arrays:
            array = find_cube(arrays, self.path)
            cube = read_cube(array, axes_of(array, bands=len(WAVELENGTHS)))
        require_finite(cube, str(array))
        divide(cube, _full_scale(cube, self.name, str(array)))
        return cube


_Stored: TypeAlias = _Pngs | _Mat


def _equal(one: _Stored, other: _Stored) -> bool:
    """Tell whether two copies of a scene have the same values."""
    try:
        return np.array_equal(one.read(), other.read())
    except HsbenchError:  # one of them is no copy of the scene at all
        return False


def _full_scale(cube: Cube, name: str, where: str) -> float:
    """Tell the full scale of the values of a MAT-file: 1, or that of 16 bits, or of 8 where a scene has no more."""
    low, high = float(cube.min()), float(cube.max())
    whole = all(np.array_equal(band, np.rint(band)) for band in cube)
    if low >= 0 and _LEAST_MAXIMUM <= high <= 1:
        return 1
    if low >= 0 and whole and _LEAST_MAXIMUM * 65535 <= high <= 65535:
        return 65535
    if low >= 0 and whole and high <= 255 and name in EIGHT_BIT:
        return 255
    raise different(
        name,
        where,
        f"its values, from {low:g} to {high:g}, are neither fractions of the full scale nor whole numbers of 16 bits "
        "(either would reach half of it)",
    )


def _find(root: Path) -> dict[str, Sequence[_Stored]]:
    """Find the copies of each scene: in folders of PNGs, else in archives, else in MAT-files."""
    files = [] if root.is_file() else list(_walk(root))
    found: dict[str, Sequence[_Stored]] = {}
    found |= _scenes((path, BandFile(str(path), path.name, partial(_content, path)), path) for _, path in files)
    found = _scenes(_archived([root] if root.is_file() else _archives(files, found))) | found
    mats: dict[str, list[_Mat]] = {}
    for depth, path in files:
        match = _MAT_FILE.fullmatch(path.name)
        if match and depth <= _MAT_DEPTH:
            name = match[1].lower()
            copies = mats.setdefault(name, [])
            if not copies or copies[0].depth == depth:
                copies.append(_Mat(name, path, depth))
    return {**mats, **found}


def _walk(root: Path) -> Iterator[tuple[int, Path]]:
    """Give the files below a folder, and within how many folders they are, the nearest first; no folder twice."""
    folders, seen = [(0, root)], set()
    for depth, folder in folders:
        if (real := folder.resolve()) in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:  # not ours to read
            continue
        for entry in entries:
            if not entry.is_dir():
                yield depth, Path(entry.path)
            elif depth < _DEPTH and not entry.name.startswith(".") and entry.name != "__MACOSX":
                folders.append((depth + 1, Path(entry.path)))


def _archives(files: Iterable[tuple[int, Path]], found: Container[str]) -> list[Path]:
    """Return the archives that may hold scenes which are not found yet; others are not even opened."""
    matches = [(path, _ARCHIVE.fullmatch(path.name)) for _, path in files]
    wanting = [name for name in SCENES if name not in found]
    return [path for path, match in matches if match and wanting and (match[1] or wanting[0]).lower() in wanting]


def _archived(paths: Iterable[Path]) -> Iterator[tuple[PurePath, BandFile, Path]]:
    """Give what is in archives: the path there, its content, and the archive."""
    for archive in map(Archive, paths):
        for member in archive.names:
            inner = PurePosixPath(member)
            if "__MACOSX" not in inner.parts:
                yield (
                    inner,
                    BandFile(f"{archive.path}: {member}", inner.name, partial(archive.read, member)),
                    archive.path,
                )


def _scenes(files: Iterable[tuple[PurePath, BandFile, Path]]) -> dict[str, list[_Pngs]]:
    """Return the scenes of which bands are among files: path, content, and what holds it; a folder holds a copy."""
    copies: dict[tuple[str, str], dict[int, tuple[BandFile, Path]]] = {}
    for path, band, holder in files:
        if match := _BAND.fullmatch(path.name):
            place = f"{band.place.removesuffix(path.name)}{match[1]}*.png"
            copies.setdefault((match[2].lower(), place), {})[int(match[3])] = band, holder
    found: dict[str, list[_Pngs]] = {}
    for (name, place), bands in copies.items():
        numbered = {number: band for number, (band, _) in bands.items()}
        holders = tuple(dict.fromkeys(holder for _, holder in bands.values()))
        found.setdefault(name, []).append(_Pngs(name, place, numbered, holders))
    return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DamagedError(f"{path} cannot be read: {error.strerror}") from error
