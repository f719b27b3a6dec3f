"""Relative dimensionless global error in synthesis."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hsfusion_metrics._pair import FloatArray, as_pair, as_ratio, quietly
from hsfusion_metrics._threads import deal


@quietly
def ergas(gt: ArrayLike, sr: ArrayLike, *, ratio: float, channel_axis: int = 0) -> float:
    """ERGAS: the bands' errors relative to the reference's band means, scaled by the resolution ratio.

    ``(100 / ratio) sqrt(mean_b(MSE_b / mean(gt_b)^2))``. Not symmetric in its two images.

    Parameters
    ----------
    gt
        Reference, [C, H, W].
    sr
        Estimate, [C, H, W].
    ratio
        Ground sampling distance of the low-resolution image over that of the high-resolution one: 4, 8, ...
    channel_axis
        The axis of the bands: 0 for [C, H, W], -1 for [H, W, C].

    Returns
    -------
    float
        Lower is better, 0 for identical images; Inf when a reference band has the mean 0 and an error.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes; for a `ratio` that is
        no number of at least 1.

    Notes
    -----
    ``ERGAS.m`` of the MATLAB test package.

    References
    ----------
    T. Ranchin and L. Wald, "Fusion of high spatial and spectral resolution images: the ARSIS concept and its
    implementation", Photogrammetric Engineering and Remote Sensing 66(1), 2000.

    Examples
    --------
    >>> import numpy as np
    >>> gt = np.full((3, 16, 16), 0.5)
    >>> round(ergas(gt, gt + 0.01, ratio=4), 9)
    0.5
    """
    reference, estimate = as_pair(gt, sr, channel_axis)
    factor = 100.0 / as_ratio(ratio)
    relative = list(deal(_relative_error, zip(reference, estimate, strict=True)))
    return float(factor * np.sqrt(np.mean(relative)))


def _relative_error(band: tuple[FloatArray, FloatArray]) -> np.float64:
    x, y = band
    return np.float64(np.mean((x - y) ** 2) / np.mean(x) ** 2)
