"""The network of GuidedNet (Ran et al., "GuidedNet", IEEE Transactions on Cybernetics 53, 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pixel_shuffle

__all__ = ["GuidedNet", "levels_of"]


class Level(nn.Module):
    """Features, joined with the MSI at twice their size, correct an image enlarged by a convolution and a shuffle."""

    def __init__(self, bands: int, msi_bands: int, features: int, blocks: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(features, features, 6, stride=2, padding=2)
        self.join = nn.Conv2d(msi_bands + features, msi_bands + features, 3, padding=1)
        self.embed = nn.Conv2d(msi_bands + features, features, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Conv2d(features, features, 3, padding=1) for _ in range(blocks))
        self.correct = nn.Conv2d(features, bands, 3, padding=1)
        self.enlarge = nn.Conv2d(bands, 4 * bands, 3, padding=1)

    def forward(self, hsi: Tensor, features: Tensor, msi: Tensor) -> tuple[Tensor, Tensor]:
        """Return image and features at twice their size, the size of `msi`."""
        features = self.embed(self.join(torch.cat([self.up(features), msi], dim=1)))
        for block in self.blocks:
            features = features + block(leaky_relu(features, 0.2))
        return pixel_shuffle(self.enlarge(hsi), 2) + self.correct(features), features


class GuidedNet(nn.Module):
    """One level for each doubling of the size, guided by the MSI at the level's size.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    scale
        Ratio of the two resolutions, a power of 2. The paper's is 8.
    shared
        Whether all levels have the same parameters, as in the paper ("recursive") and the authors' TensorFlow code.
        False: each has its own, as in the PyTorch port by another (2,001,095 parameters at 31 + 3 bands, x8).
    features, blocks
        Width, and residual blocks of a level.

    Raises
    ------
    ValueError
        If the scale is not a power of 2.
    """

    def __init__(
        self,
        bands: int,
        msi_bands: int,
        scale: int,
        *,
        shared: bool = False,
        features: int = 64,
        blocks: int = 10,
    ) -> None:
        super().__init__()
        levels = levels_of(scale)
        self.embed = nn.Sequential(
            nn.Conv2d(bands, features, 3, padding=1), nn.Conv2d(features, features, 3, padding=1)
        )
        self.halve = nn.ModuleList(nn.Conv2d(msi_bands, msi_bands, 6, stride=2, padding=2) for _ in range(levels - 1))
        self.levels = nn.ModuleList(Level(bands, msi_bands, features, blocks) for _ in range(1 if shared else levels))
        # The start of the authors' code.
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(module.weight)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Return the fused batch [N, bands, H, W], unclipped, of [N, bands, h, w] and [N, msi_bands, H, W]."""
        return self.images(lr_hsi, hr_msi)[-1]

    def images(self, lr_hsi: Tensor, hr_msi: Tensor) -> list[Tensor]:
        """Return the image of each level, of twice, four times, ... the size of the LR-HSI."""
        guides = [hr_msi]
        for halve in self.halve:
            guides.insert(0, halve(guides[0]))
        hsi, features = lr_hsi, self.embed(lr_hsi)
        images = []
        for number, guide in enumerate(guides):
            hsi, features = self.levels[number % len(self.levels)](hsi, features, guide)
            images.append(hsi)
        return images


def levels_of(scale: int) -> int:
    """Return how many doublings make a scale.

    Raises
    ------
    ValueError
        If none do.
    """
    levels = scale.bit_length() - 1
    if scale < 2 or scale != 1 << levels:
        raise ValueError(f"GuidedNet doubles the size level by level: the scale is 2, 4, 8, ..., not {scale}")
    return levels
