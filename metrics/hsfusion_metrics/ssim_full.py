"""Structural similarity of the whole image, its border replicated, as the papers of the FeINFN family print it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hsfusion_metrics._pair import FIRST, FloatArray, as_pair
from hsfusion_metrics.ssim import ssim

#: A window of 11 x 11 pixels reaches so far beyond its centre.
_RADIUS = 5


def ssim_full(gt: ArrayLike, sr: ArrayLike, *, const: float = 1.0, channel_axis: int = 0) -> float:
    """Mean over bands and over all pixels of SSIM, a window around every pixel, beyond the border its nearest pixel.

    The window, the moments and the constants are those of `ssim`: 11 x 11 Gaussian window of standard deviation 1.5,
    biased moments, K = (0.01, 0.03). Not one of the seven: the MATLAB script's index is `ssim`, which takes only
    windows that lie inside the image.

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
        In [-1, 1], higher is better; images of any size have one.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes; for a `const` that is not positive.

    Notes
    -----
    What MATLAB's own ``ssim`` is documented to compute of each band: ``imfilter(..., 'replicate')``, and the mean of
    the map, which is as large as the image. It is what the published Bicubic rows of CAVE follow from: Deng et al.,
    BDT, IJCAI 2023, Table 1, and Cao et al., LE-Mamba, ACM MM 2024, Table 3; ``hsbench verify --published`` makes them
    again.

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image quality assessment: from error visibility
    to structural similarity", IEEE Transactions on Image Processing 13(4), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> gt = np.random.default_rng(0).random((3, 8, 8))
    >>> round(ssim_full(gt, gt), 9)
    1.0
    """
    reference, estimate = as_pair(gt, sr, channel_axis)
    return ssim(_bordered(reference), _bordered(estimate), const=const, channel_axis=FIRST)


def _bordered(image: FloatArray) -> FloatArray:
    """Return [C, H, W] with its border repeated outwards: the windows inside are then those of every pixel."""
    return np.pad(image, ((0, 0), (_RADIUS, _RADIUS), (_RADIUS, _RADIUS)), mode="edge")
