"""The network of DSPNet (Sun et al., "Dual Spatial-Spectral Pyramid Network With Transformer", IEEE TGRS 61, 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hsfusion_baselines.dspnet.interaction import Interaction
from hsfusion_baselines.dspnet.pyramids import SpatialPyramid, SpectralPyramid, layer, resized

__all__ = ["DSPNet"]

WIDTHS = (64, 128, 256)
"""Channels of the main features at full, half and quarter size."""


class DSPNet(nn.Module):
    """A U-shaped network whose levels meet a spectral pyramid of the HSI and a spatial pyramid of the MSI.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI. The published file is for 31 + 3, at x4; its first grouped convolutions double
        the 32 bands it makes of 31. For any number of bands they have 64 channels here: ours.
    """

    def __init__(self, bands: int, msi_bands: int) -> None:
        super().__init__()
        full, half, quarter = WIDTHS
        self.spectral = nn.ModuleList(
            [SpectralPyramid(bands, full), SpectralPyramid(full, half), SpectralPyramid(half, quarter)]
        )
        self.interactions = nn.ModuleList(Interaction(width) for width in WIDTHS)
        # Beside the main features run those of the spatial pyramid, half as wide.
        self.encoders = nn.ModuleList(
            [
                _pair(bands + msi_bands, full, full),
                _pair(full + full // 2, half, half),
                _pair(half + half // 2, quarter, quarter),
            ]
        )
        self.decoders = nn.ModuleList(
            [_narrowing(quarter + quarter // 2, half), _narrowing(half + half + half // 2, full)]
        )
        joined = full + full + full // 2
        self.reconstruct = nn.Sequential(layer(joined, joined), nn.Conv2d(joined, bands, 1))
        self.spatial = nn.ModuleList(
            [
                SpatialPyramid(msi_bands, full // 2),
                SpatialPyramid(full // 2, half // 2),
                SpatialPyramid(half // 2, half),
            ]
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1].
        hr_msi
            [N, msi_bands, H, W]; H and W are multiples of 16.

        Returns
        -------
        Tensor
            [N, bands, H, W], unclipped: a residual to the LR-HSI enlarged by torch's bicubic.
        """
        hsi_up = interpolate(lr_hsi, size=hr_msi.shape[-2:], mode="bicubic", align_corners=False)
        main = torch.cat([hsi_up, hr_msi], dim=1)
        spatial, spectral = hr_msi, [hsi_up] * 3
        levels: list[Tensor] = []
        for level in range(3):
            if level:
                main, spatial, *spectral = (resized(x, 1 / 2) for x in (main, spatial, *spectral))
            spatial = self.spatial[level](spatial)
            spectral = self.spectral[level](spectral)
            x = self.interactions[level](self.encoders[level](main), spectral)
            main = torch.cat([x, spatial], dim=1)
            levels.append(main)
        x = self.decoders[0](resized(levels[2], 2))
        x = self.decoders[1](resized(torch.cat([x, levels[1]], dim=1), 2))
        out: Tensor = hsi_up + self.reconstruct(torch.cat([x, levels[0]], dim=1))
        return out


def _pair(in_channels: int, middle: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(layer(in_channels, middle), layer(middle, out_channels))


def _narrowing(in_channels: int, out_channels: int) -> nn.Sequential:
    return _pair(in_channels, in_channels // 2, out_channels)
