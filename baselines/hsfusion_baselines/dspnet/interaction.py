"""DSPNet's meeting of the spectral pyramid with the main features: attention across channels, then a feed-forward."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from hsfusion_baselines.blocks.restormer import ChannelLayerNorm

__all__ = ["Interaction"]

HEAD = 64
"""Channels of a head."""


class Attention(nn.Module):
    """Four attentions across channels with the queries of the main features, summed, and a depth-wise branch.

    Keys and values come from the main features and from each branch of the spectral pyramid. As published, the last
    two branches share the temperature, and the one of the last branch, which nothing reads, is left out here.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = channels // HEAD
        self.temperatures = nn.ParameterList(nn.Parameter(torch.ones(self.heads, 1, 1)) for _ in range(3))
        self.query = _linear(channels)
        self.keys_values = nn.ModuleList(_linear(channels) for _ in range(2 * 4))
        self.project = nn.Conv2d(channels, channels, 1)
        self.position = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
            nn.GELU(),
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        )

    def forward(self, x: Tensor, branches: list[Tensor]) -> Tensor:
        """Return the features, shape as `x`; the branches have its shape, too."""
        query = normalize(self.split(self.query(x)), dim=-1)
        values = [linear(source) for linear, source in zip(self.keys_values[1::2], [x, *branches], strict=True)]
        total = torch.zeros_like(query)
        for index, (source, value) in enumerate(zip([x, *branches], values, strict=True)):
            key = normalize(self.split(self.keys_values[2 * index](source)), dim=-1)
            cosines = key @ query.mT
            total = total + (cosines * self.temperatures[min(index, 2)]).softmax(dim=-1) @ self.split(value)
        out: Tensor = self.project(total.reshape(x.shape)) + self.position(values[0])
        return out

    def split(self, x: Tensor) -> Tensor:
        """Return [N, heads, channels of a head, pixels]."""
        return x.reshape(len(x), self.heads, HEAD, -1)


class Interaction(nn.Module):
    """The attention, and a feed-forward of four times the width after a layer norm; both residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 4 * channels
        self.attention = Attention(channels)
        self.feed_forward = nn.Sequential(
            nn.Conv2d(channels, wide, 1, bias=False),
            nn.GELU(),
            nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False),
            nn.GELU(),
            nn.Conv2d(wide, channels, 1, bias=False),
        )
        self.norm = ChannelLayerNorm(channels)

    def forward(self, x: Tensor, branches: list[Tensor]) -> Tensor:
        """Return the features, shape as `x`."""
        x = x + self.attention(x, branches)
        out: Tensor = x + self.feed_forward(self.norm(x))
        return out


def _linear(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 1, bias=False)
