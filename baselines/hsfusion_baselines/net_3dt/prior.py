"""The prior of 3DT-Net: a Swin transformer in space, then 3-D convolutions along the spectrum."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from hsfusion_baselines.blocks.windows import WindowBlock, cut_windows

__all__ = ["ShiftedWindows", "SpatialSpectralPrior", "shift_mask"]

WINDOW = 8
_SHIFT = WINDOW // 2
_MASKED = -100.0
_DROP_PATH = 0.1


def shift_mask(height: int, width: int) -> Tensor:
    """Return what keeps pixels apart that meet in a window only because the image was rolled round.

    Parameters
    ----------
    height, width
        Sides of the image, multiples of the window.

    Returns
    -------
    Tensor
        [windows, 1, tokens, tokens]: 0 between pixels that may attend to each other, -100 elsewhere.
    """

    def regions(side: int) -> Tensor:
        position = torch.arange(side)
        return (position >= side - WINDOW).long() + (position >= side - _SHIFT).long()

    region = 3 * regions(height)[:, None] + regions(width)
    windows = cut_windows(region[None, ..., None], WINDOW)
    apart = windows != windows.mT
    return _MASKED * apart[:, None].float()


class ShiftedWindows(nn.Module):
    """Swin blocks of which every second one has its windows moved by half their side, and a 3x3 convolution."""

    def __init__(self, features: int, heads: int, depth: int) -> None:
        super().__init__()
        rates = torch.linspace(0, _DROP_PATH, depth).tolist()
        self.blocks = nn.ModuleList(
            WindowBlock(features, heads, WINDOW, expansion=2, positions=True, drop_path=rate) for rate in rates
        )
        self.conv = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the transformed pixels, [N, H, W, features] as `x`; the sides are multiples of the window."""
        mask = shift_mask(x.shape[1], x.shape[2]).to(x).repeat(x.shape[0], 1, 1, 1)
        y = x
        for number, block in enumerate(self.blocks):
            if number % 2:
                y = block(y.roll((-_SHIFT, -_SHIFT), (1, 2)), mask).roll((_SHIFT, _SHIFT), (1, 2))
            else:
                y = block(y)
        out: Tensor = x + self.conv(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return out


class SwinBody(nn.Module):
    """`ShiftedWindows` between two layer norms, a 3x3 convolution, and the input added."""

    def __init__(self, features: int, heads: int, depth: int) -> None:
        super().__init__()
        self.norm_in = nn.LayerNorm(features)
        self.conv = nn.Conv2d(features, features, 3, padding=1)
        self.group = ShiftedWindows(features, heads, depth)
        self.norm_out = nn.LayerNorm(features)

    def forward(self, x: Tensor) -> Tensor:
        """Return features, [N, features, H, W] as `x`."""
        y = self.norm_out(self.group(self.norm_in(x.permute(0, 2, 3, 1))))
        out: Tensor = x + self.conv(y.permute(0, 3, 1, 2))
        return out


class NormalisedConv3d(nn.Module):
    """A 3-D convolution, each kernel of which is a learned length times a learned direction; keeps the size.

    torch's own parametrisation of weights cannot run in inference mode while operations are counted.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: tuple[int, int, int]) -> None:
        super().__init__()
        self.padding = tuple(side // 2 for side in kernel)
        start = nn.Conv3d(in_channels, out_channels, kernel)
        assert start.bias is not None
        self.bias = nn.Parameter(start.bias.detach())
        self.length = nn.Parameter(_length(start.weight.detach()))
        self.direction = nn.Parameter(start.weight.detach())

    def forward(self, x: Tensor) -> Tensor:
        """Return [N, out_channels, D, H, W] of [N, in_channels, D, H, W]."""
        weight = self.direction * (self.length / _length(self.direction))
        return functional.conv3d(x, weight, self.bias, padding=self.padding)


def _length(kernels: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(kernels, dim=(1, 2, 3, 4), keepdim=True)
    return length


class SpatialSpectralPrior(nn.Module):
    """What takes the place of a proximal step: features in, a correction of the image out.

    Parameters
    ----------
    bands
        Bands of the image.
    in_features
        Channels of the input.
    dense
        Channels of the first convolution, which later calls of the prior see.
    features, heads, depth
        Width, attention heads and blocks of the Swin transformer.
    """

    def __init__(
        self,
        bands: int,
        *,
        in_features: int = 64,
        dense: int = 128,
        features: int = 180,
        heads: int = 6,
        depth: int = 6,
    ) -> None:
        super().__init__()
        self.head = nn.Conv2d(in_features, dense, 3, padding=1)
        self.embed = nn.Conv2d(dense, features, 3, padding=1)
        self.body = SwinBody(features, heads, depth)
        self.spatial3d = NormalisedConv3d(1, 64, (1, 3, 3))
        self.spectral3d = NormalisedConv3d(64, 1, (3, 1, 1))
        self.tail = nn.Conv2d(features, bands, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map features [N, in_features, H, W] to a correction [N, bands, H, W] and dense features [N, dense, H, W]."""
        dense = self.head(x)
        image = self.tail(self.body(self.embed(dense))).relu_()
        volume = self.spatial3d(image[:, None]).relu_()
        return self.spectral3d(volume)[:, 0], dense
