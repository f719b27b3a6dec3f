"""LIIF (Chen et al., "Learning Continuous Image Representation with LIIF", CVPR 2021), guided by the HR pair."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.blocks.edsr import EDSRTrunk
from hsfusion_baselines.blocks.implicit import QueryMLP, for_corners
from hsfusion_baselines.blocks.sampling import CORNERS, Neighbourhood, by_rows

__all__ = ["LIIF", "LIIFQuery"]


class LIIFQuery(QueryMLP):
    """Query an LR map at HR pixels: four candidates, weighted by the areas that they are opposite to.

    Each candidate is the MLP's answer to a neighbour's 3x3 unfolded features, the guide at the pixel, the pixel's
    coordinate relative to the neighbour, and the pixel's size in LR cells. Outside the image the border's cells are
    repeated. The unfolding and the first layer together are a 3x3 convolution of the LR map.

    Parameters
    ----------
    features
        Channels of the LR map.
    guide
        Channels of the guide; 0, as published, for none.
    hidden
        Widths of the hidden layers.
    out
        Channels of the result.
    """

    def __init__(self, features: int, guide: int, hidden: Sequence[int], out: int) -> None:
        super().__init__([9 * features, guide, 2, 2], hidden, out)

    def forward(self, lr: Tensor, guide: Tensor) -> Tensor:
        """Map [N, features, h, w] and a guide [N, guide, H, W] to [N, H, W, out]."""
        unfolded_weight, guide_weight, coordinate_weight, size_weight = self.columns()
        near = Neighbourhood(lr.shape[-2:], guide.shape[-2:], lr, border="repeat")
        kernel = unfolded_weight.reshape(-1, lr.shape[1], 3, 3)
        cells = functional.conv2d(lr, kernel, padding=1).permute(0, 2, 3, 1)
        corners = for_corners(cells, near, coordinate_weight)
        pixels = guide.permute(0, 2, 3, 1)
        pixel_size = [2 * low / high for low, high in zip(lr.shape[-2:], guide.shape[-2:], strict=True)]
        bias = self.first.bias + size_weight @ lr.new_tensor(pixel_size)
        weights = _opposite_areas(near)

        def band(rows: slice) -> Tensor:
            shared = functional.linear(pixels[:, rows], guide_weight, bias)
            shared = shared + functional.linear(near.offset[rows], coordinate_weight)
            candidates = self.at_corners(near, corners, shared, rows)
            return (torch.stack(candidates) * weights[:, :, rows]).sum(dim=0)

        return by_rows(band, pixels)


def _opposite_areas(near: Neighbourhood) -> Tensor:
    """Return each corner's weight, [4, 1, H, W, 1]: the pixel's share of the area that its opposite spans.

    The published 1e-9 is added to the sides, not to the area: where a pixel lies on the centre of a repeated cell
    (odd scales only), the sides of one direction vanish for all corners, and those of the other still count.
    """
    sides = torch.stack([near.relative(corner).abs() for corner in CORNERS]) + 1e-9
    areas = sides.prod(dim=-1, keepdim=True)
    return areas.flip(0) / areas.sum(dim=0)


class LIIF(nn.Module):
    """LIIF with the encoders of FeINFN, so that the two differ by the query alone.

    LIIF enlarges one image and has no guide. Ours: features of the HR pair at the pixel join the input of the MLP,
    whose hidden layers are the published ones, and its output is a residual to the enlarged LR-HSI.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    features, blocks
        Width and number of residual blocks of the encoders.
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
        hidden: Sequence[int] = (256, 256, 256, 256),
    ) -> None:
        super().__init__()
        self.spatial_encoder = EDSRTrunk(bands + msi_bands, features, blocks)
        self.spectral_encoder = EDSRTrunk(bands, features, blocks)
        self.query = LIIFQuery(features, features, hidden, bands)

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
        guide = self.spatial_encoder(torch.cat([hr_msi, hsi_up], dim=1))
        residual = self.query(self.spectral_encoder(lr_hsi), guide)
        fused: Tensor = hsi_up + residual.permute(0, 3, 1, 2)
        return fused
