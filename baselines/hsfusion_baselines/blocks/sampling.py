"""Where an HR pixel finds its LR neighbours, and how a pixelwise network is run in bands of rows.

Maps are channels-last here, [N, H, W, C]: a pixel's features are contiguous, as a linear layer wants them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["CORNERS", "Border", "Neighbourhood", "blend", "by_rows"]

Border = Literal["zero", "repeat"]

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))

# So many pixels of 256 channels stay in a CPU's cache; a GPU is kept busy by more.
_PIXELS = {"cpu": 4096, "cuda": 65536}


class Neighbourhood:
    """The four LR cells around the centre of each HR pixel, in the manner of LIIF (Chen et al., CVPR 2021).

    Both images cover [-1, 1] in either direction, and coordinates are those of pixel centres. Half an LR cell up and
    half a cell down from an HR pixel lie the two nearest LR rows; likewise columns. The published codes find them by
    nearest sampling. The same is done here in integers: an HR pixel exactly on an LR centre (odd scales only, where
    rounding decides there, or a shift by 1e-6) takes that cell and the one after it.

    Relative coordinates are (query - cell centre) * (h, w), so that neighbouring cells are 2 apart.

    Parameters
    ----------
    lr_size, hr_size
        Height and width of the LR and the HR map.
    like
        A tensor whose dtype and device the coordinates take.
    border
        What a cell outside the image counts as. ``"zero"``: features 0 **and coordinate (0, 0)**, as zero padding
        gives them (JIIF, FeINFN, EDACA-Net). ``"repeat"``: the nearest cell inside, its coordinate too (LIIF).
    """

    def __init__(self, lr_size: Sequence[int], hr_size: Sequence[int], like: Tensor, border: Border = "zero") -> None:
        (self.rows, down), (self.columns, right) = (
            _axis(lr, hr, like) for lr, hr in zip(lr_size, hr_size, strict=True)
        )
        self.offset = torch.stack(torch.meshgrid(down, right, indexing="ij"), dim=-1)
        self.misplacement = (_to_origin if border == "zero" else _to_inside)(lr_size, like)
        self.border = border

    def pad(self, cells: Tensor) -> Tensor:
        """Return an LR map [N, h, w, C] with a ring of outside cells, [N, h + 2, w + 2, C]."""
        if self.border == "zero":
            return functional.pad(cells, (0, 0, 1, 1, 1, 1))
        rows, columns = (torch.arange(-1, n + 1, device=cells.device).clamp(0, n - 1) for n in cells.shape[1:3])
        return cells.index_select(1, rows).index_select(2, columns)

    def coordinate(self, corner: tuple[int, int]) -> Tensor:
        """Return the relative coordinate to one corner, [1, H, W, 2], as if cells outside were placed outside."""
        return (self.offset - 2 * self.offset.new_tensor(corner))[None]

    def relative(self, corner: tuple[int, int]) -> Tensor:
        """Return the relative coordinate to one corner, [1, H, W, 2], with cells outside where `border` has them."""
        return self.coordinate(corner) + self.gather(self.misplacement, corner)

    def gather(self, cells: Tensor, corner: tuple[int, int], rows: slice = slice(None)) -> Tensor:
        """Return what the cells in one corner hold.

        Parameters
        ----------
        cells
            [N, h + 2, w + 2, C]: an LR map with a ring of outside cells.
        corner
            (0 or 1, 0 or 1): the upper or lower, left or right cell of the four.
        rows
            The HR rows wanted.

        Returns
        -------
        Tensor
            [N, rows, W, C].
        """
        down, right = corner
        # Rows first: this pass, and its gradient's sum over rows, are smaller than the other by the scale.
        return cells.index_select(1, self.rows[rows] + down).index_select(2, self.columns + right)


def _axis(lr: int, hr: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return, for each HR index, the first cell's index in the padded map and the coordinate relative to it."""
    twice_centre = (2 * torch.arange(hr, device=like.device) + 1) * lr
    first = (twice_centre + hr).div(2 * hr, rounding_mode="floor")
    offset = (twice_centre - (2 * first - 1) * hr).to(torch.float64) / hr
    return first, offset.to(like.dtype)


def _to_origin(lr_size: Sequence[int], like: Tensor) -> Tensor:
    """Return what the coordinate (0, 0) of outside cells adds to the relative coordinate, [1, h + 2, w + 2, 2]."""
    centres = [torch.arange(-n - 1, n + 2, 2, device=like.device, dtype=like.dtype) for n in lr_size]
    ring = torch.stack(torch.meshgrid(*centres, indexing="ij"), dim=-1)
    ring[1:-1, 1:-1] = 0
    return ring[None]


def _to_inside(lr_size: Sequence[int], like: Tensor) -> Tensor:
    """Return what moving outside cells onto the nearest inside adds to the relative coordinate, likewise."""
    steps = [torch.zeros(n + 2, device=like.device, dtype=like.dtype) for n in lr_size]
    for step in steps:
        step[0], step[-1] = -2, 2
    return torch.stack(torch.meshgrid(*steps, indexing="ij"), dim=-1)[None]


def blend(candidates: Sequence[Tensor]) -> Tensor:
    """Return the mean of the candidates' features, weighted by the softmax of their last channel.

    Parameters
    ----------
    candidates
        Tensors of one shape [..., C + 1].

    Returns
    -------
    Tensor
        [..., C].
    """
    stacked = torch.stack(tuple(candidates))
    weights = functional.softmax(stacked[..., -1:], dim=0)
    return (stacked[..., :-1] * weights).sum(dim=0)


def by_rows(function: Callable[[slice], Tensor], pixels: Tensor) -> Tensor:
    """Return a map that is computed band by band, so that intermediate tensors stay small.

    Parameters
    ----------
    function
        Gives the rows that a slice names, [N, rows, W, C].
    pixels
        A map [N, H, W, any] of the size and on the device of the result.

    Returns
    -------
    Tensor
        [N, H, W, C].
    """
    batch, height, width = pixels.shape[:3]
    step = max(1, _PIXELS.get(pixels.device.type, _PIXELS["cpu"]) // (batch * width))
    return torch.cat([function(slice(top, top + step)) for top in range(0, height, step)], dim=1)
