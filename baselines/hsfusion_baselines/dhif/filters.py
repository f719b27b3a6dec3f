"""The spatially varying filters of DHIF-Net: a U-shaped network that makes them, and their use."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, normalize, pad

__all__ = ["TAPS", "WIDTH", "FilterGenerator", "filter_along"]

TAPS = 7
"""Taps of a filter."""
WIDTH = 64
"""Channels of the generator's input."""


class FilterGenerator(nn.Module):
    """Three filters of 7 taps for every voxel: along the width, along the height, and along the bands.

    Each level of the network has two 3x3 convolutions with ReLU; down by means of 2x2 pixels, up by bicubic
    interpolation (torch's).

    Parameters
    ----------
    bands
        Bands of the image to filter.
    """

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.bands = bands
        widths = (WIDTH, 64, 128, 256, 512, 512)
        self.encoders = nn.ModuleList(_level(*pair) for pair in pairwise(widths))
        self.decoders = nn.ModuleList(
            [_level(512 + 512, 512), _level(512 + 256, 256), _level(256 + 128, 128), _level(128 + 64, 128)]
        )
        out = TAPS * bands
        self.heads = nn.ModuleList(nn.Sequential(*_level(128, out), nn.Conv2d(out, out, 1)) for _ in range(3))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the filters, each [N, 7, bands, H, W] of unit length along the taps, of [N, 64, H, W].

        H and W are multiples of 16.
        """
        levels = [self.encoders[0](x)]
        for encoder in self.encoders[1:]:
            levels.append(encoder(avg_pool2d(levels[-1], 2)))
        x = levels.pop()
        for decoder in self.decoders:
            x = decoder(torch.cat([levels.pop(), interpolate(x, scale_factor=2, mode="bicubic")], dim=1))
        return [normalize(head(x).unflatten(1, (TAPS, self.bands)), dim=1) for head in self.heads]


def filter_along(image: Tensor, filters: Tensor, axis: int) -> Tensor:
    """Filter an image along one axis, with filters of its own for every voxel.

    Parameters
    ----------
    image
        [N, bands, H, W].
    filters
        [N, 7, bands, H, W]; tap 3 falls on the voxel itself.
    axis
        -1 (width) or -2 (height): the border is repeated; -3 (bands): there are zeros beyond.

    Returns
    -------
    Tensor
        [N, bands, H, W].
    """
    reach = TAPS // 2
    around = [0, 0] * (-axis - 1) + [reach, reach]
    padded = pad(image, around) if axis == -3 else pad(image, around + [0, 0] * (2 + axis), mode="replicate")
    size = image.shape[axis]
    total = filters[:, 0] * padded.narrow(axis, 0, size)
    for tap in range(1, TAPS):
        total = torch.addcmul(total, filters[:, tap], padded.narrow(axis, tap, size))
    return total


def _level(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, 3, padding=1),
        nn.ReLU(),
    )
