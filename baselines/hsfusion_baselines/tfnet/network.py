"""The networks of "Remote sensing image fusion based on two-stream fusion network" (Liu et al., Inf. Fusion 55, 2020).

Every convolution is followed by a PReLU with one slope, the last one included, unless said otherwise.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

__all__ = ["ResTFNet", "TFNet"]


class _Stream(nn.Module):
    """One image's features: at full size, for the skip, and at half size, for the fusion."""

    def __init__(self, in_channels: int, *, residual: bool) -> None:
        super().__init__()
        self.residual = residual
        self.embed = _layer(in_channels, 32)
        self.refine = _layers(32, 32, 32) if residual else _layer(32, 32)
        self.halve = _layer(32, 64, kernel=2, stride=2)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        embedded = self.embed(image)
        refined = self.refine(embedded)
        return refined, self.halve(embedded + refined if self.residual else refined)


class TFNet(nn.Module):
    """Two streams, fused at half size by a U-shaped pair of stages, and both streams' features again at full size.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    """

    def __init__(self, bands: int, msi_bands: int) -> None:
        super().__init__()
        self.hsi_stream = _Stream(bands, residual=False)
        self.msi_stream = _Stream(msi_bands, residual=False)
        self.fuse = _layers(128, 128, 128)
        self.bottom = nn.Sequential(_layer(128, 256, kernel=2, stride=2), _layers(256, 256, 256), _double(256, 128))
        self.decode = nn.Sequential(_layers(256, 128, 128), _double(128, 64))
        self.reconstruct = _layers(128, 64, 64, bands)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1]; it is enlarged bilinearly first.
        hr_msi
            [N, msi_bands, H, W]; H and W are multiples of 4.

        Returns
        -------
        Tensor
            [N, bands, H, W], unclipped.
        """
        hsi_skip, hsi = self.hsi_stream(_enlarged(lr_hsi, hr_msi))
        msi_skip, msi = self.msi_stream(hr_msi)
        fused = self.fuse(torch.cat([msi, hsi], dim=1))
        decoded = self.decode(torch.cat([fused, self.bottom(fused)], dim=1))
        out: Tensor = self.reconstruct(torch.cat([hsi_skip, msi_skip, decoded], dim=1))
        return out


class ResTFNet(nn.Module):
    """TFNet with residual pairs of convolutions and 1x1 convolutions, without PReLU, after the later concatenations.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    """

    def __init__(self, bands: int, msi_bands: int) -> None:
        super().__init__()
        self.hsi_stream = _Stream(bands, residual=True)
        self.msi_stream = _Stream(msi_bands, residual=True)
        self.fuse = _layers(128, 128, 128)
        self.halve = _layer(128, 256, kernel=2, stride=2)
        self.bottom = _layers(256, 256, 256)
        self.up_to_half = _double(256, 128)
        self.join_half = nn.Conv2d(256, 128, 1)
        self.decode_half = _layers(128, 128, 128)
        self.up_to_full = _double(128, 64)
        self.join_full = nn.Conv2d(128, 64, 1)
        self.decode_full = _layers(64, 64, 64)
        self.reconstruct = _layer(64, bands)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch; arguments and result are those of `TFNet`."""
        hsi_skip, hsi = self.hsi_stream(_enlarged(lr_hsi, hr_msi))
        msi_skip, msi = self.msi_stream(hr_msi)
        joined = torch.cat([msi, hsi], dim=1)
        fused = joined + self.fuse(joined)
        bottom = self.halve(fused)
        bottom = self.up_to_half(bottom + self.bottom(bottom))
        half = self.join_half(torch.cat([fused, bottom], dim=1))
        half = self.up_to_full(half + self.decode_half(half))
        full = self.join_full(torch.cat([hsi_skip, msi_skip, half], dim=1))
        out: Tensor = self.reconstruct(full + self.decode_full(full))
        return out


def _enlarged(lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
    return interpolate(lr_hsi, size=hr_msi.shape[-2:], mode="bilinear", align_corners=False)


def _layer(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    padding = kernel // 2 if stride == 1 else 0
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel, stride, padding), nn.PReLU())


def _layers(*widths: int) -> nn.Sequential:
    return nn.Sequential(*(_layer(*pair) for pair in pairwise(widths)))


def _double(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2), nn.PReLU())
