"""What kind of file a file is, by what is in it: its ending says nothing.

A reader of a product that lies in one of these kinds, such as a satellite's HDF5, asks for the kind first and looks
inside then.
"""

from __future__ import annotations

import struct
import zipfile
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.formats.reading import unreadable

_HDF5: Final = b"\x89HDF\r\n\x1a\n"
#: HDF5 looks for its signature at 0, 512, 1024, 2048 and so on; before it is the user's own.
_FIRST_USER_BLOCK: Final = 512
_ZIP_FILES: Final = (b"PK\x03\x04", b"PK\x05\x06")
_MATLAB_73: Final = b"MATLAB 7.3 MAT-file"
_BEGINNING: Final = 1024


class Kind(StrEnum):
    """A kind of file that is read; the value is how people call it."""

    MAT = "MAT-file"
    MAT73 = "MAT-file of version 7.3"
    HDF5 = "HDF5 file"
    NPY = "NumPy file"
    NPZ = "NumPy archive"
    TIFF = "TIFF file"
    ENVI = "ENVI header"
    RASTER = "ENVI raster"


class About(NamedTuple):
    """What is told of a kind: by what it is known, and the endings that it usually has."""

    known_by: str
    endings: str


#: All that are read, for people.
READ: Final = {
    Kind.MAT: About("IM or MI at byte 126, as versions 5 to 7 have", ".mat"),
    Kind.MAT73: About("HDF5 below MATLAB's header, or HDF5 called .mat", ".mat"),
    Kind.HDF5: About("HDF5's signature, at byte 0, 512, 1024, ...", ".h5 .hdf5 .he5 .nc .hdf"),
    Kind.NPY: About("NUMPY in the first bytes", ".npy"),
    Kind.NPZ: About("a zip archive of NumPy files", ".npz"),
    Kind.TIFF: About("II or MM and 42, or 43 (BigTIFF)", ".tif .tiff"),
    Kind.ENVI: About("ENVI in its first line", ".hdr"),
    Kind.RASTER: About("x.hdr or x.img.hdr beside it is an ENVI header", ".img .dat .bsq .bil .bip .raw .lan .cube"),
}


class _Other(NamedTuple):
    """A kind that is not read: what it is, and what to do."""

    what: str
    advice: str


_UNPACK: Final = "unpack it and name the file in it"
_GDAL: Final = "GDAL reads it, which comes with pip install 'hsfusion-bench[geo]'"
_IMAGE: Final = f"it is a picture, whose few bands are no cube; name the file of the cube; for an HR-MSI, {_GDAL}"
_NETCDF: Final = _Other(
    "is a classic netCDF file of 64-bit data", "convert it to netCDF-4, as by nccopy -k nc4 IN OUT.nc"
)
_OCTAVES: Final = _Other("has a format of Octave's own", "save it with the option -v7 (or -v6) instead")
_OTHERS: Final = (
    (
        0,
        b"version https://git-lfs.github.com/spec/",
        _Other("is a pointer of Git LFS, not the file itself", "git lfs pull"),
    ),
    (0, b"\x0e\x03\x13\x01", _Other("is an HDF4 file", "convert it to HDF5, as by h4toh5 IN OUT.h5")),
    (0, b"CDF\x05", _NETCDF),
    (0, b"\x1f\x8b", _Other("is a gzip archive", "unpack it, as by gunzip, and name the file in it")),
    (0, b"BZh", _Other("is a bzip2 archive", _UNPACK)),
    (0, b"\xfd7zXZ\0", _Other("is an xz archive", _UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", _Other("is a 7-Zip archive", _UNPACK)),
    (0, b"Rar!\x1a\x07", _Other("is a RAR archive", _UNPACK)),
    (257, b"ustar", _Other("is a tar archive", _UNPACK)),
    (0, b"\x89PNG\r\n\x1a\n", _Other("is a PNG image", _IMAGE)),
    (0, b"\xff\xd8\xff", _Other("is a JPEG image", _IMAGE)),
    (0, b"GIF8", _Other("is a GIF image", _IMAGE)),
    (0, b"\0\0\0\x0cjP  ", _Other("is a JPEG 2000 image", _GDAL)),
    (0, b"EHFA_HEADER_TAG", _Other("is an ERDAS Imagine image", _GDAL)),
    (0, b"SIMPLE  =", _Other("is a FITS file", "save its cube as .npy, .mat or HDF5")),
    (0, b"%PDF-", _Other("is a PDF document", "name the file of the cube")),
    (0, b"Octave-1-", _OCTAVES),
    (0, b"# Created by Octave", _OCTAVES),
    (0, b"# name:", _OCTAVES),
)
#: Signatures that numbers do not begin with by chance.
_LONG: Final = tuple(signature for _, signature, _ in _OTHERS if len(signature) >= 8)
_WEIGHTS: Final = _Other("is weights of a network, as PyTorch saves them", "name the file of the cube")
_PICKLE: Final = _Other(
    "is a pickle of Python objects, which is never unpickled", "save the array by numpy.save instead"
)
_ZIP: Final = _Other("is a zip archive", _UNPACK)
_HTML: Final = _Other(
    "is a web page saved under this name, not the file itself",
    "the server may ask to log in or to confirm; get the file anew, and look at its size",
)
_VERSION_4: Final = _Other(
    "is a MAT-file of version 4, which holds matrices only", "save it with the option -v7 instead"
)


def kind_of(path: Path) -> Kind:
    """Tell the kind of a file by its content.

    The signatures of the kinds that are read come first, then an ENVI header beside the file, since the numbers of a
    raster may begin like anything, and then what is not read.

    Raises
    ------
    HsbenchError
        If there is no such file, or it is of a kind that is not read; the message names it and says what to do.
    """
    if not path.is_file():
        raise HsbenchError(f"{path}: there is no such file" if not path.exists() else f"{path} is no file")
    beginning = _beginning(path)
    if not beginning:
        raise HsbenchError(_unknown(path, beginning))
    if (kind := _signed(path, beginning)) is not None:
        return kind
    other = _other(path, beginning)
    if envi_header(path) is not None and not (other and beginning.startswith(_LONG)):
        return Kind.RASTER
    if other is not None:
        raise HsbenchError(f"{path} {other.what}; {other.advice}")
    if path.suffix.lower() == ".hdr":  # its reader says what a header needs
        return Kind.ENVI
    raise HsbenchError(_unknown(path, beginning))


def envi_header(path: Path) -> Path | None:
    """Return the ENVI header that lies beside a raster, as ``x.img.hdr`` or ``x.hdr``."""
    names = [path.name + ".hdr", path.name + ".HDR", path.stem + ".hdr", path.stem + ".HDR"]
    for header in (path.with_name(name) for name in names):
        if header != path and header.is_file() and _is_envi(_beginning(header)):
            return header
    return None


def no_raster(path: Path) -> str:
    """Say what a file is that has a signature of its own, and what to do; nothing of one that may be a raster."""
    beginning = _beginning(path)
    kind, other = _signed(path, beginning), _other(path, beginning)
    if kind is not None:
        return f"{path} is a file of another kind, a {kind}; name it itself"
    return f"{path} {other.what}; {other.advice}" if other else ""


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_BEGINNING)
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {error.strerror}") from error


def _is_envi(beginning: bytes) -> bool:
    return beginning.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"ENVI")


def _signed(path: Path, beginning: bytes) -> Kind | None:
    """Return the kind whose signature a file has."""
    if (place := _hdf5_at(path)) is not None:
        matlabs = path.suffix.lower() == ".mat" or (place and beginning.startswith(_MATLAB_73))
        return Kind.MAT73 if matlabs else Kind.HDF5
    if beginning[126:128] in (b"IM", b"MI") and beginning[124:126] in (b"\x00\x01", b"\x01\x00"):
        return Kind.MAT
    if beginning.startswith((b"MATLAB 5.0 MAT-file", _MATLAB_73)):  # cut short, or damaged
        return Kind.MAT
    if beginning.startswith(b"\x93NUMPY"):
        return Kind.NPY
    if beginning[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return Kind.TIFF
    if beginning.startswith(_ZIP_FILES) and (_archive(path) is None or path.suffix.lower() == ".npz"):
        return Kind.NPZ
    return Kind.ENVI if _is_envi(beginning) else None


def _hdf5_at(path: Path) -> int | None:
    """Return where HDF5's signature is."""
    size = path.stat().st_size
    place = 0
    with path.open("rb") as file:
        while place < size:
            file.seek(place)
            if file.read(len(_HDF5)) == _HDF5:
                return place
            place = 2 * place or _FIRST_USER_BLOCK
    return None


def _archive(path: Path) -> _Other | None:
    """Tell a zip archive that NumPy did not write from one that it did."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return _Other("is a zip archive, as .npz files are, and damaged or cut short", "get it again")
    if names and all(name.endswith(".npy") for name in names):
        return None
    return _WEIGHTS if any(name.endswith("data.pkl") for name in names) else _ZIP


def _other(path: Path, beginning: bytes) -> _Other | None:
    """Tell a file of a kind that is not read."""
    if beginning.startswith(_ZIP_FILES):
        return _archive(path)
    for place, signature, other in _OTHERS:
        if beginning[place : place + len(signature)] == signature:
            return other
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if text.startswith((b"<!doctype html", b"<head", b"<html")) or b"<html" in text:
        return _HTML
    if text.startswith(b"<?xml"):
        return _Other("is an XML document", f"name the file of the cube; if it is a virtual raster, {_GDAL}")
    if beginning[:1] == b"\x80" and b"\2" <= beginning[1:2] <= b"\5":
        return _WEIGHTS if path.suffix.lower() in (".pth", ".pt", ".ckpt") else _PICKLE
    return _VERSION_4 if _is_version_4(path, beginning) else None


def _is_version_4(path: Path, beginning: bytes) -> bool:
    """Tell whether the first 20 bytes are the head of a matrix of MATLAB's version 4, in either byte order."""
    if len(beginning) < 20:
        return False
    for order in "<>":
        kind, rows, columns, imaginary, length = struct.unpack_from(f"{order}5i", beginning)
        machine, rest = divmod(kind, 1000)
        nothing, numbers = divmod(rest, 100)
        plausible = 0 <= machine <= 4 and nothing == 0 and numbers // 10 <= 5 and numbers % 10 <= 2
        named = 1 < length <= 64 and beginning[19 + length : 20 + length] == b"\0" and beginning[20:21].isalpha()
        if plausible and imaginary in (0, 1) and min(rows, columns) >= 0 and named:
            return True
    return False


def _unknown(path: Path, beginning: bytes) -> str:
    """Say of a file of no known kind what may be wrong with it."""
    ending = path.suffix.lower()
    called = next((kind for kind in (Kind.MAT, Kind.HDF5, Kind.NPY, Kind.NPZ, Kind.TIFF) if _ends(kind, ending)), None)
    cannot = unreadable(path, called) if called else f"{path} cannot be read"
    if not beginning:
        return f"{cannot}: it is empty, 0 bytes; get it again"
    if not any(beginning):
        return f"{cannot}: its first {len(beginning)} bytes are 0, as where a download broke off; get it again"
    text = all(byte >= 32 or byte in b"\t\n\r\f" for byte in beginning)
    if called:
        return f"{cannot}: it {'is text' if text else 'does not begin as one'}; get it again"
    if _ends(Kind.RASTER, ending):
        return (
            f"{cannot}: it begins like no kind that is read, and no ENVI header is beside it; if it is a raster, "
            f"put its header there, as {path.stem}.hdr"
        )
    kinds = ", ".join(f"{kind}s" for kind in READ if kind not in (Kind.MAT73, Kind.RASTER))
    return f"{cannot}: it is {'text' if text else 'of an unknown kind, by its first bytes'}; read are {kinds}"


def _ends(kind: Kind, ending: str) -> bool:
    return ending in READ[kind].endings.split()
