"""The component substitutions and pyramids against their formulas written out band by band."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from hsfusion_baselines.classical.gsa import GSA
from hsfusion_baselines.classical.hypersharpening import affine_fit, ratio
from hsfusion_baselines.classical.interpolation import enlarge
from hsfusion_baselines.classical.mtf import mtf_filtered_msi
from hsfusion_baselines.classical.mtf_glp_hs import MTFGLPHS
from hsfusion_baselines.classical.sfim import SFIM
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.methods import upsample_bicubic
from support.fusion import make_scene, observe, psnr


def test_the_fit_is_that_of_least_squares():
    random = np.random.default_rng(0)
    inputs, targets = random.random((3, 50)), random.random((4, 50))
    weights, offsets = affine_fit(inputs, targets)
    expected = np.linalg.lstsq(np.vstack([inputs, np.ones(50)]).T, targets.T, rcond=None)[0].T
    np.testing.assert_allclose(np.column_stack([weights, offsets]), expected, atol=1e-10)


def test_inputs_that_repeat_share_their_weight():
    row = np.random.default_rng(0).random((1, 50))
    weights, _ = affine_fit(np.vstack([row, row, 0 * row]), row)
    np.testing.assert_allclose(weights, [[0.5, 0.5, 0]], atol=1e-8)


def test_mtf_glp_hs_is_its_formula():
    observation = observe(make_scene(), side=3, sigma=0.5)
    psf, phase = observation.psf, int(observation.phase)
    fused = MTFGLPHS().fuse(observation)
    low = np.stack(
        [ndimage.correlate(b, psf, mode="wrap")[phase::4, phase::4] for b in observation.hr_msi.astype(float)]
    )
    design = np.vstack([low.reshape(4, -1), np.ones(low[0].size)]).T
    for band, image in enumerate(observation.lr_hsi.astype(float)):
        weights = np.linalg.lstsq(design, image.ravel(), rcond=None)[0]
        sharp = np.tensordot(weights[:4], observation.hr_msi, 1) + weights[4]
        smooth = (design @ weights).reshape(image.shape)
        expected = upsample_bicubic(image, 4, phase) + sharp - upsample_bicubic(smooth, 4, phase)
        np.testing.assert_allclose(fused[band], expected, atol=2e-5)


def test_gsa_equals_mtf_glp_hs_where_the_images_agree():
    observation = observe(make_scene())
    np.testing.assert_allclose(GSA().fuse(observation), MTFGLPHS().fuse(observation), atol=1e-3)


def test_a_selected_band_is_the_one_that_correlates_best():
    scene = make_scene(bands=4)
    observation = observe(scene, msi_bands=4)
    observation.hr_msi[:] = scene[::-1]  # band k of one is band 3 - k of the other
    assert psnr(scene, SFIM(synthesis="selection").fuse(observation)) > 40


def test_aligned_interpolation_goes_through_the_samples_and_block_does_not():
    observation = observe(make_scene(), phase=2)
    np.testing.assert_allclose(enlarge(observation.lr_hsi, observation, "aligned")[:, 2::4, 2::4], observation.lr_hsi)
    assert np.abs(enlarge(observation.lr_hsi, observation, "block")[:, 2::4, 2::4] - observation.lr_hsi).max() > 0.01


@pytest.mark.parametrize(("scale", "phase", "gain"), [(4, 2.0, 0.3), (4, 1.5, 0.3), (2, 0.0, 0.5)])
def test_the_gaussian_has_the_gain_at_the_nyquist_frequency(scale, phase, gain):
    observation = observe(
        make_scene(shape=(64, 64)), scale=scale, side=3 if float(phase).is_integer() else 4, phase=phase
    )
    # the sampled wave alternates from LR pixel to LR pixel
    wave = np.cos(np.pi * (np.arange(64) - phase) / scale)
    observation.hr_msi[:] = wave
    low = mtf_filtered_msi(observation, gain)
    np.testing.assert_allclose(np.abs(low), gain, atol=2e-3)


def test_a_gain_of_one_is_refused():
    with pytest.raises(HsbenchError, match="below 1"):
        MTFGLPHS(nyquist_gain=1.0).fuse(observe(make_scene()))


def test_the_ratio_of_nothing_is_one():
    np.testing.assert_array_equal(ratio(np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0, -1.0])), [0.5, 1, 1])
