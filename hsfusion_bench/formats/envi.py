"""ENVI: a header of text that states everything, and beside it a raster of bare numbers, which must be just as long."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.claims import Claim, require_text
from hsfusion_bench.errors import DamagedError, HsbenchError
from hsfusion_bench.formats.kinds import envi_header, no_raster
from hsfusion_bench.formats.notes import note
from hsfusion_bench.formats.rasters import INSTALL, Raster
from hsfusion_bench.formats.statements import of_envi
from hsfusion_bench.formats.wavelengths import in_nanometres

#: Axes in the file, the last one running fastest.
_INTERLEAVES = {"bsq": "CHW", "bil": "HCW", "bip": "HWC"}
_BYTE_ORDERS = {"0": "<", "1": ">"}


def open_envi(path: Path, named: Path | None = None) -> Raster:
    """Open the raster that an ENVI header describes, as [lines, samples, bands]; it is mapped, not read.

    Where the header has no `byte order`, the one of this machine is taken, as ENVI does, and a note is logged.

    Parameters
    ----------
    path
        The header.
    named
        Its raster; None: the file beside it of a usual name, or of the header's, that is just as long as it states.

    Raises
    ------
    HsbenchError
        If the library for it is not installed, the header lacks something or is none, or its raster is not beside it
        or not as long as the header states; the message says what to do.
    """
    try:
        from spectral.io import envi
    except ImportError as error:
        raise HsbenchError(f"{path}: ENVI files need the package spectral: {INSTALL}") from error
    header = _header(path)
    sides = {"H": "lines", "W": "samples", "C": "bands"}
    sizes = {letter: _whole(path, header, key, least=1) for letter, key in sides.items()}
    kind = _one_of(path, header, "data type", envi.envi_to_dtype)
    interleave = _one_of(path, header, "interleave", _INTERLEAVES)
    dtype = np.dtype(envi.envi_to_dtype[kind]).newbyteorder(_byte_order(path, header))
    offset = _whole(path, header, "header offset", least=0) if "header offset" in header else 0
    stated = (
        f"header offset {offset} + {sizes['H']} lines x {sizes['W']} samples x {sizes['C']} bands x {dtype.itemsize} "
        f"bytes (data type {kind}, {dtype.name})"
    )
    length = offset + sizes["H"] * sizes["W"] * sizes["C"] * dtype.itemsize
    raster = _raster(path, [*envi.KNOWN_EXTS, interleave], offset, length, stated, named)
    stored = _INTERLEAVES[interleave]
    mapped: NDArray[Any] = np.memmap(raster, dtype, "r", offset, tuple(sizes[letter] for letter in stored))
    cube = mapped.transpose([stored.index(letter) for letter in "HWC"])
    wavelengths, stated_too = _wavelengths(path, header, sizes["C"]), of_envi(path, header, sizes["C"])
    return Raster(
        cube.shape, lambda index: np.asarray(cube[index]), wavelengths, "HWC", stated_too, Claim(dtype.itemsize)
    )


def files_of_envi(path: Path) -> tuple[Path, ...]:
    """Return a header and the rasters beside it, or a raster and its header; any other file itself."""
    if path.suffix.lower() != ".hdr":
        header = envi_header(path)
        return (path,) if header is None else (path, header)
    try:
        from spectral.io import envi
    except ImportError:  # what lacks is told where it is read
        return (path,)
    return (path, *(_beside(path, _usual([*envi.KNOWN_EXTS, *_INTERLEAVES])) or _others(path)))


def _header(path: Path) -> Mapping[str, Any]:
    """Return what an ENVI header states, by keys in small letters; values in braces are lists."""
    from spectral.io import envi

    require_text(path)
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if not content.lstrip().startswith(b"ENVI"):
        raise HsbenchError(
            f"{path} is no ENVI header: its first line is not ENVI. Files of this ending that other programs write are "
            "not read"
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    plain = text.replace("\u00b5", "u").replace("\u03bc", "u").encode("ascii", "replace")  # µ, as in µm
    # the library reads files only, in the encoding of the machine
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # keys in capitals
        (Path(folder) / "plain.hdr").write_bytes(plain.lstrip())
        try:
            header: dict[str, Any] = envi.read_envi_header(str(Path(folder) / "plain.hdr"))
        except envi.EnviException as error:
            raise HsbenchError(
                f"{path}: a list in braces has no end; close it by }} or get the header again"
            ) from error
    if "library" in str(header.get("file type", "")).lower():
        raise HsbenchError(f"{path}: file type = {header['file type']}: it holds spectra, not an image; name an image")
    if str(header.get("file compression", "0")) != "0":
        raise HsbenchError(f"{path}: file compression = {header['file compression']}: save the raster uncompressed")
    for key in ("major frame offsets", "minor frame offsets"):
        if {"0"} != {str(number) for number in np.atleast_1d(header.get(key, "0"))}:
            raise HsbenchError(f"{path}: {key} are not read; save the raster without them")
    return header


def _stated(path: Path, header: Mapping[str, Any], key: str) -> str:
    """Return what a header must state."""
    if key not in header:
        raise HsbenchError(f"{path} has no {key!r}, which an ENVI header must state; add it")
    return str(header[key]).strip().lower()


def _whole(path: Path, header: Mapping[str, Any], key: str, *, least: int) -> int:
    text = _stated(path, header, key)
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise HsbenchError(f"{path}: {key} = {text}: a whole number from {least} is needed; correct the header")
    return int(text)


def _one_of(path: Path, header: Mapping[str, Any], key: str, known: Mapping[str, Any]) -> str:
    text = _stated(path, header, key)
    if text not in known:
        raise HsbenchError(f"{path}: {key} = {text} is none that ENVI has ({', '.join(known)}); correct the header")
    return text


def _byte_order(path: Path, header: Mapping[str, Any]) -> str:
    """Return NumPy's letter for the byte order."""
    if "byte order" in header:
        return _BYTE_ORDERS[_one_of(path, header, "byte order", _BYTE_ORDERS)]
    number = int(sys.byteorder == "big")
    note(f"{path} has no 'byte order': that of this machine is taken, byte order = {number}")
    return "="


def _raster(path: Path, endings: list[str], offset: int, length: int, stated: str, named: Path | None) -> Path:
    """Return the file beside a header that holds its raster: the one of a usual name and of the length stated."""
    usual = _usual(endings)
    found = _beside(path, usual) if named is None else [named]
    # other programs have endings of their own, such as .lan and .cube
    found = found or [file for file in _others(path) if file.stat().st_size == length]
    if not found:
        raise HsbenchError(
            f"{path}: its raster is not beside it; looked for was {path.stem} without an ending or with one of "
            f"{', '.join(usual[1:])}: put it there, under such a name"
        )
    fitting = [file for file in found if file.stat().st_size == length]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise HsbenchError(
            f"{path}: {' and '.join(file.name for file in fitting)} may both be its raster; leave one of them beside it"
        )
    if len(found) == 1 and (otherwise := no_raster(found[0])):
        raise HsbenchError(otherwise)
    held = " and ".join(f"{file.name} has {file.stat().st_size} bytes" for file in found)
    surplus = found[0].stat().st_size - length
    if len(found) > 1 or surplus < 0:
        advice = "correct the header, or get the raster again"
    else:
        advice = (
            f"correct the header (if the {surplus} bytes more come before the values: header offset = "
            f"{offset + surplus}), or get the raster again"
        )
    raise DamagedError(f"{path} states {length} bytes, {stated}, but {held}; {advice}")


def _usual(endings: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(["", *(f".{ending}" for ending in endings)]))


def _beside(path: Path, endings: Sequence[str]) -> list[Path]:
    """Return the files beside a header that have its name with one of these endings, in small letters or capitals."""
    names = {path.stem + ending for ending in endings} | {path.stem + ending.upper() for ending in endings}
    return sorted(file for file in path.parent.iterdir() if file.name in names and file.is_file())


def _others(path: Path) -> list[Path]:
    """Return the files beside a header that have its name with any ending."""
    return sorted(file for file in path.parent.iterdir() if file.stem == path.stem and file.is_file() and file != path)


def _wavelengths(path: Path, header: Mapping[str, Any], bands: int) -> tuple[float, ...]:
    """Return the centres of the bands in nanometres; none if the header has none, or states that they are unknown."""
    if "wavelength" not in header:
        return ()
    unit = str(header.get("wavelength units", ""))
    try:
        centres = [float(number) for number in np.atleast_1d(header["wavelength"]) if str(number).strip()]
    except ValueError:
        raise HsbenchError(f"{path}: 'wavelength' has something that is no number; correct it, or remove it") from None
    if len(centres) != bands:
        raise HsbenchError(
            f"{path}: 'wavelength' has {len(centres)} numbers, but bands = {bands}; correct that entry, or remove it"
        )
    return in_nanometres(centres, unit, f"{path}: 'wavelength'")
