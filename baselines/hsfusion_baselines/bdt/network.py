"""The network of BDT (Deng et al., "Bidirectional Dilation Transformer", IJCAI 2023)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from hsfusion_baselines.blocks.restormer import ChannelAttention, ChannelLayerNorm, GatedFeedForward
from hsfusion_baselines.blocks.upsampling import upsample_bicubic
from hsfusion_baselines.blocks.windows import WindowBlock, from_quadrants, to_quadrants

__all__ = ["BDT", "WINDOW"]

WINDOW = 8
_HEADS = 8
_LOGIT_SCALE = 4.0  # a literal of the authors' code, whatever the width of a head
_FEED_FORWARD_FACTOR = 2.66
_ACTIVATED = 2  # merges, from the smallest size up, that end in an activation


class DilationStage(nn.Module):
    """Three window blocks, the middle one with dilated windows: every second pixel of an area twice as wide."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.dilated, self.last = (
            WindowBlock(channels, _HEADS, WINDOW, scale=_LOGIT_SCALE) for _ in range(3)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the transformed pixels, [N, H, W, channels] as `x`; the sides are multiples of two windows."""
        area = 2 * WINDOW
        y = self.dilated(to_quadrants(self.first(x), cell=1, area=area))
        out: Tensor = self.last(from_quadrants(y, cell=1, area=area))
        return out


class PatchMerging(nn.Module):
    """Half the sides: each 2x2 pixels are concatenated, normalised and projected (Swin)."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(4 * channels, out_channels, bias=False)
        self.norm = nn.LayerNorm(4 * channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return [N, H/2, W/2, out_channels] of [N, H, W, channels]."""
        corners = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        merged: Tensor = self.reduce(self.norm(torch.cat(corners, dim=-1)))
        return merged


class WindowChannelAttention(ChannelAttention):
    """Restormer's attention among channels, for each window of 8x8 pixels on its own."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return the values mixed across the channels of each head in each window; sides are multiples of 8."""
        n, channels, height, width = value.shape
        rows, columns = height // WINDOW, width // WINDOW

        def cut(x: Tensor) -> Tensor:
            grid = x.reshape(n, channels, rows, WINDOW, columns, WINDOW)
            return grid.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, WINDOW, WINDOW)

        mixed = super().attend(cut(query), cut(key), cut(value))
        grid = mixed.reshape(n, rows, columns, channels, WINDOW, WINDOW)
        return grid.permute(0, 3, 1, 4, 2, 5).reshape(value.shape)


class SpectralStage(nn.Module):
    """Channel attention in windows, then a gated feed-forward, each after a layer norm and with a residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention_norm = ChannelLayerNorm(channels)
        self.attention = WindowChannelAttention(channels, _HEADS)
        self.feed_forward_norm = ChannelLayerNorm(channels)
        self.feed_forward = GatedFeedForward(channels, _FEED_FORWARD_FACTOR)

    def forward(self, x: Tensor) -> Tensor:
        """Return the transformed features, [N, channels, H, W] as `x`."""
        x = x + self.attention(self.attention_norm(x))
        out: Tensor = x + self.feed_forward(self.feed_forward_norm(x))
        return out


def double(channels: int) -> nn.Sequential:
    """Return a layer that doubles the sides and keeps the channels."""
    return nn.Sequential(nn.Conv2d(channels, 4 * channels, 3, padding=1, bias=False), nn.PixelShuffle(2))


def merging(in_channels: int, out_channels: int, *, activated: bool) -> nn.Sequential:
    """Return the two convolutions that merge both directions' features, with a leaky ReLU or without."""
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.Conv2d(out_channels, out_channels, 5, padding=2, bias=False),
    ]
    return nn.Sequential(*layers, nn.LeakyReLU(0.2)) if activated else nn.Sequential(*layers)


class BDT(nn.Module):
    """Bidirectional dilation transformer.

    One direction goes down: the enlarged LR-HSI with the HR-MSI, halved stage by stage, with attention in plain and
    in dilated windows. The other goes up: the LR-HSI, doubled stage by stage, with attention among channels. Where
    their sizes meet, the features are merged, from the LR size up, to a residual to the enlarged LR-HSI.

    Each stage is a factor of 2. The defaults are the published x4 network at 31 + 3 bands: 2,668,027 parameters. At
    x8 the authors have a fourth stage and 32 spectral features, 3,952,209 parameters: so has ours. Other powers of 2
    follow the same rule and are not published.

    Parameters
    ----------
    bands, msi_bands, scale
        The problem; the scale is a power of 2.
    spatial
        Width of the first stage of the downward direction; it doubles twice, then stays.
    spectral
        Width of the upward direction; None: the published one for the scale, 48 up to x4, 32 above.

    Raises
    ------
    ValueError
        If the scale is not a power of 2.
    """

    def __init__(
        self, bands: int = 31, msi_bands: int = 3, scale: int = 4, *, spatial: int = 48, spectral: int | None = None
    ) -> None:
        super().__init__()
        if scale < 2 or scale & (scale - 1):
            raise ValueError(f"BDT halves and doubles: its scale is a power of 2, not {scale}")
        if spectral is None:
            spectral = 48 if scale <= 4 else 32
        self.scale = scale
        stages = scale.bit_length()
        widths = [spatial * min(2**i, 4) for i in range(stages)]
        self.embed = nn.Conv2d(bands + msi_bands, spatial, 3, padding=1)
        self.halve = nn.ModuleList(PatchMerging(a, b) for a, b in pairwise(widths))
        self.down = nn.ModuleList(DilationStage(width) for width in widths)
        self.embed_lr = nn.Conv2d(bands, spectral, 3, padding=1, bias=False)
        self.up = nn.ModuleList(SpectralStage(spectral) for _ in widths)
        self.double_up = nn.ModuleList(double(spectral) for _ in widths[1:])
        self.merge = nn.ModuleList(
            merging(
                width + (spectral if i == 0 else 2 * spectral),
                bands if i == stages - 1 else spectral,
                activated=i < min(_ACTIVATED, stages - 1),
            )
            for i, width in enumerate(reversed(widths))
        )
        self.double_merged = nn.ModuleList(double(spectral) for _ in widths[1:])
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
            elif isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1]; the sides are multiples of 16.
        hr_msi
            [N, msi_bands, h*scale, w*scale], values in [0, 1].

        Returns
        -------
        Tensor
            [N, bands, h*scale, w*scale], not clipped.
        """
        return self.fuse(lr_hsi, upsample_bicubic(lr_hsi, self.scale), hr_msi)

    def fuse(self, lr_hsi: Tensor, hsi_up: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse with an already enlarged LR-HSI, [N, bands, H, W]: what the authors' network does."""
        spatial = self._downwards(torch.cat([hsi_up, hr_msi], dim=1))
        spectral = self._upwards(lr_hsi)
        merged = self.merge[0](torch.cat([spatial[0], spectral[0]], dim=1))
        steps = zip(spatial[1:], spectral[1:], self.double_merged, self.merge[1:], strict=True)
        for from_above, from_below, double_merged, merge in steps:
            merged = merge(torch.cat([from_above, from_below, double_merged(merged)], dim=1))
        fused: Tensor = hsi_up + merged
        return fused

    def _downwards(self, images: Tensor) -> list[Tensor]:
        """Return the features of the downward direction, [N, C, H, W], smallest first."""
        x = self.down[0](self.embed(images).permute(0, 2, 3, 1))
        features = [x]
        for halve, stage in zip(self.halve, self.down[1:], strict=True):
            x = stage(halve(x))
            features.append(x)
        return [feature.permute(0, 3, 1, 2) for feature in reversed(features)]

    def _upwards(self, lr_hsi: Tensor) -> list[Tensor]:
        """Return the features of the upward direction, [N, C, H, W], smallest first."""
        x = self.up[0](self.embed_lr(lr_hsi))
        features = [x]
        for enlarge, stage in zip(self.double_up, self.up[1:], strict=True):
            x = stage(enlarge(x))
            features.append(x)
        return features
