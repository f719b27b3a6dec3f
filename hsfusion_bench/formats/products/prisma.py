"""PRISMA: HDF-EOS5 files (`.he5`) of level 1, 2B, 2C or 2D, with a cube of each of two spectrometers and a PAN image.

The cubes are stored [rows, bands, columns], their bands from long waves to short ones; places without a band have the
wavelength 0. Both are given as one cube, ascending in wavelength.

Source: ASI, PRISMA Products Specification Document, issue 2.3 (2020), sections on the L1 and L2 products.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.blocks import through_blocks
from hsfusion_bench.formats.cf import numbers
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.rasters import Raster
from hsfusion_bench.formats.stated import Stated

_SWATHS = "HDFEOS/SWATHS"
_SWATH = re.compile(r"PRS_(L1|L2[BCD])_(HCO|HRC|PCO|PRC)")
#: Ours for the images: those that are registered to each other are the ones that people mean.
_NAMES = {"HCO": "hsi", "PCO": "pan", "HRC": "hrc", "PRC": "prc"}
_GREATEST = 65535  # of the numbers that level 2 stores


class _Band(NamedTuple):
    wavelength: float
    cube: int
    place: int


@dataclass(frozen=True)
class _Product:
    """An open product."""

    path: Path
    file: Any
    level: str

    def number(self, name: str) -> float:
        return self.numbers(name)[0]

    def numbers(self, name: str) -> tuple[float, ...]:
        if name not in self.file.attrs:
            raise HsbenchError(f"{self.path} has no attribute {name}, which a PRISMA product has; get the file again")
        return numbers(str(self.path), name, self.file.attrs[name])

    def calibration(self, part: str) -> tuple[float, float, str]:
        """Return gain and offset of Vnir, Swir or Pan, and the file's own words for them."""
        if self.level == "L1":
            scale, offset = self.number(f"ScaleFactor_{part}"), self.number(f"Offset_{part}")
            if scale == 0:
                raise HsbenchError(f"{self.path}: its attribute ScaleFactor_{part} is 0; get the file again")
            return 1 / scale, 0.0 - offset, f"ScaleFactor_{part} = {scale:g}, Offset_{part} = {offset:g}"
        low, high = self.number(f"L2Scale{part}Min"), self.number(f"L2Scale{part}Max")
        return (high - low) / _GREATEST, low, f"L2Scale{part}Min = {low:g}, L2Scale{part}Max = {high:g}"

    def stated(self, gains: tuple[float, ...], offsets: tuple[float, ...], words: str) -> Stated:
        """Return what is stated of values: reflectance at levels 2C and 2D, else radiance, which has no full scale.

        Level 2 stores 0 around the image, and where no value could be retrieved. At level 1 it is a radiance.
        """
        retrieved = self.level != "L1"
        return Stated(
            no_data=(0.0,) if retrieved else (),
            no_data_words=f"PRISMA's {self.level} products store 0 where there is no value" if retrieved else "",
            gains=gains,
            offsets=offsets,
            full_scale=1.0 if self.level in ("L2C", "L2D") else None,
            calibration_words=words,
        )


def open_prisma(path: Path, file: Any) -> dict[str, Raster] | None:
    """Open the images of a PRISMA product.

    Parameters
    ----------
    path
        The file, for messages.
    file
        The same, an open `h5py.File`.

    Returns
    -------
    None if it is no such product, else by name: `hsi`, the bands of both spectrometers, [rows, bands, columns], and
    `pan`, [rows, columns], which are registered to each other; at level 1 also `hrc` and `prc`, which are not.
    Where both spectrometers have bands, the VNIR's are kept and the SWIR's are left out; a note says which.

    Raises
    ------
    HsbenchError
        If the file lacks a cube or an attribute of such a product, or they do not fit each other.
    """
    swaths = file.get(_SWATHS)
    if not isinstance(swaths, h5py.Group):
        return None
    if not any(name.startswith("List_Cw_") for name in file.attrs):
        if any(_SWATH.fullmatch(swath) for swath in swaths):
            note(f"{path} has PRISMA's names, but nothing that a product states of them: it is read as any HDF5 file")
        return None
    images: dict[str, Raster] = {}
    for swath in swaths:
        if match := _SWATH.fullmatch(swath):
            product, kind = _Product(path, file, match[1]), match[2]
            fields = swaths[swath].get("Data Fields", {})
            images[_NAMES[kind]] = _joined(product, fields, swath) if kind[0] == "H" else _pan(product, fields, swath)
    return images or None


def _cube(product: _Product, fields: Mapping[str, Any], swath: str, name: str, axes: int) -> Any:
    found = fields.get(name)
    if not isinstance(found, h5py.Dataset) or found.ndim != axes:
        raise HsbenchError(
            f"{product.path} has no {name} of {axes} axes in {swath}, which a PRISMA product has; get the file again"
        )
    return found


def _pan(product: _Product, fields: Mapping[str, Any], swath: str) -> Raster:
    image = _cube(product, fields, swath, "Cube", 2)
    gain, offset, words = product.calibration("Pan")
    return Raster(image.shape, lambda index: image[index], (), "", product.stated((gain,), (offset,), words))


def _joined(product: _Product, fields: Mapping[str, Any], swath: str) -> Raster:
    """Return both spectrometers' cubes as one."""
    parts = ("Vnir", "Swir")
    cubes = [_cube(product, fields, swath, f"{part.upper()}_Cube", 3) for part in parts]
    rows, _, columns = cubes[0].shape
    if cubes[1].shape[::2] != (rows, columns):
        raise HsbenchError(
            f"{product.path}: VNIR_Cube of {swath} has {rows} x {columns} pixels and SWIR_Cube has "
            f"{' x '.join(map(str, cubes[1].shape[::2]))}; get the file again"
        )
    bands = _bands(product, cubes, parts)
    calibrations = [product.calibration(part) for part in parts]
    shape = (rows, len(bands), columns)

    def block(places: tuple[range, ...]) -> NDArray[Any]:
        here, taken, there = places
        found = np.empty((len(here), len(taken), len(there)), np.result_type(*cubes))
        for number, cube in enumerate(cubes):
            wanted = [(to, bands[band].place) for to, band in enumerate(taken) if bands[band].cube == number]
            if wanted:
                to, of = map(np.array, zip(*wanted, strict=True))
                first = of.min()
                stored = cube[here.start : here.stop, first : of.max() + 1, there.start : there.stop]
                found[:, to] = stored[:, of - first]
        return found

    return Raster(
        shape,
        through_blocks(shape, block),
        tuple(band.wavelength for band in bands),
        "HCW",
        product.stated(
            tuple(calibrations[band.cube][0] for band in bands),
            tuple(calibrations[band.cube][1] for band in bands),
            ", ".join(words for _, _, words in calibrations),
        ),
    )


def _bands(product: _Product, cubes: list[Any], parts: tuple[str, ...]) -> list[_Band]:
    """Return the bands of the joined cube, ascending in wavelength, and note those that are left out."""
    found: list[list[_Band]] = []
    said = []
    for number, (cube, part) in enumerate(zip(cubes, parts, strict=True)):
        centres = product.numbers(f"List_Cw_{part}")
        if len(centres) != cube.shape[1]:
            raise HsbenchError(
                f"{product.path}: List_Cw_{part} has {len(centres)} wavelengths for the {cube.shape[1]} bands of "
                f"{part.upper()}_Cube; get the file again"
            )
        present = np.array(centres) > 0
        if f"List_Cw_{part}_Flags" in product.file.attrs:
            flags = product.numbers(f"List_Cw_{part}_Flags")
            if len(flags) == len(centres):
                present &= np.array(flags) != 0
        found.append([_Band(centres[place], number, int(place)) for place in np.flatnonzero(present)])
        if absent := len(centres) - len(found[-1]):
            said.append(f"{part.upper()}_Cube has no band in {absent} of its {len(centres)} places")
    vnir, swir = found
    last = max((band.wavelength for band in vnir), default=0.0)
    above = [band for band in swir if band.wavelength > last]
    if len(above) < len(swir):
        said.append(
            f"{len(swir) - len(above)} SWIR bands are left out, up to {last:g} nm, the last VNIR band: where both have "
            "bands, those of the VNIR are kept"
        )
    if said:
        note(f"{product.path}: {'; '.join(said)}")
    if not vnir + above:
        raise HsbenchError(f"{product.path}: no band has a wavelength; get the file again")
    return sorted(vnir + above)
