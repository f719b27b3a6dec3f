"""The two cameras against sums written out pixel by pixel, SciPy, Fourier transforms and GNU Octave."""

import numpy as np
import pytest
from scipy import ndimage

from hsfusion_bench.data.observing.degradation import apply_srf, downsample, gaussian_psf

CONTINUED = {  # index k of an image of n pixels, in words of its own for each rule; None: nothing is there
    "reflect-101": lambda k, n: -k if k < 0 else 2 * (n - 1) - k if k >= n else k,
    "symmetric": lambda k, n: -k - 1 if k < 0 else 2 * n - 1 - k if k >= n else k,
    "circular": lambda k, n: k + n if k < 0 else k - n if k >= n else k,
    "zero": lambda k, n: None if k < 0 or k >= n else k,
}


def downsampling_matrix(height, width, psf, boundary, scale, first):
    """Dense [samples, pixels] matrix: each row holds the weights of one LR pixel."""
    side = len(psf)
    centre = (side + 1) // 2 - 1  # MATLAB's floor((k + 1) / 2), counted from 0
    inside = CONTINUED[boundary]
    rows = []
    for i in range(first, height, scale):
        for j in range(first, width, scale):
            weights = np.zeros((height, width))
            for m in range(side):
                for n in range(side):
                    row, column = inside(i + m - centre, height), inside(j + n - centre, width)
                    if row is not None and column is not None:
                        weights[row, column] += psf[m, n]
            rows.append(weights.ravel())
    return np.array(rows)


@pytest.mark.parametrize("boundary", CONTINUED)
@pytest.mark.parametrize(("scale", "first"), [(1, 0), (2, 1), (4, 0), (4, 2), (3, 2)])
@pytest.mark.parametrize("side", [1, 2, 3, 4, 5])
def test_downsampling_is_the_dense_matrix(boundary, side, scale, first):
    rng = np.random.default_rng(4)
    psf = rng.random((side, side))  # not symmetric, so that a flipped kernel would show
    cube = rng.random((2, 12, 24)).astype(np.float32)
    low = downsample(cube, psf, boundary, scale, first)
    assert low.dtype == np.float64
    expected = downsampling_matrix(12, 24, psf, boundary, scale, first) @ cube.reshape(2, -1).T.astype(float)
    np.testing.assert_allclose(low.reshape(2, -1).T, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("boundary", "mode"),
    [("reflect-101", "mirror"), ("symmetric", "reflect"), ("circular", "wrap"), ("zero", "constant")],
)
def test_an_odd_kernel_is_what_scipy_computes_to_the_last_bit(boundary, mode):
    # Records made when SciPy did the blurring must stay what they are.
    image = np.random.default_rng(8).random((33, 20)).astype(np.float32)
    psf = gaussian_psf(3, 0.5)
    expected = ndimage.correlate(image, psf, output=np.float64, mode=mode)[2::4, 2::4]
    np.testing.assert_array_equal(downsample(image, psf, boundary, 4, 2), expected)


@pytest.mark.parametrize("side", [2, 3, 8, 9])
def test_a_symmetric_kernel_is_what_psf2otf_and_fourier_transforms_give(side):
    # MATLAB's psf2otf: the kernel in the corner of an image, moved up and left by floor(size / 2)
    image = np.random.default_rng(9).random((24, 32))
    psf = gaussian_psf(side, 2.0)
    corner = np.zeros(image.shape)
    corner[:side, :side] = psf
    otf = np.fft.fft2(np.roll(corner, (-(side // 2), -(side // 2)), (0, 1)))
    expected = np.fft.ifft2(np.fft.fft2(image) * otf).real[3::8, 3::8]
    np.testing.assert_allclose(downsample(image, psf, "circular", 8, 3), expected, atol=1e-13)


# GNU Octave 7.3, package image 2.14: x = reshape(mod((1:30)*7, 11), 5, 6)', then these columns 1, 3 and 5 of row 1 and
# rows 3 and 6 of column 2 (counted from 1) of imfilter(x, fspecial('gaussian', size, sigma), border).
OCTAVE = {
    (4, 2.0, "zero"): [3.14762494349084, 4.259660775129, 2.1839575818518, 4.64626254494321, 2.3121765008858],
    (8, 2.0, "zero"): [2.59451893634551, 3.07879813672719, 1.90472055255891, None, None],
    (4, 2.0, "circular"): [4.77585189857885, 5.26489712699305, 5.04204302202871, 4.64626254494321, 5.32313127247161],
    (3, 0.5, "symmetric"): [6.7869860421616, 8.11942262590287, 2.6390418735152, 5.95320433403224, 2.95856281027281],
}


@pytest.mark.parametrize(("size", "sigma", "boundary"), OCTAVE)
def test_blur_is_octaves_imfilter(size, sigma, boundary):
    image = np.mod(7 * np.arange(1, 31), 11).reshape(6, 5)
    blurred = downsample(image, gaussian_psf(size, sigma), boundary, 1, 0)
    ours = [*blurred[0, ::2], blurred[2, 1], blurred[5, 1]]
    for value, expected in zip(ours, OCTAVE[size, sigma, boundary], strict=True):
        assert expected is None or value == pytest.approx(expected, rel=1e-13)


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


def test_apply_srf_sums_over_bands():
    rng = np.random.default_rng(5)
    cube, srf = rng.random((4, 3, 2)).astype(np.float32), rng.random((2, 4))
    seen = apply_srf(cube, srf)
    for channel, i, j in np.ndindex(2, 3, 2):
        expected = sum(srf[channel, band] * float(cube[band, i, j]) for band in range(4))
        assert seen[channel, i, j] == pytest.approx(expected, rel=1e-14)
