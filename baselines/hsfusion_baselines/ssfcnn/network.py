"""The networks of SSF-CNN (Han et al., "Spatial and Spectral Fusion with CNN", ICIP 2018)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

__all__ = ["SSFCNN", "ConSSFCNN", "Inputs"]

Inputs = Literal["images", "features"]


class SSFCNN(nn.Module):
    """Convolutions of 3x3, 3x3 and 5x5, each with a ReLU, on the MSI and the bilinearly enlarged HSI.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    """

    def __init__(self, bands: int, msi_bands: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _layer(bands + msi_bands, bands, 3), _layer(bands, bands, 3), _layer(bands, bands, 5)
        )

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Return the fused batch [N, bands, H, W], unclipped, of [N, bands, h, w] and [N, msi_bands, H, W]."""
        out: Tensor = self.layers(torch.cat([hr_msi, _enlarged(lr_hsi, hr_msi)], dim=1))
        return out


class ConSSFCNN(nn.Module):
    """The same three layers, to each of which the MSI is given once more ("partially dense connections").

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    inputs
        What the second and third layer see beside the MSI. ``"features"``, the paper: what the layer before gives.
        ``"images"``, the code that comparisons ran (hw2hwei/SSRNET): the enlarged HSI again, so that the last layer
        alone makes the result and the first two are never used. Parameters are the same.
    """

    def __init__(self, bands: int, msi_bands: int, inputs: Inputs) -> None:
        super().__init__()
        self.inputs = inputs
        self.layers = nn.ModuleList(_layer(bands + msi_bands, bands, kernel) for kernel in (3, 3, 5))

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Return the fused batch [N, bands, H, W], unclipped, of [N, bands, h, w] and [N, msi_bands, H, W]."""
        x = _enlarged(lr_hsi, hr_msi)
        for layer in self.layers[-1:] if self.inputs == "images" else self.layers:
            x = layer(torch.cat([hr_msi, x], dim=1))
        return x


def _enlarged(lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
    return interpolate(lr_hsi, size=hr_msi.shape[-2:], mode="bilinear", align_corners=False)


def _layer(in_channels: int, out_channels: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2), nn.ReLU())
