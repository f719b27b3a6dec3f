"""Restormer's blocks: attention across channels and a gated feed-forward (Zamir et al., CVPR 2022).

All convolutions are free of biases. Tensors are [N, C, H, W].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ChannelAttention", "ChannelLayerNorm", "GatedFeedForward", "TransformerBlock"]


class ChannelLayerNorm(nn.Module):
    """Normalise every pixel over its channels, then scale and shift each channel; eps 1e-5."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised features, shape as `x`."""
        pixels = x.permute(0, 2, 3, 1)
        normalised = functional.layer_norm(pixels, self.weight.shape, self.weight, self.bias, 1e-5)
        return normalised.permute(0, 3, 1, 2)


class ChannelAttention(nn.Module):
    """Multi-head attention whose tokens are channels and whose embedding is the image plane.

    Queries, keys and values come from a 1x1 and a depth-wise 3x3 convolution; queries and keys have unit
    length, and each head has a learned temperature. The attention map is (channels/heads) square, whatever
    the image's size (Restormer, eq. 1).

    Raises
    ------
    ValueError
        If `heads` does not divide `channels`.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"{heads} attention heads cannot share {channels} channels evenly")
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.qkv_depthwise = nn.Conv2d(3 * channels, 3 * channels, 3, padding=1, groups=3 * channels, bias=False)
        self.project = nn.Conv2d(channels, channels, 1, bias=False)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values of `x`, each [N, C, H, W]."""
        query, key, value = self.qkv_depthwise(self.qkv(x)).chunk(3, dim=1)
        return query, key, value

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return the values mixed across the channels of each head, before the last projection."""
        shape = value.shape
        query, key, value = (t.reshape(shape[0], self.heads, -1, shape[2] * shape[3]) for t in (query, key, value))
        # The lengths divide the small map instead of the two large tensors: the same cosines, fewer passes.
        query_length, key_length = (t.norm(dim=-1, keepdim=True).clamp_min(1e-12) for t in (query, key))
        cosines = query @ key.mT / (query_length * key_length.mT)
        mixed: Tensor = (self.temperature * cosines).softmax(dim=-1) @ value
        return mixed.reshape(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended features, shape as `x`."""
        attended: Tensor = self.project(self.attend(*self.split(x)))
        return attended


class GatedFeedForward(nn.Module):
    """Two parallel 1x1 and depth-wise 3x3 paths, one gating the other through a GELU (Restormer, eq. 2)."""

    def __init__(self, channels: int, factor: float = 2) -> None:
        super().__init__()
        hidden = int(factor * channels)
        self.expand = nn.Conv2d(channels, 2 * hidden, 1, bias=False)
        self.depthwise = nn.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden, bias=False)
        self.project = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, shape as `x`."""
        gate, signal = self.depthwise(self.expand(x)).chunk(2, dim=1)
        out: Tensor = self.project(functional.gelu(gate) * signal)
        return out


class TransformerBlock(nn.Module):
    """Channel attention, then gated feed-forward, each after a layer norm and with a residual."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = ChannelLayerNorm(channels)
        self.attention = ChannelAttention(channels, heads)
        self.feed_forward_norm = ChannelLayerNorm(channels)
        self.feed_forward = GatedFeedForward(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the transformed features, shape as `x`."""
        x = x + self.attention(self.attention_norm(x))
        out: Tensor = x + self.feed_forward(self.feed_forward_norm(x))
        return out
