"""The trunk of EDSR: residual blocks without normalisation (Lim et al., CVPR Workshops 2017).

Tensors are [N, C, H, W]; every convolution is 3x3 with a bias and zero padding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["EDSRTrunk", "ResidualBlock"]


class ResidualBlock(nn.Module):
    """Convolution, ReLU, convolution, and the input added (Lim et al., fig. 2c, residual scaling 1)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the refined features, shape as `x`."""
        y: Tensor = self.conv2(self.conv1(x).relu_())
        return y.add_(x)


class EDSRTrunk(nn.Module):
    """Embedding, residual blocks, one more convolution and a skip around both; no upsampling and no mean shift.

    Parameters
    ----------
    in_channels
        Channels of the image.
    features
        Width of the trunk.
    blocks
        Number of residual blocks.
    """

    def __init__(self, in_channels: int, features: int, blocks: int) -> None:
        super().__init__()
        self.head = nn.Conv2d(in_channels, features, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(features) for _ in range(blocks)))
        self.tail = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Return features [N, features, H, W], channels last in memory, of an image [N, in_channels, H, W]."""
        shallow = self.head(image.contiguous(memory_format=torch.channels_last))
        deep: Tensor = self.tail(self.blocks(shallow))
        return deep.add_(shallow)
