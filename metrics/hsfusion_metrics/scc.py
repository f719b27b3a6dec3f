"""Spatial correlation coefficient of the images' edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hsfusion_metrics._pair import FloatArray, as_pair, quietly, strips
from hsfusion_metrics._threads import deal

_TINY, _VAST = 1e-120, 1e120


@quietly
def scc(gt: ArrayLike, sr: ArrayLike, *, channel_axis: int = 0) -> float:
    """Cosine between the Sobel gradient magnitudes of the two images, over all bands and pixels together.

    One pixel is cropped all round; the Sobel filters then see zeros beyond the border, and the cosine is not
    centred. Other papers' SCC (a Laplacian, or local windows) is another index.

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
        In [0, 1], higher is better; NaN when an image has no gradient at all, or a side under 3 pixels.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes.

    Notes
    -----
    ``SCC.m`` of the MATLAB test package.

    References
    ----------
    G. Vivone et al., "A critical comparison among pansharpening algorithms", IEEE Transactions on Geoscience
    and Remote Sensing 53(5), 2015.

    Examples
    --------
    >>> import numpy as np
    >>> gt = np.random.default_rng(0).random((3, 16, 16))
    >>> round(scc(gt, 2.0 * gt), 9)
    1.0
    """
    reference, estimate = as_pair(gt, sr, channel_axis)
    product = energy_gt = energy_sr = np.float64(0.0)
    for band in deal(_strip_sums, zip(reference, estimate, strict=True)):
        for edges, edges_gt, edges_sr in band:
            product += edges
            energy_gt += edges_gt
            energy_sr += edges_sr
    if not (_TINY < energy_gt < _VAST and _TINY < energy_sr < _VAST):
        # products of squares come near the ends of float64: one root more, and they do not
        product, energy_gt, energy_sr = _plain_sums(reference, estimate)
    return float(product / np.sqrt(energy_sr) / np.sqrt(energy_gt))


def _plain_sums(reference: FloatArray, estimate: FloatArray) -> tuple[np.float64, np.float64, np.float64]:
    """Sum over whole images what `_strip_sums` does, of gradients rather than their squares: the script's way."""
    product = energy_gt = energy_sr = np.float64(0.0)
    for pair in zip(reference, estimate, strict=True):
        framed = (np.pad(image[1:-1, 1:-1], 1) for image in pair)
        edges_gt, edges_sr = (np.sqrt(_squared_gradient(image)) for image in framed)
        product += (edges_gt * edges_sr).sum()
        energy_gt += (edges_gt * edges_gt).sum()
        energy_sr += (edges_sr * edges_sr).sum()
    return product, energy_gt, energy_sr


def _strip_sums(band: tuple[FloatArray, FloatArray]) -> list[tuple[np.float64, ...]]:
    """Sum the product of the two gradients of a band, and their squares, over each strip of rows."""
    framed_gt, framed_sr = (np.zeros_like(image) for image in band)
    inside = slice(1, -1)
    for framed, image in zip((framed_gt, framed_sr), band, strict=True):
        framed[inside, inside] = image[inside, inside]
    sums: list[tuple[np.float64, ...]] = []
    for start, stop in strips(len(framed_gt) - 2):
        rows = slice(start, stop + 2)
        edges_gt, edges_sr = _squared_gradient(framed_gt[rows]), _squared_gradient(framed_sr[rows])
        sums.append((np.sqrt(edges_gt * edges_sr).sum(), edges_gt.sum(), edges_sr.sum()))
    return sums


def _squared_gradient(image: FloatArray) -> FloatArray:
    """Squared Sobel gradient magnitude at the inner pixels, [H, W] -> [H-2, W-2]."""
    along_rows = image[:-2] + 2.0 * image[1:-1] + image[2:]
    along_columns = image[:, :-2] + 2.0 * image[:, 1:-1] + image[:, 2:]
    horizontal = along_rows[:, 2:] - along_rows[:, :-2]
    vertical = along_columns[2:] - along_columns[:-2]
    return horizontal * horizontal + vertical * vertical
