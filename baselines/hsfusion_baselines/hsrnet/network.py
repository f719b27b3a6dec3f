"""The network of HSRnet (Hu et al., "Deep Spatiospectral Attention CNNs", IEEE TNNLS 33, 2022)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle

__all__ = ["HSRNet", "interleave"]


class HSRNet(nn.Module):
    """Features at LR size are shuffled to HR size, refined, and scaled by a spatial and a spectral attention.

    This is the PyTorch network that comparisons run (0.633 M parameters at 31 + 3 bands, x4). It is linear up to the
    attentions: where the authors' TensorFlow code has leaky ReLUs, sigmoids in the attentions, a 6x6 spatial attention
    and adds the enlarged HSI to the result, it has none of them and a 5x5 one.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    scale
        Ratio of the two resolutions; it is the stride of the 6x6 convolution, padded by 2, that shrinks the MSI.
    features, blocks
        Width and number of the residual blocks.
    """

    def __init__(self, bands: int, msi_bands: int, scale: int, *, features: int = 64, blocks: int = 6) -> None:
        super().__init__()
        self.scale = scale
        self.spectral_attention = nn.Sequential(nn.Conv2d(bands, 1, 1), nn.Conv2d(1, bands, 1))
        self.spatial_attention = nn.Conv2d(1, 1, 5, padding=2)
        self.shrink = nn.Conv2d(msi_bands, msi_bands, 6, stride=scale, padding=2)
        self.enlarge = nn.Conv2d(bands + msi_bands, bands * scale**2, 3, padding=1)
        self.embed = nn.Conv2d(bands + msi_bands, features, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(features, features, 3, padding=1), nn.Conv2d(features, features, 3, padding=1))
            for _ in range(blocks)
        )
        self.reconstruct = nn.Conv2d(features, bands, 3, padding=1)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1].
        hr_msi
            [N, msi_bands, h*scale, w*scale], values in [0, 1].

        Returns
        -------
        Tensor
            [N, bands, h*scale, w*scale], unclipped.
        """
        spectral = self.spectral_attention(lr_hsi.mean(dim=(2, 3), keepdim=True))
        spatial = self.spatial_attention(hr_msi.mean(dim=1, keepdim=True))
        small = self.enlarge(interleave(lr_hsi, self.shrink(hr_msi)))
        x = self.embed(interleave(pixel_shuffle(small, self.scale), hr_msi))
        for block in self.blocks:
            x = x + block(x)
        out: Tensor = spectral * self.reconstruct(spatial * x)
        return out


def interleave(hsi: Tensor, msi: Tensor) -> Tensor:
    """Return MSI band, lower half of the HSI, MSI band, upper half, remaining MSI bands, along the channels.

    The authors set red, green and blue around the halves of the spectrum; more than three bands follow at the end.
    """
    half = hsi.shape[1] // 2
    return torch.cat([msi[:, :1], hsi[:, :half], msi[:, 1:2], hsi[:, half:], msi[:, 2:]], dim=1)
