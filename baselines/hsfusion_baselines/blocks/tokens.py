"""Transformer parts for tokens, [N, tokens, channels], when every pixel is one."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["TokenFeedForward", "to_image", "to_tokens"]


def to_tokens(image: Tensor) -> Tensor:
    """Return the pixels of [N, C, H, W], row by row, as [N, H*W, C]."""
    return image.flatten(2).mT


def to_image(tokens: Tensor, height: int) -> Tensor:
    """Undo `to_tokens` of an image of a height: [N, H*W, C] to [N, C, H, W]."""
    return tokens.mT.reshape(tokens.shape[0], tokens.shape[2], height, -1)


class TokenFeedForward(nn.Module):
    """Layer norm, linear, leaky ReLU (slope 0.01), linear, and the input added."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, hidden)
        self.project = nn.Linear(hidden, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the transformed tokens, [N, tokens, channels]."""
        hidden = nn.functional.leaky_relu(self.expand(self.norm(tokens)))
        out: Tensor = tokens + self.project(hidden)
        return out
