"""Structural similarity with a Gaussian window, averaged over bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import correlate1d

from hsfusion_metrics._pair import FloatArray, as_pair, positive, quietly, strips
from hsfusion_metrics._threads import deal
from hsfusion_metrics.scale import warn_of_scale

_RADIUS = 5
_SIDE = 2 * _RADIUS + 1
_TAPS = np.exp(-(np.arange(-_RADIUS, _RADIUS + 1) ** 2) / (2 * 1.5**2))
_TAPS /= _TAPS.sum()

_TINY, _VAST = 1e-60, 1e60


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

    def of_strip(strip: tuple[int, int, int]) -> float:
        band, start, stop = strip
        seen = slice(start, stop + _SIDE - 1)
        return float(_ssim_map(reference[band, seen], estimate[band, seen], c1, c2).sum())

    total = 0.0
    for value in deal(of_strip, ((band, *strip) for band in range(bands) for strip in strips(rows))):
        total += value
    return total / float(bands * rows * columns)


def _ssim_map(x: FloatArray, y: FloatArray, c1: float, c2: float) -> FloatArray:
    """SSIM of every window inside two images [H, W] -> [H-10, W-10]."""
    mean_x, mean_y = _smooth(x), _smooth(y)
    product = mean_x * mean_y
    squares = mean_x * mean_x + mean_y * mean_y
    covariance = _smooth(x * y) - product
    # The variances occur only as their sum, so one filter serves both.
    variances = _smooth(x * x + y * y) - squares
    numerator = (2.0 * product + c1) * (2.0 * covariance + c2)
    return numerator / ((squares + c1) * (variances + c2))


def _smooth(image: FloatArray) -> FloatArray:
    """Gaussian-weighted mean of every window inside an image [H, W] -> [H-10, W-10]."""
    rows = image.shape[0] - _SIDE + 1
    smooth = _TAPS[_RADIUS] * image[_RADIUS : _RADIUS + rows]
    for tap in range(_RADIUS):
        mirror = _SIDE - 1 - tap
        smooth += _TAPS[tap] * (image[tap : tap + rows] + image[mirror : mirror + rows])
    return correlate1d(smooth, _TAPS, axis=1)[:, _RADIUS:-_RADIUS]
