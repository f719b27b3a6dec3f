"""The CAVE multispectral image database: its own files, its archive, and the MAT-files that people make of it.

F. Yasuma, T. Mitsunaga, D. Iso and S. K. Nayar, "Generalized assorted pixel camera: postcapture control of
resolution, dynamic range, and spectrum", IEEE Trans. Image Processing 19(9), 2010; Columbia University. 32
scenes of 512 x 512 pixels, 31 bands at 400, 410, ... 700 nm, one 16-bit grey PNG per band::

    complete_ms_data/balloons_ms/balloons_ms/balloons_ms_01.png ... balloons_ms_31.png

Some copies nest the scene's folder once only, or drop the ``_ms`` of folders; both are read. Values are
divided by 65535. The scene `watercolors` is 8-bit RGBA with three equal channels in the copies that circulate
(its values end at 255): one channel of it is divided by 255. No other scene may have 8 bits, since a copy
that was saved again with fewer would give other numbers.

What is not there as PNG is looked for in ``complete_ms_data.zip``, in the archives of single scenes
(``balloons_ms.zip``), and in MAT-files of one cube each (``balloons_ms.mat``, ``balloons.mat``), which hold the
values as they are in [0, 1], or as whole numbers of 16 bits. All forms of a scene give the same cube.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path, PurePosixPath

import numpy as np

from hsfusion_bench.data.home import how_to_get
from hsfusion_bench.data.observing.protocols import Split
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.provenance import Download, Provenance
from hsfusion_bench.data.scenes import Cube, SceneSource
from hsfusion_bench.data.sources.archives import Archive
from hsfusion_bench.data.sources.pngs import BandFile, read_bands
from hsfusion_bench.errors import HsbenchError, MissingDataError, UsageError
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
        inner = data_root / "complete_ms_data"
        self._root = inner if inner.is_dir() else data_root
        self._stored = _find(data_root, self._root)
        if not self._stored:
            raise MissingDataError(
                f"{self._root} holds no scene of the CAVE database: folders such as balloons_ms and files such "
                f"as balloons_ms.mat or complete_ms_data.zip were looked for; "
                f"{how_to_get('cave', PROVENANCE, data_root)}"
            )

    def scene_names(self) -> tuple[str, ...]:
        """Names of the 32 scenes of the database."""
        return SCENES

    def missing(self) -> tuple[str, ...]:
        """Names of the scenes that are not here in any form."""
        return tuple(name for name in SCENES if name not in self._stored)

    def files(self, name: str) -> tuple[Path, ...]:
        """Return the files of a scene: its PNGs, or the archive, or its MAT-file."""
        return self._stored[name].files if name in self._stored else ()

    def read(self, name: str) -> Cube:
        """Return a scene, float32 [31, H, W], values in [0, 1].

        Raises
        ------
        UsageError
            If the database has no such scene.
        HsbenchError
            If the scene is not here, lacks bands, or a file is damaged or of another type or size than it
            should be.
        """
        if name not in SCENES:
            raise UsageError(unknown("CAVE scene", name, SCENES))
        if name not in self._stored:
            raise HsbenchError(
                f"{self._root} has no folder of the CAVE scene {name} ({name}_ms was looked for), nor an archive or a "
                f"file {name}_ms.mat with it"
            )
        return self._stored[name].read()


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
            raise HsbenchError(f"{self.place}: the scene {self.name} lacks {', '.join(lacking)}")
        return read_bands([self.bands[number] for number in numbers], eight_bit=self.name in EIGHT_BIT)


@dataclass(frozen=True)
class _Mat:
    """A scene in a MAT-file."""

    name: str
    path: Path

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.path,)

    def read(self) -> Cube:
        with open_arrays(self.path) as arrays:
            array = find_cube(arrays, self.path)
            cube = read_cube(array, axes_of(array, bands=len(WAVELENGTHS)))
        require_finite(cube, str(array))
        divide(cube, _full_scale(cube, self.name, str(array)))
        return cube


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
    raise HsbenchError(
        f"{where}: the scene's values, from {low:g} to {high:g}, are neither fractions of the full scale nor whole "
        "numbers of 16 bits (either would reach half of it), so what to divide them by is unknown; divide them and "
        "save them again, or describe the file in a TOML file with its const"
    )


def _find(data_root: Path, root: Path) -> dict[str, _Pngs | _Mat]:
    """Find each scene: in a folder of PNGs before an archive, in this before a MAT-file."""
    folders = {name: folder for name in SCENES if (folder := _scene_folder(root, name))} if root.is_dir() else {}
    found: dict[str, _Pngs | _Mat] = {}
    for name, folder in folders.items():
        bands = _band_files(folder, name)
        files = {number: BandFile(str(path), path.name, partial(_content, path)) for number, path in bands.items()}
        found[name] = _Pngs(name, str(folder), files, tuple(bands.values()))
    wanting = [name for name in SCENES if name not in found or not found[name].files]
    for path in _archives(data_root, root, wanting):
        archived = _archived(Archive(path))
        found |= {name: archived[name] for name in wanting if name in archived}
    for name in wanting:
        if name not in found or not found[name].files:
            mat = _mat_file(root, name)
            if mat is not None:
                found[name] = _Mat(name, mat)
    return found


def _scene_folder(root: Path, name: str) -> Path | None:
    """Find the folder of a scene: the one with band files if there is one, else the outermost that exists."""
    names = (f"{name}_ms", name)
    nested = [root / outer / inner for outer, inner in product(names, names)]
    there = [folder for folder in (*nested, *(root / outer for outer in names)) if folder.is_dir()]
    return next((folder for folder in there if _band_files(folder, name)), there[-1] if there else None)


def _band_files(folder: Path, name: str) -> dict[int, Path]:
    """Map the band number, from 1, to the file of that band."""
    pattern = re.compile(rf"{name}(?:_ms)?_(\d\d)\.png", re.IGNORECASE)
    matches = ((pattern.fullmatch(path.name), path) for path in sorted(folder.iterdir()))
    return {int(match[1]): path for match, path in matches if match}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {error.strerror}") from error


def _archives(data_root: Path, root: Path, wanting: list[str]) -> list[Path]:
    """Return the archives that may hold scenes, the complete one first."""
    if not wanting:
        return []
    if root.is_file():
        return [root]
    named = ["complete_ms_data.zip", *(f"{name}_ms.zip" for name in wanting)]
    folders = dict.fromkeys((data_root, root))
    return [path for file in named for folder in folders if (path := folder / file).is_file()]


def _archived(archive: Archive) -> dict[str, _Pngs]:
    """Return the scenes of an archive."""
    pattern = re.compile(r"(.+?)(?:_ms)?_(\d\d)\.png", re.IGNORECASE)
    bands: dict[str, dict[int, BandFile]] = {}
    for member in archive.names:
        path = PurePosixPath(member)
        match = pattern.fullmatch(path.name)
        if match and match[1] in SCENES and "__MACOSX" not in path.parts:
            read = partial(archive.read, member)
            bands.setdefault(match[1], {})[int(match[2])] = BandFile(f"{archive.path}: {member}", path.name, read)
    return {name: _Pngs(name, str(archive.path), files, (archive.path,)) for name, files in bands.items()}


def _mat_file(root: Path, name: str) -> Path | None:
    names = (f"{name}_ms", name)
    places = [root / f"{file}.mat" for file in names]
    places += [root / folder / f"{file}.mat" for folder, file in product(names, names)]
    return next((path for path in places if path.is_file()), None)
