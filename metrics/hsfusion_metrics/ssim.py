"""Structural similarity with a Gaussian window, averaged over bands."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import ArrayLike

from hsfusion_metrics._pair import FloatArray, as_pair, positive, quietly, strips
from hsfusion_metrics._threads import deal, lines
from hsfusion_metrics.scale import warn_of_scale

_RADIUS = 5
_SIDE = 2 * _RADIUS + 1
_TAPS = np.exp(-(np.arange(-_RADIUS, _RADIUS + 1) ** 2) / (2 * 1.5**2))
_TAPS /= _TAPS.sum()

_TINY, _VAST = 1e-60, 1e60

# Windows of a tile: few enough for a processor's cache, many enough to outweigh the cost of a call.
_TILE = (96, 512)
# Windows that one matrix product filters down a column, and across a row: measured to be the quickest.
_DOWN, _ACROSS = 4, 8


@quietly
def ssim(gt: ArrayLike, sr: ArrayLike, *, const: float = 1.0, channel_axis: int = 0) -> float:
    """Mean over bands of Wang's SSIM.

    11 x 11 Gaussian window of standard deviation 1.5, only windows that lie inside the image, biased moments,
    K = (0.01, 0.03), no downsampling.

    Parameters
    ----------
    gt
        Reference, [C, H, W].
    sr
        Estimate, [C, H, W].
    const
        The value that stands for full scale: 1 for data in [0, 1], 2047 for 11-bit data.
    channel_axis
        The axis of the bands: 0 for [C, H, W], -1 for [H, W, C].

    Returns
    -------
    float
        In [-1, 1], higher is better; -Inf when a side has fewer than 11 pixels.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes; for a `const` that is not positive.

    Notes
    -----
    ``quality_assess.m`` and ``ssim_index.m`` of the MATLAB test package, which scale the data to [0, 255];
    here the two constants are scaled to the data instead.

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image quality assessment: from error visibility
    to structural similarity", IEEE Transactions on Image Processing 13(4), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> gt = np.random.default_rng(0).random((3, 16, 16))
    >>> round(ssim(gt, gt), 9)
    1.0
    """
    reference, estimate = as_pair(gt, sr, channel_axis)
    full_scale = positive(const, "const")
    warn_of_scale(reference, estimate, full_scale)
    if not _TINY < full_scale < _VAST:
        # the constants' product comes near the ends of float64: scaled as in the script, overflow is the script's
        reference, estimate = (image / full_scale * 255.0 for image in (reference, estimate))
        full_scale = 255.0
    c1, c2 = (0.01 * full_scale) ** 2, (0.03 * full_scale) ** 2
    bands, height, width = reference.shape
    rows, columns = height - _SIDE + 1, width - _SIDE + 1
    if rows < 1 or columns < 1:
        return float("-inf")

    def of_band(band: tuple[FloatArray, FloatArray]) -> float:
        x, y = band
        total = 0.0
        for top, bottom in strips(rows, _TILE[0]):
            for left, right in strips(columns, _TILE[1]):
                seen = slice(top, bottom + _SIDE - 1), slice(left, right + _SIDE - 1)
                total += _tile_sum(x[seen], y[seen], c1, c2)
        return total

    total = 0.0
    for value in deal(of_band, zip(reference, estimate, strict=True)):
        total += value
    return total / float(bands * rows * columns)


def _tile_sum(x: FloatArray, y: FloatArray, c1: float, c2: float) -> float:
    """Sum of the SSIM of every window inside two images [H, W] no larger than a tile's."""
    height, width = x.shape
    rows, columns = height - _SIDE + 1, width - _SIDE + 1
    shape = 4, _whole(rows, _DOWN) + _SIDE - 1, _whole(columns, _ACROSS) + _SIDE - 1
    memory, spare, room = lines(3, math.prod(shape))
    images = memory.reshape(shape)
    images[:, height:] = 0.0
    images[:, :, width:] = 0.0
    total, difference, total_squared, difference_squared = images[:, :height, :width]
    np.add(x, y, out=total)
    np.subtract(x, y, out=difference)
    np.multiply(total, total, out=total_squared)
    np.multiply(difference, difference, out=difference_squared)

    means = _filtered(images, spare, room)
    result = float(_from_sums(means, c1, c2, memory)[:rows, :columns].sum())
    # A matrix product spreads what is not finite beyond the windows that hold it.
    return result if math.isfinite(result) else float(_window_by_window(x, y, c1, c2).sum())


def _filtered(images: FloatArray, spare: FloatArray, room: FloatArray) -> FloatArray:
    """Gaussian-weighted mean of every window inside images of whole groups of windows, [4, H, W] -> [4, H-10, W-10].

    By matrix products, group by group of windows. Half of their terms are zeros, and yet they get more out of a
    processor than sums of shifted copies, which read and write memory for every term. `spare` and `room` are lines of
    memory; the result lies in the latter.
    """
    count, height, width = images.shape
    rows, columns = height - _SIDE + 1, width - _SIDE + 1
    down, across = _part(spare, count, rows, width), _part(room, count, rows, columns)

    image, row, pixel = images.strides
    shape = count, rows // _DOWN, _DOWN + _SIDE - 1, width
    groups = as_strided(images, shape, (image, _DOWN * row, row, pixel), writeable=False)
    np.matmul(_weights(_DOWN), groups, out=down.reshape(count, -1, _DOWN, width))

    image, row, pixel = down.strides
    shape = count, columns // _ACROSS, rows, _ACROSS + _SIDE - 1
    groups = as_strided(down, shape, (image, _ACROSS * pixel, row, pixel), writeable=False)
    np.matmul(groups, _weights(_ACROSS).T.copy(), out=across.reshape(count, rows, -1, _ACROSS).swapaxes(1, 2))
    return across


def _from_sums(means: FloatArray, c1: float, c2: float, room: FloatArray) -> FloatArray:
    """SSIM from the windows' means of s = x + y, of d = x - y and of their squares, in their memory and a line more.

    The formula has twice the product of x and y and the sum of their squares, of means and of deviations: half the
    difference and half the sum of the squares of s and d.
    """
    squared_s, squared_d, variance_s, variance_d = means
    squared_s *= squared_s
    squared_d *= squared_d
    variance_s -= squared_s
    variance_d -= squared_d

    quality, structure = _part(room, 2, *squared_s.shape)
    squared_s += 2.0 * c1
    variance_s += 2.0 * c2
    np.subtract(squared_s, squared_d, out=quality)
    np.subtract(variance_s, variance_d, out=structure)
    squared_s += squared_d
    variance_s += variance_d
    quality *= structure
    squared_s *= variance_s
    quality /= squared_s
    return np.asarray(quality)


def _part(memory: FloatArray, *shape: int) -> FloatArray:
    """Beginning of a line of memory as an array of some shape."""
    return memory[: math.prod(shape)].reshape(shape)


def _whole(windows: int, group: int) -> int:
    """Round a number of windows up to whole groups."""
    return -(-windows // group) * group


@lru_cache(maxsize=2)
def _weights(count: int) -> FloatArray:
    """Weights of a line's pixels in the means of its windows, [windows, windows + 10]."""
    return np.array([np.pad(_TAPS, (window, count - 1 - window)) for window in range(count)])


def _window_by_window(x: FloatArray, y: FloatArray, c1: float, c2: float) -> FloatArray:
    """SSIM of every window inside two images [H, W] -> [H-10, W-10], each from its own pixels only."""
    mean_x, mean_y = _smooth(x), _smooth(y)
    product = mean_x * mean_y
    squares = mean_x * mean_x + mean_y * mean_y
    covariance = _smooth(x * y) - product
    variances = _smooth(x * x + y * y) - squares
    return (2.0 * product + c1) * (2.0 * covariance + c2) / ((squares + c1) * (variances + c2))


def _smooth(image: FloatArray) -> FloatArray:
    """Gaussian-weighted mean of every window inside an image [H, W] -> [H-10, W-10]."""
    from scipy.ndimage import correlate1d  # here, for whoever only reads tables of indexes needs no SciPy

    rows = image.shape[0] - _SIDE + 1
    smooth = _TAPS[_RADIUS] * image[_RADIUS : _RADIUS + rows]
    for tap in range(_RADIUS):
        mirror = _SIDE - 1 - tap
        smooth += _TAPS[tap] * (image[tap : tap + rows] + image[mirror : mirror + rows])
    return correlate1d(smooth, _TAPS, axis=1)[:, _RADIUS:-_RADIUS]
