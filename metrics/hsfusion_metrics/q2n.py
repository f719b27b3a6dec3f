"""Hypercomplex quality index Q2n, with the MATLAB package's integer cast and without."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsfusion_metrics._pair import FloatArray, as_pair, quietly
from hsfusion_metrics._threads import deal, lines

_SIDE = 32
_PIXELS = _SIDE**2
_EPS = float(np.finfo(np.float64).eps)
# Added before rounding down: 0.5 itself would take the number just below 0.5 to 1.
_UNDER_HALF = float(np.nextafter(0.5, 0.0))


def q2n(gt: ArrayLike, sr: ArrayLike, *, channel_axis: int = 0) -> float:
    """Q2n as the MATLAB test package computes it, on images that it first casts to 16-bit integers.

    The images, mirrored at the right and the bottom to whole blocks, are rounded half away from zero and
    saturated to 0..65535 (NaN becomes 0). **On data in [0, 1] that leaves only zeros and ones, so that the
    index describes a binarised image**; it is meaningful for integer-range data such as 11-bit counts. See
    `q2n_uncast` for the index of the data themselves. Each 32 x 32 block is compared as a field of
    hypercomplex numbers with one component a band, normalised by the reference, and the blocks' moduli are
    averaged.

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
        Not negative, higher is better. At most 1 up to 8 bands; beyond, where hypercomplex numbers have no modulus that
        products keep, a poor estimate may exceed 1 (1.76 was seen at 31 bands), the script's value as well as ours.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes; for a side under 16 pixels, which cannot
        be mirrored to a block (the MATLAB script stops there too).

    Notes
    -----
    ``q2n.m`` and ``onions_quality.m`` of the MATLAB test package.

    References
    ----------
    A. Garzelli and F. Nencini, "Hypercomplex quality assessment of multi/hyperspectral images", IEEE
    Geoscience and Remote Sensing Letters 6(4), 2009.

    Examples
    --------
    >>> import numpy as np
    >>> gt = np.random.default_rng(0).integers(0, 2048, (4, 64, 64))
    >>> round(q2n(gt, gt), 9)
    1.0
    """
    return _q2n(gt, sr, _to_uint16, channel_axis)


def q2n_uncast(gt: ArrayLike, sr: ArrayLike, *, channel_axis: int = 0) -> float:
    """Q2n of the data themselves, without the cast to 16-bit integers.

    On data in [0, 1] the cast of `q2n` leaves a binarised image; this is the index as its paper defines it.
    It is not what the MATLAB test package prints, and so it is no part of the suite.

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
        Not negative, higher is better; at most 1 up to 8 bands, see `q2n`.

    Raises
    ------
    TypeError, ValueError
        As `q2n`.

    References
    ----------
    A. Garzelli and F. Nencini, "Hypercomplex quality assessment of multi/hyperspectral images", IEEE
    Geoscience and Remote Sensing Letters 6(4), 2009.

    Examples
    --------
    >>> import numpy as np
    >>> gt = np.random.default_rng(0).integers(0, 2048, (4, 64, 64))
    >>> abs(q2n_uncast(gt, gt + 16) - q2n(gt, gt + 16)) < 1e-12
    True
    """
    return _q2n(gt, sr, lambda block: block, channel_axis)


@quietly
def _q2n(gt: ArrayLike, sr: ArrayLike, cast: Callable[[FloatArray], FloatArray], channel_axis: int) -> float:
    reference, estimate = as_pair(gt, sr, channel_axis)
    _, height, width = reference.shape
    if min(height, width) < _SIDE // 2:
        raise ValueError(f"Q2n needs images of at least 16 x 16 pixels, these are {height} x {width}")
    rows = np.pad(np.arange(height), (0, -height % _SIDE), mode="symmetric").reshape(-1, _SIDE)
    columns = np.pad(np.arange(width), (0, -width % _SIDE), mode="symmetric").reshape(-1, _SIDE)

    def of_row(row: NDArray[np.intp]) -> FloatArray:
        # block by block, so that all bands of one stay in a core's cache
        moments = [_moments(cast(_block((reference, estimate), row, column))) for column in columns]
        return _block_values(*(np.array(moment) for moment in zip(*moments, strict=True)))

    return float(np.mean(list(deal(of_row, rows))))


def _to_uint16(values: FloatArray) -> FloatArray:
    """MATLAB's ``uint16(values)``, in float64 and in place: half away from zero, saturated, NaN to 0."""
    missing = np.isnan(values)
    if missing.any():
        values[missing] = 0.0
    np.clip(values, 0.0, 65535.0, out=values)
    values += _UNDER_HALF
    return np.floor(values, out=values)


def _block(pair: tuple[FloatArray, FloatArray], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> FloatArray:
    """Copy 32 rows and 32 columns of reference and estimate, two [C, H, W] -> [2, C, 1024] of `lines`."""
    blocks = lines(2, len(pair[0]) * _PIXELS).reshape(2, -1, _SIDE, _SIDE)
    # Where nothing is mirrored the numbers are in order, and a slice is quicker than they are one by one.
    mirrored = any(numbers[-1] - numbers[0] != _SIDE - 1 for numbers in (rows, columns))
    for block, image in zip(blocks, pair, strict=True):
        if mirrored:
            block[...] = image[:, rows[:, None], columns]
        else:
            block[...] = image[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return blocks.reshape(2, -1, _PIXELS)


class _Moments(NamedTuple):
    """Of a block in reference and estimate: means and centred sums of squares [C], and of products [C, C]."""

    mean_x: FloatArray
    mean_y: FloatArray
    squares_x: FloatArray
    squares_y: FloatArray
    products: FloatArray


def _moments(blocks: FloatArray) -> _Moments:
    """Moments of a block in reference and estimate, [2, C, 1024], whose memory it uses."""
    mean_x, mean_y = means = _exact_mean(blocks)
    blocks -= means[..., None]
    squares_x, squares_y = (blocks[..., None, :] @ blocks[..., None])[..., 0, 0]
    x, y = blocks
    return _Moments(mean_x, mean_y, squares_x, squares_y, x @ y.T)


def _block_values(
    mean_x: FloatArray, mean_y: FloatArray, squares_x: FloatArray, squares_y: FloatArray, products: FloatArray
) -> FloatArray:
    """Q2n of each block from the blocks' `_Moments`, [blocks, C] and [blocks, C, C] -> [blocks].

    With x normalised by its own mean and deviation and y by those of x, only their moments are needed:
    |cov(x, y*)| times 2 / (var x + var y) times 2 |Ex| |Ey| / (|Ex|^2 + |Ey|^2), as hypercomplex numbers.
    """
    bands = mean_x.shape[1]
    size = _hypercomplex_size(bands)
    padding = size - bands  # zero bands: mean 1 and no variance, once normalised

    scale_x = np.sqrt(squares_x / (_PIXELS - 1))
    varies = scale_x != 0
    scale_x[~varies] = _EPS
    scale_y = np.where(mean_x == 0, 1.0, scale_x)

    variance_x = varies.sum(axis=1)
    variance_y = (squares_y / scale_y**2).sum(axis=1) / (_PIXELS - 1)
    covariances = products / (_PIXELS - 1)
    covariances /= scale_x[:, :, None] * scale_y[:, None, :]
    covariance = _modulus_of_product(covariances, size)

    power_x = np.full(len(mean_x), float(size))
    power_y = (((mean_y - mean_x) / scale_y + 1.0) ** 2).sum(axis=1) + padding
    bias = 2.0 * np.sqrt(power_x) * np.sqrt(power_y) / (power_x + power_y)

    values = bias * 2.0 * covariance / (variance_x + variance_y)
    flat = variance_x + variance_y == 0
    values[flat] = np.where(_seen_as_flat(power_x[flat], power_y[flat]), bias[flat], 0.0)
    return np.asarray(values)


def _exact_mean(blocks: FloatArray) -> FloatArray:
    """Mean over the last axis, summed by halves: a constant comes back without rounding, hence as flat."""
    while blocks.shape[-1] > _SIDE:
        half = blocks.shape[-1] // 2
        blocks = blocks[..., :half] + blocks[..., half:]
    # few numbers to a block are left: side by side in memory they are quicker to add
    sums = np.ascontiguousarray(np.moveaxis(blocks, -1, 0))
    while len(sums) > 1:
        sums = sums[: len(sums) // 2] + sums[len(sums) // 2 :]
    return np.asarray(sums[0] / _PIXELS)


def _seen_as_flat(power_x: FloatArray, power_y: FloatArray) -> NDArray[np.bool_]:
    """Whether the script, too, finds that blocks which are flat in both images have no variance.

    It takes the mean power of the pixels from the power of the mean. In a flat block both are the square of
    one square root, but the former is a mean of 1024 copies, added one by one; where that rounds, the script
    divides by the residue and gets 0 instead of the bias. Two equal blocks are always seen as flat.
    """
    correction = _PIXELS / (_PIXELS - 1)
    squared_x, squared_y = np.sqrt(power_x) ** 2, np.sqrt(power_y) ** 2
    copies = np.broadcast_to(np.stack([squared_x, squared_y]), (_PIXELS, 2, len(power_x)))
    mean_x, mean_y = np.add.accumulate(copies, axis=0)[-1] / _PIXELS
    variances = correction * mean_x + correction * mean_y - correction * (squared_x + squared_y)
    return np.asarray(variances == 0)


def _hypercomplex_size(bands: int) -> int:
    """Smallest power of two that is no less than `bands`."""
    return 1 << (bands - 1).bit_length()


def _modulus_of_product(outer: FloatArray, size: int) -> FloatArray:
    """Modulus of the hypercomplex number x y* from the products x_i y_j, [blocks, C, C] -> [blocks]."""
    bands = outer.shape[1]
    terms = np.zeros((len(outer), size, size))
    terms[:, :bands, :bands] = _signs(size)[:bands, :bands] * outer
    # Unit i times unit j is plus or minus unit i XOR j.
    unit = np.arange(size)
    components = terms[:, unit[:, None], unit[:, None] ^ unit].sum(axis=1)
    return np.asarray(np.sqrt((components**2).sum(axis=1)))


@lru_cache(maxsize=8)
def _signs(size: int) -> FloatArray:
    """Sign of unit i times the conjugate of unit j in the script's hypercomplex algebra, [size, size].

    The algebra is doubled from the real numbers as in the Cayley-Dickson construction:
    (a, b)(c, d) = (ac - d*b, a*d* + cb*).
    """
    product = np.ones((1, 1))
    while len(product) < size:
        conjugate = np.where(np.arange(len(product)) == 0, 1.0, -1.0)
        both = conjugate[:, None] * conjugate
        product = np.block(
            [
                [product, both * product],
                [conjugate[:, None] * product.T, -conjugate * product.T],
            ]
        )
    return product * np.where(np.arange(size) == 0, 1.0, -1.0)
