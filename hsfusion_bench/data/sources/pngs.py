"""Cubes that are kept as one grey PNG a band, decoded side by side."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hsfusion_bench.data.scenes import Cube
from hsfusion_bench.errors import HsbenchError

_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
#: Pillow's names of 16-bit grey; the second one is that of older versions.
_SIXTEEN_BIT = ("I;16", "I")


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
    HsbenchError
        If a file is damaged, cut short, of another type, or of another size than the first; the message names it.
    """
    first = _read_band(files[0], eight_bit)
    cube = np.empty((len(files), *first.shape), np.float32)
    cube[0] = first

    def read(number: int) -> None:
        values = _read_band(files[number], eight_bit)
        if values.shape != first.shape:
            raise HsbenchError(
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
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            image.verify()  # decoders pass over the checksums of pixel data: a flipped bit may read as other values
    except Exception as error:
        raise HsbenchError(f"{file.place} is not a PNG file, or is damaged or cut short: {error}") from error
    if _PNG_END not in content:  # of the last chunk, Pillow reads no checksum
        raise HsbenchError(f"{file.place} is damaged or cut short: it does not end as PNG files do")
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            mode = image.mode
            pixels: npt.NDArray[Any] = np.asarray(image)
    except Exception as error:  # decoders raise whatever they like
        raise HsbenchError(f"{file.place} cannot be decoded as PNG: {error}") from error
    if mode in _SIXTEEN_BIT:
        return pixels / 65535
    if eight_bit and mode in ("L", "RGB", "RGBA"):
        grey = pixels[..., 0] if pixels.ndim == 3 else pixels
        if pixels.ndim == 3 and (pixels[..., :3] != grey[..., None]).any():
            raise HsbenchError(f"{file.place}: one band is needed, but the red, green and blue of its pixels differ")
        return grey / 255
    raise HsbenchError(
        f"{file.place}: a 16-bit grey PNG is needed, but its pixels are {pixels.dtype} {list(pixels.shape)}; "
        "a copy that was converted would give other numbers"
    )


def _size(band: npt.NDArray[np.float64]) -> str:
    return f"{band.shape[0]} x {band.shape[1]}"
