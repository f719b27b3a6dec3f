"""The network of MSDCNN (Yuan et al., IEEE JSTARS 11, 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

__all__ = ["MSDCNN"]


class MultiScale(nn.Module):
    """Convolutions of 3x3, 5x5 and 7x7 side by side, each a third of the width; the input is added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_layer(channels, channels // 3, kernel) for kernel in (3, 5, 7))

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, shape as `x`."""
        return x + torch.cat([branch(x) for branch in self.branches], dim=1)


class MSDCNN(nn.Module):
    """A shallow branch of three convolutions and a deep one with two multi-scale blocks; the result is their sum.

    Every convolution is followed by a PReLU with one slope, the last ones included.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    """

    def __init__(self, bands: int, msi_bands: int) -> None:
        super().__init__()
        joined = bands + msi_bands
        self.shallow = nn.Sequential(_layer(joined, 64, 9), _layer(64, 32, 1), _layer(32, bands, 5))
        self.deep = nn.Sequential(
            _layer(joined, 60, 7), MultiScale(60), _layer(60, 30, 7), MultiScale(30), _layer(30, bands, 5)
        )

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1]; it is enlarged bilinearly first.
        hr_msi
            [N, msi_bands, H, W], values in [0, 1].

        Returns
        -------
        Tensor
            [N, bands, H, W], unclipped.
        """
        hsi_up = interpolate(lr_hsi, size=hr_msi.shape[-2:], mode="bilinear", align_corners=False)
        joined = torch.cat([hr_msi, hsi_up], dim=1)
        out: Tensor = self.shallow(joined) + self.deep(joined)
        return out


def _layer(in_channels: int, out_channels: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2), nn.PReLU())
