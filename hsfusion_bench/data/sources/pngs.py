"""Cubes that are kept as one grey PNG a band, decoded side by side."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hsfusion_bench.claims import require_likely, require_room
from hsfusion_bench.data.scenes import Cube
from hsfusion_bench.errors import DamagedError, DifferentDataError, HsbenchError, out_of_memory

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
#: Colour types by the numbers that PNG files have for them.
_COLOURS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with transparency", 6: "RGBA"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_EIGHT_BIT = ("8-bit grey", "8-bit RGB", "8-bit RGBA")


@dataclass(frozen=True)
class BandFile:
    """A PNG file, in a folder or in an archive.

    Parameters
    ----------
    place
        Where it is, for messages.
    name
        Its own name.
    read
        Returns its content, or raises HsbenchError.
    """

    place: str
    name: str
    read: Callable[[], bytes]


def read_bands(files: Sequence[BandFile], *, eight_bit: bool, workers: int | None = None) -> Cube:
    """Read the bands of a cube, float32 [bands, H, W]: 16-bit grey values divided by 65535.

    Parameters
    ----------
    files
        One a band.
    eight_bit
        Whether they may also be 8-bit, grey or of three equal channels; those are divided by 255.
    workers
        Threads; None: one a processor, since the decoder leaves Python's lock to others. They change no value.

    Raises
    ------
    DamagedError
        If a file is damaged or cut short; the message names it.
    DifferentDataError
        If it is of another type, or of another size than the first.
    """
    first = _read_band(files[0], eight_bit)
    require_room(files[0].place, 4 * len(files) * first.size, f"and the {len(files) - 1} bands beside it would take")
    cube = np.empty((len(files), *first.shape), np.float32)
    cube[0] = first

    def read(number: int) -> None:
        values = _read_band(files[number], eight_bit)
        if values.shape != first.shape:
            raise DifferentDataError(
                f"{files[number].place}: {_size(values)} pixels, where {files[0].name} has {_size(first)}"
            )
        cube[number] = values

    with ThreadPoolExecutor(workers or _processors()) as pool:
        for _ in pool.map(read, range(1, len(files))):  # raises the error of the first bad band
            pass
    return cube


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read_band(file: BandFile, eight_bit: bool) -> npt.NDArray[np.float64]:
    """Read one band as values in [0, 1], float64 [H, W]."""
    from PIL import Image

    content = file.read()
    _require_room(file.place, content)
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            image.verify()  # decoders pass over the checksums of pixel data: a flipped bit may read as other values
        kind = _kind(content)
    except Exception as error:
        raise DamagedError(f"{file.place} {_damage(content)}; get it again") from error
    if _PNG_END not in content:  # of the last chunk, Pillow reads no checksum
        raise DamagedError(f"{file.place} is damaged or cut short: it does not end as PNG files do; get it again")
    if kind.frames > 1:
        raise DifferentDataError(f"{file.place}: one image is needed, but it is an animation of {kind.frames}")
    if kind.name != "16-bit grey" and not (eight_bit and kind.name in _EIGHT_BIT):
        raise DifferentDataError(
            f"{file.place}: a 16-bit grey PNG is needed, but its pixels are {kind.name}; a copy that was converted "
            "gives other numbers: get the original"
        )
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            pixels: npt.NDArray[Any] = np.asarray(image)
    except Exception as error:  # decoders raise whatever they like
        if reason := out_of_memory(error):
            raise HsbenchError(f"{file.place} cannot be read: {reason}") from error
        raise DamagedError(f"{file.place} is damaged: its pixels cannot be decoded; get it again") from error
    if kind.name == "16-bit grey":
        return pixels / 65535
    grey = pixels[..., 0] if pixels.ndim == 3 else pixels
    if pixels.ndim == 3 and (pixels[..., :3] != grey[..., None]).any():
        raise DifferentDataError(
            f"{file.place}: one band is needed, but the red, green and blue of its pixels differ; get the original"
        )
    return grey / 255


def _require_room(place: str, content: bytes) -> None:
    """Refuse an image whose head states more pixels than the file can have, or there is memory for."""
    if len(content) < 33 or not content.startswith(_PNG_START):
        return
    width, height = struct.unpack_from(">II", content, 16)
    size = width * height * _CHANNELS.get(content[25], 4) * max(1, content[24] // 8)
    require_likely(place, size, len(content))
    require_room(place, 8 * width * height)  # as float64


class _Kind(NamedTuple):
    """What the pixels of a PNG file are, such as "16-bit grey", and of how many images."""

    name: str
    frames: int


def _kind(content: bytes) -> _Kind:
    """Read it from the file's own head: decoders make 8 bits of 16 where there are colours."""
    depth, colour = content[24:26]
    at = content.find(b"acTL", 0, content.index(b"IDAT"))
    frames = struct.unpack_from(">I", content, at + 4)[0] if at > 0 else 1
    return _Kind(f"{depth}-bit {_COLOURS[colour]}", frames)


def _damage(content: bytes) -> str:
    """Say what is wrong with a file that cannot be read as PNG."""
    if not content:
        return "is damaged or cut short: it is empty"
    if not content.startswith(_PNG_START[: len(content)]):
        return "is not a PNG file, or is damaged or cut short: it does not begin as PNG files do"
    if not content.endswith(_PNG_END):
        return "is damaged or cut short: it does not end as PNG files do"
    return "is damaged: a checksum in it is wrong, or a part of it is missing"


def _size(band: npt.NDArray[np.float64]) -> str:
    return f"{band.shape[0]} x {band.shape[1]}"
