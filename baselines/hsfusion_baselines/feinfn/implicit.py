"""The implicit fusion functions of FeINFN: LR features, queried at every HR pixel with an HR guide."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.blocks.implicit import QueryMLP, for_corners
from hsfusion_baselines.blocks.sampling import CORNERS, Neighbourhood, blend, by_rows

__all__ = ["PhaseQuery", "PixelQuery", "Upsampling", "high_pass"]

Upsampling = Literal["implicit", "bilinear", "bicubic"]

_TABLE_ROWS = 4096


class PixelQuery(QueryMLP):
    """A fusion function whose network sees single pixels: an MLP with ReLU.

    Parameters
    ----------
    features
        Channels of the LR map and of the guide.
    hidden
        Widths of the hidden layers.
    out
        Channels of the result.
    upsampling
        ``"implicit"``: four neighbours, each with its relative coordinate, weighted by a softmax (the paper).
        ``"bilinear"`` or ``"bicubic"``: LR features interpolated to HR size; neither coordinate nor weight.
    detail
        Add to the MLP's input the LR map's `high_pass` and, to the coordinates, a sinusoidal table of 4096
        positions, linearly interpolated over the **flattened** pixel index: what the published spatial query
        has and its frequency queries have not.
    """

    table: Tensor

    def __init__(self, features: int, hidden: Sequence[int], out: int, upsampling: Upsampling, *, detail: bool) -> None:
        implicit = upsampling == "implicit"
        super().__init__([features, features, features * detail, 2 * implicit], hidden, out + implicit)
        self.upsampling = upsampling
        self.detail = detail
        if detail and implicit:
            self.register_buffer("table", _position_table(), persistent=False)

    def forward(self, lr: Tensor, guide: Tensor) -> Tensor:
        """Query an LR map at the pixels of a guide.

        Parameters
        ----------
        lr
            [N, features, h, w].
        guide
            [N, features, H, W].

        Returns
        -------
        Tensor
            [N, H, W, out].
        """
        size = guide.shape[-2:]
        pixels = guide.permute(0, 2, 3, 1)
        _, guide_weight, _, coordinate_weight = self.columns()
        bias = self.first.bias
        cells = self._project(lr)
        if self.upsampling != "implicit":
            fine = _enlarge(cells.permute(0, 3, 1, 2), size, self.upsampling)
            return by_rows(
                lambda rows: self.finish(fine[:, rows] + functional.linear(pixels[:, rows], guide_weight, bias)),
                pixels,
            )

        near = Neighbourhood(lr.shape[-2:], size, lr)
        corners = for_corners(cells, near, coordinate_weight)
        offset = near.offset + self._positions(size) if self.detail else near.offset

        def band(rows: slice) -> Tensor:
            shared = functional.linear(pixels[:, rows], guide_weight, bias)
            shared = shared + functional.linear(offset[rows], coordinate_weight)
            return blend(self.at_corners(near, corners, shared, rows))

        return by_rows(band, pixels)

    def _project(self, lr: Tensor) -> Tensor:
        """Return the LR part of the first layer, [N, h, w, hidden]."""
        weight, _, detail_weight, _ = self.columns()
        if self.detail:
            lr, weight = torch.cat([lr, high_pass(lr)], dim=1), torch.cat([weight, detail_weight], dim=1)
        return functional.linear(lr.permute(0, 2, 3, 1), weight)

    def _positions(self, size: Sequence[int]) -> Tensor:
        """Return the table's value at each pixel, [H, W, 2]."""
        height, width = size
        values = functional.interpolate(self.table.T[None], height * width, mode="linear", align_corners=False)
        return values[0].T.reshape(height, width, 2)


class PhaseQuery(nn.Module):
    """The fusion function of the phases: separable 3x3 convolutions with ReLU between, without biases.

    The published code hands the pixel-major tensor [N, H * W, C] to the convolutions as if it were [N, C, H, W],
    **without a permutation**, and takes their output [N, C', H, W] back as [N, H * W, C']. Channels and pixels are
    so mixed in an order that depends on the image's size. The memory is reinterpreted here in the same way, for that
    is the published network.

    Parameters are those of `PixelQuery`.
    """

    def __init__(self, features: int, hidden: Sequence[int], out: int, upsampling: Upsampling) -> None:
        super().__init__()
        implicit = upsampling == "implicit"
        self.upsampling = upsampling
        widths = [2 * features + 2 * implicit, *hidden, out + implicit]
        self.layers = nn.ModuleList(SeparableConvolution(a, b) for a, b in pairwise(widths))

    def forward(self, lr: Tensor, guide: Tensor) -> Tensor:
        """Query LR phases [N, features, h, w] at the pixels of [N, features, H, W]; returns [N, H, W, out]."""
        size = guide.shape[-2:]
        pixels = guide.permute(0, 2, 3, 1).contiguous()
        if self.upsampling != "implicit":
            return self._convolve(torch.cat([_enlarge(lr, size, self.upsampling), pixels], dim=-1))

        near = Neighbourhood(lr.shape[-2:], size, lr)
        padded = near.pad(lr.permute(0, 2, 3, 1))

        def candidate(corner: tuple[int, int]) -> Tensor:
            coordinate = near.relative(corner).expand(len(pixels), -1, -1, -1)
            return self._convolve(torch.cat([near.gather(padded, corner), pixels, coordinate], dim=-1))

        return blend([candidate(corner) for corner in CORNERS])

    def _convolve(self, pixels: Tensor) -> Tensor:
        """Apply the layers to the reinterpreted memory of [N, H, W, C]."""
        n, height, width, channels = pixels.shape
        image = pixels.reshape(n, channels, height, width).permute(0, 2, 3, 1)
        for layer in self.layers[:-1]:
            image = layer(image).relu_()
        image = self.layers[-1](image)
        reinterpreted: Tensor = image.permute(0, 3, 1, 2).reshape(image.shape)
        return reinterpreted


class SeparableConvolution(nn.Module):
    """A 1x1 convolution (as a linear layer), then a depth-wise 3x3 one, zero padding, no biases."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.pointwise = nn.Linear(channels, out, bias=False)
        self.depthwise = nn.Conv2d(out, out, 3, padding=1, groups=out, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, H, W, channels] to [N, H, W, out]."""
        y: Tensor = self.depthwise(self.pointwise(x).permute(0, 3, 1, 2))
        return y.permute(0, 2, 3, 1)


def high_pass(x: Tensor) -> Tensor:
    """Return each pixel less its four neighbours, shape as `x` [N, C, h, w]; outside the image is 0.

    The kernel of the published code: 1 in the centre (a Laplacian would have 4).
    """
    kernel = x.new_tensor([[0, -1, 0], [-1, 1, -1], [0, -1, 0]]).expand(x.shape[1], 1, 3, 3)
    return functional.conv2d(x, kernel, padding=1, groups=x.shape[1])


def _enlarge(x: Tensor, size: Sequence[int], mode: str) -> Tensor:
    """Return a map [N, C, h, w] interpolated to `size`, [N, H, W, C]."""
    return functional.interpolate(x, tuple(size), mode=mode, align_corners=False).permute(0, 2, 3, 1)


def _position_table() -> Tensor:
    """Return (sin p, cos p) for p = 0..4095, [4096, 2]."""
    position = torch.arange(_TABLE_ROWS, dtype=torch.float32)
    return torch.stack([position.sin(), position.cos()], dim=-1)
