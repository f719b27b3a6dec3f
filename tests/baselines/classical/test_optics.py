"""Blur, sampling and the Sylvester solver against dense matrices written out pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from hsfusion_baselines.classical.optics import Optics
from hsfusion_baselines.classical.sylvester import Sylvester
from hsfusion_bench.data.observing.degradation import downsample, gaussian_psf
from hsfusion_bench.errors import HsbenchError

CASES = [
    # shape, scale, side of the kernel, phase
    ((8, 12), 4, 3, 2.0),
    ((8, 12), 4, 4, 1.5),
    ((12, 9), 3, 5, 1.0),
    ((8, 8), 2, 2, 0.5),
    ((6, 4), 2, 9, 0.0),  # larger than the image
    ((5, 7), 1, 3, 0.0),
]


def dense(psf, phase, shape, scale):
    """Return the camera as a matrix [h*w, H*W], from its definition."""
    height, width = shape
    matrix = np.zeros(((height // scale) * (width // scale), height * width))
    for row in range(height // scale):
        for column in range(width // scale):
            for m in range(len(psf)):
                for n in range(len(psf)):
                    i = int(scale * row + phase - (len(psf) - 1) / 2 + m) % height
                    j = int(scale * column + phase - (len(psf) - 1) / 2 + n) % width
                    matrix[row * (width // scale) + column, i * width + j] += psf[m, n]
    return matrix


@pytest.mark.parametrize(("shape", "scale", "side", "phase"), CASES)
def test_observe_and_adjoint_are_the_dense_matrix_and_its_transpose(shape, scale, side, phase):
    random = np.random.default_rng(0)
    psf = random.random((side, side))  # no symmetry that could hide a flip
    optics, matrix = Optics.from_psf(psf, phase, shape, scale), dense(psf, phase, shape, scale)
    images = random.random((2, *shape))
    low = random.random((2, shape[0] // scale, shape[1] // scale))
    np.testing.assert_allclose(optics.observe(images).reshape(2, -1), images.reshape(2, -1) @ matrix.T, atol=1e-12)
    np.testing.assert_allclose(optics.adjoint(low).reshape(2, -1), low.reshape(2, -1) @ matrix, atol=1e-12)


@pytest.mark.parametrize(("shape", "scale", "side", "phase"), CASES)
def test_the_solver_equals_the_dense_kronecker_system(shape, scale, side, phase):
    random = np.random.default_rng(1)
    psf = random.random((side, side))
    optics, matrix = Optics.from_psf(psf, phase, shape, scale), dense(psf, phase, shape, scale)
    factors = random.random((2, 3, 5))
    hyper, other = (factor @ factor.T + 0.1 * np.eye(3) for factor in factors)
    right = random.random((3, *shape))
    solved = Sylvester.of(hyper, other, optics).solve(right)
    pixels = shape[0] * shape[1]
    system = np.kron(hyper, matrix.T @ matrix) + np.kron(other, np.eye(pixels))
    expected = np.linalg.solve(system, right.reshape(-1)).reshape(right.shape)
    np.testing.assert_allclose(solved, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("side", "phase", "sigma"), [(3, 2, 0.5), (5, 2, 1.2)])
def test_agrees_with_the_protocols_blur(side, phase, sigma):
    image, psf = np.random.default_rng(2).random((16, 24)), gaussian_psf(side, sigma)
    expected = downsample(image, psf, "circular", 4, phase)
    np.testing.assert_allclose(Optics.from_psf(psf, phase, image.shape, 4).observe(image), expected, atol=1e-12)


@pytest.mark.parametrize(("side", "phase"), [(3, 1.5), (4, 2.0)])
def test_a_blur_that_cannot_lie_at_the_phase_is_refused(side, phase):
    with pytest.raises(HsbenchError, match=f"cannot lie at phase {phase:g}"):
        Optics.from_psf(np.ones((side, side)), phase, (8, 8), 4)


def test_a_singular_system_is_refused():
    optics = Optics.from_psf(np.ones((3, 3)), 2, (8, 8), 4)
    with pytest.raises(HsbenchError, match="singular"):
        Sylvester.of(np.eye(2), np.diag([1.0, 0.0]), optics)
    with pytest.raises(HsbenchError, match="degenerate"):
        Sylvester.of(np.diag([1.0, 0.0]), np.eye(2), optics)


def test_single_precision_stays_single():
    optics = Optics.from_psf(np.ones((3, 3)), 2, (8, 8), 4, np.float32)
    right = np.ones((2, 8, 8), np.float32)
    assert optics.observe(right).dtype == np.float32
    assert Sylvester.of(np.eye(2), np.eye(2), optics).solve(right).dtype == np.float32
