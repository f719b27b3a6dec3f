"""What every index asks of its two images, and how rows are dealt out so that work stays in the cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# As in MATLAB, a division by zero is Inf or NaN in the result and not an event.
quietly = np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore")


def as_pair(gt: ArrayLike, sr: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Check a reference and an estimate and return both in float64.

    Parameters
    ----------
    gt, sr
        Images of one shape [C, H, W], real and numeric. float64 arrays are passed on without a copy.

    Returns
    -------
    tuple of numpy.ndarray
        ``(gt, sr)`` in float64.

    Raises
    ------
    TypeError
        When an image is boolean, complex or not numeric.
    ValueError
        When an image does not have three axes, is empty, or differs in shape from the other.
    """
    reference, estimate = _as_image(gt, "gt"), _as_image(sr, "sr")
    if reference.shape != estimate.shape:
        raise ValueError(f"gt and sr must have one shape [C, H, W]: gt {reference.shape}, sr {estimate.shape}")
    return reference, estimate


def positive(value: float, name: str) -> float:
    """Return `value` as a float, or raise ValueError when it is not a positive finite number."""
    number = float(value)
    if not 0.0 < number < float("inf"):
        raise ValueError(f"{name} must be a positive finite number, not {value!r}")
    return number


def strips(rows: int, height: int = 64) -> Iterator[tuple[int, int]]:
    """Split `rows` rows into (start, stop) pairs of at most `height`: small enough for a core's cache."""
    for start in range(0, rows, height):
        yield start, min(start + height, rows)


def _as_image(image: ArrayLike, name: str) -> FloatArray:
    array = np.asarray(image)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be real and numeric, not {array.dtype}")
    if array.ndim != 3:
        raise ValueError(f"{name} must have the axes [C, H, W], not the shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: shape {array.shape}")
    return array.astype(np.float64, copy=False)
