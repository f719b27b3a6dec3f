"""The two cameras against sums written out pixel by pixel."""

import numpy as np
import pytest

from hsfusion_bench.data.degradation import apply_srf, blur, decimate, gaussian_psf
from hsfusion_bench.data.responses import WAVELENGTHS, response
from hsfusion_bench.errors import UsageError

CONTINUED = {  # index k of an image of n pixels, in words of its own for each rule
    "reflect-101": lambda k, n: -k if k < 0 else 2 * (n - 1) - k if k >= n else k,
    "symmetric": lambda k, n: -k - 1 if k < 0 else 2 * n - 1 - k if k >= n else k,
    "circular": lambda k, n: k + n if k < 0 else k - n if k >= n else k,
}


def blur_matrix(height, width, psf, boundary):
    """Dense [pixels, pixels] matrix: each row holds the weights of one blurred pixel."""
    side = len(psf)
    inside = CONTINUED[boundary]
    matrix = np.zeros((height * width, height * width))
    for i, j in np.ndindex(height, width):
        for m, n in np.ndindex(side, side):
            row, column = inside(i + m - side // 2, height), inside(j + n - side // 2, width)
            matrix[i * width + j, row * width + column] += psf[m, n]
    return matrix


@pytest.mark.parametrize("boundary", CONTINUED)
@pytest.mark.parametrize("side", [3, 4, 5])
def test_blur_is_the_dense_matrix(boundary, side):
    rng = np.random.default_rng(4)
    psf = rng.random((side, side))  # not symmetric, so that a flipped kernel would show
    cube = rng.random((2, 6, 8)).astype(np.float32)
    blurred = blur(cube, psf, boundary)
    assert blurred.dtype == np.float64
    expected = blur_matrix(6, 8, psf, boundary) @ cube.reshape(2, -1).T.astype(float)
    np.testing.assert_allclose(blurred.reshape(2, -1).T, expected, rtol=0, atol=1e-13)


def test_gaussian_psf_of_three_pixels():
    # exp(-1 / (2 * 0.5**2)) = exp(-2) for a neighbour, once for a row and once for a column
    near = np.exp(-2)
    expected = np.array([[near**2, near, near**2], [near, 1, near], [near**2, near, near**2]])
    np.testing.assert_allclose(gaussian_psf(3, 0.5), expected / (1 + 2 * near) ** 2, rtol=1e-14)


def test_gaussian_psf_of_even_side_is_centred_between_pixels():
    psf = gaussian_psf(4, 2.0)
    np.testing.assert_array_equal(psf, psf[::-1, ::-1])
    # half a pixel and one and a half from the middle: the ratio is exp(-(2.25 - 0.25) / (2 * 4))
    assert psf[1, 0] / psf[1, 1] == pytest.approx(np.exp(-0.25))
    assert psf.sum() == pytest.approx(1)


@pytest.mark.parametrize(("scale", "phase"), [(4, 2), (8, 4), (4, 1)])
def test_decimate_takes_the_pixels_that_its_phase_names(scale, phase):
    row, column = np.mgrid[:16, :24]
    low = decimate(np.stack([row, column]), scale, phase)
    assert low[0, :, 0].tolist() == [phase + scale * k for k in range(16 // scale)]
    assert low[1, 0].tolist() == [phase + scale * k for k in range(24 // scale)]


def test_apply_srf_sums_over_bands():
    rng = np.random.default_rng(5)
    cube, srf = rng.random((4, 3, 2)).astype(np.float32), rng.random((2, 4))
    seen = apply_srf(cube, srf)
    for channel, i, j in np.ndindex(2, 3, 2):
        expected = sum(srf[channel, band] * float(cube[band, i, j]) for band in range(4))
        assert seen[channel, i, j] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("name", ["A", "B"])
def test_responses_are_normalised_and_in_the_order_red_green_blue(name):
    srf = response(name)
    assert srf.shape == (3, 31)
    np.testing.assert_allclose(srf.sum(axis=1), 1, rtol=1e-14)
    red, green, blue = np.array(WAVELENGTHS)[srf.argmax(axis=1)]
    assert blue < 480 < green < 560 < 590 < red < 640


@pytest.mark.parametrize(
    ("name", "nm", "channel", "value"),
    [
        # Read off the published tables by hand, in units / sum of the row.
        ("A", 610, 0, 22 / 255),
        ("A", 530, 1, 21 / 203),
        ("A", 460, 2, 30 / 251),
        ("A", 400, 0, 2 / 255),
        ("A", 700, 1, 2 / 203),
        ("B", 610, 0, 22 / 209),
        ("B", 550, 1, 20 / 164),
        ("B", 460, 2, 30 / 200),
        ("B", 700, 2, 0),
        ("B", 560, 0, 1 / 209),
    ],
)
def test_response_values(name, nm, channel, value):
    assert response(name)[channel, WAVELENGTHS.index(nm)] == pytest.approx(value, rel=1e-14)


def test_unknown_response_and_wavelengths_are_refused():
    with pytest.raises(UsageError, match="'C'; there are A, B"):
        response("C")
    with pytest.raises(UsageError, match="not for 2 bands at 420, 430 nm"):
        response("A", [420, 430])
