"""torchmetrics and scikit-image beside ours: equal where the definitions are, by the conversion where they differ.

What docs/indexes.md says of the two is shown here on images of other kinds than its own.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from skimage.filters import sobel
from skimage.metrics import peak_signal_noise_ratio as skimage_psnr
from skimage.metrics import structural_similarity
from skimage.util import view_as_windows
from torchmetrics.functional import pearson_corrcoef
from torchmetrics.functional.image import (
    error_relative_global_dimensionless_synthesis,
    peak_signal_noise_ratio,
    spatial_correlation_coefficient,
    spectral_angle_mapper,
    structural_similarity_index_measure,
    universal_image_quality_index,
)

import hsfusion_metrics
from hsfusion_metrics import ergas, psnr, sam, scc, ssim, uqi

Image = NDArray[np.float64]

#: torchmetrics takes its logarithms of 10 and of full scale in single precision.
LOGARITHM = 1e-6
EXACT = 1e-10


def images(shape: tuple[int, int, int], const: float = 1.0) -> tuple[Image, Image]:
    """Return a reference with bands of unlike brightness and an estimate with unlike errors, neither negative."""
    rng = np.random.default_rng(3)
    bands = np.linspace(0.2, 1.0, shape[0])[:, None, None]
    gt = bands * rng.uniform(0.05, 1.0, shape)
    sr = np.abs(gt + 0.1 * bands**2 * rng.standard_normal(shape))
    return const * gt, const * sr


def blurred(shape: tuple[int, int, int]) -> tuple[Image, Image]:
    """Return a reference, and what is left of it in a window of 3 x 3."""
    gt, _ = images(shape)
    return gt, uniform_filter(gt, (1, 3, 3))


def tensors(*pair: Image) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (preds, target), the order of torchmetrics, of (gt, sr)."""
    gt, sr = (torch.from_numpy(image[None]) for image in pair)
    return sr, gt


every_size = pytest.mark.parametrize("shape", [(3, 64, 48), (2, 35, 150), (5, 75, 80)])
every_const = pytest.mark.parametrize("const", [1.0, 255.0, 2047.0])


# PSNR


@every_size
@every_const
def test_psnr_is_theirs_band_by_band(shape: tuple[int, int, int], const: float) -> None:
    gt, sr = images(shape, const)
    ours = psnr(gt, sr, const=const)
    assert ours == pytest.approx(
        np.mean([skimage_psnr(x, y, data_range=const) for x, y in zip(gt, sr, strict=True)]), rel=EXACT
    )
    theirs = peak_signal_noise_ratio(*tensors(gt, sr), data_range=const, dim=(2, 3)).item()
    assert ours == pytest.approx(theirs, rel=LOGARITHM)


def test_their_psnr_of_a_cube_is_ours_of_one_band() -> None:
    gt, sr = images((3, 64, 48))
    one_band = psnr(gt.reshape(1, -1, 48), sr.reshape(1, -1, 48))
    assert skimage_psnr(gt, sr, data_range=1.0) == pytest.approx(one_band, rel=EXACT)
    assert peak_signal_noise_ratio(*tensors(gt, sr), data_range=1.0).item() == pytest.approx(one_band, rel=LOGARITHM)
    assert abs(one_band - psnr(gt, sr)) > 1


def test_scikit_image_takes_twice_the_full_scale_where_a_reference_has_negative_values() -> None:
    gt, sr = images((1, 64, 48))
    gt[0, 0, 0] = -0.01
    assert skimage_psnr(gt[0], sr[0]) == pytest.approx(psnr(gt, sr, const=2.0), rel=EXACT)


# SSIM


def scikit_image_ssim(gt: Image, sr: Image, const: float) -> float:
    """Return SSIM of scikit-image, set to Wang's window and moments."""
    moments = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(gt, sr, channel_axis=0, data_range=const, **moments))


@pytest.mark.parametrize("shape", [(3, 64, 48), (2, 11, 150), (1, 75, 80)])
@every_const
def test_ssim_is_scikit_images_with_a_gaussian_window_and_biased_moments(
    shape: tuple[int, int, int], const: float
) -> None:
    gt, sr = images(shape, const)
    assert ssim(gt, sr, const=const) == pytest.approx(scikit_image_ssim(gt, sr, const), rel=1e-12)


def test_scikit_images_own_window_is_another() -> None:
    gt, sr = blurred((3, 64, 48))
    assert abs(structural_similarity(gt, sr, channel_axis=0, data_range=1.0) - ssim(gt, sr)) > 1e-3


@every_size
@every_const
def test_ssim_is_that_of_torchmetrics_on_whole_windows(shape: tuple[int, int, int], const: float) -> None:
    gt, sr = images(shape, const)
    mean, full = structural_similarity_index_measure(*tensors(gt, sr), data_range=const, return_full_image=True)
    assert full[..., 5:-5, 5:-5].mean().item() == pytest.approx(ssim(gt, sr, const=const), rel=EXACT)
    assert mean.item() == pytest.approx(full.mean().item(), rel=EXACT)  # with windows beyond the border


def test_torchmetrics_takes_the_full_scale_from_the_data_unless_told() -> None:
    gt, sr = images((3, 64, 48))
    larger = max(np.ptp(gt), np.ptp(sr))
    preds, target = tensors(gt, sr)
    _, full = structural_similarity_index_measure(preds, target, return_full_image=True)
    assert full[..., 5:-5, 5:-5].mean().item() == pytest.approx(ssim(gt, sr, const=larger), rel=EXACT)
    assert abs(ssim(gt, sr, const=larger) - ssim(gt, sr)) > 1e-4


# SAM


@every_size
def test_sam_is_that_of_torchmetrics_in_degrees(shape: tuple[int, int, int]) -> None:
    gt, sr = images(shape)
    radians = spectral_angle_mapper(*tensors(gt, sr)).item()
    assert sam(gt, sr) == pytest.approx(np.degrees(radians), rel=EXACT)


def test_a_black_pixel_spoils_the_sam_of_torchmetrics_and_is_left_out_of_ours() -> None:
    gt, sr = images((3, 64, 48))
    sr[:, 5, 7] = 0
    angles = spectral_angle_mapper(*tensors(gt, sr), reduction="none").numpy()
    assert np.flatnonzero(np.isnan(angles)).tolist() == [5 * 48 + 7]
    assert sam(gt, sr) == pytest.approx(np.degrees(np.nanmean(angles)), rel=EXACT)


# ERGAS


@every_size
@pytest.mark.parametrize("ratio", [2, 4, 8, 32])
def test_ergas_is_that_of_torchmetrics(shape: tuple[int, int, int], ratio: int) -> None:
    gt, sr = images(shape)
    ours = ergas(gt, sr, ratio=ratio)
    preds, target = tensors(gt, sr)
    assert error_relative_global_dimensionless_synthesis(preds, target, ratio).item() == pytest.approx(ours, rel=EXACT)
    inverted = error_relative_global_dimensionless_synthesis(preds, target, 1 / ratio).item()
    assert inverted == pytest.approx(ratio**2 * ours, rel=EXACT)


def test_ergas_of_a_batch_is_the_mean_of_its_images() -> None:
    pairs = [images((3, 64, 48)), images((3, 64, 48), const=100.0)[::-1]]
    gt, sr = (torch.from_numpy(np.stack(each)) for each in zip(*pairs, strict=True))
    each = [ergas(*pair, ratio=4) for pair in pairs]
    assert error_relative_global_dimensionless_synthesis(sr, gt, 4).item() == pytest.approx(np.mean(each), rel=EXACT)


# SCC and UQI: the packages' own are other indexes, ours are made of their parts


@every_size
def test_scc_is_the_cosine_of_scikit_images_sobel_magnitudes(shape: tuple[int, int, int]) -> None:
    pair = images(shape)
    gt, sr = (
        np.stack([np.hypot(*(sobel(band, axis=axis, mode="constant") for axis in (0, 1))) for band in image])
        for image in (each[:, 1:-1, 1:-1] for each in pair)
    )
    cosine = torch.nn.functional.cosine_similarity(torch.from_numpy(gt.ravel()), torch.from_numpy(sr.ravel()), dim=0)
    assert scc(*pair) == pytest.approx(cosine.item(), rel=EXACT)


def test_uqi_is_the_correlation_of_torchmetrics_times_likeness_of_means_and_of_deviations() -> None:
    gt, sr = images((2, 37, 40))
    windows = (view_as_windows(image, (1, 32, 32)).reshape(-1, 1024) for image in (gt, sr))
    x, y = (torch.from_numpy(each) for each in windows)

    def likeness(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return 2 * a * b / (a**2 + b**2)

    of_windows = pearson_corrcoef(x.T, y.T) * likeness(x.mean(1), y.mean(1)) * likeness(x.std(1), y.std(1))
    assert len(of_windows) == 2 * 6 * 9
    assert uqi(gt, sr) == pytest.approx(of_windows.mean().item(), rel=1e-9)


def test_scc_and_uqi_of_torchmetrics_are_other_indexes() -> None:
    gt, sr = blurred((3, 64, 48))
    preds, target = tensors(gt, sr)
    assert abs(spatial_correlation_coefficient(preds, target).item() - scc(gt, sr)) > 0.01
    assert abs(universal_image_quality_index(preds, target).item() - uqi(gt, sr)) > 0.01


# The witness stays outside


def test_nothing_of_ours_imports_torchmetrics() -> None:
    root = Path(hsfusion_metrics.__file__).parents[2]
    files = [file for part in ("hsfusion_bench", "baselines", "metrics") for file in (root / part).rglob("*.py")]
    assert len(files) > 100
    importing = re.compile(r"^\s*(?:import|from) torchmetrics\b", flags=re.MULTILINE)
    assert [file for file in files if importing.search(file.read_text(encoding="utf-8"))] == []
