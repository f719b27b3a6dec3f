"""How HSRnet joins its images, and its published size at another scale."""

import torch

from hsfusion_baselines.hsrnet.network import HSRNet, interleave


def test_msi_bands_stand_around_the_halves_of_the_spectrum() -> None:
    hsi, msi = torch.arange(5.0).reshape(1, 5, 1, 1), 10 + torch.arange(4.0).reshape(1, 4, 1, 1)
    assert interleave(hsi, msi[:, :3]).flatten().tolist() == [10, 0, 1, 11, 2, 3, 4, 12]
    assert interleave(hsi, msi).flatten().tolist() == [10, 0, 1, 11, 2, 3, 4, 12, 13]
    assert interleave(hsi, msi[:, :1]).flatten().tolist() == [10, 0, 1, 2, 3, 4]


def test_size_at_scale_8_is_that_of_the_tables() -> None:
    size = sum(parameter.numel() for parameter in HSRNet(31, 3, 8).parameters())
    assert round(size / 1e6, 2) == 1.09  # Cao et al., LE-Mamba, ACM MM 2024, table 3


def test_attentions_scale_the_result() -> None:
    network = HSRNet(4, 3, 2, features=4, blocks=1)
    lr_hsi, hr_msi = torch.rand(1, 4, 3, 3), torch.rand(1, 3, 6, 6)
    with torch.inference_mode():
        before = network(lr_hsi, hr_msi)
        for parameter in network.spectral_attention[1].parameters():
            parameter[1] = 0
        after = network(lr_hsi, hr_msi)
    assert after[:, 1].abs().max() == 0
    assert torch.equal(after[:, [0, 2, 3]], before[:, [0, 2, 3]])
