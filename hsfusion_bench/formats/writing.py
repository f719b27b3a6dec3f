"""Images written as others read them: ENVI, GeoTIFF and NumPy's files, by the ending of the name.

Each is written whole or not at all, an ENVI header after its raster. Bands have their wavelengths, pixels their place
on the ground, as far as the kind of file can say it; what it cannot say is told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.files import replacing
from hsfusion_bench.formats.georeference import Georeference, extra_tags, said

#: Endings of the rasters of ENVI that may be named for their header, and the interleave of each.
_RASTERS = {".img": "bsq", ".bsq": "bsq", ".bil": "bil", ".bip": "bip"}
_INTERLEAVES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}
#: Endings under which a raster is looked for beside its header.
_LOOKED_FOR = ("", ".img", ".dat", ".sli", ".hyspex", ".raw", ".bin", *_RASTERS)
#: Numbers of ENVI for the types that are written.
_ENVI_TYPES = {"float32": 4, "uint16": 12}
_TIFFS = (".tif", ".tiff")
_GDAL_METADATA = 42112
#: Endings that are written.
SUFFIXES = (".hdr", *_RASTERS, *_TIFFS, ".npy")
#: What a file of whole numbers may hold.
_GREATEST = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Image:
    """An image that is to be written.

    Parameters
    ----------
    cube
        [bands, H, W].
    wavelengths
        Centres of the bands, nanometres; empty: unknown.
    georeference
        Where its pixels lie on the ground; None: unknown.
    description
        What it is, a line of ASCII without braces.
    full_scale
        The number that is stored for 1; stated in files of whole numbers.
    unit
        What 1 is in the unit of the image that this one was made from, such as a reflectance of 1.5; files then state
        how stored numbers become quantities of that unit. None: no unit is known, and 1 is just that.
    """

    cube: NDArray[np.floating]
    wavelengths: tuple[float, ...] = ()
    georeference: Georeference | None = None
    description: str = ""
    full_scale: float = 1.0
    unit: float | None = None

    def stated_scale(self, dtype: DTypeLike) -> float | None:
        """Return the stored number that is 1 in the image's unit, as its file states it; None: it need not."""
        scale = self.full_scale / (1 if self.unit is None else self.unit)
        needless = np.dtype(dtype).kind == "f" and (self.unit is None or math.isclose(scale, 1))
        return None if needless else scale


def is_envi(path: Path) -> bool:
    """Whether a name is of an ENVI header or its raster."""
    return path.suffix.lower() in (".hdr", *_RASTERS)


def files_written(path: Path) -> tuple[Path, ...]:
    """Return the files that are written for a name: two, header and raster, for ENVI."""
    suffix = path.suffix.lower()
    if suffix == ".hdr":
        return path, path.with_suffix(".img")
    return (path.with_suffix(".hdr"), path) if suffix in _RASTERS else (path,)


def require_alone(path: Path) -> None:
    """Refuse an ENVI file beside whose header another raster lies that may be taken for its own.

    Raises
    ------
    HsbenchError
        If there is one.
    """
    if not is_envi(path):
        return
    header, raster = files_written(path)
    names = {header.stem + ending for ending in _LOOKED_FOR} - {raster.name}
    others = sorted(name for name in names if (header.parent / name).is_file())
    if others:
        raise HsbenchError(
            f"{path} cannot be written: {' and '.join(others)} beside it would be taken for the raster of "
            f"{header.name}, too; choose another name, or remove it"
        )


def write_image(path: Path, image: Image, dtype: str = "float32") -> list[str]:
    """Write an image to a file, or header and raster, by the ending of the name.

    Parameters
    ----------
    path
        Of one of the endings `SUFFIXES`.
    image
        The image.
    dtype
        "float32", or "uint16", the nearest whole numbers, not for .npy. Header or metadata state what 1 is, those of
        float32 only where the image has a unit of another size.

    Returns
    -------
    What could not be kept, in sentences; empty: nothing.

    Raises
    ------
    HsbenchError
        If the file cannot be written, or another raster beside an ENVI header would be taken for its own.
    """
    require_alone(path)
    values, notes = _stored(image, dtype)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, values)
        return notes + lost_in(path, image)
    georeference, lost = _stated(image.georeference, path)
    notes += lost
    if suffix in _TIFFS:
        _write_tiff(path, image, values, georeference)
    else:
        _write_envi(path, image, values, georeference)
    return notes


def lost_in(path: Path, image: Image) -> list[str]:
    """Say what a file that holds nothing but numbers does not keep."""
    what = ["the MSI's georeference"] * bool(image.georeference)
    what += ["the wavelengths"] * (bool(image.wavelengths) and path.suffix.lower() == ".npy")
    kinds = "name the result .hdr or .tif to keep " + (
        "both" if len(what) > 1 else "it" if image.georeference else "them"
    )
    return [f"{path} does not keep {' and '.join(what)}; {kinds}"] if what else []


def _stored(image: Image, dtype: str) -> tuple[NDArray[np.generic], list[str]]:
    """Return the numbers that are stored."""
    if dtype == "float32":
        return (image.full_scale * image.cube.astype(np.float64)).astype(np.float32), []
    whole = np.rint(image.full_scale * image.cube.astype(np.float64))
    beyond = int(np.count_nonzero((whole < 0) | (whole > _GREATEST)))
    notes = [f"{beyond} of {whole.size} values were below 0 or above {_GREATEST}, and were clipped"] if beyond else []
    return whole.clip(0, _GREATEST).astype(np.uint16), notes


def _stated(georeference: Georeference | None, path: Path) -> tuple[Georeference | None, list[str]]:
    """Return a georeference in the words of a file, and what is lost of it."""
    if georeference is None:
        return None, []
    try:
        found = georeference.stated_by("ENVI" if is_envi(path) else "GeoTIFF")
    except HsbenchError as error:
        return None, [f"{path} has no georeference: {error}"]
    return found, [f"{path} does not keep the MSI's {said(found.lost)}"] if found.lost else []


def _write_tiff(path: Path, image: Image, values: NDArray[np.generic], georeference: Georeference | None) -> None:
    import tifffile

    tags = extra_tags(georeference.tags) if georeference else []
    if metadata := _gdal_metadata(image, values.dtype):
        tags.append((_GDAL_METADATA, 2, 0, metadata, True))
    with replacing(path) as temporary, temporary.open("wb") as file:
        tifffile.imwrite(
            file,
            values,
            photometric="minisblack",
            planarconfig="separate" if len(values) > 1 else None,
            description=image.description or None,
            metadata=None,
            software=False,
            extratags=tags,
        )


def _gdal_metadata(image: Image, dtype: DTypeLike) -> str:
    """Return what GDAL keeps of each band, in its XML; empty if there is nothing."""
    items = []
    for band, nanometres in enumerate(image.wavelengths):
        items += [_item("wavelength", band, _text(nanometres)), _item("wavelength_units", band, "nanometers")]
    if (scale := image.stated_scale(dtype)) is not None:
        for band in range(len(image.cube)):
            items += [_item("OFFSET", band, "0", "offset"), _item("SCALE", band, repr(1 / scale), "scale")]
    return "<GDALMetadata>\n" + "".join(items) + "</GDALMetadata>\n" if items else ""


def _item(name: str, band: int, value: str, role: str = "") -> str:
    more = f' role="{role}"' if role else ""
    return f'  <Item name="{name}" sample="{band}"{more}>{escape(value)}</Item>\n'


def _write_envi(path: Path, image: Image, values: NDArray[np.generic], georeference: Georeference | None) -> None:
    header, raster = files_written(path)
    interleave = _RASTERS[raster.suffix.lower()]
    bands, height, width = values.shape
    stated: dict[str, object] = {
        "description": "{" + image.description + "}",
        "samples": width,
        "lines": height,
        "bands": bands,
        "header offset": 0,
        "file type": "ENVI Standard",
        "data type": _ENVI_TYPES[values.dtype.name],
        "interleave": interleave,
        "byte order": 0,
    }
    if (scale := image.stated_scale(values.dtype)) is not None:
        stated["reflectance scale factor"] = _text(scale)
    if georeference:
        stated |= georeference.fields
    if image.wavelengths:
        stated["wavelength units"] = "Nanometers"
        stated["wavelength"] = "{" + ", ".join(map(_text, image.wavelengths)) + "}"
    text = "ENVI\n" + "".join(f"{key} = {value}\n" for key, value in stated.items())
    with replacing(header) as new_header, replacing(raster) as new_raster:
        with new_raster.open("wb") as file:
            stored = values.transpose(_INTERLEAVES[interleave])
            for part in stored:
                np.ascontiguousarray(part, values.dtype.newbyteorder("<")).tofile(file)
        new_header.write_text(text, encoding="utf-8")


def _text(number: float) -> str:
    """Return a number as it reads back, without a needless point."""
    return repr(float(number)).removesuffix(".0")
