"""Images that do not lie at the full scale that is stated, or not at one scale: a wrong number, most often."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsfusion_metrics._pair import FloatArray

#: Full scales of usual data: 8, 10, 11 and 12 bits, reflectance in ten-thousandths, 16 bits.
USUAL = (255, 1023, 2047, 4095, 10000, 65535)

# How many numbers tell the scale of an image: the time that this takes is lost in that of the indexes.
_SEEN = 100_000
# Nine tenths of an image lie below this part of the scale: some wild pixels do not hide it.
_MOST = 90.0
# Nine tenths of normal numbers lie within so many deviations, from the lowest of them to the highest.
_NINE_TENTHS = 3.29
# What rounding to whole numbers may move values by, as a part of their deviation. Of CAVE's balloons D_lambda is 0.006
# in 16 bits, 0.011 in 8 (a part of 0.007), 0.026 at a full scale of 50 (0.035), 0.109 at 5 (0.37), and 0 at 1/4.
_ROUNDED = 0.02
_GREATEST = 65535

_told: ContextVar[bool] = ContextVar("_told", default=False)


class ScaleWarning(UserWarning):
    """The values lie far from the full scale that an index needs or was told, or the images at different scales."""


def scale_doubt(gt: FloatArray, sr: FloatArray, const: float) -> str | None:
    """Say why two images can hardly be meant at a full scale, or None.

    Values somewhat above the full scale, noise, wild pixels and black images are nothing to doubt; nor is any value of
    the estimate at the scale of the reference.

    Parameters
    ----------
    gt, sr
        Reference and estimate in float64.
    const
        The value that stands for full scale.

    Returns
    -------
    str or None
        One sentence, without a full stop.
    """
    reference, estimate = _sample(gt), _sample(sr)
    if not reference.size or not estimate.size:
        return None
    if apart := _scales_apart(gt=reference, sr=estimate):
        return apart
    level_gt, top = _level(reference), float(reference.max())
    if level_gt > 2.0 * const or top > 10.0 * const:
        top = float(gt.max(initial=-np.inf, where=np.isfinite(gt)))
        fits = next((f": {scale} is the likely full scale" for scale in USUAL if top <= scale), "")
        return f"gt reaches {top:.6g}, far beyond the full scale const = {const:g}, on which PSNR and SSIM depend{fits}"
    if const >= 100.0 and 0.0 < top <= 2.0 and (reference % 1.0 != 0.0).any():
        return (
            f"gt lies about [0, 1] (its largest value is {top:.3g}), far below the full scale const = {const:g}, "
            "on which PSNR and SSIM depend: 1 is the likely full scale"
        )
    return None


def no_reference_doubt(sr: ArrayLike, lms: ArrayLike, pan: ArrayLike) -> str | None:
    """Say why the indexes without a reference can hardly be meant of three images, or None.

    A common factor leaves D_s alone, but D_lambda takes whole numbers from 0 to 65535 in the place of the values, so
    that it is one of counts: of values in [0, 1] hardly anything is left. Both indexes compare means, and so
    need images of one scale.

    Parameters
    ----------
    sr, lms, pan
        As of `hsfusion_metrics.score_no_reference`, of any shape.

    Returns
    -------
    str or None
        One sentence, without a full stop.
    """
    images = {"sr": sr, "lms": lms, "pan": pan}
    samples = {name: _sample(np.asarray(image)).astype(np.float64) for name, image in images.items()}
    return _scales_apart(**samples) or _cast_doubt(samples["lms"])


def _cast_doubt(lms: FloatArray) -> str | None:
    """Say why the cast to 16 bits that D_lambda begins with leaves another image than it was given."""
    if not lms.size:
        return None
    beyond = float(np.mean((lms < -0.5) | (lms > _GREATEST + 0.5)))
    if beyond > 1.0 - _MOST / 100.0:
        return (
            f"{100 * beyond:.0f} % of lms lie beyond 0 to {_GREATEST}, at which D_lambda clips it as the script does: "
            "bring sr, lms and pan to counts by one and the same factor"
        )
    low, high = np.percentile(lms, [50.0 - _MOST / 2, 50.0 + _MOST / 2])
    moved = float(np.sqrt(np.mean((lms - np.rint(lms)) ** 2)))
    if high > low and moved > _ROUNDED * (high - low) / _NINE_TENTHS:
        part = 100 * moved / ((high - low) / _NINE_TENTHS)
        return (
            f"D_lambda rounds to whole numbers as the script does, but lms lies between {low:.3g} and {high:.3g} (nine "
            f"tenths of it), where this moves the values by {part:.0f} % of their deviation: it is made for counts. "
            "Multiply sr, lms and pan by one and the same factor, such as 10000 for reflectances"
        )
    return None


def _scales_apart(**images: FloatArray) -> str | None:
    """Say of which two images, as `_sample` gives them, one lies about [0, 1] and the other in counts."""
    levels = {name: _level(image) for name, image in images.items() if image.size}
    for (low, small), (high, large) in permutations(levels.items(), 2):
        if 0.0 < small <= 2.0 and large >= max(20.0, 50.0 * small):
            return (
                f"{low} lies about [0, 1] (nine tenths below {small:.3g}) and {high} in counts (below {large:.5g}): "
                f"the two have different scales, and one is to be divided or multiplied first"
            )
    return None


def _level(values: FloatArray) -> float:
    return float(np.percentile(np.abs(values), _MOST))


def warn_of_scale(gt: FloatArray, sr: FloatArray, const: float) -> None:
    """Warn the caller where there is a doubt, unless an index has done so that calls this one."""
    if not _told.get():
        warn_of(scale_doubt(gt, sr, const))


def warn_of(doubt: str | None) -> None:
    """Warn the caller of a doubt, if it is one."""
    if doubt:
        warnings.warn(doubt, ScaleWarning, stacklevel=_frames_within())


@contextmanager
def told() -> Iterator[None]:
    """Warn no more within the block."""
    token = _told.set(True)
    try:
        yield
    finally:
        _told.reset(token)


def _sample(image: NDArray[Any]) -> NDArray[Any]:
    """Give some of the numbers of an image, those that are finite, from all over it."""
    values = image.reshape(-1)[:: image.size // _SEEN | 1]
    return np.asarray(values[np.isfinite(values)])


def _frames_within() -> int:
    """Count the frames from the one that warns up to the first one outside of this project's packages."""
    frame, count = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("hsfusion_"):
        frame, count = frame.f_back, count + 1
    return count
