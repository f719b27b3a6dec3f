"""The pyramids of DSPNet."""

import pytest
import torch

from hsfusion_baselines.dspnet.interaction import Attention
from hsfusion_baselines.dspnet.pyramids import SpectralPyramid, resized


@pytest.mark.parametrize(
    ("bands", "added"), [(31, [29]), (102, [99, 100]), (32, []), (198, [195, 196]), (3, [0, 0, 0, 0, 1])]
)
def test_bands_are_repeated_up_to_a_multiple_of_8(bands: int, added: list[int]) -> None:
    pyramid = SpectralPyramid(bands, 8)
    assert pyramid.channels == [*range(bands), *added]
    assert [tuple(x.shape) for x in pyramid([torch.rand(1, bands, 4, 4)] * 3)] == [(1, 8, 4, 4)] * 3


def test_shrinking_takes_the_middle_pixels() -> None:
    image = torch.rand(1, 2, 8, 12)
    torch.testing.assert_close(resized(image, 1 / 2), image.unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(-2, -1)))
    middle = image.unfold(2, 4, 4).unfold(3, 4, 4)[..., 1:3, 1:3].mean(dim=(-2, -1))
    torch.testing.assert_close(resized(image, 1 / 4), middle)


def test_without_values_the_attention_is_its_bias() -> None:
    attention = Attention(64)
    with torch.inference_mode():
        for linear in attention.keys_values[1::2]:
            linear.weight.zero_()
        out = attention(torch.rand(1, 64, 4, 4), [torch.rand(1, 64, 4, 4)] * 3)
    assert attention.project.bias is not None
    assert torch.equal(out, attention.project.bias[:, None, None].expand(1, 64, 4, 4))
