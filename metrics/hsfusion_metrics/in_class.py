"""The indexes in the class of the arrays, as the MATLAB package's scripts compute them: `as_matlab`.

The scripts convert little to double. An image of singles is mostly computed in singles, and one of integers in
integers: each difference, product and quotient is rounded half away from zero and saturated at the ends of its class.
So the values describe the class as much as the images. What is written here was read off the scripts and GNU Octave,
and gives Octave's values; MATLAB's ``dot`` takes no integers, so that there the script with a reference stops at SAM.

Sums are taken in Octave's order, one after the other, which decides the last digits of singles, and UQI in windows
that are flat in both images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsfusion_metrics._pair import FloatArray, as_array, strips

#: In float64 for doubles and integers, in float32 for singles.
_Numbers: TypeAlias = NDArray[Any]

_UNDER_HALF = float(np.nextafter(0.5, 0.0))
_WINDOW = np.ones((32, 32))
_SOBEL = np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]])


@dataclass(frozen=True)
class NumberClass:
    """A class of MATLAB's numbers: how the result of an operation is stored in it.

    Attributes
    ----------
    name
        MATLAB's and NumPy's: "double" is "float64" here, and "single" is "float32".
    """

    name: str

    @property
    def is_integer(self) -> bool:
        """Whether results are rounded and saturated."""
        return np.dtype(self.name).kind in "iu"

    @property
    def held_in(self) -> type[np.floating[Any]]:
        """The type of NumPy's that holds its numbers here."""
        return np.float32 if self.name == "float32" else np.float64

    def stored(self, values: _Numbers) -> _Numbers:
        """Give what is left of values that are assigned to this class."""
        if not self.is_integer:
            return values.astype(self.held_in, copy=False)
        ends = np.iinfo(self.name)
        whole = np.copysign(np.floor(np.abs(values) + _UNDER_HALF), values)
        return np.clip(np.where(np.isnan(whole), 0.0, whole), float(ends.min), float(ends.max))

    def with_(self, other: NumberClass) -> NumberClass:
        """Give the class of an operation on numbers of two classes: integers prevail, then singles."""
        if self.is_integer and other.is_integer and self != other:
            raise TypeError(f"gt and sr are {self.name} and {other.name}, which the script cannot combine: it stops")
        for wanted in (self, other):
            if wanted.is_integer or (wanted.name == "float32" and not other.is_integer):
                return wanted
        return self if self.name == "float32" else other


def class_of(image: ArrayLike, name: str) -> NumberClass:
    """Tell the class in which the script computes an image.

    Raises
    ------
    TypeError
        When MATLAB has no such class of real numbers.
    """
    dtype = as_array(image, name).dtype
    if dtype.kind not in "iuf" or (dtype.kind == "f" and dtype.itemsize not in (4, 8)):
        raise TypeError(f"{name} is {dtype}, in which the script does not compute; as_matlab needs a class of MATLAB's")
    return NumberClass(dtype.newbyteorder("=").name)


@dataclass(frozen=True)
class Pair:
    """A reference and an estimate, [C, H, W] in float64, and their classes."""

    gt: FloatArray
    sr: FloatArray
    gt_class: NumberClass
    sr_class: NumberClass

    @property
    def common(self) -> NumberClass:
        """The class of operations on both."""
        return self.gt_class.with_(self.sr_class)

    def bands(self) -> list[tuple[_Numbers, _Numbers]]:
        """Give the bands of both, as their classes hold them."""
        held = (
            image.astype(of.held_in, copy=False) for image, of in ((self.gt, self.gt_class), (self.sr, self.sr_class))
        )
        return list(zip(*held, strict=True))

    def divided(self, const: float) -> Pair:
        """Divide both by their full scale: of integers, whole numbers are left."""
        return self._each(lambda image, of: of.stored(image.astype(of.held_in) / of.held_in(const)))

    def times(self, factor: float) -> Pair:
        """Multiply both."""
        return self._each(lambda image, of: of.stored(image.astype(of.held_in) * of.held_in(factor)))

    def _each(self, work: Callable[[FloatArray, NumberClass], _Numbers]) -> Pair:
        gt, sr = work(self.gt, self.gt_class), work(self.sr, self.sr_class)
        return Pair(gt.astype(np.float64), sr.astype(np.float64), self.gt_class, self.sr_class)


def psnr(divided: Pair) -> float:
    """PSNR of two images that were divided by their full scale."""
    common, values = divided.common, []
    for x, y in divided.bands():
        errors = common.stored(_in(common, y) - _in(common, x))
        squares = common.stored(errors * errors)
        values.append(10.0 * np.log10(1.0 / _mean(squares)))
    return float(np.mean(np.array(values, dtype=np.float64)))


def sam(pair: Pair) -> float:
    """SAM; products are of the class, sums of integers in double."""
    products = [
        _dot(first, second, of)
        for first, second, of in (
            (pair.gt, pair.sr, pair.common),
            (pair.gt, pair.gt, pair.gt_class),
            (pair.sr, pair.sr, pair.sr_class),
        )
    ]
    product, *norms = products
    both = np.result_type(*norms) if norms[0].dtype == norms[1].dtype else np.dtype(np.float32)
    norm = np.sqrt(norms[0].astype(both) * norms[1].astype(both))
    seen = norm.T != 0
    of = np.float32 if np.float32 in (product.dtype, norm.dtype) else np.float64
    cosines = product.T[seen].astype(of) / norm.T[seen].astype(of)
    angles = np.arccos(np.clip(cosines, -1.0, 1.0))
    return float(_sum(angles) / of(angles.size) * of(180.0) / of(np.pi))


def scc(pair: Pair) -> float:
    """SCC; gradients and their squares are of the class, the cosine in double."""
    edges_gt, edges_sr = (
        np.stack([_edges(band, of) for band in image])
        for image, of in ((pair.gt, pair.gt_class), (pair.sr, pair.sr_class))
    )
    product = (edges_sr * edges_gt).sum()
    return float(product / np.sqrt((edges_sr**2).sum()) / np.sqrt((edges_gt**2).sum()))


def uqi(pair: Pair) -> float:
    """UQI; squares and products are of the class, sums of integers in double, all in the script's order."""
    if min(pair.gt.shape[1:]) < len(_WINDOW):
        return float("nan")
    return float(np.mean([_mean(_quality(x, y, pair)) for x, y in pair.bands()], dtype=np.float64))


def reduced(image: FloatArray, of: NumberClass, ratio: int) -> FloatArray:
    """Octave's ``imresize(image, 1 / ratio)``; small integers are reduced in single."""
    narrow = of.is_integer and np.dtype(of.name).itemsize <= 2
    held = np.float32 if narrow else of.held_in
    precise = np.float32 if narrow else np.float64
    image_in = image.astype(held)
    for axis in (1, 0):
        side = image.shape[axis]
        inside = np.arange(side)
        mirror = np.concatenate([inside, inside[::-1]])
        centres = (np.arange(side // ratio) * ratio + (ratio + 1) / 2 - 1).astype(precise)
        nearest = np.floor(centres)
        total = np.zeros(1, held)
        for shift in range(1 - 2 * ratio, 2 * ratio + 1):
            weights = (_cubic((precise(shift) - (centres - nearest)) / precise(ratio)) / precise(ratio)).astype(held)
            taken = np.take(image_in, mirror[(nearest.astype(int) + shift) % (2 * side)], axis)
            total = total + taken * (weights if axis else weights[:, None])
        image_in = total
    return np.asarray(of.stored(image_in), dtype=np.float64)


def _in(of: NumberClass, values: _Numbers) -> _Numbers:
    """Take numbers into an operation of a class: a double becomes single beside singles."""
    return np.asarray(values, dtype=of.held_in)


def _sum(values: _Numbers) -> Any:
    """Sum numbers one after the other, in their type."""
    return np.add.accumulate(values.ravel(), dtype=values.dtype)[-1] if values.size else values.dtype.type(0)


def _mean(image: _Numbers) -> Any:
    """Mean of an image [H, W], column after column."""
    return _sum(image.T) / image.dtype.type(image.size)


def _dot(first: FloatArray, second: FloatArray, of: NumberClass) -> _Numbers:
    """Scalar product of the spectra, [C, H, W] twice -> [H, W]."""
    total = np.zeros(first.shape[1:], of.held_in)
    for x, y in zip(first, second, strict=True):
        total += of.stored(_in(of, x) * _in(of, y))
    return total


def _edges(band: FloatArray, of: NumberClass) -> FloatArray:
    """Gradient magnitude of a band without its border, [H, W] -> [H-2, W-2]."""
    framed = np.pad(band[1:-1, 1:-1], 1).astype(of.held_in)
    squares = []
    for sobel in (_SOBEL, _SOBEL.T):
        gradient = of.stored(_filtered(framed, sobel))
        squares.append(of.stored(gradient * gradient))
    return np.sqrt(of.stored(squares[0] + squares[1])).astype(np.float64)


def _filtered(image: _Numbers, taps: FloatArray) -> _Numbers:
    """Octave's ``filter2(taps, image, 'valid')``: tap after tap, from the last column and row to the first."""
    rows, columns = (side - taken + 1 for side, taken in zip(image.shape, taps.shape, strict=True))
    answer = np.zeros((rows, columns), image.dtype)
    for start, stop in strips(rows):  # which stay in the cache
        strip = answer[start:stop]
        for column in reversed(range(taps.shape[1])):
            for row in reversed(range(taps.shape[0])):
                if tap := taps[row, column]:
                    part = image[start + row : stop + row, column : column + columns]
                    strip += part if tap == 1.0 else image.dtype.type(tap) * part
    return answer


def _quality(x: _Numbers, y: _Numbers, pair: Pair) -> _Numbers:
    """Quality of every window of two bands, written as the script has it: [H, W] -> [H-31, W-31]."""
    common = pair.common
    square_x, square_y = pair.gt_class.stored(x * x), pair.sr_class.stored(y * y)
    product = common.stored(_in(common, x) * _in(common, y))
    sum_x, sum_y, sum_xx, sum_yy, sum_xy = (_filtered(each, _WINDOW) for each in (x, y, square_x, square_y, product))
    both = np.float32 if np.float32 in (sum_x.dtype, sum_y.dtype) else np.float64
    means = sum_x.astype(both) * sum_y.astype(both)
    squares = (sum_x * sum_x).astype(both) + (sum_y * sum_y).astype(both)
    variances = both(_WINDOW.size) * (sum_xx.astype(both) + sum_yy.astype(both)) - squares
    covariance = (sum_xy.dtype.type(_WINDOW.size) * sum_xy).astype(both) - means
    denominator = variances * squares
    quality = np.ones_like(denominator)
    flat = (variances == 0) & (squares != 0)
    quality[flat] = 2 * means[flat] / squares[flat]
    some = denominator != 0
    quality[some] = (4 * covariance * means)[some] / denominator[some]
    return np.asarray(quality)


def _cubic(distance: _Numbers) -> _Numbers:
    """Keys's cubic with a = -1/2, in the type of the distance."""
    x = np.abs(distance)
    square = x * x
    cube = square * x
    of = x.dtype.type
    near = of(1.5) * cube - of(2.5) * square + of(1)
    far = of(-0.5) * cube + of(2.5) * square - of(4) * x + of(2)
    return np.asarray(near * (x <= 1) + far * ((x <= 2) & ~(x <= 1)))
