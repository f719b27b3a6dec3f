"""Is a difference between methods real: tests, intervals and ranks of what they scored on the same scenes.

Arrays in, numbers out. A *gain* is what the first of two methods is better by on a scene, whichever direction of the
index is the better one. scipy.stats is imported when something is tested.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Better: TypeAlias = Literal["higher", "lower"]

#: A difference below this is one of rounding: two programs of the same algorithm differ by it.
TIE: Final = 1e-6
#: A corrected p below this is called significant.
LEVEL: Final = 0.05
#: Of the bootstrap.
CONFIDENCE: Final = 0.95
RESAMPLES: Final = 9999

#: The exact distribution is counted up to so many scenes, and up to so many where two differences are equal.
_EXACT: Final = 50
_EXACT_TIED: Final = 13


class SignedRank(NamedTuple):
    """Result of Wilcoxon's signed-rank test."""

    p: float
    exact: bool
    """Whether the distribution was counted; else it was taken as normal."""


def gains(first: npt.ArrayLike, second: npt.ArrayLike, better: Better) -> Floats:
    """Return what the first method is better by on each scene.

    Parameters
    ----------
    first, second
        An index of two methods, [scenes], without NaN.
    better
        The direction of the index.

    Returns
    -------
    array
        [scenes]; a difference below `TIE` is 0, and so is Inf against Inf.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    difference = np.zeros_like(one)
    np.subtract(one, other, out=difference, where=one != other)
    difference[np.abs(difference) < TIE] = 0.0
    # not -0.0, which would be printed
    return difference if better == "higher" else 0.0 - difference


def signed_rank(gain: npt.ArrayLike) -> SignedRank | None:
    """Test whether gains are symmetric about 0: Wilcoxon's signed-rank test, two-sided.

    Scenes without a difference are left out, as Wilcoxon did. The distribution is counted exactly for up to 50 scenes;
    where two differences are equal in size, for up to 13, and else it is taken as normal.

    Parameters
    ----------
    gain
        [scenes]; may be infinite, for only ranks count.

    Returns
    -------
    SignedRank or None
        None if there is no difference on any scene: then there is nothing to test.

    Notes
    -----
    Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1, 1945; `scipy.stats.wilcoxon`.
    """
    from scipy.stats import permutation_test, rankdata, wilcoxon

    rest = _different(gain)
    if not rest.size:
        return None
    ranks = rankdata(np.abs(rest))
    if len(set(ranks)) == rest.size:
        exact = rest.size <= _EXACT
        return SignedRank(float(wilcoxon(rest, method="exact" if exact else "auto").pvalue), exact)
    if rest.size > _EXACT_TIED:
        return SignedRank(float(wilcoxon(rest, method="approx").pvalue), False)

    def sum_of_gains(signed: Any, axis: int) -> Any:
        return np.sum(np.where(signed > 0, ranks, 0.0), axis=axis)

    # all 2^n signs: SciPy's own exact distribution knows no equal ranks
    every: Any = permutation_test(
        (rest,), sum_of_gains, permutation_type="samples", n_resamples=2**_EXACT_TIED, vectorized=True
    )
    return SignedRank(float(every.pvalue), True)


def least_p(scenes: int) -> float:
    """Return the least p that the signed-rank test can give: 2 of the 2^n ways in which signs may fall."""
    return min(1.0, 2.0 ** (1 - scenes))


def holm(p: Sequence[float]) -> list[float]:
    """Return the p of several tests, corrected for their number by Holm's way: the k-th least counts m - k + 1 times.

    Notes
    -----
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979. The
    chance to call any difference significant that is none stays below the level, whatever depends on what.
    """
    corrected = [0.0] * len(p)
    so_far = 0.0
    for done, number in enumerate(sorted(range(len(p)), key=lambda each: p[each])):
        so_far = max(so_far, min(1.0, (len(p) - done) * p[number]))
        corrected[number] = so_far
    return corrected


def rank_biserial(gain: npt.ArrayLike) -> float | None:
    """Return the size of an effect, the matched-pairs rank-biserial correlation.

    The sum of ranks in favour less the one against, over both: 1 if the first method is better on every scene, 0 if
    nothing speaks for either, -1 if the second is.

    Returns
    -------
    float or None
        None if there is no difference on any scene.

    Notes
    -----
    Kerby, "The simple difference formula", Comprehensive Psychology 3, 2014.
    """
    from scipy.stats import rankdata

    rest = _different(gain)
    if not rest.size:
        return None
    ranks = rankdata(np.abs(rest))
    return float(np.sum(np.sign(rest) * ranks) / np.sum(ranks))


def mean_interval(gain: npt.ArrayLike, seed: int = 0) -> tuple[float, float] | None:
    """Return an interval in which the mean gain lies with 95 % confidence: BCa bootstrap over the scenes.

    Parameters
    ----------
    gain
        [scenes]
    seed
        Of the 9999 resamples.

    Returns
    -------
    (low, high) or None
        None for one scene, and where a gain is infinite.

    Notes
    -----
    Efron, "Better bootstrap confidence intervals", JASA 82, 1987; `scipy.stats.bootstrap`.
    """
    from scipy.stats import bootstrap

    values = np.asarray(gain, np.float64)
    if values.size < 2 or not np.all(np.isfinite(values)):
        return None
    if np.ptp(values) == 0.0:
        return float(values[0]), float(values[0])
    made: Any = bootstrap(
        (values,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="BCa",
        random_state=np.random.default_rng(seed),
    )
    low, high = made.confidence_interval
    return (float(low), float(high)) if math.isfinite(low) and math.isfinite(high) else None


def scene_ranks(values: npt.ArrayLike, better: Better) -> Floats:
    """Rank methods on each scene.

    Parameters
    ----------
    values
        An index, [methods, scenes], without NaN.
    better
        The direction of the index.

    Returns
    -------
    array
        [methods, scenes]; 1 is the best. Values that are less than `TIE` apart share the mean of their ranks.
    """
    from scipy.stats import rankdata

    signed = np.asarray(values, np.float64) * (-1.0 if better == "higher" else 1.0)
    order = np.argsort(signed, axis=0, kind="stable")
    ordered = np.take_along_axis(signed, order, axis=0)
    step = np.zeros_like(ordered, dtype=np.int64)
    step[1:] = gains(ordered[1:], ordered[:-1], "higher") > 0
    groups = np.empty_like(step)
    np.put_along_axis(groups, order, np.cumsum(step, axis=0), axis=0)
    return np.asarray(rankdata(groups, axis=0), np.float64)


def friedman(ranks: npt.ArrayLike) -> float | None:
    """Test whether any of several methods differs from the others: Friedman's test of ranks, its chi-squared p.

    Parameters
    ----------
    ranks
        Of `scene_ranks`, [methods, scenes].

    Returns
    -------
    float or None
        None for fewer than three methods, fewer scenes than a test of two methods could be significant with, or if all
        are equal on every scene.

    Notes
    -----
    Friedman, "The use of ranks to avoid the assumption of normality", JASA 32, 1937;
    `scipy.stats.friedmanchisquare`.
    """
    from scipy.stats import friedmanchisquare

    table = np.asarray(ranks, np.float64)
    methods, scenes = table.shape
    if methods < 3 or least_p(scenes) >= LEVEL or np.all(table == table[0]):
        return None
    return float(friedmanchisquare(*table).pvalue)


def _different(gain: npt.ArrayLike) -> Floats:
    values = np.asarray(gain, np.float64)
    different: Floats = values[values != 0.0]
    return different
