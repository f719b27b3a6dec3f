"""What holds of the indexes for any images."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsfusion_metrics import METRICS, Indexes, ergas, psnr, q2n, q2n_uncast, sam, scc, score, ssim, uqi

Pair = tuple[np.ndarray, np.ndarray]

SYMMETRIC = [psnr, ssim, sam, scc, uqi]
IN_ANY_ORDER_OF_BANDS = [psnr, ssim, sam, partial(ergas, ratio=4), scc, uqi]


@st.composite
def pairs(draw: st.DrawFn, least: int = 1, most: int = 9) -> Pair:
    """Two images alike to some degree, of sides from 32 on and of several magnitudes."""
    shape = draw(st.tuples(st.integers(least, most), st.integers(32, 70), st.integers(32, 70)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([1.0, 255.0, 2047.0]))
    noise = draw(st.sampled_from([1e-3, 1e-1, 1.0]))
    gt = rng.uniform(0.1, 1.0, shape)
    return scale * gt, scale * (gt + noise * rng.standard_normal(shape))


#: Images that Hypothesis makes as bad as it can: mostly one value, with a few others, zeros among them, but none so
#: small that the product of four of them underflows, which SAM takes for black as the MATLAB package does.
coarse = hnp.arrays(np.float64, (2, 34, 33), elements=st.just(0.0) | st.floats(1e-60, 1.0))


@settings(max_examples=25)
@given(pair=pairs())
@pytest.mark.parametrize("index", SYMMETRIC)
def test_symmetry(index: Callable[..., float], pair: Pair) -> None:
    gt, sr = pair
    assert index(gt, sr) == pytest.approx(index(sr, gt), rel=1e-12)


@pytest.mark.parametrize("index", [partial(ergas, ratio=4), q2n, q2n_uncast])
def test_no_symmetry_where_the_reference_is_the_measure(index: Callable[..., float]) -> None:
    gt = np.random.default_rng(0).uniform(100.0, 1000.0, (3, 32, 32))
    assert index(gt, 2.0 * gt) != pytest.approx(index(2.0 * gt, gt), rel=1e-3)


@settings(max_examples=15)
@given(pair=pairs(), axis=st.integers(-3, 2))
@pytest.mark.parametrize("index", [*SYMMETRIC, partial(ergas, ratio=4), q2n, q2n_uncast, partial(score, ratio=4)])
def test_the_axis_of_the_bands(index: Callable[..., object], pair: Pair, axis: int) -> None:
    moved = [np.moveaxis(image, 0, axis).copy() for image in pair]
    assert index(*moved, channel_axis=axis) == index(*pair)


@settings(max_examples=25)
@given(pair=pairs(), seed=st.integers(0, 1000))
@pytest.mark.parametrize("index", IN_ANY_ORDER_OF_BANDS)
def test_the_order_of_bands(index: Callable[..., float], pair: Pair, seed: int) -> None:
    gt, sr = pair
    order = np.random.default_rng(seed).permutation(len(gt))
    assert index(gt[order], sr[order]) == pytest.approx(index(gt, sr), rel=1e-9)


@settings(max_examples=25)
@given(pair=pairs(least=4, most=4), order=st.sampled_from([(1, 0, 3, 2), (1, 2, 0, 3), (3, 0, 2, 1), (2, 3, 0, 1)]))
def test_q2n_of_four_bands_in_an_even_order(pair: Pair, order: tuple[int, ...]) -> None:
    # The modulus of a quaternions' product is that of the self-dual part of x y^T, which rotations keep.
    gt, sr = (image[list(order)] for image in pair)
    assert q2n_uncast(gt, sr) == pytest.approx(q2n_uncast(*pair), rel=1e-11)


@settings(max_examples=25)
@given(pair=pairs())
def test_identity_is_perfect(pair: Pair) -> None:
    gt, _ = pair
    found = score(gt, gt, ratio=4, const=float(gt.max()))
    assert found == pytest.approx(Indexes(**{name: metric.ideal for name, metric in METRICS.items()}), abs=1e-12)


@settings(max_examples=50)
@given(gt=coarse, sr=coarse)
def test_bounds_and_finite_values(gt: np.ndarray, sr: np.ndarray) -> None:
    found = score(gt, sr, ratio=4)
    # These have a value for all finite images; SAM and SCC lack one for black, ERGAS for a mean of zero.
    assert found.psnr > -math.inf
    assert -1.0 - 1e-9 <= found.ssim <= 1.0 + 1e-9
    assert 0.0 <= found.q2n <= 1.0 + 1e-9
    assert math.isfinite(found.uqi)
    assert math.isnan(found.sam) == (not (gt.any(axis=0) & sr.any(axis=0)).any())
    assert math.isnan(found.sam) or 0.0 <= found.sam <= 90.0
    assert math.isnan(found.scc) or 0.0 <= found.scc <= 1.0 + 1e-9


@settings(max_examples=25)
@given(pair=pairs())
def test_finite_images_with_texture_have_finite_values(pair: Pair) -> None:
    gt, sr = pair
    assert all(math.isfinite(value) for value in score(gt, sr, ratio=4, const=float(gt.max())))
