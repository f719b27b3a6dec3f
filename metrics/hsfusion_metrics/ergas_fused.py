"""ERGAS relative to the fused image, as the papers of the FeINFN family print it."""

from __future__ import annotations

from numpy.typing import ArrayLike

from hsfusion_metrics._pair import FIRST, as_pair
from hsfusion_metrics.ergas import ergas


def ergas_fused(gt: ArrayLike, sr: ArrayLike, *, ratio: float, channel_axis: int = 0) -> float:
    """ERGAS with the two images exchanged: the bands' errors relative to the band means of the estimate.

    ``(100 / ratio) sqrt(mean_b(MSE_b / mean(sr_b)^2))``. Not one of the seven: the MATLAB script's index is `ergas`,
    which divides by the mean of the reference.

    Parameters
    ----------
    gt
        Reference, [C, H, W].
    sr
        Estimate, [C, H, W].
    ratio
        Ground sampling distance of the low-resolution image over that of the high-resolution one: 4, 8, ...
    channel_axis
        The axis of the bands: 0 for [C, H, W], -1 for [H, W, C].

    Returns
    -------
    float
        Lower is better, 0 for identical images; Inf when a band of the estimate has the mean 0 and an error.

    Raises
    ------
    TypeError, ValueError
        For images that are not real, or not of one shape with three axes; for a `ratio` that is not positive.

    Notes
    -----
    ``ERGAS(fused, reference, ratio)``, by ``ERGAS.m`` of the MATLAB test package, whose first argument should be the
    reference. It is what the published Bicubic rows of CAVE follow from: Deng et al., BDT, IJCAI 2023, Table 1, and
    Cao et al., LE-Mamba, ACM MM 2024, Table 3; ``hsbench verify --published`` makes them again.

    Examples
    --------
    >>> import numpy as np
    >>> gt = np.full((3, 16, 16), 0.49)
    >>> round(ergas_fused(gt, gt + 0.01, ratio=4), 9)
    0.5
    """
    reference, estimate = as_pair(gt, sr, channel_axis)
    return ergas(estimate, reference, ratio=ratio, channel_axis=FIRST)
