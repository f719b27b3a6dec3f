"""Vertex component analysis and the spectral subspace on images whose corners are known."""

from __future__ import annotations

import numpy as np
import pytest

from hsfusion_baselines.classical.subspace import svd_basis
from hsfusion_baselines.classical.vca import vca


def mixed(noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return pure spectra [20, 4] and an image [20, 12, 15] of their mixtures, in which each occurs pure."""
    random = np.random.default_rng(5)
    pure = random.random((20, 4))
    shares = random.dirichlet(np.ones(4), 180).T
    shares[:, [3, 50, 90, 177]] = np.eye(4)
    image = pure @ shares
    return pure, (image + noise * random.standard_normal(image.shape)).reshape(20, 12, 15)


@pytest.mark.parametrize("seed", range(5))
def test_pure_pixels_are_found_exactly_without_noise(seed):
    pure, image = mixed()
    found = vca(image, 4, seed)
    distance = np.abs(found[:, :, None] - pure[:, None, :]).max(0)
    np.testing.assert_allclose(distance.min(0), 0, atol=1e-9)


def test_pure_pixels_are_found_nearly_in_noise():
    pure, image = mixed(0.003)
    found = vca(image, 4)
    assert np.abs(found[:, :, None] - pure[:, None, :]).max(0).min(0).max() < 0.06


@pytest.mark.parametrize("image", [np.zeros((5, 4, 4)), np.full((5, 4, 4), 0.3)])
def test_an_image_of_one_spectrum_has_one_endmember(image):
    found = vca(image, 3)
    assert found.shape == (5, 1)
    np.testing.assert_allclose(found[:, 0], image[:, 0, 0], atol=1e-12)


def test_the_basis_spans_the_spectra_and_no_more():
    _, image = mixed()
    basis = svd_basis(image, 10)
    assert basis.shape == (20, 4)
    np.testing.assert_allclose(basis.T @ basis, np.eye(4), atol=1e-12)
    spectra = image.reshape(20, -1)
    np.testing.assert_allclose(basis @ (basis.T @ spectra), spectra, atol=1e-8)
