"""Zarr, version 2 and 3: a folder that is an array, or a group of arrays by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import Claim
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.blocks import through_blocks
from hsfusion_bench.formats.cf import axes_of_names, cf_stated, note_northward
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.rasters import Raster

#: How to get the package that reads it.
INSTALL = "pip install 'hsfusion-bench[zarr]'"
#: One of them is in every folder that is an array or a group: of version 3, and of version 2.
_MARKS = ("zarr.json", ".zarray", ".zgroup")


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is an array or a group of Zarr."""
    return path.is_dir() and any((path / mark).is_file() for mark in _MARKS)


def open_zarr(path: Path) -> dict[str, Raster]:
    """Open the arrays of numbers in a Zarr folder.

    Names of their dimensions are the axes, where they tell them. Only an attribute `_FillValue` or `missing_value`
    states numbers without a value: `fill_value` of Zarr itself is what chunks hold that are not stored. Where chunks
    are not stored, a note says so: a copy that is not whole looks the same.

    Returns
    -------
    By their paths in the group; under the name "" if the folder is an array.

    Raises
    ------
    HsbenchError
        If the package for it is not installed, or the folder is damaged.
    """
    try:
        import zarr
    except ImportError as error:
        raise HsbenchError(f"{path}: Zarr folders need the package zarr: {INSTALL}") from error
    try:
        opened = zarr.open(str(path), mode="r")
        arrays: Mapping[str, Any]
        if isinstance(opened, zarr.Array):
            arrays = {"": opened}
        else:
            members = opened.members(max_depth=None)
            arrays = {name: member for name, member in members if isinstance(member, zarr.Array)}
        return {name: _raster(path, name, arrays) for name, array in arrays.items() if array.dtype.kind in "fiu"}
    except HsbenchError:
        raise
    except Exception as error:
        raise HsbenchError(f"{path} cannot be read as a Zarr folder, or is damaged; get it again") from error


def _raster(path: Path, name: str, arrays: Mapping[str, Any]) -> Raster:
    array = arrays[name]
    where = f"{name} of {path}" if name else str(path)
    attributes = array.attrs.asdict()
    names = getattr(array.metadata, "dimension_names", None) or attributes.get("_ARRAY_DIMENSIONS") or ()

    def block(places: tuple[range, ...]) -> NDArray[Any]:
        if (stored := array.nchunks_initialized) < array.nchunks:
            note(
                f"{where}: {array.nchunks - stored} of its {array.nchunks} chunks are not stored, and are taken to be "
                f"its fill_value, {array.fill_value}, as Zarr has it; if the copy may not be whole, get it again"
            )
        return np.asarray(array[tuple(slice(part.start, part.stop) for part in places)])

    def coordinate(dimension: str) -> tuple[Mapping[str, Any], Sequence[float]] | None:
        found = arrays.get("/".join([*name.split("/")[:-1], dimension]))
        if found is None or found.ndim != 1 or found.dtype.kind not in "fiu" or not found.shape[0]:
            return None
        return found.attrs.asdict(), (float(found[0]), float(found[-1]))

    chunk = prod(array.chunks) * array.dtype.itemsize
    claim = Claim(array.dtype.itemsize, array.nbytes_stored, chunk if array.nchunks > 1 else 0)
    if array.ndim > 1:
        note_northward(where, names, coordinate)
    axes = axes_of_names(names) if len(names) == array.ndim else ""
    return Raster(array.shape, through_blocks(array.shape, block), (), axes, cf_stated(where, attributes), claim)
