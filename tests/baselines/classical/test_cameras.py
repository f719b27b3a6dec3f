"""The estimates of PSF and SRF against the cameras that made the images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from hsfusion_baselines.classical.cameras import _nonnegative_solution, completed, estimate_psf, estimate_srf
from hsfusion_bench.errors import HsbenchError
from support.fusion import make_scene, observe


@pytest.mark.parametrize("side", [4, 5])
def test_the_blur_is_found_exactly_from_the_true_response_without_a_penalty(side):
    observation = observe(make_scene(bands=6, shape=(96, 96), rank=6), side=side)
    assert observation.psf is not None
    found = estimate_psf(observation, observation.srf, weight=0.0)
    margin = (len(found) - side) // 2
    expected = np.pad(observation.psf, margin)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_what_is_known_is_kept():
    observation = observe(make_scene())
    assert completed(observation) is observation
    half = completed(replace(observation, srf=None))
    assert half.psf is observation.psf
    half = completed(replace(observation, psf=None))
    np.testing.assert_array_equal(half.srf, observation.srf)


def test_the_estimates_explain_the_pair():
    observation = observe(make_scene(shape=(96, 96)))
    found = completed(observation.blind())
    assert found.psf is not None
    assert found.srf is not None
    assert found.psf.sum() == pytest.approx(1)
    # the response is only seen through the scene's spectra
    spectra = make_scene(shape=(96, 96)).reshape(16, -1)
    np.testing.assert_allclose(found.srf @ spectra, observation.srf @ spectra, atol=0.05)
    middle = (np.arange(len(found.psf)) - (len(found.psf) - 1) / 2) @ found.psf.sum(1)
    assert abs(middle) < 0.2


def test_a_response_is_held_to_0_or_more_as_by_non_negative_least_squares():
    random = np.random.default_rng(0)
    design, target = random.standard_normal((20, 6)), random.standard_normal(20)
    found = _nonnegative_solution(design.T @ design, design.T @ target)
    np.testing.assert_allclose(found, optimize.nnls(design, target)[0], atol=1e-8)
    np.testing.assert_array_equal(_nonnegative_solution(np.zeros((3, 3)), np.zeros(3)), 0)


def test_a_heavier_penalty_makes_a_smoother_response():
    observation = observe(make_scene())
    light, heavy = (np.abs(np.diff(estimate_srf(observation, weight))).max() for weight in (0.1, 1e5))
    assert heavy < light / 2


def test_images_without_content_are_refused():
    with pytest.raises(HsbenchError, match="nothing in common"):
        completed(observe(0 * make_scene()).blind())
    with pytest.raises(HsbenchError, match="too small"):
        completed(observe(make_scene(shape=(8, 8))).blind())
