"""Rasters of remote sensing, with what they say of their axes and wavelengths; here TIFF and GeoTIFF."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import Claim, require_room
from hsfusion_bench.errors import DamagedError, HsbenchError, out_of_memory
from hsfusion_bench.formats.matfile import Index
from hsfusion_bench.formats.stated import Stated
from hsfusion_bench.formats.statements import of_gdal
from hsfusion_bench.formats.wavelengths import in_nanometres, unit_in

#: How to get the libraries that some of them need.
INSTALL = "pip install 'hsfusion-bench[remote]'"
_GDAL_METADATA, _GDAL_NODATA = 42112, 42113


class Raster(NamedTuple):
    """An image: its shape, how a part is read, the bands' centres in nanometres, or none, what is stated, claimed."""

    shape: tuple[int, ...]
    read: Callable[[Index], NDArray[Any]]
    wavelengths: tuple[float, ...]
    axes: str
    stated: Stated = Stated()
    claim: Claim = Claim()


def open_tiff(path: Path) -> dict[str, Raster]:
    """Open the images of a TIFF file, their axes as they are stored; mapped, or read whole at first use if compressed.

    Pages of one shape are one image; those that the file calls smaller copies or masks of another are passed over.

    Returns
    -------
    By name: "" for the only one, else series1, series2 and so on.

    Raises
    ------
    HsbenchError
        If the file is damaged, or a library for its compression is not installed; the message says how to get it.
    """
    import tifffile

    with _readable(path), _complaints_raised("tifffile"), tifffile.TiffFile(path) as file:
        every = list(enumerate(file.series))
        main = [(place, series) for place, series in every if not _of_another(series)] or every
        images = [_image(path, place, series) for place, series in main]
    return {f"series{number}" if len(images) > 1 else "": image for number, image in enumerate(images, 1)}


def _of_another(series: Any) -> bool:
    return bool(series.keyframe.is_reduced or series.keyframe.is_mask)


def _image(path: Path, place: int, series: Any) -> Raster:
    """Return an image of an open TIFF file, which may be closed before it is read."""
    import tifffile

    contiguous = series.dataoffset is not None
    axes = _letters(series.axes)
    tag = series.keyframe.tags.get(_GDAL_METADATA)
    wavelengths = _gdal_wavelengths(path, tag.value) if tag else ()
    if axes and wavelengths and len(wavelengths) != series.shape[axes.index("C")]:
        raise HsbenchError(
            f"{path}: its metadata have {len(wavelengths)} wavelengths for {series.shape[axes.index('C')]} bands; "
            "correct or remove them"
        )

    bands = series.shape[axes.index("C")] if axes else 1 if len(series.shape) == 2 else None
    ignored = series.keyframe.tags.get(_GDAL_NODATA)
    stated = of_gdal(path, str(ignored.value) if ignored else None, tag.value if tag else None, bands)

    size = path.stat().st_size
    claim = Claim(series.dtype.itemsize, None if contiguous else lambda: size)

    @cache
    def values() -> NDArray[Any]:
        if not contiguous:
            require_room(str(path), int(series.nbytes))
        with _readable(path):
            try:
                if contiguous:
                    return np.asarray(tifffile.memmap(path, series=place, mode="r"))
                return np.asarray(tifffile.imread(path, series=place))
            except ValueError as error:
                if "imagecodecs" not in str(error):
                    raise
                raise HsbenchError(f"{path}: its compression needs the package imagecodecs: {INSTALL}") from error

    return Raster(series.shape, lambda index: values()[index], wavelengths, axes, stated, claim)


def _letters(axes: str) -> str:
    """Name the axes of an image by C, H and W; empty where the file does not state them, or it is no cube.

    Its samples are the bands, wherever the planar configuration puts them; so are channels, and pages one after the
    other. A Q is an axis of which the writer said nothing, and its pages may just as well be rows.
    """
    named = "".join({"Y": "H", "X": "W"}.get(axis, "C" if axis in "SCIZTE" else "?") for axis in axes)
    return named if sorted(named) == ["C", "H", "W"] else ""


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes the reader raise into one message."""
    try:
        yield
    except (HsbenchError, OSError):
        raise
    except Exception as error:
        if reason := out_of_memory(error):
            raise HsbenchError(f"{path} cannot be read: {reason}") from error
        raise DamagedError(
            f"{path} cannot be read as a TIFF file, or is damaged or cut short; write it anew, or get it again"
        ) from error


@contextmanager
def _complaints_raised(logger: str) -> Iterator[None]:
    """Raise what a library only logs as an error, such as a page beyond the end of the file, which it passes over."""
    found: list[str] = []
    handler = logging.Handler(logging.ERROR)

    def complain(record: logging.LogRecord) -> None:
        found.append(record.getMessage())
        raise ValueError(found[0])  # at the first one: a chain of pages may have no end

    handler.emit = complain  # type: ignore[method-assign]
    logging.getLogger(logger).addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger(logger).removeHandler(handler)
    if found:
        raise ValueError(found[0])


def _gdal_wavelengths(path: Path, text: str) -> tuple[float, ...]:
    """Return the wavelengths that GDAL's metadata have for every band."""
    centres: dict[int, float] = {}
    unit = ""
    for item in ElementTree.fromstring(text.strip("\0")).iter("Item"):
        name, value = item.get("name", "").lower(), (item.text or "").strip()
        if name == "wavelength" and "sample" in item.attrib:
            number = re.match(r"([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(.*)", value)
            if number:
                centres[int(item.attrib["sample"])] = float(number[1])
                unit = unit or unit_in(number[2])
        elif name in ("wavelength_units", "wavelength_unit"):
            unit = value
    if sorted(centres) != list(range(len(centres))):
        return ()
    return in_nanometres([centres[band] for band in sorted(centres)], unit, f"{path}: its metadata's wavelengths")
