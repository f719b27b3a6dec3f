"""A pair whose images are shifted against each other, made one whose images lie upon each other.

The result of a fusion has the HR-MSI's pixels, so that none of them is ever made anew. By whole pixels the pair is
corrected without loss: of both images that part is kept which the other one shows as well, the HR-MSI's beginning at
another pixel. What is left, half a pixel of the HR-MSI at most, is where the LR-HSI's samples lie, which methods that
know of it take into account; for others the LR-HSI is interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.errors import UsageError
from hsfusion_bench.methods import Cube, Method, Observation


@dataclass(frozen=True)
class Corrected:
    """A pair after its correction.

    Parameters
    ----------
    observation
        The two images, as far as each shows what the other one does, and the offset of the samples.
    origin
        Row and column of the given HR-MSI at which that of `observation` begins.
    """

    observation: Observation
    origin: tuple[int, int]


def correct(observation: Observation, rows: float, columns: float) -> Corrected:
    """Correct a pair by a shift.

    Parameters
    ----------
    observation
        The pair.
    rows, columns
        HR pixels: LR pixel (k, l) sits that much further down and right in the HR-MSI than the observation says, as
        `hsfusion_bench.runs.registration.find_shift` tells it.

    Returns
    -------
    The pair in which LR pixel (k, l) sits at ``(scale*k + phase + offset[0], scale*l + phase + offset[1])``.

    Raises
    ------
    UsageError
        If the images have nothing in common after such a shift.
    """
    scale = observation.scale
    shift = (rows + observation.offset[0], columns + observation.offset[1])
    whole = [int(np.floor(by + 0.5)) for by in shift]
    low, high = [], []
    for by, side in zip(whole, observation.lr_hsi.shape[1:], strict=True):
        first, last = max(0, -(by // scale)), min(side, side + -by // scale)
        if first >= last:
            raise UsageError(
                f"the images have nothing in common after a shift of {rows:g} rows and {columns:g} columns, in pixels "
                f"of the MSI, which has {observation.hr_msi.shape[1]} x {observation.hr_msi.shape[2]}"
            )
        low.append(slice(first, last))
        high.append(slice(scale * first + by, scale * last + by))
    kept = replace(
        observation,
        lr_hsi=np.ascontiguousarray(observation.lr_hsi[:, *low]),
        hr_msi=np.ascontiguousarray(observation.hr_msi[:, *high]),
        offset=(float(shift[0] - whole[0]), float(shift[1] - whole[1])),
    )
    return Corrected(kept, (high[0].start, high[1].start))


def for_method(observation: Observation, method: Method) -> Observation:
    """Return a pair as a method can take it: without an offset, unless it takes it into account."""
    if method.takes_offset or not any(observation.offset):
        return observation
    by = (observation.offset[0] / observation.scale, observation.offset[1] / observation.scale)
    return replace(observation, lr_hsi=_moved(observation.lr_hsi, by), offset=(0.0, 0.0))


def _moved(cube: Cube, by: tuple[float, float]) -> Cube:
    """Return a cube with its content that far further down and right, its values within those of each band."""
    from scipy import ndimage

    moved = np.empty_like(cube)
    for band, out in zip(cube, moved, strict=True):
        values: NDArray[np.float64] = ndimage.shift(band.astype(np.float64), by, order=3, mode="mirror")
        out[...] = values.clip(band.min(), band.max())  # a spline swings beyond them at edges
    return moved
