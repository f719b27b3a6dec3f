"""Multiplicative updates against their theory and against SciPy's non-negative least squares."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from hsfusion_baselines.classical.cnmf import CNMF
from hsfusion_baselines.classical.nmf import Unmixing
from support.fusion import make_scene, observe, psnr


def some(pixels: int = 40, endmembers: int = 3) -> Unmixing:
    random = np.random.default_rng(4)
    data = random.random((6, pixels))
    return Unmixing(data, random.random((6, endmembers)), random.random((endmembers, pixels)), 0.3)


def test_no_update_increases_the_objective():
    unmixing = some()
    values = [unmixing.objective]
    for _ in range(30):
        unmixing.update_shares()
        values.append(unmixing.objective)
        unmixing.update_spectra()
        values.append(unmixing.objective)
    assert np.diff(values).max() <= 1e-12
    assert values[-1] < values[0] / 2


def test_the_model_follows_the_factors():
    unmixing = some()
    unmixing.repeat("shares", "spectra", most=7, tolerance=0)
    rest = unmixing.spectra @ unmixing.shares - unmixing.data[:-1]
    np.testing.assert_allclose(unmixing.error, (rest**2).sum())
    assert unmixing.spectra.min() >= 0
    assert unmixing.shares.min() >= 0


def test_shares_converge_to_non_negative_least_squares():
    unmixing = some(pixels=5)
    unmixing.repeat("shares", most=20000, tolerance=0)
    design = np.vstack([unmixing.spectra, np.full((1, 3), 0.3)])
    for pixel in range(5):
        expected = optimize.nnls(design, unmixing.data[:, pixel])[0]
        np.testing.assert_allclose(unmixing.shares[:, pixel], expected, atol=1e-3)


def test_chunks_do_not_show():
    long, short = some(pixels=9000), some(pixels=9000)
    short.data, short.shares = long.data[:, :50], long.shares[:, :50]
    short.set_shares(short.shares)
    long.update_shares()
    short.update_shares()
    np.testing.assert_allclose(long.shares[:, :50], short.shares, rtol=1e-12)


def test_a_scene_of_pure_and_mixed_pixels_is_recovered():
    scene = make_scene()
    fused = CNMF(endmembers=3).fuse(observe(scene))
    assert psnr(scene, fused) > 33
    assert fused.min() >= 0
