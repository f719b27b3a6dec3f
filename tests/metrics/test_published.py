"""The ERGAS and SSIM of papers: against their formulas written out, Octave, scikit-image, and closed forms."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import io
from skimage.metrics import structural_similarity

from hsfusion_metrics import METRICS, PUBLISHED_METRICS, Indexes, ergas, ergas_fused, ssim, ssim_full

RANDOM = np.random.default_rng(11)
GT = RANDOM.random((3, 24, 19))
SR = GT + 0.2 * RANDOM.standard_normal(GT.shape) + 0.1
SHAPES = [(3, 24, 19), (2, 7, 40), (1, 1, 1), (2, 11, 11), (1, 75, 80)]


def pair(shape: tuple[int, int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(shape[1])
    gt = rng.random(shape)
    return gt, gt + 0.1 * rng.standard_normal(shape)


def ssim_of_a_pixel(x: NDArray[np.float64], y: NDArray[np.float64], row: int, column: int, full_scale: float) -> float:
    """SSIM of the window around one pixel of two images [H, W], written out sum by sum."""
    weights, values = [], []
    for down in range(-5, 6):
        for right in range(-5, 6):
            i = min(max(row + down, 0), x.shape[0] - 1)
            j = min(max(column + right, 0), x.shape[1] - 1)
            weights.append(np.exp(-(down**2 + right**2) / (2 * 1.5**2)))
            values.append((x[i, j], y[i, j]))
    w = np.array(weights) / np.sum(weights)
    a, b = np.array(values).T
    mean_a, mean_b = (w * a).sum(), (w * b).sum()
    var_a, var_b = (w * (a - mean_a) ** 2).sum(), (w * (b - mean_b) ** 2).sum()
    covariance = (w * (a - mean_a) * (b - mean_b)).sum()
    c1, c2 = (0.01 * full_scale) ** 2, (0.03 * full_scale) ** 2
    numerator = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float(numerator / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))


@pytest.mark.parametrize("full_scale", [1.0, 2047.0])
def test_ssim_full_is_the_mean_over_all_pixels(full_scale: float) -> None:
    x, y = full_scale * GT, full_scale * SR
    every = [ssim_of_a_pixel(x[band], y[band], row, column, full_scale) for band, row, column in np.ndindex(*GT.shape)]
    assert ssim_full(x, y, const=full_scale) == pytest.approx(np.mean(every), rel=1e-11)
    assert ssim_full(x, y, const=full_scale) != pytest.approx(ssim(x, y, const=full_scale), rel=1e-4)


@pytest.mark.parametrize("shape", [(3, 24, 19), (2, 11, 11), (1, 75, 80)])
def test_ssim_full_is_scikit_images_on_a_replicated_border(shape: tuple[int, int, int]) -> None:
    gt, sr = pair(shape)
    # it averages over the windows inside, which are those of every pixel once 5 pixels are added all round
    found = [
        structural_similarity(
            np.pad(x, 5, mode="edge"),
            np.pad(y, 5, mode="edge"),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1.0,
        )
        for x, y in zip(gt, sr, strict=True)
    ]
    assert ssim_full(gt, sr) == pytest.approx(np.mean(found), rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_flat_images_leave_the_term_of_the_means(shape: tuple[int, int, int]) -> None:
    gt, sr = np.full(shape, 0.5), np.full(shape, 0.6)
    assert ssim_full(gt, sr) == pytest.approx((2 * 0.3 + 1e-4) / (0.25 + 0.36 + 1e-4), rel=1e-9)
    assert ergas_fused(gt, sr, ratio=4) == pytest.approx(25 * 0.1 / 0.6, rel=1e-12)
    assert ergas(gt, sr, ratio=4) == pytest.approx(25 * 0.1 / 0.5, rel=1e-12)


def test_ergas_fused_divides_by_the_means_of_the_estimate() -> None:
    bands = [np.square(g - s).mean() / s.mean() ** 2 for g, s in zip(GT, SR, strict=True)]
    assert ergas_fused(GT, SR, ratio=8) == pytest.approx(100 / 8 * np.sqrt(np.mean(bands)), rel=1e-13)
    # the bands' errors are the same both ways; a brighter estimate makes them relatively smaller
    assert ergas_fused(GT, SR, ratio=8) < ergas(GT, SR, ratio=8)
    assert ergas_fused(GT, SR, ratio=8) == ergas(SR, GT, ratio=8)


def test_ergas_fused_of_a_band_of_mean_0_is_infinite() -> None:
    sr = GT.copy()
    sr[1] = 0.0
    assert ergas_fused(GT, sr, ratio=4) == float("inf")
    assert np.isfinite(ergas(GT, sr, ratio=4))


def test_what_is_wrong_is_said_of_the_image_that_is_wrong() -> None:
    with pytest.raises(TypeError, match="sr must be real"):
        ergas_fused(GT, SR * 1j, ratio=4)
    with pytest.raises(TypeError, match="gt must be real"):
        ssim_full(GT * 1j, SR)
    with pytest.raises(ValueError, match="const must be a positive"):
        ssim_full(GT, SR, const=0)
    with pytest.raises(ValueError, match="ratio must be a positive"):
        ergas_fused(GT, SR, ratio=-4)


@pytest.mark.skipif(shutil.which("octave-cli") is None, reason="octave-cli is not installed")
def test_octave_gives_the_same(tmp_path: Path) -> None:
    pairs = {f"case{number}": pair(shape) for number, shape in enumerate(SHAPES)}
    arrays = {f"{name}_{which}": image for name, both in pairs.items() for which, image in zip("xy", both, strict=True)}
    io.savemat(tmp_path / "in.mat", {"cases": len(pairs), **arrays})
    # by the formulas, with imfilter, and the images in MATLAB's order [H, W, C]
    (tmp_path / "program.m").write_text(
        """
        try, pkg('load', 'image'); catch, exit(3); end
        load('in.mat');
        w = fspecial('gaussian', [11 11], 1.5);
        mean_of = @(image) imfilter(image, w, 'replicate');
        found = zeros(cases, 2);
        for number = 1:rows(found)
            x = permute(eval(sprintf('case%d_x', number - 1)), [2 3 1]);
            y = permute(eval(sprintf('case%d_y', number - 1)), [2 3 1]);
            maps = 0; relative = 0; bands = size(x, 3);
            for band = 1:bands
                a = x(:, :, band); b = y(:, :, band);
                relative = relative + mean((a(:) - b(:)).^2) / mean(b(:))^2 / bands;
                ma = mean_of(a); mb = mean_of(b);
                va = mean_of(a.^2) - ma.^2; vb = mean_of(b.^2) - mb.^2; c = mean_of(a .* b) - ma .* mb;
                map = ((2 * ma .* mb + 1e-4) .* (2 * c + 9e-4)) ./ ((ma.^2 + mb.^2 + 1e-4) .* (va + vb + 9e-4));
                maps = maps + mean(map(:)) / bands;
            end
            found(number, :) = [100 / 4 * sqrt(relative), maps];
        end
        save('-v7', 'out.mat', 'found');
        """
    )
    command = ["octave-cli", "--quiet", "--no-init-file", "program.m"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    if done.returncode == 3:
        pytest.skip("Octave has no package image")
    assert done.returncode == 0, done.stderr
    ours = [[ergas_fused(gt, sr, ratio=4), ssim_full(gt, sr)] for gt, sr in pairs.values()]
    assert io.loadmat(tmp_path / "out.mat")["found"] == pytest.approx(np.array(ours), rel=1e-10)


def test_they_are_told_of_beside_the_seven() -> None:
    assert not PUBLISHED_METRICS.keys() & METRICS.keys()
    assert tuple(METRICS) == Indexes._fields
    for name, metric in PUBLISHED_METRICS.items():
        namesake = METRICS[name.partition("_")[0]]
        assert metric.name == name
        assert metric.title == f"{namesake.title} (papers)"
        assert (metric.better, metric.ideal, metric.unit) == (namesake.better, namesake.ideal, namesake.unit)
        assert not metric.matlab_field
