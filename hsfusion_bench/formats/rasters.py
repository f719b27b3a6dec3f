"""Rasters of remote sensing, with what their headers say of wavelengths: ENVI (BIL, BIP or BSQ) and GeoTIFF."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.matfile import Index

#: How to get the libraries that some of them need.
INSTALL = "pip install 'hsfusion-bench[remote]'"
_GDAL_METADATA = 42112


class Raster(NamedTuple):
    """An image of several bands: its shape, how a part is read, and the bands' centres in nanometres, or none."""

    shape: tuple[int, ...]
    read: Callable[[Index], NDArray[Any]]
    wavelengths: tuple[float, ...]


def open_envi(path: Path) -> Raster:
    """Open the raster that an ENVI header describes, as [H, W, bands]; it is mapped, not read.

    Raises
    ------
    HsbenchError
        If the library for it is not installed; the message says how to get it.
    Exception
        Whatever that library raises of a damaged header, or one whose raster is not beside it.
    """
    try:
        from spectral.io import envi
    except ImportError as error:
        raise HsbenchError(f"{path}: ENVI files need the package spectral: {INSTALL}") from error
    image = envi.open(str(path))
    mapped = image.open_memmap(interleave="bip", writable=False)
    if mapped is None:
        raise ValueError("its raster cannot be mapped")
    centres = tuple(image.bands.centers or ())
    return Raster(mapped.shape, lambda index: np.asarray(mapped[index]), in_nanometres(centres, image.bands.band_unit))


def open_tiff(path: Path) -> Raster:
    """Open a TIFF file, its axes as they are stored; it is mapped, or read whole at the first use if compressed.

    Raises
    ------
    HsbenchError
        If a library for its compression is not installed; the message says how to get it.
    Exception
        Whatever the reader raises of a damaged file.
    """
    import tifffile

    with _complaints_raised("tifffile"), tifffile.TiffFile(path) as file:
        shape, contiguous = file.series[0].shape, file.series[0].dataoffset is not None
        tag = file.pages.first.tags.get(_GDAL_METADATA)
        wavelengths = _gdal_wavelengths(tag.value) if tag else ()

    @cache
    def values() -> NDArray[Any]:
        try:
            return np.asarray(tifffile.memmap(path, mode="r") if contiguous else tifffile.imread(path, series=0))
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            raise HsbenchError(f"{path}: its compression needs the package imagecodecs: {INSTALL}") from error

    return Raster(shape, lambda index: values()[index], wavelengths)


@contextmanager
def _complaints_raised(logger: str) -> Iterator[None]:
    """Raise what a library only logs as an error, such as a page beyond the end of the file, which it passes over."""
    found: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger(logger).addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger(logger).removeHandler(handler)
    if found:
        raise ValueError(found[0])


def _gdal_wavelengths(text: str) -> tuple[float, ...]:
    """Return the wavelengths that GDAL's metadata have for every band."""
    centres: dict[int, float] = {}
    unit = ""
    for item in ElementTree.fromstring(text.strip("\0")).iter("Item"):
        name, value = item.get("name", "").lower(), (item.text or "").strip()
        if name == "wavelength" and "sample" in item.attrib:
            number = re.match(r"[\d.]+", value)
            if number:
                centres[int(item.attrib["sample"])] = float(number[0])
        elif name in ("wavelength_units", "wavelength_unit"):
            unit = value
    in_order = [centres[band] for band in sorted(centres)]
    return in_nanometres(in_order, unit) if sorted(centres) == list(range(len(centres))) else ()


def in_nanometres(centres: Sequence[float], unit: str | None = None) -> tuple[float, ...]:
    """Return wavelengths in nanometres; without a unit, those below 100 are taken for micrometres."""
    micrometres = (unit or "").lower().startswith(("micro", "um", "µm", "μm")) or (
        not unit and max(centres, default=0) < 100
    )
    return tuple(float(np.round(centre * 1000, 6)) if micrometres else float(centre) for centre in centres)
