"""Spectral angle mapper."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hsfusion_metrics._pair import as_pair, quietly


@quietly
def sam(gt: ArrayLike, sr: ArrayLike) -> float:
    """Mean over pixels of the angle between the two spectra, in degrees.

    Pixels where either spectrum is zero are left out; when none is left the result is NaN.

    Parameters
    ----------
    gt
        Reference, [C, H, W].
    sr
        Estimate, [C, H, W].

    Returns
    -------
    float
        Degrees in [0, 180], lower is better.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not [C, H, W] of one shape.

    Notes
    -----
    ``SAM.m`` of the MATLAB test package. There a cosine that rounding takes beyond 1 gives a complex angle
    whose real part is kept; that equals clipping the cosine.

    References
    ----------
    R. H. Yuhas, A. F. H. Goetz and J. W. Boardman, "Discrimination among semi-arid landscape endmembers using
    the spectral angle mapper (SAM) algorithm", JPL Airborne Geoscience Workshop, 1992.

    Examples
    --------
    >>> import numpy as np
    >>> gt, sr = np.zeros((2, 8, 8)), np.ones((2, 8, 8))
    >>> gt[0] = 1.0
    >>> round(sam(gt, sr), 9)
    45.0
    """
    reference, estimate = as_pair(gt, sr)
    product, norm_gt, norm_sr, term = (np.zeros(reference.shape[1:]) for _ in range(4))
    # Band after band in one order for all three sums, so that identical images have a cosine of exactly 1.
    for x, y in zip(reference, estimate, strict=True):
        product += np.multiply(x, y, out=term)
        norm_gt += np.multiply(x, x, out=term)
        norm_sr += np.multiply(y, y, out=term)
    norm = np.sqrt(norm_gt * norm_sr)
    seen = norm != 0
    cosines = np.clip(product[seen] / norm[seen], -1.0, 1.0)
    return float(np.rad2deg(np.arccos(cosines).sum() / np.float64(cosines.size)))
