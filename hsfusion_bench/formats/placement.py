"""Whether the georeferences of an LR-HSI and an HR-MSI put them on the same ground."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.formats.georeference import Georeference

#: Tags of a GeoTIFF, see `georeference`; and the key that says that a tie point is of the middle of a pixel.
_SCALE, _TIES, _MATRIX, _KEYS = 33550, 33922, 34264, 34735
_RASTER_TYPE, _POINT = 1025, 2
#: Keys of the kind of system and of its code of EPSG, by whether it is projected; and the code that is none.
_MODEL, _PROJECTION, _PROJECTED, _GEOGRAPHIC, _OF_THE_USER = 1024, 1, 3072, 2048, 32767
#: Pixels of the HR-MSI may differ so much in size, relatively, before a scale is another one.
_SAME_SIZE = 0.01
#: HSI pixels that two georeferences may be apart: products are seldom better.
_APART = 0.5


@dataclass(frozen=True)
class _Grid:
    """The pixels of an image on the ground: (column, row, 1) from its upper left corner becomes (x, y).

    The projection is in the words of its kind of file; empty: not told.
    """

    matrix: NDArray[np.float64]
    projection: str
    kind: str


def unlike_places(
    hsi: Georeference | None,
    msi: Georeference | None,
    scale: int,
    shape: tuple[int, int],
    shift: tuple[float, float] = (0.0, 0.0),
) -> str:
    """Say how two georeferences contradict the pair that their images are taken for; nothing where they do not.

    Parameters
    ----------
    hsi, msi
        Of the LR-HSI and the HR-MSI; None: unknown, and nothing is said. Of control points and RPCs nothing is known
        either.
    scale
        Ratio of the two resolutions.
    shape
        Rows and columns of the HR-MSI.
    shift
        Rows and columns of the HR-MSI by which the HSI's corner is known to lie off the MSI's.

    Returns
    -------
    What is wrong, such as "they do not overlap".
    """
    grids = [_grid(each) if each is not None else None for each in (hsi, msi)]
    if grids[0] is None or grids[1] is None:
        return ""
    low, high = grids[0], grids[1]
    if low.kind == high.kind and low.projection and high.projection and low.projection != high.projection:
        return "they are of different map projections or zones"
    # the HSI's corner and axes, in pixels of the MSI
    within = np.linalg.solve(high.matrix[:, :2], low.matrix - np.c_[np.zeros((2, 2)), high.matrix[:, 2]])
    sizes = np.linalg.norm(within[:, :2], axis=0)
    if np.abs(sizes / scale - 1).max() > _SAME_SIZE:
        wide = " x ".join(f"{size:.4g}" for size in sizes[::-1])
        return f"an HSI pixel is {wide} MSI pixels large there, not {scale} x {scale}"
    if np.abs(within[:, :2] - scale * np.eye(2)).max() > _SAME_SIZE * scale:
        return "the images are turned or mirrored against each other"
    column, row = within[:, 2]
    if max(abs(column) - shape[1], abs(row) - shape[0]) >= 0:
        return "they do not overlap"
    if max(abs(column - shift[1]), abs(row - shift[0])) > _APART * scale:
        rows, columns = (f"{round(by, 2) + 0.0:g}" for by in (row, column))
        return (
            f"the HSI's corner lies {rows} rows and {columns} columns off the MSI's, in pixels of the MSI (--shift "
            f"{rows},{columns} accounts for it)"
        )
    return ""


def _grid(georeference: Georeference) -> _Grid | None:
    """Return the grid of a georeference; None if it states none that is understood."""
    try:
        grid = _of_envi(georeference.fields) if georeference.fields else _of_tiff(georeference.tags)
    except (ValueError, IndexError, TypeError):
        return None
    usable = grid is not None and np.isfinite(grid.matrix).all() and np.linalg.det(grid.matrix[:, :2]) != 0
    return grid if usable else None


def _of_envi(fields: Mapping[str, str]) -> _Grid | None:
    """Read "{projection, column, row, x, y, width, height, ...}"; the upper left corner is that of pixel 1, 1."""
    if "map info" not in fields:
        return None
    entries = [entry.strip() for entry in fields["map info"].strip("{} ").split(",")]
    column, row, x, y, width, height = map(float, entries[1:7])
    turns = [float(entry.split("=")[1]) for entry in entries if entry.lower().startswith("rotation")]
    cos, sin = np.cos(np.radians(sum(turns))), np.sin(np.radians(sum(turns)))
    axes = np.array([[width * cos, width * sin], [height * sin, -height * cos]])  # as GDAL has it
    corner = np.array([x, y]) - axes @ [column - 1, row - 1]
    named = [entries[0], *(entry for entry in entries[7:] if not entry.lower().startswith(("rotation", "units")))]
    return _Grid(np.c_[axes, corner], re.sub(r"[^a-z0-9,]", "", ",".join(named).lower()), "ENVI")


def _of_tiff(tags: Mapping[int, Any]) -> _Grid | None:
    """Read a transformation, or a pixel scale and a tie point; several tie points are control points, and no grid."""
    if _MATRIX in tags:
        matrix = np.array(tags[_MATRIX], float).reshape(4, 4)[:2, [0, 1, 3]]
    elif _SCALE in tags and len(tags.get(_TIES, ())) == 6:
        column, row, _, x, y, _ = map(float, tags[_TIES])
        width, height = map(float, tags[_SCALE][:2])
        matrix = np.array([[width, 0, x - width * column], [0, -height, y + height * row]])
    else:
        return None
    keys = list(tags.get(_KEYS, ()))
    entries = [tuple(keys[place : place + 4]) for place in range(4, len(keys), 4)]
    if any(key == _RASTER_TYPE and value == _POINT for key, _, _, value in entries):
        matrix[:, 2] -= matrix[:, :2] @ [0.5, 0.5]
    codes = {key: value for key, place, _, value in entries if place == 0 and value != _OF_THE_USER}
    system = codes.get(_PROJECTED, codes.get(_GEOGRAPHIC) if codes.get(_MODEL) != _PROJECTION else None)
    return _Grid(matrix, "" if system is None else f"EPSG:{system}", "GeoTIFF")
