"""EnMAP: a GeoTIFF of level 1C or 2A, and beside it an XML file that states everything of its bands.

Source: DLR, EnMAP Ground Segment, HSI Product Specification (EN-PCV-ICD-2009-2), the parts on L1C and L2A metadata.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.blocks import through_blocks
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.rasters import Raster, open_tiff
from hsfusion_bench.formats.stated import Stated

_IMAGE = re.compile(r"(.+)-SPECTRAL_IMAGE(?:_COG)?\.tiff?", re.IGNORECASE)
_METADATA = re.compile(r"(.+)-METADATA\.xml", re.IGNORECASE)
#: What the metadata state of each band.
_OF_BANDS = ("wavelengthCenterOfBand", "GainOfBand", "OffsetOfBand")


@dataclass(frozen=True)
class _Metadata:
    """What the XML file states: of the bands, in the order of their numbers."""

    path: Path
    level: str
    wavelengths: tuple[float, ...]
    gains: tuple[float, ...]
    offsets: tuple[float, ...]
    background: float | None
    unexpected: tuple[int, ...]


def is_enmap(path: Path) -> bool:
    """Tell whether a file has the name of the image of an EnMAP product, or of its metadata."""
    return bool(_IMAGE.fullmatch(path.name) or _METADATA.fullmatch(path.name))


def files_of_enmap(path: Path) -> tuple[Path, ...]:
    """Return the files of the product that a file is of: its image and its metadata.

    Raises
    ------
    HsbenchError
        If one of them is not there.
    """
    return _both(path)


def open_enmap(path: Path) -> dict[str, Raster]:
    """Open the image of an EnMAP product.

    All bands of the file are given, those of both detectors where these overlap, too: ascending in wavelength, which is
    a product's usual order; where it has another, a note says that they were put in order.

    Parameters
    ----------
    path
        `...-SPECTRAL_IMAGE.TIF` or `...-METADATA.XML`; the other one must lie beside it.

    Returns
    -------
    The image, under the name "".

    Raises
    ------
    HsbenchError
        If the other file is not there, or they do not fit each other.
    """
    image, metadata = _both(path)
    facts = _read(metadata)
    found = open_tiff(image)
    if list(found) != [""] or not found[""].axes:
        raise HsbenchError(f"{image} is not one image of several bands, as that of an EnMAP product is; get it again")
    raster = found[""]
    along = raster.axes.index("C")
    if raster.shape[along] != len(facts.wavelengths):
        raise HsbenchError(
            f"{image} has {raster.shape[along]} bands, but {metadata.name} describes {len(facts.wavelengths)}; put "
            "the two files of one product beside each other"
        )
    order = sorted(range(len(facts.wavelengths)), key=facts.wavelengths.__getitem__)
    if order != sorted(order):
        note(f"{image}: its bands are given in the order of their wavelengths, which is not that of the file")
        raster = raster._replace(read=_in_order(raster, along, order))
    return {
        "": raster._replace(
            wavelengths=tuple(facts.wavelengths[band] for band in order), stated=_stated(facts, order, raster.stated)
        )
    }


def _both(path: Path) -> tuple[Path, Path]:
    """Return the image and the metadata of the product that a file is of."""
    if not path.is_file():
        raise HsbenchError(f"{path}: there is no such file")
    of_image, of_metadata = _IMAGE.fullmatch(path.name), _METADATA.fullmatch(path.name)
    if of_image:
        other = _beside(path, _METADATA, of_image[1])
        if other is None:
            raise HsbenchError(
                f"{path} is of an EnMAP product, by its name, but {of_image[1]}-METADATA.XML, which states its "
                "wavelengths and the scale of its values, is not beside it: put it there, or give the image another "
                "name, to read the bare numbers"
            )
        return path, other
    product = of_metadata[1] if of_metadata else path.stem
    other = _beside(path, _IMAGE, product)
    if other is None:
        raise HsbenchError(f"{path}: its image, {product}-SPECTRAL_IMAGE.TIF, is not beside it; put it there")
    return other, path


def _beside(path: Path, kind: re.Pattern[str], product: str) -> Path | None:
    """Return the file of that kind and product in the same folder."""
    named = ((file, kind.fullmatch(file.name)) for file in sorted(path.parent.iterdir()))
    return next((file for file, match in named if match and match[1] == product), None)


def _read(path: Path) -> _Metadata:
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError:
        raise HsbenchError(f"{path} is no XML file, or damaged; get it again") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # whatever its namespace
    bands = sorted(root.findall(".//bandCharacterisation/bandID"), key=lambda band: _number(path, band.get("number")))
    if [_number(path, band.get("number")) for band in bands] != list(range(1, len(bands) + 1)) or not bands:
        raise HsbenchError(f"{path} does not describe bands from 1 on, as bandCharacterisation/bandID; get it again")
    wavelengths, gains, offsets = (
        tuple(_number(path, band.findtext(name), name) for band in bands) for name in _OF_BANDS
    )
    listed = [element.text or "" for element in root.findall(".//expectedChannelsList")]
    expected = {int(number) for text in listed for number in re.findall(r"\d+", text)}
    background = next((each.text for each in root.iter() if each.tag.lower() == "backgroundvalue"), None)
    return _Metadata(
        path,
        (root.findtext(".//base/level") or "").strip() or ("L2A" if "L2A" in path.name.upper() else ""),
        wavelengths,
        gains,
        offsets,
        None if background is None else _number(path, background, "backgroundValue"),
        tuple(band for band in range(len(bands)) if band + 1 not in expected) if expected else (),
    )


def _number(path: Path, text: str | None, name: str = "the number of a band") -> float:
    try:
        return float(text or "")
    except ValueError:
        raise HsbenchError(f"{path}: {name} is {text!r}, where a number is needed; get the file again") from None


def _in_order(raster: Raster, along: int, order: Sequence[int]) -> Any:
    """Return a reader of the image with its bands in another order."""

    def block(places: tuple[range, ...]) -> NDArray[Any]:
        stored = np.array([order[band] for band in places[along]])
        index = [slice(each.start, each.stop) for each in places]
        index[along] = slice(int(stored.min()), int(stored.max()) + 1)
        part: NDArray[Any] = raster.read(tuple(index)).take(stored - stored.min(), axis=along)
        return part

    return through_blocks(raster.shape, block)


def _stated(facts: _Metadata, order: Sequence[int], of_image: Stated) -> Stated:
    """Return what is stated of values: those without one by the metadata, else as the GeoTIFF itself has them."""
    bad = tuple(place for place, band in enumerate(order) if band in facts.unexpected)
    stated = replace(
        of_image,
        bad_bands=bad,
        bad_bands_words="its metadata do not have them in expectedChannelsList" if bad else "",
        gains=tuple(facts.gains[band] for band in order),
        offsets=tuple(facts.offsets[band] for band in order),
        full_scale=1.0 if "2A" in facts.level else None,
        calibration_words=f"GainOfBand = {_span(facts.gains)}, OffsetOfBand = {_span(facts.offsets)} ({facts.level})",
    )
    if facts.background is None:
        return stated
    return replace(stated, no_data=(facts.background,), no_data_words=f"backgroundValue = {facts.background:g}")


def _span(numbers: Sequence[float]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
