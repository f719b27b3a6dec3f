"""Peak signal-to-noise ratio, averaged over bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hsfusion_metrics._pair import FloatArray, as_pair, positive, quietly
from hsfusion_metrics._threads import deal
from hsfusion_metrics.scale import warn_of_scale


@quietly
def psnr(gt: ArrayLike, sr: ArrayLike, *, const: float = 1.0, channel_axis: int = 0) -> float:
    """Mean over bands of each band's PSNR, in dB.

    For a band b it is ``10 log10(const^2 / MSE_b)``. The mean is taken over the bands' decibels, so that it
    differs from the PSNR of the cube's one MSE.

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
        dB, higher is better; Inf when one band is perfect.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes; for a `const` that is not positive.

    Notes
    -----
    ``quality_assess.m`` and ``psnr_index.m`` of the MATLAB test package, which divide by `const` first.

    Examples
    --------
    >>> import numpy as np
    >>> gt = np.full((3, 16, 16), 0.5)
    >>> round(psnr(gt, gt + 0.01), 9)
    40.0
    """
    reference, estimate = as_pair(gt, sr, channel_axis)
    full_scale = positive(const, "const")
    warn_of_scale(reference, estimate, full_scale)

    def error(band: tuple[FloatArray, FloatArray]) -> np.float64:
        x, y = band
        if full_scale != 1.0:
            # before the difference, as the script: errors of the last digit are rounded by this
            x, y = x / full_scale, y / full_scale
        return np.float64(np.mean((x - y) ** 2))

    errors = np.array(list(deal(error, zip(reference, estimate, strict=True))))
    return float(np.mean(10.0 * np.log10(1.0 / errors)))
