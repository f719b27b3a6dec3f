"""Files of remote sensing that are told by their content, and those that only GDAL knows."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from hsfusion_bench.formats import gdal
from hsfusion_bench.formats.envi import files_of_envi
from hsfusion_bench.formats.netcdf import is_classic, open_classic
from hsfusion_bench.formats.products import open_product
from hsfusion_bench.formats.products.enmap import files_of_enmap, is_enmap
from hsfusion_bench.formats.rasters import Raster
from hsfusion_bench.formats.zarrs import is_zarr, open_zarr


def open_told(path: Path, stack: ExitStack) -> dict[str, Raster] | None:
    """Open a satellite product, a Zarr folder or a netCDF file of the classic format; None: it is none of them.

    Parameters
    ----------
    path
        The file or folder.
    stack
        What it is closed with.

    Raises
    ------
    HsbenchError
        If it is one, but lacks something; the message says what.
    """
    if is_zarr(path):
        return open_zarr(path)
    if not path.is_file():
        return None
    return open_classic(path, stack) if is_classic(path) else open_product(path, stack)


def open_by_gdal(path: Path, stack: ExitStack) -> dict[str, Raster] | None:
    """Open what GDAL knows; None: it does not, or rasterio is not installed. Takes what `open_told` takes."""
    return gdal.open_gdal(path, stack) if path.is_file() and gdal.is_installed() else None


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files that an image which is named by one of them, or by their folder, is in.

    Raises
    ------
    HsbenchError
        If a file of a product is not there.
    """
    if is_zarr(path):
        return tuple(sorted(file for file in path.rglob("*") if file.is_file()))
    return files_of_enmap(path) if is_enmap(path) else files_of_envi(path)
