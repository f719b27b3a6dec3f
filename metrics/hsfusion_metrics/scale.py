"""Images that do not lie at the full scale that is stated, or not at one scale: a wrong number, most often."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from hsfusion_metrics._pair import FloatArray

#: Full scales of usual data: 8, 10, 11 and 12 bits, reflectance in ten-thousandths, 16 bits.
USUAL = (255, 1023, 2047, 4095, 10000, 65535)

# How many numbers tell the scale of an image: the time that this takes is lost in that of the indexes.
_SEEN = 100_000
# Nine tenths of an image lie below this part of the scale: some wild pixels do not hide it.
_MOST = 90.0

_told: ContextVar[bool] = ContextVar("_told", default=False)


class ScaleWarning(UserWarning):
    """The values lie far from the full scale `const`, or the two images at different scales."""


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
    level_gt, level_sr = (float(np.percentile(np.abs(values), _MOST)) for values in (reference, estimate))
    for (low, small), (high, large) in ((("gt", level_gt), ("sr", level_sr)), (("sr", level_sr), ("gt", level_gt))):
        if 0.0 < small <= 2.0 and large >= max(20.0, 50.0 * small):
            return (
                f"{low} lies about [0, 1] (nine tenths below {small:.3g}) and {high} in counts (below {large:.5g}): "
                f"the two have different scales, and one is to be divided or multiplied first"
            )
    top = float(reference.max())
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


def warn_of_scale(gt: FloatArray, sr: FloatArray, const: float) -> None:
    """Warn the caller where there is a doubt, unless an index has done so that calls this one."""
    if not _told.get() and (doubt := scale_doubt(gt, sr, const)):
        warnings.warn(doubt, ScaleWarning, stacklevel=_frames_within())


@contextmanager
def told() -> Iterator[None]:
    """Warn no more within the block."""
    token = _told.set(True)
    try:
        yield
    finally:
        _told.reset(token)


def _sample(image: FloatArray) -> FloatArray:
    """Give some of the numbers of an image, those that are finite, from all over it."""
    values = image.reshape(-1)[:: image.size // _SEEN | 1]
    return values[np.isfinite(values)]


def _frames_within() -> int:
    """Count the frames from `warn_of_scale` up to the first one outside of this project's packages."""
    frame, count = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("hsfusion_"):
        frame, count = frame.f_back, count + 1
    return count
