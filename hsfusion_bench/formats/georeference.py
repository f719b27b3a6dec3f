"""Where an image lies on the ground, carried from the file of one image to that of another on the same pixels.

Between files of one kind it is copied as it stands, word for word, whatever map projection it is in, and no library is
needed. Between ENVI and GeoTIFF, rasterio translates it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

import numpy as np

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.gdal import is_installed
from hsfusion_bench.formats.kinds import Kind as FileKind
from hsfusion_bench.formats.kinds import envi_header, kind_of

Kind: TypeAlias = Literal["ENVI", "GeoTIFF"]

#: How to get the library that translates.
INSTALL = "pip install 'hsfusion-bench[geo]'"
#: Fields of an ENVI header, of which the first places the pixels; the last two are lost in a cut or a translation.
_FIELDS = ("map info", "projection info", "coordinate system string", "rpc info", "geo points")
_POINTS = {"rpc info": "RPCs", "geo points": "ground control points"}
#: Tags of a GeoTIFF: pixel scale, tie points, transformation, the keys and their numbers and texts, and RPCs.
_SCALE, _TIES, _MATRIX, _KEYS, _RPCS = 33550, 33922, 34264, (34735, 34736, 34737), 50844
_TAGS = (_SCALE, _TIES, _MATRIX, *_KEYS, _RPCS)
#: TIFF's types of the values of these tags: 16-bit whole numbers, ASCII, and doubles for the rest.
_TYPES = {34735: 3, 34737: 2}
_DOUBLE = 12


@dataclass(frozen=True)
class Georeference:
    """Where the pixels of an image lie on the ground.

    Parameters
    ----------
    fields
        What an ENVI header states of it, by key in small letters, each value as it stands there; else empty.
    tags
        What a GeoTIFF states of it, by the number of the tag; else empty.
    lost
        What the image's own file states besides, but is no longer here, such as "RPCs".
    """

    fields: Mapping[str, str]
    tags: Mapping[int, Any]
    lost: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """The kind of file whose words these are."""
        return "ENVI" if self.fields else "GeoTIFF"

    def cropped(self, row: int, column: int) -> Georeference:
        """Return that of the part of the image that begins at a row and a column."""
        if not (row or column):
            return self
        if self.fields:
            kept = {key: value for key, value in self.fields.items() if key not in _POINTS}
            if "map info" in kept:
                kept["map info"] = _map_info_from(kept["map info"], row, column)
            gone = tuple(what for key, what in _POINTS.items() if key in self.fields)
            return Georeference(kept, {}, self.lost + gone)
        return replace(self, tags=_tags_from(self.tags, row, column))

    def stated_by(self, kind: Kind) -> Georeference:
        """Return the same in the words of another kind of file.

        Raises
        ------
        HsbenchError
            If rasterio, which translates, is not installed, or cannot.
        """
        if kind == self.kind:
            return self
        return _translated(self, kind)


def read_georeference(path: Path) -> Georeference | None:
    """Return where the image of a file lies on the ground; None: the file does not say, or is of a kind that cannot.

    ENVI, named by its header or its raster, and TIFF are read as they stand, told by their content; of what only GDAL
    reads, rasterio tells projection and transformation.
    """
    try:
        kind = kind_of(path)
    except HsbenchError:
        return _of_gdal(path) if path.is_file() and is_installed() else None
    header = envi_header(path) if kind is FileKind.RASTER else path if kind is FileKind.ENVI else None
    if header is not None:
        fields = _fields(header)
        return Georeference(fields, {}) if fields else None
    if kind is FileKind.TIFF:
        tags = _tags(path)
        return Georeference({}, tags) if {_TIES, _MATRIX, _RPCS} & set(tags) else None
    return None


def extra_tags(tags: Mapping[int, Any]) -> list[tuple[int, int, int, Any, bool]]:
    """Return tags of a GeoTIFF as tifffile writes them."""
    return [
        (tag, _TYPES.get(tag, _DOUBLE), 0 if tag == 34737 else len(value), value, True) for tag, value in tags.items()
    ]


def _fields(header: Path) -> dict[str, str]:
    """Return the fields of a header as they stand there; what reads headers for us would part them at each comma."""
    content = header.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    found = {}
    for key in _FIELDS:
        words = r"\s+".join(key.split())
        match = re.search(rf"^[ \t]*{words}[ \t]*=[ \t]*(\{{[^}}]*\}})", text, re.MULTILINE | re.IGNORECASE)
        if match:
            found[key] = " ".join(match[1].split())
    return found


def _map_info_from(text: str, row: int, column: int) -> str:
    """Move the reference pixel of a map info, whose column and row, from 1, are its second and third entry."""
    entries = text.strip("{} ").split(",")
    try:
        entries[1], entries[2] = (f" {float(entries[place]) - by:.15g}" for place, by in ((1, column), (2, row)))
    except (IndexError, ValueError):
        raise HsbenchError(
            f"map info = {text} has no reference pixel, so that no part of the image can be placed"
        ) from None
    return "{" + ",".join(entries) + "}"


def _of_gdal(path: Path) -> Georeference | None:
    """Return what GDAL knows of a file that it alone reads, in the words of a small GeoTIFF that lies there."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        small = Path(folder) / "small.tif"
        try:
            with rasterio.open(path) as read:
                crs, transform = read.crs, read.transform
                lost = tuple(["RPCs"] * bool(read.rpcs) + ["ground control points"] * bool(read.gcps[0]))
            if transform == rasterio.Affine.identity():
                return Georeference({}, {}, lost) if lost else None
            shape: dict[str, Any] = {"width": 4, "height": 4, "count": 1, "dtype": "uint8"}
            with rasterio.open(small, "w", driver="GTiff", crs=crs, transform=transform, **shape):
                pass
        except RasterioError:
            return None
        return Georeference({}, _tags(small), lost)


def _tags(path: Path) -> dict[int, Any]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        tags = file.pages.first.tags
        return {tag: tags[tag].value for tag in _TAGS if tag in tags}


def _tags_from(tags: Mapping[int, Any], row: int, column: int) -> dict[int, Any]:
    """Move the pixels that tie points, transformation and RPCs speak of."""
    moved = dict(tags)
    if _TIES in moved:
        ties = np.array(moved[_TIES], float).reshape(-1, 6)
        ties[:, :2] -= column, row
        moved[_TIES] = tuple(ties.ravel().tolist())
    if _MATRIX in moved:
        matrix = np.array(moved[_MATRIX], float).reshape(4, 4)
        matrix[:, 3] += column * matrix[:, 0] + row * matrix[:, 1]
        moved[_MATRIX] = tuple(matrix.ravel().tolist())
    if _RPCS in moved:
        numbers = list(moved[_RPCS])  # two errors, then the offsets of line and sample
        numbers[2] -= row
        numbers[3] -= column
        moved[_RPCS] = tuple(numbers)
    return moved


def _translated(georeference: Georeference, kind: Kind) -> Georeference:
    """Let rasterio read the words of one kind from a small image, and write them in those of the other."""
    try:
        import rasterio
        from rasterio.errors import NotGeoreferencedWarning, RasterioError
    except ImportError as error:
        raise HsbenchError(f"it takes the package rasterio to say it in a file of kind {kind}: {INSTALL}") from error

    lost = list(georeference.lost)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        source, target = Path(folder) / "source", Path(folder) / "target"
        _write_small(source, georeference)
        try:
            with rasterio.open(source) as read:
                crs, transform = read.crs, read.transform
                lost += ["RPCs"] * bool(read.rpcs or "rpc info" in georeference.fields)
                lost += ["ground control points"] * bool(read.gcps[0] or "geo points" in georeference.fields)
            driver = {"ENVI": "ENVI", "GeoTIFF": "GTiff"}[kind]
            shape: dict[str, Any] = {"width": 4, "height": 4, "count": 1, "dtype": "uint8"}
            with rasterio.open(target, "w", driver=driver, crs=crs, transform=transform, **shape):
                pass
            with rasterio.open(target) as written:
                same = written.transform.almost_equals(transform, 1e-6) and (written.crs or None) == (crs or None)
        except RasterioError as error:
            raise HsbenchError(f"rasterio cannot say it in a file of kind {kind}") from error
        placed = transform != rasterio.Affine.identity()
        if placed and not same:
            raise HsbenchError(f"a file of kind {kind} cannot say the same of it")
        if kind == "ENVI":
            return Georeference(_fields(target.with_suffix(".hdr")) if placed else {}, {}, tuple(lost))
        return Georeference({}, _tags(target) if placed else {}, tuple(lost))


def _write_small(path: Path, georeference: Georeference) -> None:
    """Write a small image that lies there; GDAL takes no file of a single byte for a raster."""
    if georeference.fields:
        path.write_bytes(bytes(16))
        lines = ["ENVI", "samples = 4", "lines = 4", "bands = 1", "data type = 1", "interleave = bsq", "byte order = 0"]
        lines += (f"{key} = {value}" for key, value in georeference.fields.items())
        path.with_suffix(".hdr").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    import tifffile

    tifffile.imwrite(path, np.zeros((4, 4), np.uint8), metadata=None, extratags=extra_tags(georeference.tags))


def said(points: Sequence[str]) -> str:
    """Join the names of what is lost."""
    return " and ".join(dict.fromkeys(points))
