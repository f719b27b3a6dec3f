"""The network of SSR-NET (Zhang et al., "SSR-NET", IEEE TGRS 59, 2021), in both forms that are in use."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["Joining", "SSRNet", "overwritten_bands"]

Joining = Literal["concatenate", "overwrite"]


class SSRNet(nn.Module):
    """Three 3x3 convolutions with ReLU; the last two are residual and are called spatial and spectral reconstruction.

    The authors' state has one more number, ``weight``, that nothing reads.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    joining
        How the images become the input of the first convolution. ``"overwrite"``, the authors' code: some bands of
        the enlarged HSI give way to those of the MSI. ``"concatenate"``, of later comparisons: HSI, then MSI.
    """

    def __init__(self, bands: int, msi_bands: int, joining: Joining) -> None:
        super().__init__()
        self.overwritten = overwritten_bands(bands, msi_bands) if joining == "overwrite" else None
        self.fusion = _layer(bands if self.overwritten else bands + msi_bands, bands)
        self.spatial = _layer(bands, bands)
        self.spectral = _layer(bands, bands)

    def forward(self, hsi_up: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        hsi_up
            [N, bands, H, W]: the enlarged LR-HSI.
        hr_msi
            [N, msi_bands, H, W], values in [0, 1].

        Returns
        -------
        Tensor
            [N, bands, H, W], unclipped.
        """
        return self.stages(hsi_up, hr_msi)[1]

    def stages(self, hsi_up: Tensor, hr_msi: Tensor) -> tuple[Tensor, Tensor]:
        """Return what spatial and spectral reconstruction give, both [N, bands, H, W]; the latter is the result."""
        if self.overwritten:
            joined = hsi_up.clone()
            joined[:, self.overwritten] = hr_msi
        else:
            joined = torch.cat([hsi_up, hr_msi], dim=1)
        fused = self.fusion(joined)
        spatial = fused + self.spatial(fused)
        return spatial, spatial + self.spectral(spatial)


def overwritten_bands(bands: int, msi_bands: int) -> list[int]:
    """Return the HSI bands that give way to the MSI's: spaced evenly from the first, and the very last."""
    return [bands * i // (msi_bands - 1) for i in range(msi_bands - 1)] + [bands - 1]


def _layer(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU())
