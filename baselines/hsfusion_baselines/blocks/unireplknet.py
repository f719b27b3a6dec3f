"""UniRepLKNet's large-kernel block (Ding et al., CVPR 2024), with its parallel branches kept apart.

Tensors are [N, C, H, W].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["DilatedBranches", "GlobalResponseNorm", "LargeKernelBlock", "SqueezeExcite"]


class DilatedBranches(nn.Module):
    """A depth-wise 7x7 convolution beside dilated smaller ones, each with its own batch norm, summed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(
                    channels,
                    channels,
                    kernel,
                    padding=dilation * (kernel // 2),
                    dilation=dilation,
                    groups=channels,
                    bias=False,
                ),
                nn.BatchNorm2d(channels),
            )
            for kernel, dilation in ((7, 1), (5, 1), (3, 2), (3, 3))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of the branches, shape as `x`."""
        out: Tensor = self.branches[0](x)
        for branch in self.branches[1:]:
            out = out + branch(x)
        return out


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate computed from all channel means, through a quarter of the width."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, channels // 4, 1)
        self.up = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the gated features, shape as `x`."""
        gate: Tensor = self.up(self.down(x.mean(dim=(2, 3), keepdim=True)).relu()).sigmoid()
        return x * gate


class GlobalResponseNorm(nn.Module):
    """Scale each channel by its norm relative to the mean norm of all channels (ConvNeXt V2).

    Starts as the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(channels, 1, 1))
        self.shift = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised features, shape as `x`."""
        length = torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True)
        response = length / (length.mean(dim=1, keepdim=True) + 1e-6)
        return torch.addcmul(self.shift, x, self.scale * response + 1)


class LargeKernelBlock(nn.Module):
    """Large-kernel convolution, squeeze-excite, pointwise feed-forward of four times the width; residual.

    Parameters
    ----------
    channels
        Width C.
    spatial
        False leaves out the depth-wise convolutions and the norm after them (the published "kernel size 0").
    """

    def __init__(self, channels: int, *, spatial: bool = True) -> None:
        super().__init__()
        self.spatial = nn.Sequential(DilatedBranches(channels), nn.BatchNorm2d(channels)) if spatial else nn.Identity()
        self.squeeze_excite = SqueezeExcite(channels)
        self.feed_forward = nn.Sequential(
            nn.Conv2d(channels, 4 * channels, 1),
            nn.GELU(),
            GlobalResponseNorm(4 * channels),
            nn.Conv2d(4 * channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """Return the transformed features, shape as `x`."""
        residual = self.feed_forward(self.squeeze_excite(self.spatial(x)))
        return torch.addcmul(x, self.layer_scale, residual)
