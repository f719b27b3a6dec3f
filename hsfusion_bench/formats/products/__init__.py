"""Products of imaging spectrometers on satellites, each told by its content, and read as its specification has it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import h5py

from hsfusion_bench.formats.products.emit import open_emit
from hsfusion_bench.formats.products.enmap import is_enmap, open_enmap
from hsfusion_bench.formats.products.prisma import open_prisma
from hsfusion_bench.formats.rasters import Raster


def open_product(path: Path, stack: ExitStack) -> dict[str, Raster] | None:
    """Open a product of PRISMA (`.he5`), EnMAP (the GeoTIFF or its metadata) or EMIT (`.nc`).

    Parameters
    ----------
    path
        The file.
    stack
        What the file is closed with.

    Returns
    -------
    Its images by name; None: it is no such product.

    Raises
    ------
    HsbenchError
        If it is one, but lacks what these state; the message names it.
    """
    if is_enmap(path):
        return open_enmap(path)
    try:
        if not h5py.is_hdf5(path):
            return None
        file = h5py.File(path, "r")
    except OSError:  # what is wrong with it, the reader of any HDF5 file says
        return None
    with ExitStack() as until_known:
        until_known.callback(file.close)
        for opened in (open_prisma, open_emit):
            images = opened(path, file)
            if images is not None:
                stack.push(until_known.pop_all())
                return images
    return None
