"""Spectral angle mapper."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hsfusion_metrics._pair import FloatArray, as_pair, quietly, strips
from hsfusion_metrics._threads import deal


@quietly
def sam(gt: ArrayLike, sr: ArrayLike, *, channel_axis: int = 0) -> float:
    """Mean over pixels of the angle between the two spectra, in degrees.

    Pixels where either spectrum is zero, or the product of the squared norms underflows to it, are left out; when none
    is left the result is NaN.

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
        Degrees in [0, 180], lower is better.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes.

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
    reference, estimate = as_pair(gt, sr, channel_axis)
    product, norm = np.empty((2, *reference.shape[1:]))

    def fill(rows: tuple[int, int]) -> None:
        part = slice(*rows)
        product[part], norm[part] = _products(reference[:, part], estimate[:, part])

    for _ in deal(fill, strips(len(product))):
        pass
    seen = norm != 0
    cosines = np.clip(product[seen] / norm[seen], -1.0, 1.0)
    return float(np.rad2deg(np.arccos(cosines).sum() / np.float64(cosines.size)))


def _products(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scalar product of each pixel's two spectra and the product of their norms, [C, H, W] -> two [H, W]."""
    product, norm_x, norm_y, term = (np.zeros(x.shape[1:]) for _ in range(4))
    # Band after band in one order for all three sums, so that identical images have a cosine of exactly 1.
    for band_x, band_y in zip(x, y, strict=True):
        product += np.multiply(band_x, band_y, out=term)
        norm_x += np.multiply(band_x, band_x, out=term)
        norm_y += np.multiply(band_y, band_y, out=term)
    return product, np.sqrt(norm_x * norm_y)
