"""The network of DCFNet (Wu et al., "Dynamic Cross Feature Fusion for Remote Sensing Pansharpening", ICCV 2021).

Convolutions have no bias and are followed by batch norm, unless said otherwise.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

__all__ = ["DCFNet", "normalised"]

WIDTHS = (32, 64, 128)
"""Channels of the branches at full, half and quarter size."""


class DCFNet(nn.Module):
    """Three branches of falling size, each made from those before it and from the HSI at its size, exchanging features.

    The authors' state has one more convolution with its norm, 147,712 parameters, whose output nothing reads.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI. The paper sharpens with one panchromatic band, which is where the MSI goes.
    """

    def __init__(self, bands: int, msi_bands: int) -> None:
        super().__init__()
        full, half, quarter = WIDTHS
        self.stem = nn.Sequential(_layer(bands + msi_bands, 64), _layer(64, 64))
        self.bottlenecks = nn.Sequential(Bottleneck(64), *(Bottleneck(256) for _ in range(3)))
        self.open_full = _layer(256, full)
        self.open_half = OpenHalf(bands, half)
        self.stage2 = Exchange(2)
        self.open_quarter = OpenQuarter(bands, full, half, quarter)
        self.stage3 = Exchange(3)
        self.reconstruct = nn.Sequential(
            nn.Conv2d(sum(WIDTHS), sum(WIDTHS), 1), _norm(sum(WIDTHS)), nn.ReLU(), nn.Conv2d(sum(WIDTHS), bands, 1)
        )

    def forward(self, hsi_quarter: Tensor, hsi_half: Tensor, hsi_up: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        hsi_quarter, hsi_half, hsi_up
            The HSI at three sizes, [N, bands, H/4, W/4], [N, bands, H/2, W/2] and [N, bands, H, W].
        hr_msi
            [N, msi_bands, H, W]; H and W are multiples of 4.

        Returns
        -------
        Tensor
            [N, bands, H, W], unclipped: a residual to `hsi_up`.
        """
        x = self.bottlenecks(self.stem(torch.cat([hr_msi, hsi_up], dim=1)))
        branches = self.stage2.refine([self.open_full(x), self.open_half(x, hsi_half)])
        opened = self.open_quarter(*branches, hsi_quarter)
        branches = self.stage3.exchange(self.stage3.refine([*self.stage2.exchange(branches), opened]))
        joined = torch.cat([_resized(branch, hr_msi) for branch in branches], dim=1)
        out: Tensor = hsi_up + self.reconstruct(joined)
        return out


class Exchange(nn.Module):
    """Residual blocks in each branch, then every branch becomes a weighted sum of all, brought to its size and width.

    Parameters
    ----------
    branches
        How many; the learned weights are a matrix of one row and one column more, which the published code has.
    """

    def __init__(self, branches: int) -> None:
        super().__init__()
        widths = WIDTHS[:branches]
        self.weights = nn.Parameter(torch.ones(branches + 1, branches + 1))
        self.blocks = nn.ModuleList(nn.Sequential(*(BasicBlock(width) for _ in range(3))) for width in widths)
        self.paths = nn.ModuleList(
            nn.ModuleList(_path(widths, source, target) for source in range(branches)) for target in range(branches)
        )

    def refine(self, branches: list[Tensor]) -> list[Tensor]:
        """Return each branch after its residual blocks."""
        return [blocks(x) for blocks, x in zip(self.blocks, branches, strict=True)]

    def exchange(self, branches: list[Tensor]) -> list[Tensor]:
        """Return the weighted sums."""
        weights = normalised(self.weights)
        mixed = []
        for target, own in enumerate(branches):
            paths = self.paths[target]
            assert isinstance(paths, nn.ModuleList)
            total = torch.zeros_like(own)
            for source, (path, x) in enumerate(zip(paths, branches, strict=True)):
                total = total + weights[target, source] * _resized(path(x), own)
            mixed.append(total.relu_())
        return mixed


class Bottleneck(nn.Module):
    """ResNet's bottleneck of width 64 and 256 channels out."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_layer(in_channels, 64, 1), _layer(64, 64), _layer(64, 256, 1, relu=False))
        self.shortcut = nn.Identity() if in_channels == 256 else _layer(in_channels, 256, 1, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, [N, 256, H, W]."""
        out: Tensor = self.body(x) + self.shortcut(x)
        return out.relu_()


class BasicBlock(nn.Module):
    """ResNet's basic block: two 3x3 convolutions, the input added, then ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_layer(channels, channels), _layer(channels, channels, relu=False))

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, shape as `x`."""
        out: Tensor = self.body(x) + x
        return out.relu_()


class Inject(nn.Module):
    """A learned mean of features and of a 3x3 convolution (without norm) of the HSI, then a basic block."""

    def __init__(self, bands: int, channels: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(2))
        self.embed = nn.Conv2d(bands, channels, 3, padding=1, bias=False)
        self.block = BasicBlock(channels)

    def forward(self, x: Tensor, hsi: Tensor) -> Tensor:
        """Return the features, shape as `x`, of a HSI of the same size."""
        weights = normalised(self.weights)
        out: Tensor = self.block((weights[0] * x + weights[1] * self.embed(hsi)).relu_())
        return out


class OpenHalf(nn.Module):
    """The start of the branch at half size."""

    def __init__(self, bands: int, half: int) -> None:
        super().__init__()
        self.halve = _layer(256, half, stride=2)
        self.inject = Inject(bands, half)

    def forward(self, x: Tensor, hsi: Tensor) -> Tensor:
        """Return the branch, of features at full size and the HSI at half size."""
        out: Tensor = self.inject(self.halve(x), hsi)
        return out


class OpenQuarter(nn.Module):
    """The start of the branch at quarter size, from both others and the HSI."""

    def __init__(self, bands: int, full: int, half: int, quarter: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(2))
        self.halve_full = _layer(full, half, stride=2)
        self.halve_sum = _layer(half, quarter, stride=2)
        self.halve_half = _layer(half, quarter, stride=2)
        self.inject = Inject(bands, quarter)

    def forward(self, full: Tensor, half: Tensor, hsi: Tensor) -> Tensor:
        """Return the branch, of the branches at full and half size and the HSI at quarter size."""
        weights = normalised(self.weights)
        deep = self.inject(self.halve_sum(half + self.halve_full(full)), hsi)
        out: Tensor = weights[0] * self.halve_half(half) + weights[1] * deep
        return out


def normalised(weights: Tensor) -> Tensor:
    """Return non-negative weights divided by their sums along the first axis, which are kept from zero by 1e-4."""
    positive = weights.relu()
    return positive / (positive.sum(dim=0) + 1e-4)


def _path(widths: tuple[int, ...], source: int, target: int) -> nn.Module:
    """Return what brings a branch to another's width, and to its size where that is smaller."""
    if source == target:
        return nn.Identity()
    if source > target:
        return _layer(widths[source], widths[target], 1, relu=False)
    halvings = [_layer(widths[source], widths[source], stride=2) for _ in range(target - source - 1)]
    return nn.Sequential(*halvings, _layer(widths[source], widths[target], stride=2, relu=False))


def _layer(in_channels: int, out_channels: int, kernel: int = 3, *, stride: int = 1, relu: bool = True) -> nn.Module:
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, _norm(out_channels), *([nn.ReLU(inplace=True)] if relu else []))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, momentum=0.01)


def _resized(x: Tensor, like: Tensor) -> Tensor:
    if x.shape[-2:] == like.shape[-2:]:
        return x
    return interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=True)
