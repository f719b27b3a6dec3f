"""Universal image quality index, averaged over bands."""

from __future__ import annotations

from numpy.typing import ArrayLike

from hsfusion_metrics._pair import FloatArray, as_pair, quietly, strips
from hsfusion_metrics._threads import deal

_DOUBLINGS = (1, 2, 4, 8, 16)
_SIDE = 2 ** len(_DOUBLINGS)
_PIXELS = _SIDE**2


@quietly
def uqi(gt: ArrayLike, sr: ArrayLike, *, channel_axis: int = 0) -> float:
    """Mean over bands of Wang and Bovik's universal quality index, in 32 x 32 windows at every pixel.

    A window that is flat in both images has no variance to compare: its value is that of the means alone,
    ``2 m1 m2 / (m1^2 + m2^2)``, and 1 when both are zero.

    Parameters
    ----------
    gt
        Reference, [C, H, W].
    sr
        Estimate, [C, H, W].
    channel_axis
        The axis of the bands: 0 for [C, H, W], -1 for [H, W, C].

    Returns
    -------
    float
        In [-1, 1], higher is better; NaN when a side has fewer than 32 pixels.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes.

    Notes
    -----
    ``Q.m`` and ``img_qi.m`` of the MATLAB test package. Whether those find a window flat depends on rounding
    when its value times 1024 cannot be summed exactly (0.3 against 0.5, say; never for integers, 0 or 1):
    then they divide one rounding error by another. Here windows are summed by doubling, where a constant
    meets no rounding, so that every flat window is found. ``score(..., as_matlab=True)`` divides the roundings, too.

    References
    ----------
    Z. Wang and A. C. Bovik, "A universal image quality index", IEEE Signal Processing Letters 9(3), 2002.

    Examples
    --------
    >>> import numpy as np
    >>> gt = np.full((3, 40, 40), 0.25)
    >>> round(uqi(gt, 2.0 * gt), 9)
    0.8
    """
    reference, estimate = as_pair(gt, sr, channel_axis)
    bands, height, width = reference.shape
    rows, columns = height - _SIDE + 1, width - _SIDE + 1
    if rows < 1 or columns < 1:
        return float("nan")

    def of_strip(strip: tuple[int, int, int]) -> float:
        band, start, stop = strip
        seen = slice(start, stop + _SIDE - 1)
        return float(_quality_map(reference[band, seen], estimate[band, seen]).sum())

    total = 0.0
    for value in deal(of_strip, ((band, *strip) for band in range(bands) for strip in strips(rows))):
        total += value
    return total / float(bands * rows * columns)


def _quality_map(x: FloatArray, y: FloatArray) -> FloatArray:
    """Quality of every window inside two images [H, W] -> [H-31, W-31]."""
    sum_x, sum_y = _window_sums(x), _window_sums(y)
    product = sum_x * sum_y
    squares = sum_x * sum_x + sum_y * sum_y
    covariance = _PIXELS * _window_sums(x * y) - product
    variances = _PIXELS * _window_sums(x * x + y * y) - squares
    denominator = variances * squares
    quality: FloatArray = 4.0 * covariance * product / denominator
    degenerate = denominator == 0
    if degenerate.any():
        quality[degenerate] = 1.0
        flat = degenerate & (variances == 0) & (squares != 0)
        quality[flat] = 2.0 * product[flat] / squares[flat]
    return quality


def _window_sums(image: FloatArray) -> FloatArray:
    """Sum of every 32 x 32 window inside an image [H, W] -> [H-31, W-31].

    Each window adds only its own pixels, two equal halves at a time. A running sum would be no faster and
    leaves a residue of pixels gone by, and with it a variance where there is none.
    """
    for step in _DOUBLINGS:
        image = image[:-step] + image[step:]
    for step in _DOUBLINGS:
        image = image[:, :-step] + image[:, step:]
    return image
