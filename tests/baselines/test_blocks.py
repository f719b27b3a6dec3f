import numpy as np
import torch
from skimage.metrics import structural_similarity

from hsfusion_baselines.blocks.losses import ssim
from hsfusion_baselines.blocks.upsampling import upsample_bicubic


def test_ssim_loss_equals_scikit_image() -> None:
    random = np.random.default_rng(0)
    x, y = random.random((2, 3, 32, 40))
    y = 0.7 * x + 0.3 * y
    _, full = structural_similarity(
        x, y, channel_axis=0, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    ours = ssim(torch.from_numpy(y)[None], torch.from_numpy(x)[None])
    np.testing.assert_allclose(ours.item(), full[:, 5:-5, 5:-5].mean(), rtol=1e-12)


def test_bicubic_on_tensors_keeps_a_ramp_inside() -> None:
    ramp = torch.arange(12, dtype=torch.float64).expand(2, 3, 8, 12)
    large = upsample_bicubic(ramp, 4)
    assert large.shape == (2, 3, 32, 48)
    expected = (torch.arange(48, dtype=torch.float64) + 0.5) / 4 - 0.5
    torch.testing.assert_close(large[0, 0, 0, 8:-8], expected[8:-8])
