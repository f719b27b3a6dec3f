"""Quality of an estimate for which there is no reference: D_lambda, D_s and HQNR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from hsfusion_metrics import in_class
from hsfusion_metrics._pair import FIRST, FloatArray, as_array, as_pair, number, quietly, strips
from hsfusion_metrics._threads import deal, threads
from hsfusion_metrics.q2n import q2n
from hsfusion_metrics.scale import no_reference_doubt, warn_of

_SIDE = 32
_KERNEL = 41
_KAISER_BETA = 0.5
_RATIOS = (2, 4)
_DOUBLE = in_class.NumberClass("float64")
# Up to here a Fourier transform is right to a billionth of the unit to which Q2n rounds. Counts lie far below.
_TAME = 2.0**20
# Far from its middle the filter's taps are the rounding of a Fourier transform, 1e-17, another in each engine. Times
# values beyond this one they decide what pixels round to.
_HUGE = 1e9
_AT_ONCE = 1024
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
    gains: float | Sequence[float] | FloatArray = 0.3,
    channel_axis: int = 0,
    workers: int = 1,
    as_matlab: bool = False,
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
    as_matlab
        Compute in the class of the arrays rather than in float64, as the script does of integers and singles: what is
        blurred and reduced is rounded to it. See `hsfusion_metrics.in_class`.

    Returns
    -------
    NoReference
        HQNR is ``(1 - D_lambda) (1 - D_s)``, higher is better.

    Raises
    ------
    TypeError, ValueError
        As `d_lambda` and `d_s`.

    Warns
    -----
    ScaleWarning
        Where D_lambda's cast to integers leaves another image than was given, as of values in [0, 1], or the images
        have different scales: see `no_reference_doubt`.

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
    # That of lms does not matter: the script takes it as it is to double, or to the integers of Q2n.
    of_sr, of_pan = (
        in_class.class_of(image, name) if as_matlab else _DOUBLE for image, name in ((sr, "sr"), (pan, "pan"))
    )
    with threads(workers):
        spectral = _d_lambda(sr, lms, ratio, gains, channel_axis, of_sr)
        spatial = _d_s(sr, lms, pan, ratio, channel_axis, of_pan)
    warn_of(no_reference_doubt(sr, lms, pan))
    return NoReference(spectral, spatial, (1.0 - spectral) * (1.0 - spatial))


#: The older name of `score_no_reference`.
evaluate_no_reference = score_no_reference


def d_lambda(
    sr: ArrayLike,
    lms: ArrayLike,
    *,
    ratio: int,
    gains: float | Sequence[float] | FloatArray = 0.3,
    channel_axis: int = 0,
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
        At most 1, lower is better; beyond 8 bands Q2n may exceed 1, and this be negative.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes; for sides that are no multiples of 32; for
        another `ratio`; for `gains` not between 0 and 1 or not one a band; for Inf and values beyond 1e9 in `sr`,
        which NaN may stand for.

    Warns
    -----
    ScaleWarning
        As `score_no_reference`.

    Notes
    -----
    ``D_lambda_K.m`` and ``MTF.m`` of the MATLAB test package. The filter is not normalised there either. A NaN spoils
    the pixels within reach of the filter, and what is not finite is cast as in `q2n`.

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
    value = _d_lambda(sr, lms, ratio, gains, channel_axis, _DOUBLE)
    warn_of(no_reference_doubt(sr, lms, ()))
    return value


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
    return _d_s(sr, lms, pan, ratio, channel_axis, _DOUBLE)


@quietly
def _d_lambda(
    sr: ArrayLike, lms: ArrayLike, ratio: float, gains: ArrayLike, channel_axis: int, of: in_class.NumberClass
) -> float:
    """D_lambda where the blurred estimate is of some class."""
    ratio = _as_ratio(ratio)
    estimate, interpolated = _checked(sr, lms, channel_axis)
    each = _gain_of_each(gains, len(estimate))
    if (np.abs(estimate) > _HUGE).any():
        raise ValueError(
            "sr holds Inf, or values beyond 1e9: times the filter's smallest taps, which are rounding, they decide "
            "the script's D_lambda. Mend such pixels, or mark them by NaN, which the script takes"
        )

    def blur(band: tuple[FloatArray, float]) -> FloatArray:
        image, gain = band
        return of.stored(_blurred(image, _sensor_filter(ratio, gain)))

    blurred = deal(blur, zip(estimate, each, strict=True))
    return 1.0 - q2n(interpolated, np.stack(list(blurred)), channel_axis=FIRST)


@quietly
def _d_s(
    sr: ArrayLike, lms: ArrayLike, pan: ArrayLike, ratio: float, channel_axis: int, of: in_class.NumberClass
) -> float:
    """D_s where the reduced sharp image is of some class."""
    ratio = _as_ratio(ratio)
    estimate, interpolated = _checked(sr, lms, channel_axis)
    image = as_array(pan, "pan")
    expected = np.expand_dims(estimate[0], channel_axis).shape
    if image.shape != expected:
        raise ValueError(f"pan must be one band of the estimate's size, {expected}, not {image.shape}")
    [sharp], _ = as_pair(image, image, channel_axis, ("pan", "pan"))
    small = _reduced(sharp, ratio) if of == _DOUBLE else in_class.reduced(sharp, of, ratio)
    smooth = _interpolated(small, ratio)

    def difference(band: tuple[FloatArray, FloatArray]) -> float:
        high, low = band
        return abs(_block_quality(high, sharp) - _block_quality(low, smooth))

    return float(np.mean(list(deal(difference, zip(estimate, interpolated, strict=True)))))


def _as_ratio(ratio: float) -> int:
    if number(ratio, "ratio") not in _RATIOS:
        raise ValueError(f"indexes without a reference are defined for the ratios 2 and 4, not {ratio!r}")
    return int(ratio)


def _gain_of_each(gains: ArrayLike, bands: int) -> list[float]:
    """Return a gain for each band, from one for all or from a sequence of them."""
    numbers = np.asarray(gains)
    if numbers.dtype.kind not in "iuf" or numbers.ndim > 1:
        raise TypeError(f"gains must be a number or a sequence of numbers, not {gains!r}")
    each = numbers.astype(np.float64).tolist() if numbers.ndim else [float(numbers)] * bands
    if len(each) != bands:
        raise ValueError(f"there are {len(each)} gains for {bands} bands")
    if not all(0.0 < gain < 1.0 for gain in each):
        raise ValueError(f"gains at the Nyquist frequency lie between 0 and 1, not {gains!r}")
    return each


def _checked(sr: ArrayLike, lms: ArrayLike, channel_axis: int) -> tuple[FloatArray, FloatArray]:
    estimate, interpolated = as_pair(sr, lms, channel_axis, ("sr", "lms"))
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
    """Filter an image [H, W], which goes on beyond its border as it ends there.

    By Fourier transforms, which spread the rounding of the largest value, and what is not finite, over the whole image;
    so pixels within reach of a wild value are summed one by one.
    """
    from scipy import fft, ndimage  # here, for whoever only reads tables of indexes needs no SciPy

    wild = ~(np.abs(band) <= _TAME)
    framed = np.pad(np.where(wild, 0.0, band), _KERNEL // 2, mode="edge")
    size = [fft.next_fast_len(side, real=True) for side in framed.shape]
    # The filter is symmetric. What wraps round meets only the frame.
    answer = fft.irfft2(fft.rfft2(framed, size) * fft.rfft2(kernel, size), size)
    height, width = band.shape
    blurred = np.asarray(answer[_KERNEL - 1 : _KERNEL - 1 + height, _KERNEL - 1 : _KERNEL - 1 + width])
    if wild.any():
        _sum_one_by_one(blurred, band, ndimage.maximum_filter(wild, _KERNEL, mode="nearest"), kernel)
    return blurred


def _sum_one_by_one(blurred: FloatArray, band: FloatArray, where: NDArray[np.bool_], kernel: FloatArray) -> None:
    """Filter an image [H, W] at some pixels only, in place.

    Taps that are zero, in the corners, are left out, as the engines do: there NaN and Inf do not count.
    """
    taps = kernel != 0
    windows = sliding_window_view(np.pad(band, _KERNEL // 2, mode="edge"), kernel.shape)
    rows, columns = np.nonzero(where)
    for start, stop in strips(len(rows), _AT_ONCE):
        some = rows[start:stop], columns[start:stop]
        blurred[some] = (windows[some][:, taps] * kernel[taps]).sum(axis=1)


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
    from scipy.ndimage import correlate1d

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
