"""Indexes where arithmetic by hand, or complex numbers, give the answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsfusion_metrics import ergas, psnr, q2n, q2n_uncast, sam, scc, ssim, uqi

levels = st.floats(0.01, 1.0)


def texture(bands: int, height: int = 40, width: int = 36, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 1.0, (bands, height, width))


@given(offset=st.floats(1e-4, 10.0), const=st.floats(0.5, 5000.0))
def test_psnr_of_an_offset(offset: float, const: float) -> None:
    gt = np.zeros((2, 12, 12))
    assert psnr(gt, gt + offset, const=const) == pytest.approx(20 * math.log10(const / offset), rel=1e-12, abs=1e-10)


def test_psnr_averages_decibels_not_errors() -> None:
    gt = np.zeros((2, 12, 12))
    sr = gt + np.array([0.1, 0.001])[:, None, None]
    assert psnr(gt, sr) == pytest.approx((20 + 60) / 2, rel=1e-12)


def test_psnr_of_one_perfect_band_is_infinite() -> None:
    gt = texture(2)
    sr = gt.copy()
    sr[0] += 0.1
    assert psnr(gt, sr) == math.inf


@given(mean=levels, offset=levels, ratio=st.sampled_from([2, 4, 8, 3.5]))
def test_ergas_of_an_offset(mean: float, offset: float, ratio: float) -> None:
    gt = np.full((3, 12, 12), mean)
    assert ergas(gt, gt + offset, ratio=ratio) == pytest.approx(100 / ratio * offset / mean, rel=1e-11)


@given(gain=st.floats(1e-3, 1e3))
def test_sam_ignores_brightness(gain: float) -> None:
    gt, sr = texture(5), texture(5, seed=1)
    assert sam(gt, gain * sr) == pytest.approx(sam(gt, sr), rel=1e-12)


@given(degrees=st.floats(1.0, 179.0))
def test_sam_of_two_directions(degrees: float) -> None:
    angle = math.radians(degrees)
    gt = np.stack([np.ones((8, 8)), np.zeros((8, 8))])
    sr = np.stack([np.full((8, 8), math.cos(angle)), np.full((8, 8), math.sin(angle))])
    assert sam(gt, sr) == pytest.approx(degrees, rel=1e-10)


def test_sam_leaves_zero_spectra_out() -> None:
    gt = np.stack([np.ones((8, 8)), np.zeros((8, 8))])
    sr = np.ones((2, 8, 8))
    sr[:, :4] = 0.0
    assert sam(gt, sr) == pytest.approx(45.0, rel=1e-12)


def test_sam_takes_spectra_for_black_whose_squares_underflow() -> None:
    # as MATLAB's arithmetic does: 1e-90 squared, times 1e-80 squared, is 1e-340, which is 0
    gt, sr = np.full((2, 4, 4), 1e-90), np.full((2, 4, 4), 1e-80)
    sr[0] = 0.0
    assert math.isnan(sam(gt, sr))
    gt[:, 0, 0], sr[:, 0, 0] = (1.0, 0.0), (1.0, 1.0)
    assert sam(gt, sr) == pytest.approx(45.0)


@given(gain=st.floats(1e-2, 1e2))
def test_scc_is_a_cosine(gain: float) -> None:
    gt = texture(3)
    assert scc(gt, gain * gt) == pytest.approx(1.0, rel=1e-12)


def test_scc_of_a_single_step() -> None:
    # Sobel's answers to a one-pixel spike and to the same spike turned over have one magnitude.
    gt = np.zeros((1, 9, 9))
    gt[0, 4, 4] = 1.0
    assert scc(gt, -3.0 * gt) == pytest.approx(1.0, rel=1e-12)


def test_scc_of_gradients_that_do_not_meet() -> None:
    gt, sr = np.zeros((2, 1, 16, 16))
    gt[0, 4, 4] = sr[0, 11, 11] = 1.0
    assert scc(gt, sr) == 0.0


@given(gt=levels, sr=levels)
def test_uqi_of_flat_windows_is_that_of_their_means(gt: float, sr: float) -> None:
    shape = (1, 33, 34)
    expected = 2 * gt * sr / (gt**2 + sr**2)
    assert uqi(np.full(shape, gt), np.full(shape, sr)) == pytest.approx(expected, rel=1e-12)


def test_uqi_finds_flat_windows_beside_texture() -> None:
    # 40 of 72 rows are flat, and with them 9 of 41 rows of windows; a running sum would miss these.
    gt, sr = texture(1, 72, 32), texture(1, 72, 32, seed=1)
    gt[:, 32:], sr[:, 32:] = 0.3, 0.1
    textured = uqi(gt[:, :63], sr[:, :63])
    flat = 2 * 0.3 * 0.1 / (0.3**2 + 0.1**2)
    assert uqi(gt, sr) == pytest.approx((32 * textured + 9 * flat) / 41, rel=1e-12)


@given(gain=st.floats(1e-2, 1e2))
def test_ssim_depends_on_the_data_over_full_scale(gain: float) -> None:
    gt, sr = texture(2), texture(2, seed=1)
    assert ssim(gain * gt, gain * sr, const=gain) == pytest.approx(ssim(gt, sr), rel=1e-10)


@given(gt=levels, sr=levels)
def test_ssim_of_flat_images_is_that_of_their_means(gt: float, sr: float) -> None:
    shape = (1, 12, 13)
    expected = (2 * gt * sr + 1e-4) / (gt**2 + sr**2 + 1e-4)
    assert ssim(np.full(shape, gt), np.full(shape, sr)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("bands", [1, 2])
def test_q2n_of_one_block_in_complex_numbers(bands: int) -> None:
    gt, sr = texture(bands, 32, 32), texture(bands, 32, 32, seed=1)
    mean, deviation = (statistic(gt, axis=(1, 2), keepdims=True) for statistic in (np.mean, _deviation))
    x, y = ((image - mean) / deviation + 1 for image in (gt, sr))
    units = np.array([1, 1j])[:bands, None, None]
    p, q = (x * units).sum(axis=0), (y * units).sum(axis=0)
    dp, dq = p - p.mean(), q - q.mean()
    covariance = abs((dp * dq.conj()).mean())
    variances = (abs(dp) ** 2).mean() + (abs(dq) ** 2).mean()
    means = abs(p.mean()) * abs(q.mean()) / (abs(p.mean()) ** 2 + abs(q.mean()) ** 2)
    assert q2n_uncast(gt, sr) == pytest.approx(4 * covariance / variances * means, rel=1e-11)


def _deviation(image: np.ndarray, **kwargs: object) -> np.ndarray:
    return np.std(image, ddof=1, **kwargs)


@given(exponent=st.integers(-8, 8))
def test_uncast_q2n_has_no_unit(exponent: int) -> None:
    gt, sr = texture(4), texture(4, seed=1)
    assert q2n_uncast(gt * 2.0**exponent, sr * 2.0**exponent) == pytest.approx(q2n_uncast(gt, sr), rel=1e-12)


def test_the_cast_changes_nothing_for_counts_and_binarises_reflectance() -> None:
    gt, sr = texture(4), texture(4, seed=1)
    counts_gt, counts_sr = np.rint(2047 * gt), np.rint(2047 * sr)
    assert q2n(counts_gt, counts_sr) == q2n_uncast(counts_gt, counts_sr)
    binary_gt, binary_sr = (gt >= 0.5).astype(float), (sr >= 0.5).astype(float)
    assert q2n(gt, sr) == q2n_uncast(binary_gt, binary_sr)


@given(level=levels)
def test_uncast_q2n_of_equal_flat_images(level: float) -> None:
    flat = np.full((3, 32, 64), level)
    assert q2n_uncast(flat, flat) == 1.0
