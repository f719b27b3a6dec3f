"""The CAVE multispectral image database, in its own layout.

F. Yasuma, T. Mitsunaga, D. Iso and S. K. Nayar, "Generalized assorted pixel camera: postcapture control of
resolution, dynamic range, and spectrum", IEEE Trans. Image Processing 19(9), 2010; Columbia University. 32
scenes of 512 x 512 pixels, 31 bands at 400, 410, ... 700 nm, one 16-bit grey PNG per band::

    complete_ms_data/balloons_ms/balloons_ms/balloons_ms_01.png ... balloons_ms_31.png

Some copies nest the scene's folder once only, or drop the ``_ms`` of folders; both are read. Values are
divided by 65535. The scene `watercolors` is 8-bit RGBA with three equal channels in the copies that circulate
(its values end at 255): one channel of it is divided by 255. No other scene may have 8 bits, since a copy
that was saved again with fewer would give other numbers.
"""

from __future__ import annotations

import io
import re
import zlib
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hsfusion_bench.data.responses import WAVELENGTHS
from hsfusion_bench.data.scenes import Cube, SceneSource
from hsfusion_bench.errors import HsbenchError, UsageError
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
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
EIGHT_BIT = frozenset({"watercolors"})
_WHERE_FROM = (
    "CAVE is the multispectral image database of Columbia University, free for research: "
    "https://www.cs.columbia.edu/CAVE/databases/multispectral/"
)


class CaveSource(SceneSource):
    """Reader of the CAVE database.

    Parameters
    ----------
    data_root
        Folder that holds ``complete_ms_data``, or is it, or one like it.

    Raises
    ------
    UsageError
        If no folder is given.
    HsbenchError
        If the folder is not there, or holds no scene of the database.
    """

    name = "cave"
    title = "CAVE, 32 scenes of 512 x 512 x 31, 400-700 nm"
    wavelengths = WAVELENGTHS

    def __init__(self, data_root: Path | None) -> None:
        if data_root is None:
            raise UsageError(
                "the data set cave needs its files: give the folder that holds complete_ms_data by "
                f"--data-root, or by the environment variable HSBENCH_DATA. {_WHERE_FROM}"
            )
        if not data_root.is_dir():
            raise HsbenchError(f"{data_root}: there is no such folder (the root of the CAVE database)")
        inner = data_root / "complete_ms_data"
        self._root = inner if inner.is_dir() else data_root
        self._folders = {name: folder for name in SCENES if (folder := _scene_folder(self._root, name))}
        if not self._folders:
            raise HsbenchError(
                f"{self._root} holds no scene of the CAVE database: folders such as balloons_ms were "
                f"looked for. {_WHERE_FROM}"
            )

    def scene_names(self) -> tuple[str, ...]:
        """Names of the 32 scenes of the database."""
        return SCENES

    def missing(self) -> tuple[str, ...]:
        """Names of the scenes that have no folder here."""
        return tuple(name for name in SCENES if name not in self._folders)

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
        if name not in self._folders:
            raise HsbenchError(f"{self._root} has no folder of the CAVE scene {name} ({name}_ms was looked for)")
        folder = self._folders[name]
        files = _band_files(folder, name)
        lacking = [f"{name}_ms_{band:02d}.png" for band in range(1, len(WAVELENGTHS) + 1) if band not in files]
        if lacking:
            raise HsbenchError(f"{folder}: the scene {name} lacks {', '.join(lacking)}")

        first = _read_band(files[1], name)
        cube = np.empty((len(WAVELENGTHS), *first.shape), np.float32)
        cube[0] = first
        for band in range(2, len(cube) + 1):
            values = _read_band(files[band], name)
            if values.shape != first.shape:
                raise HsbenchError(f"{files[band]}: {_size(values)} pixels, where {files[1].name} has {_size(first)}")
            cube[band - 1] = values
        return cube


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


def _read_band(path: Path, scene: str) -> npt.NDArray[np.float64]:
    """Read one band as values in [0, 1], float64 [H, W]."""
    from skimage.io import imread

    try:
        content = path.read_bytes()
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {error.strerror}") from error
    if not _is_whole_png(content):
        raise HsbenchError(f"{path} is no PNG file, or is damaged or cut short")
    try:
        pixels: npt.NDArray[Any] = imread(io.BytesIO(content))
    except Exception as error:  # decoders raise whatever they like
        raise HsbenchError(f"{path} cannot be decoded as PNG: {error}") from error
    if pixels.dtype == np.uint16 and pixels.ndim == 2:
        return pixels / 65535
    if pixels.dtype == np.uint8 and scene in EIGHT_BIT:
        grey = pixels[..., 0] if pixels.ndim == 3 else pixels
        if pixels.ndim == 3 and (pixels[..., :3] != grey[..., None]).any():
            raise HsbenchError(f"{path}: one band is needed, but the red, green and blue of its pixels differ")
        return grey / 255
    raise HsbenchError(
        f"{path}: a 16-bit grey PNG is needed, but its pixels are {pixels.dtype} {list(pixels.shape)}; "
        "a copy that was converted would give other numbers"
    )


def _is_whole_png(content: bytes) -> bool:
    """Whether all chunks up to the end mark are there, with the checksums they were written with.

    Decoders do not verify the checksums of pixel data: a flipped bit may pass as other values.
    """
    if not content.startswith(_PNG_SIGNATURE):
        return False
    position = len(_PNG_SIGNATURE)
    while position + 12 <= len(content):
        length = int.from_bytes(content[position : position + 4])
        kind_and_data = content[position + 4 : position + 8 + length]
        checksum = content[position + 8 + length : position + 12 + length]
        if zlib.crc32(kind_and_data).to_bytes(4) != checksum:
            return False
        if kind_and_data == b"IEND":
            return True
        position += 12 + length
    return False


def _size(band: npt.NDArray[np.float64]) -> str:
    return f"{band.shape[0]} x {band.shape[1]}"
