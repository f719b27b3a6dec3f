"""The two pyramids of DSPNet: bands in groups of three sizes, and images at three sizes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

__all__ = ["GROUPS", "SpatialPyramid", "SpectralPyramid", "layer", "resized"]

GROUPS = (2, 4, 8)
"""Into how many groups the three branches of the spectral pyramid part the bands."""


class SpectralPyramid(nn.Module):
    """For each number of groups, two grouped convolutions on a branch of its own.

    Parameters
    ----------
    in_channels
        Channels of a branch; where 8 does not divide them, the last but one is repeated, and those before it.
    out_channels
        Channels of a branch that come out.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        missing = -in_channels % GROUPS[-1]
        self.channels = [*range(in_channels), *(max(0, in_channels - 1 - k) for k in range(missing, 0, -1))]
        self.branches = nn.ModuleList(
            nn.Sequential(layer(len(self.channels), out_channels, groups), layer(out_channels, out_channels, groups))
            for groups in GROUPS
        )

    def forward(self, branches: list[Tensor]) -> list[Tensor]:
        """Return the features of the three branches, each [N, out_channels, H, W]."""
        if len(self.channels) > branches[0].shape[1]:
            branches = [x[:, self.channels] for x in branches]
        return [convs(x) for convs, x in zip(self.branches, branches, strict=True)]


class SpatialPyramid(nn.Module):
    """Convolutions of the image at full, half and quarter size, enlarged and joined, gated by channel and merged.

    Parameters
    ----------
    in_channels, out_channels
        Channels of the image and of the features.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(in_channels, in_channels, 3, padding=1) for _ in range(3))
        self.gate = ChannelGate(3 * in_channels)
        self.merge = layer(3 * in_channels, out_channels)

    def forward(self, image: Tensor) -> Tensor:
        """Return [N, out_channels, H, W] of [N, in_channels, H, W], sides multiples of 4."""
        levels = [conv(resized(image, 1 / 2**level)) for level, conv in enumerate(self.convs)]
        joined = torch.cat([resized(x, 2**level) for level, x in enumerate(levels)], dim=1)
        out: Tensor = self.merge(self.gate(joined) * joined)
        return out


class ChannelGate(nn.Module):
    """One factor for each channel from the means and the largest values of all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // 4)
        self.perceptron = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False), nn.ReLU(), nn.Conv2d(hidden, channels, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return [N, C, 1, 1], values in [0, 1]."""
        mean, largest = x.mean(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
        gate: Tensor = self.perceptron(mean) + self.perceptron(largest)
        return gate.sigmoid()


def layer(in_channels: int, out_channels: int, groups: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution with a leaky ReLU of slope 0.2."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1, groups=groups), nn.LeakyReLU(0.2))


def resized(x: Tensor, factor: float) -> Tensor:
    """Return an image bilinearly resized: corners aligned where it grows, without a low-pass where it shrinks."""
    if factor == 1:
        return x
    return interpolate(x, scale_factor=factor, mode="bilinear", align_corners=factor > 1)
