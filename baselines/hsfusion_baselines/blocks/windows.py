"""Self-attention inside windows, and the rearrangements that let windows see further.

Tensors are [N, H, W, C], channels last: a pixel is a token. Layer norms, feed-forwards and residuals act on single
pixels, so that a whole `WindowBlock` may run on rearranged pixels: only its attention notices.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "WindowAttention",
    "WindowBlock",
    "cut_windows",
    "from_quadrants",
    "join_windows",
    "relative_positions",
    "to_quadrants",
]


def cut_windows(x: Tensor, size: int) -> Tensor:
    """Cut into windows, row by row.

    Parameters
    ----------
    x
        [N, H, W, C]; the sides are multiples of `size`.
    size
        Side of a window.

    Returns
    -------
    Tensor
        [N * windows, size * size, C].
    """
    n, height, width, channels = x.shape
    grid = x.reshape(n, height // size, size, width // size, size, channels)
    return grid.transpose(2, 3).reshape(-1, size * size, channels)


def join_windows(windows: Tensor, height: int, width: int) -> Tensor:
    """Undo `cut_windows` of an image of `height` x `width`: [N * windows, size * size, C] to [N, H, W, C]."""
    size = int(windows.shape[1] ** 0.5)
    grid = windows.reshape(-1, height // size, width // size, size, size, windows.shape[-1])
    return grid.transpose(2, 3).reshape(-1, height, width, windows.shape[-1])


def to_quadrants(x: Tensor, cell: int, area: int | None = None) -> Tensor:
    """Gather cells by the parity of their row and column: even-even to the upper left quadrant, and so on.

    Parameters
    ----------
    x
        [N, H, W, C].
    cell
        Side of a cell, pixels.
    area
        Side of the square areas that are rearranged each for itself; None: the whole image is one.

    Returns
    -------
    Tensor
        The same pixels in another order.
    """
    return _swap(x, cell, area, parity_last=True)


def from_quadrants(x: Tensor, cell: int, area: int | None = None) -> Tensor:
    """Undo `to_quadrants`; parameters as there."""
    return _swap(x, cell, area, parity_last=False)


def _swap(x: Tensor, cell: int, area: int | None, *, parity_last: bool) -> Tensor:
    shape = x.shape
    axes = []
    for side in shape[1:3]:
        area_side = area or side
        pairs = area_side // (2 * cell)
        axes += [side // area_side, *((pairs, 2) if parity_last else (2, pairs)), cell]
    split = x.reshape(shape[0], *axes, shape[3])
    return split.transpose(2, 3).transpose(6, 7).reshape(shape)


def relative_positions(size: int) -> Tensor:
    """Return which of a window's (2 size - 1)^2 offsets lies between each two of its pixels, [size^2, size^2].

    Offsets are numbered row by row from (1 - size, 1 - size), first pixel less second.
    """
    pixels = torch.cartesian_prod(torch.arange(size), torch.arange(size))
    offsets = pixels[:, None] - pixels + size - 1
    return offsets[..., 0] * (2 * size - 1) + offsets[..., 1]


class WindowAttention(nn.Module):
    """Multi-head self-attention among the tokens of each window; all projections have biases.

    Parameters
    ----------
    channels
        Width of a token.
    heads
        Number of heads; it divides `channels`.
    scale
        Factor of the logits; None: one over the root of a head's width.
    positions
        Side of the windows, if the logits have a learned bias for every offset between two pixels (Swin); None: no
        bias.
    """

    offsets: Tensor

    def __init__(self, channels: int, heads: int, scale: float | None = None, positions: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.scale = scale
        self.position_bias = None
        if positions is not None:
            self.position_bias = nn.Parameter(torch.empty((2 * positions - 1) ** 2, heads))
            nn.init.trunc_normal_(self.position_bias, std=0.02)
            self.register_buffer("offsets", relative_positions(positions), persistent=False)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.project = nn.Linear(channels, channels)

    def forward(self, windows: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend.

        Parameters
        ----------
        windows
            [windows, tokens, channels].
        mask
            Added to the logits: [windows, 1, tokens, tokens].

        Returns
        -------
        Tensor
            Shape as `windows`.
        """
        count, tokens, channels = windows.shape
        qkv = self.qkv(windows).reshape(count, tokens, 3, self.heads, channels // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        bias = mask
        if self.position_bias is not None:
            bias = self.position_bias[self.offsets].permute(2, 0, 1)[None]
            bias = bias if mask is None else bias + mask
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=self.scale)
        projected: Tensor = self.project(mixed.transpose(1, 2).reshape(count, tokens, channels))
        return projected


class WindowBlock(nn.Module):
    """Window attention, then a feed-forward with GELU, each after a layer norm and with a residual.

    Parameters
    ----------
    channels, heads, scale
        Of the attention, see `WindowAttention`.
    window
        Side of a window.
    expansion
        Hidden width of the feed-forward, in `channels`.
    positions
        Whether the logits have a learned bias for every offset between two pixels.
    drop_path
        Probability that a residual branch is left out for an image in training (stochastic depth).
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        window: int,
        *,
        scale: float | None = None,
        expansion: int = 4,
        positions: bool = False,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.window = window
        self.drop_path = drop_path
        self.attention_norm = nn.LayerNorm(channels)
        self.attention = WindowAttention(channels, heads, scale, window if positions else None)
        self.feed_forward_norm = nn.LayerNorm(channels)
        self.feed_forward = nn.Sequential(
            nn.Linear(channels, expansion * channels), nn.GELU(), nn.Linear(expansion * channels, channels)
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the transformed pixels, shape as `x`; `mask` as of `WindowAttention`."""
        windows = self.attention(cut_windows(self.attention_norm(x), self.window), mask)
        x = x + self._kept(join_windows(windows, x.shape[1], x.shape[2]))
        return x + self._kept(self.feed_forward(self.feed_forward_norm(x)))

    def _kept(self, branch: Tensor) -> Tensor:
        if not self.training or not self.drop_path:
            return branch
        kept = torch.rand(branch.shape[0], 1, 1, 1, device=branch.device) >= self.drop_path
        return branch * kept / (1 - self.drop_path)
