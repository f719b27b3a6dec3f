"""SSIM against scikit-image's, set to Wang's window and moments."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from hsfusion_metrics import ssim


@pytest.mark.parametrize("shape", [(3, 64, 48), (2, 11, 150), (1, 75, 80)])
def test_ssim_equals_scikit_image_on_whole_windows(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(3)
    gt = rng.random(shape)
    sr = gt + 0.1 * rng.standard_normal(shape)
    maps = [
        structural_similarity(
            x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, full=True
        )[1]
        for x, y in zip(gt, sr, strict=True)
    ]
    assert ssim(gt, sr) == pytest.approx(np.mean([full[5:-5, 5:-5].mean() for full in maps]), rel=1e-12)
