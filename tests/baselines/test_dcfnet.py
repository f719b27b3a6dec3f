"""The weights and the sizes of DCFNet's branches."""

import pytest
import torch
from torch.nn.functional import interpolate

from hsfusion_baselines.blocks.upsampling import upsample_bicubic
from hsfusion_baselines.dcfnet.method import DCFNetMethod
from hsfusion_baselines.dcfnet.network import DCFNet, normalised
from hsfusion_bench.methods import Problem


def test_weights_are_positive_and_sum_to_one() -> None:
    weights = normalised(torch.tensor([[1.0, 2.0], [3.0, -2.0]]))
    expected = torch.tensor([[1 / 4.0001, 2 / 2.0001], [3 / 4.0001, 0.0]])
    torch.testing.assert_close(weights, expected)


def test_at_scale_4_the_images_are_those_of_the_authors() -> None:
    torch.manual_seed(0)
    network = DCFNet(5, 3).eval()
    lr_hsi, hr_msi = torch.rand(1, 5, 4, 4), torch.rand(1, 3, 16, 16)
    half = interpolate(lr_hsi, size=(8, 8), mode="bilinear", align_corners=True)
    with torch.inference_mode():
        fused = DCFNetMethod().predict(network, lr_hsi, hr_msi, Problem(5, 3, 4, 2.0))
        torch.testing.assert_close(fused, network(lr_hsi, half, upsample_bicubic(lr_hsi, 4), hr_msi))


@pytest.mark.parametrize("scale", [2, 3, 16])
def test_other_scales(scale: int) -> None:
    network = DCFNet(5, 3).eval()
    with torch.inference_mode():
        fused = DCFNetMethod().predict(
            network, torch.rand(1, 5, 3, 2), torch.rand(1, 3, 3 * scale, 2 * scale), Problem(5, 3, scale, 1.0)
        )
    assert fused.shape == (1, 5, 3 * scale, 2 * scale)
