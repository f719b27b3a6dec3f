"""The statistics of a comparison, held against closed forms, sums by hand, and SciPy called on its own."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from hsfusion_bench.report import significance
from hsfusion_bench.report.significance import (
    friedman,
    gains,
    holm,
    least_p,
    mean_interval,
    rank_biserial,
    scene_ranks,
    signed_rank,
)


def p_of(gain: list[float]) -> float:
    found = signed_rank(gain)
    assert found is not None
    return found.p


def by_all_signs(gain: list[float]) -> float:
    """Count the two-sided p over all ways in which the signs may fall."""
    rest = [each for each in gain if each]
    ranks = scipy.stats.rankdata(np.abs(rest))
    seen = sum(rank for rank, each in zip(ranks, rest, strict=True) if each > 0)
    sums = [sum(itertools.compress(ranks, signs)) for signs in itertools.product((0, 1), repeat=len(rest))]
    tail = min(sum(each <= seen + 1e-9 for each in sums), sum(each >= seen - 1e-9 for each in sums))
    return min(1.0, 2 * tail / len(sums))


@pytest.mark.parametrize("scenes", [1, 2, 5, 6, 11, 32])
def test_where_one_is_better_on_every_scene_p_is_the_least_there_is(scenes: int) -> None:
    gain = [0.5 + number for number in range(scenes)]
    assert p_of(gain) == pytest.approx(2 / 2**scenes, rel=1e-12)
    assert p_of([-each for each in gain]) == pytest.approx(2 / 2**scenes, rel=1e-12)
    assert least_p(scenes) == pytest.approx(2 / 2**scenes, rel=1e-12)


@pytest.mark.parametrize(
    "gain",
    [
        [1.0, 2.0, 3.0, -4.0],
        [0.1, -0.2, 0.3, 0.4, 0.5, -0.6, 0.7, 0.8, -0.05],
        [1.0, 1.0, 2.0, -3.0, 4.0, 4.0, -1.0],  # ties
        [0.0, 1.0, 1.0, 0.0, -1.0, 2.0, 3.0, 3.0],  # ties and zeros
        [5.0, math.inf, 1.0, -2.0, 3.0],
    ],
)
def test_p_is_the_share_of_signs_that_are_as_extreme(gain: list[float]) -> None:
    found = signed_rank(gain)
    assert found is not None
    assert found.p == pytest.approx(by_all_signs(gain), rel=1e-12)
    assert found.exact


def test_p_equals_scipys_where_there_are_many_scenes() -> None:
    gain = np.random.default_rng(3).normal(0.2, 1.0, 40)
    assert p_of(gain.tolist()) == scipy.stats.wilcoxon(gain, method="exact").pvalue
    many = np.random.default_rng(3).normal(0.2, 1.0, 200)
    found = signed_rank(many)
    assert found is not None
    assert not found.exact
    assert found.p == pytest.approx(scipy.stats.wilcoxon(many).pvalue)
    tied = signed_rank([1.0, 1.0, *np.arange(2.0, 20.0), -3.5])
    assert tied is not None
    assert not tied.exact


def test_without_differences_nothing_is_tested() -> None:
    assert signed_rank([0.0, 0.0, 0.0]) is None
    assert rank_biserial([0.0, 0.0]) is None
    assert signed_rank([]) is None


def test_rounding_is_no_difference() -> None:
    first = np.array([40.0, 41.0, 42.0])
    gain = gains(first + np.array([3e-9, -2e-8, 9e-7]), first, "higher")
    assert gain.tolist() == [0.0, 0.0, 0.0]
    # as one sees without that rule: the least p that there is
    assert scipy.stats.wilcoxon([3e-9, 2e-8, 9e-7]).pvalue == 0.25


def test_gains_follow_the_better_direction_and_infinite_values() -> None:
    assert gains([3.0, 1.0], [1.0, 2.0], "higher").tolist() == [2.0, -1.0]
    assert gains([3.0, 1.0], [1.0, 2.0], "lower").tolist() == [-2.0, 1.0]
    both = gains([math.inf, math.inf, 1.0], [math.inf, 1.0, math.inf], "higher")
    assert both.tolist() == [0.0, math.inf, -math.inf]


def test_holm_by_hand() -> None:
    # ordered 0.005, 0.01, 0.03, 0.04: times 4, 3, 2, 1 is 0.02, 0.03, 0.06, 0.04, and none below the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.4, 0.9, 0.7]) == [pytest.approx(1.0)] * 3
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_rank_biserial_by_hand() -> None:
    # ranks 1, 2, 3, 4, of which 4 speaks against: (6 - 4) / 10
    assert rank_biserial([0.1, 0.2, 0.3, -0.4]) == pytest.approx(0.2)
    assert rank_biserial([-0.1, -0.2, -0.3, 0.4]) == pytest.approx(-0.2)
    # a zero has no rank; two of the same size share 1.5: (1.5 - 1.5 + 3) / 6
    assert rank_biserial([1.0, -1.0, 2.0, 0.0]) == pytest.approx(0.5)
    assert rank_biserial([1.0, 2.0]) == 1.0


def test_the_interval_is_scipys_and_moves_with_the_values() -> None:
    gain = np.random.default_rng(1).normal(0.3, 1.0, 11)
    found = mean_interval(gain)
    theirs = scipy.stats.bootstrap(
        (gain,), np.mean, n_resamples=9999, method="BCa", random_state=np.random.default_rng(0)
    ).confidence_interval
    assert found == (theirs.low, theirs.high)
    assert mean_interval(gain) == found
    assert mean_interval(gain, seed=1) != found
    moved = mean_interval(gain + 5.0)
    assert moved == pytest.approx([found[0] + 5.0, found[1] + 5.0], abs=1e-3)


def test_the_interval_of_many_normal_values_is_students() -> None:
    gain = np.random.default_rng(5).normal(0.0, 2.0, 400)
    found = mean_interval(gain)
    assert found is not None
    error = gain.std(ddof=1) / math.sqrt(gain.size)
    assert np.array(found) == pytest.approx(scipy.stats.t.interval(0.95, 399, gain.mean(), error), abs=0.02)


def test_an_interval_that_cannot_be_given() -> None:
    assert mean_interval([1.0]) is None
    assert mean_interval([1.0, math.inf, 2.0]) is None
    assert mean_interval([0.25, 0.25, 0.25]) == (0.25, 0.25)


def test_ranks_on_scenes() -> None:
    values = [[30.0, 40.0, math.inf], [31.0, 40.0 + 1e-8, math.inf], [32.0, 39.0, 50.0]]
    assert scene_ranks(values, "higher").T.tolist() == [[3.0, 2.0, 1.0], [1.5, 1.5, 3.0], [1.5, 1.5, 3.0]]
    plain = np.random.default_rng(2).normal(size=(5, 7))
    assert np.array_equal(scene_ranks(plain, "lower"), scipy.stats.rankdata(plain, axis=0))
    assert np.array_equal(scene_ranks(plain, "higher"), scipy.stats.rankdata(-plain, axis=0))


def test_friedman_by_hand() -> None:
    # three methods in one order on six scenes: 12 / (6 3 4) (6² + 12² + 18²) - 3 6 4 = 12; of 2 degrees: exp(-12 / 2)
    ranks = np.repeat([[1.0], [2.0], [3.0]], 6, axis=1)
    assert friedman(ranks) == pytest.approx(math.exp(-6.0))


def test_friedman_where_it_makes_no_sense() -> None:
    assert friedman(np.repeat([[1.0], [2.0]], 11, axis=1)) is None
    assert friedman(np.repeat([[1.0], [2.0], [3.0]], 5, axis=1)) is None
    assert friedman(np.full((3, 11), 2.0)) is None


def test_five_scenes_cannot_be_significant_and_six_can() -> None:
    assert least_p(5) > significance.LEVEL > least_p(6)
