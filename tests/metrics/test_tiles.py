"""Images larger than a tile, and pixels of which a matrix product makes more than they are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import correlate, gaussian_filter, sobel

from hsfusion_metrics import scc, ssim, uqi

SHAPES = [(1, 40, 1100), (2, 600, 50), (1, 100, 515)]


def pair(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    gt = rng.uniform(0.1, 1.0, shape)
    return gt, gt + 0.1 * rng.standard_normal(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_ssim_equals_scipys_gaussian(shape: tuple[int, ...]) -> None:
    x, y = pair(shape)

    def mean(image: np.ndarray) -> np.ndarray:
        return gaussian_filter(image, (0, 1.5, 1.5), radius=(0, 5, 5))[:, 5:-5, 5:-5]

    mean_x, mean_y = mean(x), mean(y)
    numerator = (2 * mean_x * mean_y + 1e-4) * (2 * (mean(x * y) - mean_x * mean_y) + 9e-4)
    variances = mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2
    expected = (numerator / ((mean_x**2 + mean_y**2 + 1e-4) * (variances + 9e-4))).mean()
    assert ssim(x, y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_uqi_equals_windows_one_by_one(shape: tuple[int, ...]) -> None:
    x, y = (image[:, :, :560] for image in pair(shape))
    values = []
    for row in range(shape[1] - 31):
        of_row = (sliding_window_view(image[:, row : row + 32], (32, 32), axis=(1, 2)) for image in (x, y))
        windows_x, windows_y = (windows.reshape(-1, 1024) for windows in of_row)
        mean_x, mean_y = windows_x.mean(axis=1), windows_y.mean(axis=1)
        covariance = ((windows_x - mean_x[:, None]) * (windows_y - mean_y[:, None])).mean(axis=1)
        numerator = 4 * covariance * mean_x * mean_y
        values.append(numerator / (windows_x.var(axis=1) + windows_y.var(axis=1)) / (mean_x**2 + mean_y**2))
    assert uqi(x, y) == pytest.approx(np.mean(values), rel=1e-12)


@pytest.mark.parametrize("shape", [*SHAPES, (2, 4, 3), (1, 3, 70000)])
def test_scc_equals_scipys_sobel(shape: tuple[int, ...]) -> None:
    x, y = pair(shape)
    edges = [
        # a plane at a time: SciPy's filter smooths along all other axes
        np.array(
            [np.hypot(*(sobel(plane, axis, mode="constant") for axis in (0, 1))) for plane in image[:, 1:-1, 1:-1]]
        )
        for image in (x, y)
    ]
    expected = (edges[0] * edges[1]).sum() / np.sqrt((edges[0] ** 2).sum()) / np.sqrt((edges[1] ** 2).sum())
    assert scc(x, y) == pytest.approx(expected, rel=1e-12)


def test_ssim_of_a_pixel_whose_square_overflows_is_that_of_its_own_windows() -> None:
    x, y = pair((1, 40, 60))
    y[0, 20, 30] = 1.4e154  # squared it is Inf, but not a window's mean squared
    windows = np.exp(-(np.arange(-5, 6) ** 2) / 4.5)
    windows = np.outer(windows, windows) / windows.sum() ** 2
    elsewhere = np.ones((30, 50), dtype=bool)
    elsewhere[10:21, 20:31] = False

    def mean(image: np.ndarray) -> np.ndarray:
        return correlate(image, windows)[5:-5, 5:-5]

    a, b = x[0], np.where(y[0] > 1e100, 0.0, y[0])
    mean_a, mean_b = mean(a), mean(b)
    numerator = (2 * mean_a * mean_b + 1e-4) * (2 * (mean(a * b) - mean_a * mean_b) + 9e-4)
    variances = mean(a * a) - mean_a**2 + mean(b * b) - mean_b**2
    values = numerator / ((mean_a**2 + mean_b**2 + 1e-4) * (variances + 9e-4))
    # windows that hold the pixel have an infinite variance, and the value 0
    assert ssim(x, y) == pytest.approx(values[elsewhere].sum() / values.size, rel=1e-12)
