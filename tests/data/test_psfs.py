"""The ten families of blur, against textbooks' numbers, closed forms, and their transforms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import j0, j1, sici

from hsfusion_bench.data.observing.degradation import gaussian_psf
from hsfusion_bench.data.observing.limits import FAMILIES
from hsfusion_bench.data.observing.psfs import families, family, kernel
from hsfusion_bench.errors import UsageError

WIDE = [name for name in FAMILIES if name != "delta"]


def middle(name: str, width: float) -> np.ndarray:
    """The row through the middle, from the middle on."""
    values = kernel(name, width)
    return values[len(values) // 2, len(values) // 2 :]


def radii(values: np.ndarray) -> np.ndarray:
    places = np.arange(len(values)) - (len(values) - 1) / 2
    return np.hypot(*np.meshgrid(places, places))


@pytest.mark.parametrize("name", WIDE)
def test_the_width_is_that_at_half_of_the_peak(name):
    row = middle(name, 32.0)
    half = row.max() / 2
    last = np.flatnonzero(row >= half)[-1]
    outermost = last + (row[last] - half) / (row[last] - row[last + 1])
    assert 2 * outermost == pytest.approx(32, abs=0.02)


@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("name", FAMILIES)
def test_kernels_sum_to_one_about_their_middle(name, even):
    values = kernel(name, None if name == "delta" else 3.0, even=even)
    assert values.dtype == np.float64
    assert len(values) % 2 == (0 if even else 1)
    assert values.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(values, values[::-1], atol=1e-15)
    np.testing.assert_allclose(values, values[:, ::-1], atol=1e-15)
    if name != "delta":
        reach = family(name).radius(3.0)
        assert (len(values) - 1) / 2 >= reach > (len(values) - 3) / 2 - (0.5 if even else 0)


def test_the_gaussian_is_that_of_the_protocols():
    np.testing.assert_allclose(kernel("gaussian", 4.0), gaussian_psf(13, 4 / (2 * np.sqrt(2 * np.log(2)))), rtol=1e-12)


def test_airy_has_its_dark_and_its_bright_ring():
    # Born and Wolf: dark at 1.2197 lambda N, bright at 1.635 with 1.75 % of the peak; half of it at 0.5145
    row = middle("airy", 32.0)
    unit = 32 / (2 * 0.514497)
    assert np.argmin(row[:50]) == round(1.219670 * unit)
    assert 42 + np.argmax(row[42:60]) == round(1.634719 * unit)
    assert row[42:60].max() / row[0] == pytest.approx(0.01750, abs=1e-5)


def test_kolmogorov_has_the_transfer_function_of_the_air():
    # exp(-3.44 (f / (r0 / lambda))^(5/3)), whose width is 0.976 lambda / r0 (Fried 1966); what is cut dims low ones
    values = kernel("kolmogorov", 6.0)
    transfer = np.abs(np.fft.fft2(np.pad(values, (0, 256 - len(values)))))[0]
    frequencies = np.arange(4, 40) / 256
    due = np.exp(-3.44 * (frequencies * 6.0 / 0.976) ** (5 / 3))
    np.testing.assert_allclose(transfer[4:40], due, atol=0.02)


def test_sinc_passes_low_frequencies_alone():
    values = kernel("sinc", 6.0)
    transfer = np.abs(np.fft.fft(np.pad(values.sum(axis=0), (0, 512 - len(values)))))
    limit = 0.603355 / 6.0  # half of the inverse distance of the zeros
    np.testing.assert_allclose(transfer[: int(0.8 * limit * 512)], 1, atol=0.16)  # it rings where it is cut
    np.testing.assert_allclose(transfer[int(1.25 * limit * 512) : 256], 0, atol=0.16)


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("parabolic", 1 / 6),  # mean of r^2 in units of w^2: a^2 / 3 with a = w / sqrt(2)
        ("gaussian", 2 / (8 * np.log(2))),
        ("hermite", 3 / (2 * 1.921622889) ** 2),  # of t exp(-t^2 / 2): mean of t^2 over the plane is 3
    ],
)
def test_second_moments_are_those_of_the_shapes(name, second):
    values = kernel(name, 32.0)
    assert (values * radii(values) ** 2).sum() / 32**2 == pytest.approx(second, rel=0.02)


@pytest.mark.parametrize(("name", "power"), [("moffat", 3.5), ("lorentzian2", 2.0)])
def test_wings_fall_as_powers(name, power):
    row = middle(name, 8.0)
    half = 2 ** (1 / power) - 1
    assert row[12] / row[0] == pytest.approx((1 + half * (12 / 4) ** 2) ** -power)


def test_gabor_has_stripes_across_the_columns():
    values = kernel("gabor", 16.0)
    middle_row, middle_column = values[len(values) // 2], values[:, len(values) // 2]
    assert middle_row.min() < -0.05 * values.max()
    assert middle_column.min() >= 0
    hill = middle_column / middle_column.max()
    places = (np.arange(len(hill)) - len(hill) // 2) * 2 * 0.59332875 / 16
    np.testing.assert_allclose(hill, np.exp(-(places**2) / 2), rtol=1e-6)


def test_delta_is_a_pixel_or_the_mean_of_four():
    np.testing.assert_array_equal(kernel("delta"), [[1]])
    np.testing.assert_array_equal(kernel("delta", even=True), np.full((2, 2), 0.25))
    with pytest.raises(UsageError, match="a delta has no width"):
        kernel("delta", 2.0)


def test_what_is_no_kernel_is_refused():
    with pytest.raises(UsageError, match="did you mean moffat"):
        kernel("mofat", 2.0)
    for width in (None, 0.0, -1.0, 33.0, float("nan")):
        with pytest.raises(UsageError, match=r"0\.5 to 32"):
            kernel("airy", width)
    with pytest.raises(UsageError, match="between the pixels"):
        kernel("hermite", 0.5)
    with pytest.raises(UsageError, match="between the pixels"):
        kernel("parabolic", 0.8, even=True)


def test_the_page_shows_these_kernels():
    from pathlib import Path
    from runpy import run_path

    docs = Path(__file__).parents[2] / "docs"
    assert (docs / "psfs.svg").read_text("utf-8") == run_path(str(docs / "psfs.py"))["picture"]()
    page = (docs / "robustness.md").read_text("utf-8")
    for each in families():
        assert f"| `{each.name}` | " in page


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("gaussian", 2**-9.0),
        # 1 - J0^2 - J1^2 is what a circle holds of Airy's pattern (Rayleigh)
        ("airy", float(j0(4 * 3.2326799) ** 2 + j1(4 * 3.2326799) ** 2)),
        ("moffat", (1 + 0.87608 * 9) ** -2.5),
        ("lorentzian2", 1 / (1 + 1.656854 * 16)),
        ("sinc", 1 - (2 / np.pi * sici(4 * np.pi)[0]) ** 2),
    ],
)
def test_what_is_cut_off_is_what_the_page_says(name, share):
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "robustness.md").read_text("utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith(f"| `{name}` | "))
    told = float(row.split("|")[3].split(",")[-1].replace("%", "")) / 100
    assert told == pytest.approx(share, rel=0.2)
