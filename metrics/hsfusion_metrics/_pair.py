"""What every index asks of its two images, and how rows are dealt out so that work stays in the cache."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from functools import wraps
from numbers import Real
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

#: float64 holds every whole number up to this one.
_WHOLE = 2**53

#: From this size on, an axis may be the side of an image that is handed over in the other order.
_SIDE = 64

#: As `channel_axis`: the first axis, and no guess that it might not be meant.
FIRST = -3


def quietly(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Let a function divide by zero and overflow as MATLAB does: Inf or NaN in the result, and no event.

    Each call has a state of its own. Before NumPy 2, ``np.errstate`` as a decorator keeps the caller's state in one
    place for all calls, so that calls within calls, or side by side, give it back wrong.
    """

    @wraps(function)
    def quiet(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            return function(*args, **kwargs)

    return quiet


def as_pair(
    gt: ArrayLike, sr: ArrayLike, channel_axis: int = 0, names: tuple[str, str] = ("gt", "sr")
) -> tuple[FloatArray, FloatArray]:
    """Check a reference and an estimate and return both in float64, [C, H, W].

    Parameters
    ----------
    gt, sr
        Images of one shape, real and numeric. float64 arrays [C, H, W] are passed on without a copy.
    channel_axis
        The axis of the bands. 0 and -1 are refused where they are seen to be wrong, see `_refuse_other_order`.
    names
        What messages call the two.

    Returns
    -------
    tuple of numpy.ndarray
        ``(gt, sr)`` in float64.

    Raises
    ------
    TypeError
        When an image is boolean, complex or not numeric, or has masked elements; or `channel_axis` is not an integer.
    ValueError
        When an image does not have three axes, is empty, or differs in shape from the other; when it holds integers
        that float64 does not; when there is no such axis, or it is not that of the bands.
    """
    axis = _as_axis(channel_axis)
    reference, estimate = (_as_image(image, name, axis) for image, name in zip((gt, sr), names, strict=True))
    if reference.shape != estimate.shape:
        one, other = names
        raise ValueError(f"{one} and {other} must have one shape: {one} {np.shape(gt)}, {other} {np.shape(sr)}")
    return reference, estimate


def number(value: float, name: str) -> float:
    """Return a real number as a float; raise TypeError for anything else: truth values, text, arrays."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, not {value!r}")
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def positive(value: float, name: str) -> float:
    """Return `value` as a float; raise TypeError for no number, ValueError for one that is not positive and finite."""
    found = number(value, name)
    if not 0.0 < found < float("inf"):
        raise ValueError(f"{name} must be a positive finite number, not {value!r}")
    return found


def as_ratio(value: float) -> float:
    """Return a resolution ratio, a number of at least 1; raise as `positive`."""
    found = positive(value, "ratio")
    if found < 1.0:
        raise ValueError(f"ratio is the coarse pixel's size over the fine one's, 4 rather than 1/4, not {value!r}")
    return found


def strips(rows: int, height: int = 64) -> Iterator[tuple[int, int]]:
    """Split `rows` rows into (start, stop) pairs of at most `height`: small enough for a core's cache."""
    for start in range(0, rows, height):
        yield start, min(start + height, rows)


def as_array(image: ArrayLike, name: str) -> NDArray[Any]:
    """Return an image as an array, or raise TypeError where that loses a mask or cannot be done."""
    if _is_masked(image):
        raise TypeError(
            f"{name} has masked elements, and the indexes know no mask: crop both images to what is valid, or give the "
            "masked elements one value in both, as by .filled(0)"
        )
    try:
        return np.asarray(image)
    except RuntimeError as error:  # a tensor that needs its gradient, say
        raise TypeError(f"{name} cannot be read as an array: {error}") from error


def _is_masked(image: object) -> bool:
    """Tell whether an element is masked in an array, or in one of a list's."""
    if isinstance(image, (list, tuple)):
        return any(_is_masked(part) for part in image)
    return bool(np.ma.is_masked(image))


def _as_axis(channel_axis: int) -> int:
    """Return the number of an axis as it was given, after a look at it."""
    if isinstance(channel_axis, (bool, np.bool_)):
        raise TypeError(f"channel_axis must be an integer, not {channel_axis!r}")
    try:
        axis = operator.index(channel_axis)
    except TypeError:
        raise TypeError(f"channel_axis must be an integer, not {channel_axis!r}") from None
    if not -3 <= axis <= 2:
        raise ValueError(f"channel_axis must be one of the three axes, -3 to 2, not {axis}")
    return axis


def _as_image(image: ArrayLike, name: str, axis: int) -> FloatArray:
    array = as_array(image, name)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be real and numeric, not {array.dtype}")
    if array.ndim != 3:
        raise ValueError(f"{name} must have three axes, those of [C, H, W], not the shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: shape {array.shape}")
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and not -_WHOLE <= array.min() <= array.max() <= _WHOLE:
        raise ValueError(f"{name} holds integers beyond 2^53, which float64 does not hold exactly; scale them first")
    _refuse_other_order(array.shape, name, axis)
    if axis % 3:
        # band after band in memory, for every index goes through the image by bands
        return np.ascontiguousarray(np.moveaxis(array, axis, 0), dtype=np.float64)
    return array.astype(np.float64, copy=False)


def _refuse_other_order(shape: tuple[int, ...], name: str, axis: int) -> None:
    """Refuse [H, W, C] for [C, H, W], and the reverse, where the shape gives it away.

    That is: the axis said to be the bands' is equal to the one beside it, at least 64, and more than twice the third.
    Images are square so often, and bands as many as rows so seldom, that nothing else is guessed: (198, 100, 100) and
    (31, 8, 512) are [C, H, W]. The same axis by its other number (-3 for 0, 2 for -1) is taken at its word.
    """
    if axis not in (0, -1):
        return
    bands, beside, third = shape if axis == 0 else shape[::-1]
    if bands == beside >= _SIDE and bands > 2 * third:
        found, expected = ("[H, W, C]", "[C, H, W]") if axis == 0 else ("[C, H, W]", "[H, W, C]")
        other, insisting = (-1, -3) if axis == 0 else (0, 2)
        raise ValueError(
            f"{name} has the shape {shape}, which looks like {found}, and {expected} is expected: say "
            f"channel_axis={other}, or channel_axis={insisting} if it is {expected} all the same"
        )
