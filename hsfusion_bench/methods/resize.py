"""Enlargement as MATLAB's ``imresize(image, scale, 'bicubic')`` does it, from the definition.

The kernel is Keys' cubic convolution with a = -0.5 (R. G. Keys, "Cubic convolution interpolation for digital
image processing", IEEE Trans. ASSP 29(6), 1981, eq. 15). Output pixel j lies at input coordinate
``(j + 0.5)/scale - 0.5``, the input pixels being the centres of blocks, unless a phase says where they are; and the
image continues beyond its border as its mirror image, edge pixel repeated.
Antialiasing plays no part when an image is enlarged. Everything is a product with one small matrix on each
side, which a network can take over as it stands.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Real = TypeVar("Real", bound=np.floating[Any])


def _keys(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Keys' cubic kernel, a = -0.5, at distances below 2 pixels; it vanishes at 2."""
    x = np.abs(distance)
    inner = (1.5 * x - 2.5) * x * x + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, inner, outer)


@lru_cache(maxsize=32)
def bicubic_matrix(size: int, scale: int, phase: float | None = None) -> npt.NDArray[np.float64]:
    """Return the matrix that enlarges a column of pixels by bicubic interpolation.

    Parameters
    ----------
    size
        Number of input pixels, 1 or more.
    scale
        Enlargement, 1 or more.
    phase
        Index of the output pixel at which input pixel 0 lies; None: the centre of its block, ``(scale - 1)/2``.

    Returns
    -------
    float64 [size*scale, size], rows sum to 1. It is shared between callers and therefore read-only: copy it
    (``torch.tensor(matrix)`` does) before handing it to torch.

    Examples
    --------
    >>> bicubic_matrix(4, 2)[3]
    array([-0.0703125,  0.8671875,  0.2265625, -0.0234375])
    """
    rows = np.arange(size * scale)
    coordinate = (rows + 0.5) / scale - 0.5 if phase is None else (rows - phase) / scale
    taps = np.floor(coordinate).astype(np.intp)[:, None] + np.arange(-1, 3)
    weights = _keys(coordinate[:, None] - taps)
    position = taps % (2 * size)
    mirrored = np.minimum(position, 2 * size - 1 - position)
    matrix = np.zeros((size * scale, size))
    np.add.at(matrix, (rows[:, None], mirrored), weights)  # near the border two taps may meet in one pixel
    matrix.flags.writeable = False
    return matrix


def upsample_bicubic(
    cube: npt.NDArray[Real], scale: int, phase: float | tuple[float, float] | None = None
) -> npt.NDArray[Real]:
    """Enlarge the last two axes of an array as MATLAB's bicubic ``imresize`` does. Nothing is clipped.

    Parameters
    ----------
    cube
        Floating-point array [..., h, w].
    scale
        Enlargement, 1 or more.
    phase
        Where the input pixels lie: pixel k at index ``scale*k + phase`` of the result, in both directions, or in each
        by a number of its own. None: in the centres of blocks, as MATLAB has it.

    Returns
    -------
    Array [..., h*scale, w*scale] of the same dtype, computed in float64 band by band.

    Raises
    ------
    TypeError
        If the array holds integers: the result would have to be rounded.
    """
    if not np.issubdtype(cube.dtype, np.floating):
        raise TypeError(f"upsample_bicubic needs a floating-point array, not {cube.dtype}")
    *leading, height, width = cube.shape
    rows, columns = phase if isinstance(phase, tuple) else (phase, phase)
    vertical, horizontal = bicubic_matrix(height, scale, rows), bicubic_matrix(width, scale, columns).T
    enlarged = np.empty((*leading, height * scale, width * scale), cube.dtype)
    for index in np.ndindex(*leading):
        enlarged[index] = vertical @ cube[index] @ horizontal
    return enlarged
