"""Which bands SSR-NET overwrites."""

import pytest
import torch

from hsfusion_baselines.ssrnet.network import SSRNet, overwritten_bands


@pytest.mark.parametrize(
    ("bands", "msi_bands", "expected"),
    [(31, 3, [0, 15, 30]), (102, 4, [0, 34, 68, 101]), (103, 5, [0, 25, 51, 77, 102]), (31, 1, [30])],
)
def test_overwritten_bands_are_spread(bands: int, msi_bands: int, expected: list[int]) -> None:
    assert overwritten_bands(bands, msi_bands) == expected


def test_overwritten_bands_of_the_hsi_are_not_read() -> None:
    network = SSRNet(6, 3, "overwrite")
    hsi_up, hr_msi = torch.rand(1, 6, 8, 8), torch.rand(1, 3, 8, 8)
    changed = hsi_up.clone()
    changed[:, [0, 3, 5]] = 0.5
    before = hsi_up.clone()
    assert torch.equal(network(hsi_up, hr_msi), network(changed, hr_msi))
    assert torch.equal(hsi_up, before)
    changed[:, 1] = 0.5
    assert not torch.equal(network(hsi_up, hr_msi), network(changed, hr_msi))
