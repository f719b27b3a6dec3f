"""Small pictures of a cube: its colours, its errors, and spectra of a few pixels; arrays in, arrays out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Image: TypeAlias = npt.NDArray[np.floating[Any]]
Bytes: TypeAlias = npt.NDArray[np.uint8]

#: Pictures have no side longer than this, pixels.
LONGEST: Final = 256
#: The mean absolute error that an error map shows as 255; larger ones are 255, too. The same for all methods and data.
ERROR_SCALE: Final = 0.05
#: Red, green and blue, nanometres.
_COLOURS: Final = (650.0, 550.0, 450.0)
#: A band farther from a colour is none of it.
_FARTHEST: Final = 50.0
#: Share of the reference's values that may be brighter than white, and the exponent: linear light would look dark.
_CLIPPED: Final = 0.01
GAMMA: Final = 2.2
#: A pixel is not black, and has a colour, above this share of the brightest one's mean.
_BLACK: Final = 0.02
_COLOURED: Final = 0.1
_TINY: Final = float(np.finfo(np.float64).tiny)


def rgb_bands(wavelengths: Sequence[float] | None, bands: int) -> tuple[int, int, int]:
    """Return which bands, from 0, are shown as red, green and blue.

    Those next to 650, 550 and 450 nm; where the bands do not reach these, or nobody knows their wavelengths, those at
    five sixths, a half and a sixth of the spectrum.
    """
    known = wavelengths is not None and all(map(math.isfinite, wavelengths))
    if known and wavelengths:
        nearest = [min(range(bands), key=lambda band: abs(wavelengths[band] - colour)) for colour in _COLOURS]
        if all(
            abs(wavelengths[band] - colour) <= _FARTHEST for band, colour in zip(nearest, _COLOURS, strict=True)
        ) and len(set(nearest)) == len(nearest):
            return nearest[0], nearest[1], nearest[2]
    return bands * 5 // 6, bands // 2, bands // 6


def block_of(height: int, width: int) -> int:
    """Return the side of the blocks of pixels that a picture's pixels are the means of."""
    return max(1, math.ceil(max(height, width) / LONGEST))


def block_mean(image: Image, block: int) -> npt.NDArray[np.float64]:
    """Return the means of blocks of an image [..., H, W]; the last ones may be smaller."""
    wide = np.asarray(image, np.float64)
    for axis in (-2, -1):
        starts = np.arange(0, wide.shape[axis], block)
        counts = np.diff(np.append(starts, wide.shape[axis]))
        counts = counts[:, None] if axis == -2 else counts
        wide = np.add.reduceat(wide, starts, axis=axis) / counts
    return wide


def white_of(reference: Image, bands: Sequence[int]) -> float:
    """Return the value that pictures of a scene show as white: all but one in a hundred of the reference's are below.

    Parameters
    ----------
    reference
        [bands, H, W]
    bands
        Those that are shown.
    """
    white = float(np.quantile(np.asarray(reference[list(bands)], np.float64), 1 - _CLIPPED))
    return white if white > 0 else 1.0


def colours(cube: Image, bands: Sequence[int], white: float) -> Bytes:
    """Return three bands of a cube [bands, H, W] as a picture, uint8 [h, w, 3]: block means, then one gamma for all."""
    means = block_mean(cube[list(bands)], block_of(*cube.shape[1:]))
    shown: Bytes = np.rint(255 * np.clip(means / white, 0, 1) ** (1 / GAMMA)).astype(np.uint8)
    return np.ascontiguousarray(shown.transpose(1, 2, 0))


def errors(cube: Image, reference: Image) -> Bytes:
    """Return the mean absolute error over the bands of two cubes [bands, H, W] as a picture, uint8 [h, w].

    255 is `ERROR_SCALE`.
    """
    total = np.zeros(cube.shape[1:])
    for one, other in zip(cube, reference, strict=True):  # a band at a time: cubes are large
        total += abs(one.astype(np.float64) - other)
    means = block_mean(total / len(cube), block_of(*cube.shape[1:]))
    shown: Bytes = np.rint(255 * np.clip(means / ERROR_SCALE, 0, 1)).astype(np.uint8)
    return shown


def errors_by_band(cube: Image, reference: Image) -> list[float]:
    """Return the root of the mean squared error of each band."""
    pairs = zip(cube, reference, strict=True)
    return [math.sqrt(float(np.mean((one.astype(np.float64) - other) ** 2))) for one, other in pairs]


@dataclass(frozen=True)
class Place:
    """A pixel, from 0, and what it was chosen for."""

    name: str
    row: int
    column: int


def places(reference: Image) -> list[Place]:
    """Choose pixels of a scene whose spectra are worth a look: from the reference alone, so for all methods the same.

    The brightest; the darkest that is not black; the one of median brightness; the most saturated; and the one whose
    spectrum has another direction than all of these. Of equal ones the first; a pixel is chosen once.

    Parameters
    ----------
    reference
        [bands, H, W]
    """
    return list(_places(reference))


def _places(cube: Image) -> Iterator[Place]:
    bands, height, width = cube.shape
    spectra = cube.reshape(bands, height * width)
    # a band at a time: cubes are large
    brightness = _summed(spectra, np.ones(bands)) / bands
    squares = _summed(spectra, spectra)
    top = float(brightness.max())
    taken: list[int] = []

    def take(name: str, value: npt.NDArray[np.float64]) -> Iterator[Place]:
        value = value.copy()
        value[taken] = -np.inf
        best = int(value.argmax())
        if np.isfinite(value[best]):
            taken.append(best)
            yield Place(name, best // width, best % width)

    visible = brightness > _BLACK * top
    coloured = brightness > _COLOURED * top
    # to nine digits: what is equal but for the order of a sum is equal
    yield from take("brightest", np.round(brightness, 9))
    yield from take("darkest", np.where(visible, -np.round(brightness, 9), -np.inf))
    median = float(np.quantile(brightness, 0.5))
    yield from take("median", -np.round(abs(brightness - median), 9))
    spread = np.sqrt(np.maximum(squares / bands - brightness**2, 0)) / np.maximum(brightness, _TINY)
    yield from take("most saturated", np.where(coloured, np.round(spread, 9), -np.inf))
    lengths = np.maximum(np.sqrt(squares), _TINY)
    likeness = np.max([_summed(spectra, spectra[:, one]) / lengths / lengths[one] for one in taken], axis=0)
    yield from take("least like these", np.where(coloured, -np.round(likeness, 9), -np.inf))


def _summed(spectra: Image, weights: Image) -> npt.NDArray[np.float64]:
    """Return the sum of bands [bands, pixels], each times its weight."""
    total = np.zeros(spectra.shape[1])
    for band, weight in zip(spectra, weights, strict=True):
        total += band.astype(np.float64) * weight
    return total
