"""The network of EDACA-Net ("Entropy-Driven Adaptive Clustering Attention for Continuous HSI Super-Resolution")."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.blocks.edsr import EDSRTrunk
from hsfusion_baselines.blocks.implicit import SoftmaxQuery
from hsfusion_baselines.edacanet.attention import ClusteredAttention

__all__ = ["EDACANet"]


class EDACANet(nn.Module):
    """Entropy-driven adaptive clustering attention network.

    One EDSR trunk encodes the HR-MSI, another the LR-HSI, whose features attend to clusters of pixels. The LR features
    are queried at every HR pixel, with the HR features and the attended ones of the pixel's own cell as a guide.

    The defaults are the published network: 2,684,577 parameters at 31 + 3 bands. The authors' state has 7,967 more of
    a last layer that is never applied, and frozen colour shifts.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    features, blocks
        Width and number of residual blocks of the encoders.
    heads
        Heads of the attention; they divide `features`.
    hidden
        Widths of the MLP's hidden layers.
    """

    def __init__(
        self,
        bands: int = 31,
        msi_bands: int = 3,
        *,
        features: int = 128,
        blocks: int = 3,
        heads: int = 8,
        hidden: Sequence[int] = (256, 128),
    ) -> None:
        super().__init__()
        self.spatial_encoder = EDSRTrunk(msi_bands, features, blocks)
        self.spectral_encoder = EDSRTrunk(bands, features, blocks)
        self.attention = ClusteredAttention(features, heads)
        self.query = SoftmaxQuery([features, 2 * features, 2], hidden, bands)

    def forward(self, hr_msi: Tensor, hsi_up: Tensor, lr_hsi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        hr_msi
            [N, msi_bands, H, W], values in [0, 1].
        hsi_up
            [N, bands, H, W]: the LR-HSI enlarged by bicubic interpolation.
        lr_hsi
            [N, bands, h, w], values in [0, 1].

        Returns
        -------
        Tensor
            [N, bands, H, W], not clipped.
        """
        guide = self.spatial_encoder(hr_msi)
        lr = self.spectral_encoder(lr_hsi)
        size = tuple(guide.shape[-2:])
        attended = functional.interpolate(self.attention(lr, size), size, mode="nearest-exact")
        residual = self.query(lr, torch.cat([attended, guide], dim=1))
        fused: Tensor = hsi_up + residual.permute(0, 3, 1, 2)
        return fused
