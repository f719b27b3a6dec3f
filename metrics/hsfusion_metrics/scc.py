"""Spatial correlation coefficient of the images' edges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from hsfusion_metrics._pair import FloatArray, as_pair, quietly, strips
from hsfusion_metrics._threads import deal, lines

# Of a strip of rows: few enough for a processor's cache.
_PIXELS = 2**16

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
    product, energy_gt, energy_sr = _sums(reference, estimate, _of_squares)
    if not (_TINY < energy_gt < _VAST and _TINY < energy_sr < _VAST):
        # products of squares come near the ends of float64: one root more, the script's way, and they do not
        product, energy_gt, energy_sr = _sums(reference, estimate, _of_roots)
    return float(product / np.sqrt(energy_sr) / np.sqrt(energy_gt))


def _of_squares(edges_gt: FloatArray, edges_sr: FloatArray) -> tuple[np.float64, ...]:
    """Sum the product of two gradients and the square of each, from the squares, whose memory it uses."""
    energies = edges_gt.sum(), edges_sr.sum()
    edges_gt *= edges_sr
    return np.sqrt(edges_gt, out=edges_gt).sum(), *energies


def _of_roots(edges_gt: FloatArray, edges_sr: FloatArray) -> tuple[np.float64, ...]:
    """Sum what `_of_squares` does, from the roots."""
    root_gt, root_sr = np.sqrt(edges_gt), np.sqrt(edges_sr)
    return (root_gt * root_sr).sum(), (root_gt * root_gt).sum(), (root_sr * root_sr).sum()


def _sums(
    reference: FloatArray, estimate: FloatArray, of_strip: Callable[[FloatArray, FloatArray], tuple[np.float64, ...]]
) -> tuple[np.float64, np.float64, np.float64]:
    """Add up what `of_strip` sums of the squared gradients of a strip of rows, over all strips and bands."""
    height, width = reference.shape[1:]

    def of_band(band: tuple[FloatArray, FloatArray]) -> list[tuple[np.float64, ...]]:
        sums: list[tuple[np.float64, ...]] = []
        for start, stop in strips(height - 2, max(_PIXELS // width, 1)):
            memory = lines(5, (stop - start + 2) * width)
            sums.append(
                of_strip(*(_squared_gradient(image, start, stop, memory[own:]) for own, image in enumerate(band)))
            )
        return sums

    product = energy_gt = energy_sr = np.float64(0.0)
    for band in deal(of_band, zip(reference, estimate, strict=True)):
        for edges, edges_gt, edges_sr in band:
            product += edges
            energy_gt += edges_gt
            energy_sr += edges_sr
    return product, energy_gt, energy_sr


def _squared_gradient(image: FloatArray, start: int, stop: int, memory: FloatArray) -> FloatArray:
    """Squared Sobel gradient magnitude of some of the rows inside an image [H, W] -> [(stop - start) W].

    The result lies in the first line of the memory; the last three are at work. The last two pixels of a row stand
    for the two that are not inside, and are 0.
    """
    height, width = image.shape
    rows = stop - start
    edges: FloatArray = memory[0]
    line, pairs, smooth = memory[-3:]
    framed = line.reshape(-1, width)
    top, bottom = max(start, 1), min(stop + 2, height - 1)
    framed[: top - start] = framed[bottom - start :] = 0.0
    framed[:, 0] = framed[:, -1] = 0.0
    framed[top - start : bottom - start, 1:-1] = image[top:bottom, 1:-1]

    # Row after row in one long line, every step is one loop. A filter is a difference in one direction and in the
    # other, twice, a sum of neighbours.
    count, inside = rows * width, max(rows * width - 2, 0)
    np.add(line[:-width], line[width:], out=pairs[: count + width])
    np.add(pairs[:count], pairs[width : count + width], out=smooth[:count])
    horizontal = np.subtract(smooth[2:count], smooth[:inside], out=edges[:inside])
    horizontal *= horizontal
    np.subtract(line[2 * width :], line[:count], out=smooth[:count])
    np.add(smooth[: count - 1], smooth[1:count], out=pairs[: count - 1])
    vertical = np.add(pairs[:inside], pairs[1 : inside + 1], out=smooth[:inside])
    vertical *= vertical
    edges[:inside] += vertical
    edges[:count].reshape(rows, width)[:, -2:] = 0.0
    return edges[:count]
