"""NetCDF's classic format (`.nc`), of 32- or 64-bit offsets; netCDF-4 is HDF5."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import Claim
from hsfusion_bench.formats.blocks import through_blocks
from hsfusion_bench.formats.cf import axes_of_names, cf_stated, note_northward
from hsfusion_bench.formats.rasters import Raster

_MAGIC = (b"CDF\x01", b"CDF\x02")


def is_classic(path: Path) -> bool:
    """Tell whether a file is netCDF of the classic format."""
    with path.open("rb") as file:
        return file.read(4) in _MAGIC


def open_classic(path: Path, stack: ExitStack) -> dict[str, Raster]:
    """Open the variables of numbers; names of their dimensions are the axes, where they tell them.

    Parameters
    ----------
    path
        The file; it is mapped, not read.
    stack
        What it is closed with.

    Raises
    ------
    Exception
        Of any kind, if it is damaged.
    """
    from scipy.io import netcdf_file

    file: Any = netcdf_file(path, "r", mmap=True)
    stack.callback(_close, file)
    return {
        name: _raster(path, name, file)
        for name, variable in file.variables.items()
        if variable.data.dtype.kind in "fiu" and variable.data.ndim
    }


def _close(file: Any) -> None:
    # a variable that is held on the way of an error keeps the mapping, which then goes with it
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Cannot close a netcdf_file", RuntimeWarning)
        file.close()


def _raster(path: Path, name: str, file: Any) -> Raster:
    variable = file.variables[name]
    shape = tuple(int(side) for side in variable.data.shape)
    dtype: np.dtype[Any] = variable.data.dtype
    attributes = dict(vars(variable)["_attributes"])
    # the format has no unsigned numbers; writers store them in signed ones, and say so
    if dtype.kind == "i" and attributes.pop("_Unsigned", b"") in (b"true", "true"):
        dtype = np.dtype(f"{dtype.byteorder}u{dtype.itemsize}")
        for key in {"_FillValue", "missing_value"} & set(attributes):
            attributes[key] = np.asarray(attributes[key]).astype(dtype)

    def block(places: tuple[range, ...]) -> NDArray[Any]:
        # a copy: the mapping is closed with the file
        stored = file.variables[name].data[tuple(slice(part.start, part.stop) for part in places)]
        return np.array(stored).view(dtype)

    def coordinate(dimension: str) -> tuple[Mapping[str, Any], Sequence[float]] | None:
        found = file.variables.get(dimension)
        if found is None or found.data.ndim != 1 or found.data.dtype.kind not in "fiu" or not len(found.data):
            return None
        return vars(found)["_attributes"], (float(found.data[0]), float(found.data[-1]))

    stated = cf_stated(f"{name} of {path}", attributes)
    if len(shape) > 1:
        note_northward(f"{name} of {path}", variable.dimensions, coordinate)
    return Raster(
        shape, through_blocks(shape, block), (), axes_of_names(variable.dimensions), stated, Claim(dtype.itemsize)
    )
