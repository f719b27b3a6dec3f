"""Attention to clusters of pixels whose length the entropy of the keys decides (EDACA-Net)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ClusteredAttention", "mean_run_length", "pool", "smoothed_entropy"]

_SIGMA, _RADIUS = 3.0, 8


class ClusteredAttention(nn.Module):
    """Multi-head attention of LR cells to clusters of HR pixels.

    Keys and values are taken at every HR pixel, in the order of the flattened image, from the LR cell that it lies
    in. A learned score of each key, softmaxed over the image, gives the pixel's entropy. Runs of pixels cut into
    clusters of one length, the mean length of the runs in which the smoothed entropy bends one way, are pooled with
    the softmax of that entropy in each cluster. Logits are not scaled, and the weights are divided by the width of a
    head, as published.

    The authors attend from every HR pixel; as queries are those of the pixel's LR cell, it is done once for a cell.

    Parameters
    ----------
    channels
        Channels C of the LR map.
    heads
        Number of heads; it divides `channels`.

    Notes
    -----
    The length is one number for a batch, the mean over its images, rounded: the images of a batch are not
    independent, and the result is not continuous in the weights.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Conv2d(channels, channels, 3, padding=1)
        self.key = nn.Conv2d(channels, channels, 3, padding=1)
        self.value = nn.Conv2d(channels, channels, 3, padding=1)
        self.score = nn.Linear(channels, 1)

    def forward(self, lr: Tensor, size: Sequence[int]) -> Tensor:
        """Return the attended features of an LR map [N, C, h, w], shape as `lr`; `size` is that of the HR image."""
        keys, values = (_at_pixels(convolution(lr), size) for convolution in (self.key, self.value))
        entropy = smoothed_entropy(self.score(keys).squeeze(-1))
        length = round(mean_run_length(entropy).mean().item())
        keys, values = (self._split(pool(tokens, entropy, length)) for tokens in (keys, values))
        queries = self._split(self.query(lr).flatten(2).mT)
        attended = functional.scaled_dot_product_attention(queries, keys, values, scale=1.0) / queries.shape[-1]
        return attended.transpose(1, 2).flatten(2).mT.reshape(lr.shape)

    def _split(self, tokens: Tensor) -> Tensor:
        """Return tokens [N, L, C] as heads [N, heads, L, C / heads]."""
        n, length, channels = tokens.shape
        return tokens.reshape(n, length, self.heads, channels // self.heads).transpose(1, 2)


def smoothed_entropy(score: Tensor) -> Tensor:
    """Return each token's share of the entropy in bits, smoothed along the sequence.

    The Gaussian has sigma 3 and 17 taps that sum to less than 1; beyond the ends lie zeros.

    Parameters
    ----------
    score
        Logits of the tokens' probabilities, [N, L].

    Returns
    -------
    Tensor
        [N, L].
    """
    probability = score.softmax(dim=-1) + 1e-8
    entropy = -probability * probability.log() / math.log(2)
    taps = torch.arange(-_RADIUS, _RADIUS + 1, device=score.device, dtype=score.dtype)
    gaussian = (-taps.square() / (2 * _SIGMA**2)).exp() / (_SIGMA * math.sqrt(2 * math.pi))
    return functional.conv1d(entropy[:, None], gaussian[None, None], padding=_RADIUS)[:, 0]


def mean_run_length(curve: Tensor) -> Tensor:
    """Return the mean length of the runs in which curves [N, L] bend one way, [N]; beyond the ends lie zeros."""
    second_difference = curve.new_tensor([[[-1.0, 2.0, -1.0]]])
    bends_down = functional.conv1d(curve.detach()[:, None], second_difference, padding=1)[:, 0] > 0
    runs = 1 + (bends_down[:, 1:] != bends_down[:, :-1]).sum(dim=-1)
    return curve.shape[-1] / runs


def pool(tokens: Tensor, weight: Tensor, length: int) -> Tensor:
    """Return the means of clusters of tokens, weighted by the softmax of `weight` in each cluster.

    Tokens that fill no cluster are left out, half of them at either end.

    Parameters
    ----------
    tokens
        [N, L, C].
    weight
        [N, L].
    length
        Tokens in a cluster, at most L.

    Returns
    -------
    Tensor
        [N, L // length, C].
    """
    n, whole, channels = tokens.shape
    count = whole // length
    start = (whole - count * length) // 2
    kept = slice(start, start + count * length)
    share = weight[:, kept].reshape(n, count, 1, length).softmax(dim=-1)
    return (share @ tokens[:, kept].reshape(n, count, length, channels))[:, :, 0]


def _at_pixels(lr: Tensor, size: Sequence[int]) -> Tensor:
    """Return what HR pixels find in the LR cell that they lie in, [N, H * W, C], of a map [N, C, h, w]."""
    return functional.interpolate(lr, tuple(size), mode="nearest-exact").flatten(2).mT
