"""MLPs that are queried at every HR pixel for its LR neighbours, in the manner of LIIF (Chen et al., CVPR 2021).

The published networks evaluate an MLP on concat(LR features, HR features, relative coordinate) for each of four LR
neighbours. A linear layer on a concatenation is a sum of linear layers, so its LR part is computed at LR size and its
HR part once for the four. An HR map is queried at its own pixel centres, where it is the map itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.blocks.sampling import CORNERS, Neighbourhood, blend, by_rows

__all__ = ["QueryMLP", "SoftmaxQuery", "for_corners"]


class QueryMLP(nn.Module):
    """An MLP with ReLU whose first layer is evaluated in parts.

    Parameters
    ----------
    parts
        Channels of the parts that the published input is a concatenation of, in order.
    hidden
        Widths of the hidden layers.
    out
        Channels of the result.
    """

    def __init__(self, parts: Sequence[int], hidden: Sequence[int], out: int) -> None:
        super().__init__()
        self.parts = list(parts)
        widths = [sum(parts), *hidden, out]
        self.first = nn.Linear(widths[0], widths[1])
        self.rest = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths[1:]))

    def columns(self) -> tuple[Tensor, ...]:
        """Return the first layer's columns for each part, [hidden, channels]."""
        return torch.split(self.first.weight, self.parts, dim=1)

    def finish(self, first: Tensor) -> Tensor:
        """Apply what follows the first layer; `first` is overwritten."""
        hidden = first
        for layer in self.rest:
            hidden = layer(hidden.relu_())
        return hidden

    def at_corners(self, near: Neighbourhood, corners: Sequence[Tensor], shared: Tensor, rows: slice) -> list[Tensor]:
        """Return the MLP's output for each of the four neighbours of the pixels of some rows, [N, rows, W, out].

        Parameters
        ----------
        near
            Where the neighbours lie.
        corners
            What `for_corners` made of the LR part.
        shared
            The first layer's HR part for those rows, bias included, [N, rows, W, hidden].
        rows
            The rows.
        """
        return [
            self.finish(near.gather(cells, corner, rows).add_(shared))
            for corner, cells in zip(CORNERS, corners, strict=True)
        ]


def for_corners(cells: Tensor, near: Neighbourhood, weight: Tensor) -> list[Tensor]:
    """Return the padded LR part for each corner, [N, h + 2, w + 2, hidden], with what depends on cells only.

    The relative coordinate of a corner is that of the first one, less a constant 2 per step, plus the misplacement of
    outside cells. The latter two are added here, at LR size.

    Parameters
    ----------
    cells
        The first layer's LR part, [N, h, w, hidden].
    near
        Where the neighbours lie.
    weight
        The first layer's columns for the relative coordinate, [hidden, 2].
    """
    padded = near.pad(cells)
    padded = padded + functional.linear(near.misplacement, weight)
    return [padded - 2 * (weight @ weight.new_tensor(corner)) for corner in CORNERS]


class SoftmaxQuery(QueryMLP):
    """Query an LR map at the pixels of an HR map; four candidates, weighted by the softmax of their last channel.

    Parameters
    ----------
    parts
        Channels of the parts of the MLP's input: the LR map, the HR map, 2 coordinates.
    hidden
        Widths of the hidden layers.
    out
        Channels of the result; the MLP has one more, for the weight.
    """

    def __init__(self, parts: Sequence[int], hidden: Sequence[int], out: int) -> None:
        super().__init__(parts, hidden, out + 1)

    def forward(self, lr: Tensor, hr: Tensor) -> Tensor:
        """Map an LR map [N, C, h, w] and an HR map [N, C', H, W] to [N, H, W, out]."""
        lr_weight, hr_weight, coordinate_weight = self.columns()
        near = Neighbourhood(lr.shape[-2:], hr.shape[-2:], lr)
        corners = for_corners(functional.linear(lr.permute(0, 2, 3, 1), lr_weight), near, coordinate_weight)
        pixels = hr.permute(0, 2, 3, 1)

        def band(rows: slice) -> Tensor:
            shared = functional.linear(pixels[:, rows], hr_weight, self.first.bias)
            shared = shared + functional.linear(near.offset[rows], coordinate_weight)
            return blend(self.at_corners(near, corners, shared, rows))

        return by_rows(band, pixels)
