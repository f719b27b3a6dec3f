"""JIIF (Tang et al., "Joint Implicit Image Function for Guided Depth Super-Resolution", ACM MM 2021), for spectra."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.blocks.edsr import EDSRTrunk
from hsfusion_baselines.blocks.implicit import SoftmaxQuery

__all__ = ["JIIF", "JIIFQuery"]


class JIIFQuery(SoftmaxQuery):
    """The query whose MLP sees the guide at the pixel, and how much the guide at the neighbour differs from it.

    Its input is concat(LR feature, guide, guide less LR guide at the neighbour, relative coordinate). As the first
    layer is linear, the difference is taken of its columns: those of the LR guide are the negative of the
    difference's, and those of the guide are the sum of both.

    Parameters
    ----------
    features
        Channels of the LR map, of the guide and of the LR guide.
    hidden
        Widths of the hidden layers.
    out
        Channels of the result.
    """

    def __init__(self, features: int, hidden: Sequence[int], out: int) -> None:
        super().__init__([features, features, features, 2], hidden, out)

    def columns(self) -> tuple[Tensor, ...]:
        """Return the first layer's columns for concat(LR feature, LR guide), for the guide and for the coordinate."""
        feature, guide, difference, coordinate = super().columns()
        return torch.cat([feature, -difference], dim=1), guide + difference, coordinate


class JIIF(nn.Module):
    """JIIF with the encoders of FeINFN, so that the two differ by the query alone.

    Published for the depth of a scene, guided by its colours. Ours: the depth is the LR-HSI, the softmax weighs 31 or
    however many bands where it weighed one, and the encoder of the guide, which serves both resolutions, sees the
    HSI beside the MSI, as FeINFN's does: at high resolution the enlarged one, at low resolution the LR-HSI beside
    the MSI reduced by bicubic interpolation, as the authors reduce their guide.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    features, blocks
        Width and number of residual blocks of the encoders (published: 128 and 16).
    hidden
        Widths of the MLP's hidden layers.
    """

    def __init__(
        self,
        bands: int = 31,
        msi_bands: int = 3,
        *,
        features: int = 128,
        blocks: int = 4,
        hidden: Sequence[int] = (1024, 512, 256, 128),
    ) -> None:
        super().__init__()
        self.spatial_encoder = EDSRTrunk(bands + msi_bands, features, blocks)
        self.spectral_encoder = EDSRTrunk(bands, features, blocks)
        self.query = JIIFQuery(features, hidden, bands)

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
        size = tuple(lr_hsi.shape[-2:])
        lr_msi = functional.interpolate(hr_msi, size, mode="bicubic", antialias=True, align_corners=False)
        guide = self.spatial_encoder(torch.cat([hr_msi, hsi_up], dim=1))
        lr_guide = self.spatial_encoder(torch.cat([lr_msi, lr_hsi], dim=1))
        residual = self.query(torch.cat([self.spectral_encoder(lr_hsi), lr_guide], dim=1), guide)
        fused: Tensor = hsi_up + residual.permute(0, 3, 1, 2)
        return fused
