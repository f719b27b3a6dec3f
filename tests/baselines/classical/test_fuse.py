"""FUSE against the normal equations written out densely, and its promise on a scene of low rank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hsfusion_baselines.classical.fuse import FUSE
from hsfusion_bench.methods import upsample_bicubic
from support.fusion import make_scene, observe, psnr


def test_it_is_the_minimum_of_the_dense_problem():
    scene = make_scene(bands=5, shape=(8, 8), rank=5)
    observation = observe(scene, scale=2, msi_bands=2, side=3)
    observation = replace(observation, lr_hsi=observation.lr_hsi + 0.01)  # the two need not agree
    noise, height = 0.05, 8
    fused = FUSE(dimension=3, noise=noise, covariance="identity").fuse(observation).astype(float)

    basis = np.linalg.svd(observation.lr_hsi.reshape(5, -1).astype(float))[0][:, :3]
    camera = np.zeros((16, 64))
    for pixel in range(64):
        impulse = np.zeros((1, 8, 8))
        impulse.reshape(-1)[pixel] = 1
        camera[:, pixel] = observe(impulse, scale=2, msi_bands=1, side=3).lr_hsi.ravel()
    mean = np.stack([upsample_bicubic(band, 2, 1.0) for band in np.tensordot(basis.T, observation.lr_hsi, 1)])
    # one row for each equation: hyperspectral pixels, multispectral pixels, prior
    design = np.vstack(
        [
            np.kron(basis, camera),
            np.kron(observation.srf @ basis, np.eye(height * 8)),
            noise * np.eye(3 * height * 8),
        ]
    )
    right = np.concatenate([observation.lr_hsi.ravel(), observation.hr_msi.ravel(), noise * mean.ravel()])
    coefficients = np.linalg.lstsq(design, right, rcond=None)[0].reshape(3, 8, 8)
    np.testing.assert_allclose(fused, np.tensordot(basis, coefficients, 1), atol=2e-5)


@pytest.mark.parametrize("phase", [0, 2, 3])
def test_a_scene_whose_rank_the_multispectral_image_sees_is_recovered(phase):
    scene = make_scene(rank=4)
    assert psnr(scene, FUSE().fuse(observe(scene, msi_bands=4, phase=phase))) > 55


def test_without_noise_the_prior_decides_only_what_the_data_leave_open():
    scene = make_scene(rank=6)
    observation = observe(scene, msi_bands=3)
    fused = FUSE(noise=1e-5).fuse(observation).astype(float)
    again = observe(fused, msi_bands=3)
    np.testing.assert_allclose(again.hr_msi, observation.hr_msi, atol=1e-3)
    np.testing.assert_allclose(again.lr_hsi, observation.lr_hsi, atol=1e-3)


def test_the_covariance_of_details_tells_of_what_is_not_seen():
    scene = make_scene(rank=6, shape=(96, 96))
    observation = observe(scene, msi_bands=3)
    details, identity = (psnr(scene, FUSE(covariance=kind).fuse(observation)) for kind in ("details", "identity"))
    assert details > identity + 0.5
