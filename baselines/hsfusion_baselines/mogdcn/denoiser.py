"""The U-shaped denoiser of MoG-DCN. Convolutions are 3x3 and a block's share one PReLU of one slope."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["CODE", "WIDTH", "Denoiser"]

WIDTH = 64
"""Channels of the denoiser's input."""
CODE = 128
"""Channels of the features that a level hands on."""


class Encoder(nn.Module):
    """Three convolutions with PReLU, one without that makes the level's code; optionally a strided one after it."""

    def __init__(self, *, halve: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_conv(WIDTH, WIDTH) for _ in range(3))
        self.code = _conv(WIDTH, CODE)
        self.halve = nn.Conv2d(CODE, WIDTH, 3, stride=2, padding=1) if halve else None
        self.activation = nn.PReLU()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the code, and what goes down to the next level (the code itself on the last one)."""
        for layer in self.layers:
            x = self.activation(layer(x))
        code = self.code(x)
        return code, code if self.halve is None else self.activation(self.halve(code))


class Decoder(nn.Module):
    """The lower level, doubled by a transposed convolution and joined with this level's code; four convolutions."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([_conv(2 * CODE, CODE), _conv(CODE, CODE), _conv(CODE, CODE)])
        self.out = nn.Conv2d(CODE, out_channels, kernel, padding=kernel // 2)
        self.up = nn.ConvTranspose2d(in_channels, CODE, 3, stride=2, padding=1)
        self.activation = nn.PReLU()

    def forward(self, lower: Tensor, code: Tensor) -> Tensor:
        """Return [N, out_channels, H, W] for a code [N, 128, H, W]."""
        x = torch.cat([self.up(lower, output_size=code.shape[-2:]), code], dim=1)
        for layer in self.layers:
            x = self.activation(layer(x))
        out: Tensor = self.out(x)
        return out


class Denoiser(nn.Module):
    """Five levels down, four up.

    Parameters
    ----------
    bands
        Channels of the image that comes out.
    """

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleList([*(Encoder(halve=True) for _ in range(4)), Encoder(halve=False)])
        wide = 4 * CODE
        self.decoders = nn.ModuleList(
            [Decoder(CODE, wide, 1), Decoder(wide, wide, 1), Decoder(wide, wide, 1), Decoder(wide, bands, 3)]
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return a residual image [N, bands, H, W] and the first level's code [N, 128, H, W], of [N, 64, H, W]."""
        codes = []
        for encoder in self.encoders:
            code, x = encoder(x)
            codes.append(code)
        for decoder, code in zip(self.decoders, reversed(codes[:-1]), strict=True):
            x = decoder(x, code)
        return x, codes[0]


def _conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)
