"""Universal image quality index, averaged over bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hsfusion_metrics._pair import FloatArray, as_pair, quietly, strips
from hsfusion_metrics._threads import deal, lines

_DOUBLINGS = (1, 2, 4, 8, 16)
_SIDE = 2 ** len(_DOUBLINGS)
_PIXELS = _SIDE**2

# Windows of a tile: few enough for a processor's cache, many enough that the rows two tiles share cost little.
_TILE = (256, 512)


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

    total = 0.0
    for value in deal(_band_sum, zip(reference, estimate, strict=True)):
        total += value
    return total / float(bands * rows * columns)


def _band_sum(band: tuple[FloatArray, FloatArray]) -> float:
    """Sum of the qualities of all windows of a band."""
    x, y = band
    rows, columns = (side - _SIDE + 1 for side in x.shape)
    total = 0.0
    for top, bottom in strips(rows, _TILE[0]):
        for left, right in strips(columns, _TILE[1]):
            seen = slice(top, bottom + _SIDE - 1), slice(left, right + _SIDE - 1)
            total += float(_quality_map(x[seen], y[seen]).sum())
    return total


def _quality_map(x: FloatArray, y: FloatArray) -> FloatArray:
    """Quality of every window inside two images [H, W] -> [H-31, W-31]."""
    height, width = x.shape
    # Row after row in one long line: every step below is then one loop. The last 31 windows of a row reach into the
    # next row; they are computed like the others and left out at the end.
    x, y = x.ravel(), y.ravel()
    term, spare, *sums = lines(6, x.size)
    sum_x, sum_y = _window_sums(x, width, sums[0], spare), _window_sums(y, width, sums[1], spare)
    np.multiply(x, y, out=term)
    covariance = _window_sums(term, width, sums[2], spare)
    np.multiply(x, x, out=term)
    term += np.multiply(y, y, out=spare)
    variances = _window_sums(term, width, sums[3], spare)

    product = np.multiply(sum_x, sum_y, out=term[: sum_x.size])
    squares = np.multiply(sum_x, sum_x, out=sum_x)
    squares += np.multiply(sum_y, sum_y, out=sum_y)
    covariance *= _PIXELS
    covariance -= product
    variances *= _PIXELS
    variances -= squares
    denominator = np.multiply(variances, squares, out=sum_y)
    quality = np.multiply(covariance, 4.0, out=covariance)
    quality *= product
    quality /= denominator
    degenerate = denominator == 0
    if degenerate.any():
        quality[degenerate] = 1.0
        flat = degenerate & (variances == 0) & (squares != 0)
        quality[flat] = 2.0 * product[flat] / squares[flat]
    return quality.reshape(height - _SIDE + 1, width)[:, : width - _SIDE + 1]


def _window_sums(line: FloatArray, width: int, out: FloatArray, spare: FloatArray) -> FloatArray:
    """Sum of every 32 x 32 window, by its first pixel, in an image laid out row after row, [H W] -> [(H-31) W].

    The result lies in `out`.

    Each window adds only its own pixels, two equal halves at a time. A running sum would be no faster and
    leaves a residue of pixels gone by, and with it a variance where there is none.
    """
    count, whole = line.size, line.size - (_SIDE - 1) * width
    # an even number of steps, so that the last one ends in `out`
    for step in (*(step * width for step in _DOUBLINGS), *_DOUBLINGS):
        count -= step
        np.add(line[:count], line[step : step + count], out=spare[:count])
        line, out, spare = spare, spare, out
    line[count:whole] = 1.0  # where there is no next row; anything but flat
    return line[:whole]
