"""Quality of an estimate for which there is no reference: D_lambda, D_s and HQNR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft
from scipy.ndimage import correlate1d

from hsfusion_metrics._pair import FIRST, FloatArray, as_pair, quietly
from hsfusion_metrics._threads import deal, threads
from hsfusion_metrics.q2n import q2n

_SIDE = 32
_KERNEL = 41
_KAISER_BETA = 0.5
_RATIOS = (2, 4)
# Half of the 23 taps by which an image is interpolated, from the middle outwards (Aiazzi et al. 2002).
_HALF = np.array(
    [
        *(0.5, 0.305334091185, 0, -0.072698593239, 0, 0.021809577942),
        *(0, -0.005192756653, 0, 0.000807762146, 0, -0.000060081482),
    ]
)
_TAPS = 2.0 * np.concatenate([_HALF[:0:-1], _HALF])

_IKONOS = (0.26, 0.28, 0.29, 0.28)
_GEOEYE1 = (0.23, 0.23, 0.23, 0.23)

NYQUIST_GAINS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "IKONOS": _IKONOS,
        "QB": _IKONOS,
        "GF2": _IKONOS,
        "GeoEye1": _GEOEYE1,
        "WV4": _GEOEYE1,
        "WV2": (0.35,) * 7 + (0.27,),
        "WV3": (0.325, 0.355, 0.360, 0.350, 0.365, 0.360, 0.335, 0.315),
    }
)
"""Gains of the sensors' bands at the Nyquist frequency, as the script has them (QB and GF2 as IKONOS)."""


class NoReference(NamedTuple):
    """The three indexes of one image without a reference."""

    d_lambda: float
    d_s: float
    hqnr: float


def score_no_reference(
    sr: ArrayLike,
    lms: ArrayLike,
    pan: ArrayLike,
    *,
    ratio: int,
    gains: float | Sequence[float] = 0.3,
    channel_axis: int = 0,
    workers: int = 1,
) -> NoReference:
    """D_lambda, D_s and HQNR of an estimate, as the MATLAB package's script prints them for one sample.

    Parameters
    ----------
    sr
        Estimate, [C, H, W], sides multiples of 32.
    lms
        Low-resolution image of the bands, interpolated to the estimate's size, [C, H, W].
    pan
        Sharp image of one band, [1, H, W].
    ratio
        Resolution ratio, 2 or 4.
    gains
        As for `d_lambda`.
    channel_axis
        The axis of the bands in all three images: 0 for [C, H, W], -1 for [H, W, C].
    workers
        Number of threads. It changes nothing in the values.

    Returns
    -------
    NoReference
        HQNR is ``(1 - D_lambda) (1 - D_s)``, higher is better.

    Raises
    ------
    TypeError, ValueError
        As `d_lambda` and `d_s`.

    Notes
    -----
    ``analysis_unref_batched_images.m`` of the MATLAB test package, whose field ``qnr_index`` is the hybrid
    index HQNR and not the QNR of 2008: D_lambda is Khan's.

    References
    ----------
    B. Aiazzi, L. Alparone, S. Baronti, R. Carla, A. Garzelli and L. Santurri, "Full-scale assessment of
    pansharpening methods and data products", Proc. SPIE 9244, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> lms = np.random.default_rng(0).integers(1, 2048, (4, 64, 64))
    >>> found = score_no_reference(lms, lms, lms[:1], ratio=4)
    >>> found.hqnr == (1 - found.d_lambda) * (1 - found.d_s)
    True
    """
    with threads(workers):
        spectral = d_lambda(sr, lms, ratio=ratio, gains=gains, channel_axis=channel_axis)
        spatial = d_s(sr, lms, pan, ratio=ratio, channel_axis=channel_axis)
    return NoReference(spectral, spatial, (1.0 - spectral) * (1.0 - spatial))


#: The older name of `score_no_reference`.
evaluate_no_reference = score_no_reference


@quietly
def d_lambda(
    sr: ArrayLike, lms: ArrayLike, *, ratio: int, gains: float | Sequence[float] = 0.3, channel_axis: int = 0
) -> float:
    """Spectral distortion of Khan et al.: 1 less the Q2n of the estimate, blurred as by the sensor.

    As in `q2n`, the images are cast to 16-bit integers: **data in [0, 1] are binarised**.

    Parameters
    ----------
    sr
        Estimate, [C, H, W], sides multiples of 32.
    lms
        Low-resolution image, interpolated to the estimate's size, [C, H, W].
    ratio
        Resolution ratio, 2 or 4.
    gains
        Gain of the sensor at the Nyquist frequency, of each band or of all; see `NYQUIST_GAINS`.
    channel_axis
        The axis of the bands in both images: 0 for [C, H, W], -1 for [H, W, C].

    Returns
    -------
    float
        In [0, 1], lower is better.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes; for sides that are no multiples of 32; for
        another `ratio`; for `gains` not between 0 and 1 or not one a band.

    Notes
    -----
    ``D_lambda_K.m`` and ``MTF.m`` of the MATLAB test package. The filter is not normalised there either.

    References
    ----------
    M. M. Khan, L. Alparone and J. Chanussot, "Pansharpening quality assessment using the modulation transfer
    functions of instruments", IEEE Transactions on Geoscience and Remote Sensing 47(11), 2009.

    Examples
    --------
    >>> import numpy as np
    >>> lms = np.full((4, 32, 32), 100.0)
    >>> round(d_lambda(lms, lms, ratio=4), 2)
    0.0
    """
    estimate, interpolated = _checked(sr, lms, ratio, channel_axis)
    each = list(gains) if isinstance(gains, Sequence) else [gains] * len(estimate)
    if len(each) != len(estimate):
        raise ValueError(f"there are {len(each)} gains for {len(estimate)} bands")
    if not all(0.0 < gain < 1.0 for gain in each):
        raise ValueError(f"gains at the Nyquist frequency lie between 0 and 1, not {gains!r}")
    blurred = deal(lambda band: _blurred(band[0], _sensor_filter(ratio, band[1])), zip(estimate, each, strict=True))
    return 1.0 - q2n(interpolated, np.stack(list(blurred)), channel_axis=FIRST)


@quietly
def d_s(sr: ArrayLike, lms: ArrayLike, pan: ArrayLike, *, ratio: int, channel_axis: int = 0) -> float:
    """Spatial distortion of QNR: how the bands' likeness to the sharp image differs between the scales.

    Likeness is the mean of Wang and Bovik's index over 32 x 32 blocks side by side; at the lower scale it is
    taken between `lms` and the sharp image, reduced bicubically and interpolated again with 23 taps. The
    exponent is 1.

    Parameters
    ----------
    sr
        Estimate, [C, H, W], sides multiples of 32.
    lms
        Low-resolution image, interpolated to the estimate's size, [C, H, W].
    pan
        Sharp image of one band, [1, H, W].
    ratio
        Resolution ratio, 2 or 4. (For 8 and more the script interpolates beyond the size of the image, and
        compares what does not belong together.)
    channel_axis
        The axis of the bands in all three images: 0 for [C, H, W], -1 for [H, W, C].

    Returns
    -------
    float
        Not negative, lower is better; NaN when a block is flat in both of the images compared.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of these shapes; for sides that are no multiples of 32; for
        another `ratio`.

    Notes
    -----
    ``D_s.m`` and ``interp23tap.m`` of the MATLAB test package, in the variant that it is set to.

    References
    ----------
    L. Alparone, B. Aiazzi, S. Baronti, A. Garzelli, F. Nencini and M. Selva, "Multispectral and panchromatic
    data fusion assessment without reference", Photogrammetric Engineering and Remote Sensing 74(2), 2008.

    Examples
    --------
    >>> import numpy as np
    >>> lms = np.random.default_rng(0).integers(1, 2048, (4, 64, 64))
    >>> 0 < d_s(lms, lms, lms[:1], ratio=4) < 1
    True
    """
    estimate, interpolated = _checked(sr, lms, ratio, channel_axis)
    image = np.asarray(pan)
    expected = np.expand_dims(estimate[0], channel_axis).shape
    if image.shape != expected:
        raise ValueError(f"pan must be one band of the estimate's size, {expected}, not {image.shape}")
    [sharp], _ = as_pair(image, image, channel_axis)
    smooth = _interpolated(_reduced(sharp, ratio), ratio)

    def difference(band: tuple[FloatArray, FloatArray]) -> float:
        high, low = band
        return abs(_block_quality(high, sharp) - _block_quality(low, smooth))

    return float(np.mean(list(deal(difference, zip(estimate, interpolated, strict=True)))))


def _checked(sr: ArrayLike, lms: ArrayLike, ratio: int, channel_axis: int) -> tuple[FloatArray, FloatArray]:
    if ratio not in _RATIOS:
        raise ValueError(f"indexes without a reference are defined for the ratios 2 and 4, not {ratio!r}")
    images = [np.asarray(sr), np.asarray(lms)]
    if images[0].shape != images[1].shape:
        raise ValueError(f"sr and lms must have one shape: sr {images[0].shape}, lms {images[1].shape}")
    estimate, interpolated = as_pair(images[0], images[1], channel_axis)
    height, width = estimate.shape[1:]
    if height % _SIDE or width % _SIDE:
        raise ValueError(f"the sides must be multiples of {_SIDE} pixels, these are {height} x {width}")
    return estimate, interpolated


@lru_cache(maxsize=64)
def _sensor_filter(ratio: int, gain: float) -> FloatArray:
    """Filter whose answer is a Gaussian with this gain at the Nyquist frequency, cut by a round Kaiser window."""
    middle = _KERNEL // 2
    offset = np.arange(_KERNEL) - middle
    distance_squared = offset**2 + offset[:, None] ** 2
    variance = (middle / ratio) ** 2 / (-2.0 * np.log(gain))
    answer = np.exp(-distance_squared / (2.0 * variance))
    answer[answer < np.finfo(np.float64).eps] = 0.0
    window = np.interp(np.sqrt(distance_squared) / middle, offset / middle, np.kaiser(_KERNEL, _KAISER_BETA), right=0.0)
    return np.asarray(np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(answer))).real * window)


def _blurred(band: FloatArray, kernel: FloatArray) -> FloatArray:
    """Filter an image [H, W], which goes on beyond its border as it ends there."""
    framed = np.pad(band, _KERNEL // 2, mode="edge")
    size = [fft.next_fast_len(side, real=True) for side in framed.shape]
    # The filter is symmetric. What wraps round meets only the frame.
    answer = fft.irfft2(fft.rfft2(framed, size) * fft.rfft2(kernel, size), size)
    height, width = band.shape
    return np.asarray(answer[_KERNEL - 1 : _KERNEL - 1 + height, _KERNEL - 1 : _KERNEL - 1 + width])


def _reduced(image: FloatArray, ratio: int) -> FloatArray:
    """MATLAB's ``imresize(image, 1 / ratio)``: bicubic, widened against aliasing, mirrored at the border."""
    for axis in (0, 1):
        side = image.shape[axis]
        inside = np.arange(side)
        centres = (np.arange(side // ratio) + 0.5) * ratio - 0.5
        nearest = np.floor(centres).astype(int)[:, None] + np.arange(-2 * ratio, 2 * ratio + 2)
        weights = _cubic((nearest - centres[:, None]) / ratio)
        weights /= weights.sum(axis=1, keepdims=True)
        matrix = np.zeros((side // ratio, side))
        mirrored = np.concatenate([inside, inside[::-1]])[nearest % (2 * side)]
        np.add.at(matrix, (np.arange(len(matrix))[:, None], mirrored), weights)
        image = np.moveaxis(np.tensordot(matrix, image, (1, axis)), 0, axis)
    return image


def _cubic(distance: FloatArray) -> FloatArray:
    """Keys's cubic with a = -1/2."""
    x = np.abs(distance)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1.0, -0.5 * x**3 + 2.5 * x**2 - 4.0 * x + 2.0
    return np.asarray(np.where(x <= 1, near, np.where(x <= 2, far, 0.0)))


def _interpolated(image: FloatArray, ratio: int) -> FloatArray:
    """Double an image until it has `ratio` times its size; the image is periodic."""
    for doubling in range(ratio // 2):
        height, width = image.shape
        spread = np.zeros((2 * height, 2 * width))
        first = 1 if doubling == 0 else 0
        spread[first::2, first::2] = image
        image = correlate1d(correlate1d(spread, _TAPS, axis=0, mode="wrap"), _TAPS, axis=1, mode="wrap")
    return image


def _block_quality(x: FloatArray, y: FloatArray) -> float:
    """Mean of the universal quality index over the 32 x 32 blocks of two images [H, W]."""
    x, y = (_blocks(image) for image in (x, y))
    mean_x, mean_y = x.mean(axis=1), y.mean(axis=1)
    x, y = x - mean_x[:, None], y - mean_y[:, None]
    covariance, variances = (x * y).sum(axis=1), (x * x).sum(axis=1) + (y * y).sum(axis=1)
    return float(np.mean(4.0 * covariance * mean_x * mean_y / variances / (mean_x**2 + mean_y**2)))


def _blocks(image: FloatArray) -> FloatArray:
    rows, columns = (side // _SIDE for side in image.shape)
    return image.reshape(rows, _SIDE, columns, _SIDE).swapaxes(1, 2).reshape(rows * columns, _SIDE**2)
