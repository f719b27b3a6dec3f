import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from hsfusion_baselines.blocks.losses import decoupling, spatial_edges, spectral_angle, spectral_edges, ssim
from hsfusion_baselines.blocks.padding import pad_pair
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


def test_ssim_loss_may_have_a_small_window_and_zeros_around() -> None:
    x, y = np.random.default_rng(0).random((2, 3, 7, 9))

    def blur(image: np.ndarray) -> np.ndarray:
        return np.stack([gaussian_filter(band, 1.5, mode="constant", radius=2) for band in image])

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y, covariance = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2, blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + 1e-4) / (mean_x**2 + mean_y**2 + 1e-4)
    structure = (2 * covariance + 9e-4) / (var_x + var_y + 9e-4)
    ours = ssim(torch.from_numpy(y)[None], torch.from_numpy(x)[None], size=5, padded=True)
    np.testing.assert_allclose(ours.item(), (luminance * structure).mean(), rtol=1e-12)


def test_bicubic_on_tensors_keeps_a_ramp_inside() -> None:
    ramp = torch.arange(12, dtype=torch.float64).expand(2, 3, 8, 12)
    large = upsample_bicubic(ramp, 4)
    assert large.shape == (2, 3, 32, 48)
    expected = (torch.arange(48, dtype=torch.float64) + 0.5) / 4 - 0.5
    torch.testing.assert_close(large[0, 0, 0, 8:-8], expected[8:-8])


def test_edges_equal_differences_by_hand() -> None:
    image = torch.tensor([[[[1.0, 4.0, 9.0], [16.0, 25.0, 36.0]], [[0.0, 0.5, 0.0], [2.0, 2.0, 2.0]]]])
    rows, columns = spatial_edges(image)
    assert rows.tolist() == [[[[-15.0, -21.0, -27.0]], [[-2.0, -1.5, -2.0]]]]
    assert columns.tolist() == [[[[-3.0, -5.0], [-9.0, -11.0]], [[-0.5, 0.5], [0.0, 0.0]]]]
    assert spectral_edges(image).tolist() == [[[[1.0, 3.5, 9.0], [14.0, 23.0, 34.0]]]]


@pytest.mark.parametrize(
    ("size", "scale", "expected"), [((5, 7), 4, (8, 8)), ((5, 6), 3, (16, 16)), ((8, 4), 4, (8, 4))]
)
def test_padding_adds_the_fewest_whole_pixels(size: tuple[int, int], scale: int, expected: tuple[int, int]) -> None:
    lr_hsi = torch.rand(1, 2, *size)
    hr_msi = torch.rand(1, 1, scale * size[0], scale * size[1])
    small, large = pad_pair(lr_hsi, hr_msi, 16)
    assert tuple(small.shape[-2:]) == expected
    assert tuple(large.shape[-2:]) == (scale * expected[0], scale * expected[1])
    rows, columns = (
        np.minimum(np.arange(scale * new), scale * old - 1) for new, old in zip(expected, size, strict=True)
    )
    assert torch.equal(large, hr_msi[..., rows, :][..., columns])
    assert torch.equal(small[..., : size[0], : size[1]], lr_hsi)


def test_spectral_angle_in_closed_form() -> None:
    # spectra of two bands at 45 and at 90 degrees, and alike but for their length
    fused = torch.tensor([[[[1.0, 0.0, 2.0]], [[1.0, 3.0, 1.0]]]], dtype=torch.float64, requires_grad=True)
    reference = torch.tensor([[[[1.0, 5.0, 4.0]], [[0.0, 0.0, 2.0]]]], dtype=torch.float64)
    angle = spectral_angle(fused, reference)
    assert angle.item() == pytest.approx((math.pi / 4 + math.pi / 2) / 3, abs=1e-3)
    angle.backward()
    assert fused.grad is not None
    assert fused.grad.isfinite().all()


def test_decoupling_at_its_extremes() -> None:
    one, other = torch.eye(2, dtype=torch.float64)
    assert decoupling((one, one), (-one, -one)).item() == pytest.approx(math.log(1 + 2 / math.e**2 + 1))
    assert decoupling((one, one), (other, other)).item() == pytest.approx(math.log(1 + (2 + math.e) / math.e))
