"""Bicubic enlargement against the definition written out, closed forms, and Octave."""

import os
import shutil
import subprocess
from itertools import product
from math import floor

import numpy as np
import pytest

from hsfusion_bench.methods.resize import bicubic_matrix, upsample_bicubic

OCTAVE = shutil.which("octave-cli")


def by_definition(image, scale):
    """Every output pixel as an explicit sum of 4 x 4 input pixels of the mirrored image."""

    def weight(t):
        t = abs(t)
        if t <= 1:
            return 1.5 * t**3 - 2.5 * t**2 + 1
        return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0

    def mirror(k, size):
        while not 0 <= k < size:
            k = -1 - k if k < 0 else 2 * size - 1 - k
        return k

    height, width = image.shape
    out = np.zeros((height * scale, width * scale))
    for i, j in np.ndindex(out.shape):
        y, x = (i + 0.5) / scale - 0.5, (j + 0.5) / scale - 0.5
        for m, n in product(range(floor(y) - 1, floor(y) + 3), range(floor(x) - 1, floor(x) + 3)):
            out[i, j] += weight(y - m) * weight(x - n) * image[mirror(m, height), mirror(n, width)]
    return out


@pytest.mark.parametrize(("shape", "scale"), [((5, 7), 2), ((4, 3), 3), ((6, 5), 4), ((3, 4), 8), ((1, 2), 4)])
def test_equals_the_definition_written_out(shape, scale):
    image = np.random.default_rng(1).random(shape)
    np.testing.assert_allclose(upsample_bicubic(image, scale), by_definition(image, scale), rtol=0, atol=1e-14)


def test_known_weights_at_scale_two():
    # Keys' kernel at distances 1/4, 3/4, 5/4, 7/4, in 128ths: 111, 29, -9, -3.
    # Output pixel 5 lies at input coordinate 2.25, so pixels 1 to 4 are 5/4, 1/4, 3/4, 7/4 away.
    np.testing.assert_array_equal(bicubic_matrix(6, 2)[5] * 128, [0, -9, 111, 29, -3, 0])
    # Output pixel 0 lies at -0.25: pixels -2 and -1 are mirrored onto 1 and 0.
    np.testing.assert_array_equal(bicubic_matrix(6, 2)[0] * 128, [111 + 29, -9 - 3, 0, 0, 0, 0])


@pytest.mark.parametrize("scale", [2, 3, 4, 8, 16])
def test_rows_sum_to_one(scale):
    np.testing.assert_allclose(bicubic_matrix(9, scale).sum(axis=1), 1, rtol=0, atol=1e-15)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_reproduces_quadratics_in_the_interior(scale):
    # Keys, 1981, section IV: with a = -0.5 the interpolation is exact for polynomials up to degree 2.
    k = np.arange(12.0)
    at = (np.arange(12 * scale) + 0.5) / scale - 0.5
    inside = (at >= 1) & (at <= 10)
    for degree in (1, 2):
        np.testing.assert_allclose(
            (bicubic_matrix(12, scale) @ k**degree)[inside], at[inside] ** degree, rtol=0, atol=1e-12
        )


def test_scale_one_is_the_image():
    np.testing.assert_array_equal(bicubic_matrix(5, 1), np.eye(5))


def test_keeps_leading_axes_and_dtype():
    batch = np.random.default_rng(2).random((2, 3, 4, 5)).astype(np.float32)
    enlarged = upsample_bicubic(batch, 4)
    assert enlarged.shape == (2, 3, 16, 20)
    assert enlarged.dtype == np.float32
    np.testing.assert_allclose(enlarged[1, 2], by_definition(batch[1, 2].astype(float), 4), rtol=0, atol=1e-7)


def test_the_shared_matrix_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        bicubic_matrix(4, 2)[0, 0] = 0


def test_integers_are_refused():
    with pytest.raises(TypeError, match="uint16"):
        upsample_bicubic(np.zeros((4, 4), np.uint16), 2)


@pytest.mark.skipif(OCTAVE is None, reason="octave-cli is not installed")
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_equals_octaves_imresize(scale, tmp_path):
    image = np.random.default_rng(3).random((7, 9))
    np.savetxt(tmp_path / "in.txt", image, fmt="%.17g")
    script = (
        "pkg load image; a = load('in.txt'); "
        f"b = imresize(a, {scale}, 'bicubic'); dlmwrite('out.txt', b, 'precision', '%.17g', 'delimiter', ' ')"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [OCTAVE, "--quiet", "--eval", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    if "package" in done.stderr and not (tmp_path / "out.txt").exists():
        pytest.skip("Octave has no package image")
    np.testing.assert_allclose(upsample_bicubic(image, scale), np.loadtxt(tmp_path / "out.txt"), rtol=0, atol=1e-13)


@pytest.mark.parametrize(("scale", "phase"), [(4, 2), (4, 0.5), (8, 4), (3, 1), (2, 0)])
def test_a_phase_puts_the_samples_where_they_were_taken(scale, phase):
    # a plane is reproduced exactly by cubic convolution, so that only the place of the samples can be wrong
    rows, columns = np.mgrid[0 : 9 * scale, 0 : 7 * scale].astype(float)
    low = 2.0 * (scale * np.arange(9) + phase)[:, None] - 3 * (scale * np.arange(7) + phase)[None, :]
    inside = (slice(2 * scale, -2 * scale), slice(2 * scale, -2 * scale))
    enlarged = upsample_bicubic(low, scale, phase)
    np.testing.assert_allclose(enlarged[inside], (2 * rows - 3 * columns)[inside], rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_centre_of_a_block_is_the_default_phase(scale):
    image = np.random.default_rng(3).random((5, 6))
    np.testing.assert_allclose(
        upsample_bicubic(image, scale), upsample_bicubic(image, scale, (scale - 1) / 2), atol=1e-14
    )
