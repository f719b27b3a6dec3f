"""Whatever else GDAL reads, by rasterio: JPEG 2000, ERDAS Imagine, virtual rasters and many more."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import Claim
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.blocks import through_blocks
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.rasters import Raster
from hsfusion_bench.formats.stated import Stated
from hsfusion_bench.formats.wavelengths import in_nanometres

#: How to get the package that reads them.
INSTALL = "pip install 'hsfusion-bench[geo]'"


def is_installed() -> bool:
    """Tell whether rasterio is installed."""
    from importlib.util import find_spec

    return find_spec("rasterio") is not None


def open_gdal(path: Path, stack: ExitStack) -> dict[str, Raster] | None:
    """Open the image of a file by GDAL, [bands, rows, columns], or its subdatasets by their names.

    Parameters
    ----------
    path
        The file.
    stack
        What it is closed with.

    Returns
    -------
    The image under the name ""; None if the file is of no kind that GDAL knows.

    Raises
    ------
    HsbenchError
        If its numbers are places in a table of colours, or it is damaged.
    ImportError
        If rasterio is not installed.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

    def opened(name: str) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            return stack.enter_context(rasterio.open(name))

    try:
        image = opened(str(path))
    except RasterioIOError as error:
        if "not recognized as being in a supported file format" in str(error):
            return None
        raise HsbenchError(f"{path} cannot be read by GDAL, or is damaged; get it again") from error
    if image.count:
        return {"": _raster(path, "", image)}
    names = {subdataset.rpartition(":")[2].strip("/"): subdataset for subdataset in image.subdatasets}
    return {name: _raster(path, name, opened(subdataset)) for name, subdataset in names.items()} or None


def _raster(path: Path, name: str, image: Any) -> Raster:
    from rasterio.enums import ColorInterp
    from rasterio.windows import Window

    where = f"{name} of {path}" if name else str(path)
    kinds = image.colorinterp
    if ColorInterp.palette in kinds:
        raise HsbenchError(
            f"{where}: its numbers are places in a table of colours, not intensities; save it without a palette"
        )
    bands = [band for band, kind in zip(image.indexes, kinds, strict=True) if kind != ColorInterp.alpha]
    if len(bands) < image.count:
        note(f"{where}: its band of transparency is left out")
    if not bands:
        raise HsbenchError(f"{where} has no band but transparency; name another file")
    shape = (len(bands), image.height, image.width)

    def block(places: tuple[range, ...]) -> NDArray[Any]:
        taken, rows, columns = places
        if not all(places):
            return np.empty(tuple(map(len, places)), image.dtypes[0])
        window = Window(columns.start, rows.start, len(columns), len(rows))
        part: NDArray[Any] = image.read([bands[band] for band in taken], window=window)
        return part

    claim = Claim(max(np.dtype(kind).itemsize for kind in image.dtypes))
    return Raster(shape, through_blocks(shape, block), _wavelengths(image, bands), "CHW", _stated(image, bands), claim)


def _stated(image: Any, bands: Sequence[int]) -> Stated:
    """Return what GDAL knows of the values: stored number x scale + offset."""
    places = [band - 1 for band in bands]
    of_bands = [image.nodatavals[place] for place in places]
    no_data = tuple({repr(number): float(number) for number in of_bands if number is not None}.values())
    gains = tuple(float(image.scales[place]) for place in places)
    offsets = tuple(float(image.offsets[place]) for place in places)
    plain = set(gains) == {1.0} and set(offsets) == {0.0}
    return Stated(
        no_data=no_data,
        no_data_words=f"nodata = {', '.join(f'{number:g}' for number in no_data)}" if no_data else "",
        gains=() if plain else gains,
        offsets=() if plain else offsets,
        calibration_words="" if plain else f"scale = {_span(gains)}, offset = {_span(offsets)}",
    )


def _span(numbers: Sequence[float]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _wavelengths(image: Any, bands: Sequence[int]) -> tuple[float, ...]:
    """Return the wavelengths that every band's metadata have: GDAL's own, or those that ENVI's users keep there."""
    of_gdal = [_number(image.tags(band, ns="IMAGERY").get("CENTRAL_WAVELENGTH_UM")) for band in bands]
    if found := [centre for centre in of_gdal if centre is not None]:
        return in_nanometres(found, "um", f"{image.name}: CENTRAL_WAVELENGTH_UM") if len(found) == len(bands) else ()
    tags = [{key.lower(): value for key, value in image.tags(band).items()} for band in bands]
    units = {each.get("wavelength_units") or each.get("wavelength_unit") or "" for each in tags}
    of_users = [centre for each in tags if (centre := _number(each.get("wavelength"))) is not None]
    if len(of_users) != len(bands) or len(units) != 1:
        return ()
    return in_nanometres(of_users, units.pop(), f"{image.name}: 'wavelength'")


def _number(text: str | None) -> float | None:
    match = re.match(r"\s*([\d.]+(?:[eE][-+]?\d+)?)", text or "")
    try:
        return float(match[1]) if match else None
    except ValueError:
        return None
