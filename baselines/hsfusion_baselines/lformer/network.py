"""The network of LFormer (Hou, Cao et al., "Linearly-evolved Transformer for Pan-sharpening", ACM MM 2024)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsfusion_baselines.blocks.edsr import ResidualBlock
from hsfusion_baselines.blocks.upsampling import upsample_bicubic
from hsfusion_baselines.blocks.windows import cut_windows, join_windows

__all__ = ["LFormer"]

WINDOW = 8
_DROPOUT = 0.2
_EPS = 1e-5


class ChannelGain(nn.Module):
    """Normalise every pixel over its channels, then scale each channel; no shift."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised features, shape as `x`."""
        variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
        return (x - mean) * (variance + _EPS).rsqrt() * self.gain


def separable(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return a 1x1 convolution, then a depth-wise 3x3 one."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1),
        nn.Conv2d(out_channels, out_channels, 3, padding=1, groups=out_channels),
    )


def windows_of_heads(x: Tensor, heads: int) -> Tensor:
    """Return the windows of [N, C, H, W] as [N * windows, heads, pixels, C / heads]."""
    windows = cut_windows(x.permute(0, 2, 3, 1), WINDOW)
    return windows.reshape(*windows.shape[:2], heads, -1).transpose(1, 2)


def image_of_windows(windows: Tensor, height: int, width: int) -> Tensor:
    """Return windows [N * windows, pixels, C] as an image [N, C, H, W], with pixels and channels exchanged.

    The exchange is the published code's: it reads windows of [C, pixels] as [pixels, C], which takes C = 64 channels
    for the 64 pixels of a window.
    """
    return join_windows(windows.mT, height, width).permute(0, 3, 1, 2)


class FirstAttention(nn.Module):
    """The one attention that is computed: queries from the HR-MSI, keys and values from the HSI, in windows of 8.

    The logits are not scaled; in training a fifth of them is dropped.
    """

    def __init__(self, bands: int, msi_bands: int, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = separable(msi_bands, features)
        self.key = separable(bands, features)
        self.value = separable(bands, features)
        self.project = nn.Linear(features, features)
        self.hsi_norm = ChannelGain(bands)
        self.msi_norm = ChannelGain(msi_bands)
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(self, hsi_up: Tensor, hr_msi: Tensor) -> tuple[Tensor, Tensor]:
        """Return the attention maps, [N * windows, heads, 64, 64], and the features [N, features, H, W]."""
        hsi = self.hsi_norm(hsi_up)
        query, key, value = (
            windows_of_heads(image, self.heads)
            for image in (self.query(self.msi_norm(hr_msi)), self.key(hsi), self.value(hsi))
        )
        attention = self.dropout(query @ key.mT).softmax(dim=-1)
        mixed = self.project((attention @ value).transpose(1, 2).flatten(2))
        return attention, image_of_windows(mixed, *hr_msi.shape[2:])


class Evolution(nn.Module):
    """Make a stage's attention of the last one: a convolution along the keys, one over the heads, ReLU, softmax."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.along_keys = nn.Conv2d(heads, heads, (1, 3), padding=(0, 1), bias=False)
        self.over_heads = nn.Conv2d(heads, heads, 1)
        nn.init.constant_(self.along_keys.weight, 1 / 9)
        nn.init.ones_(self.over_heads.weight)
        assert self.over_heads.bias is not None
        nn.init.zeros_(self.over_heads.bias)

    def forward(self, attention: Tensor) -> Tensor:
        """Return attention maps, shape as `attention`."""
        logits: Tensor = self.over_heads(self.along_keys(attention)).relu_()
        return logits.softmax(dim=-1)


class Stage(nn.Module):
    """Refine the features by the evolved attention, then fuse the high-pass features in.

    The first stage takes the features of the attention as they are.
    """

    def __init__(self, features: int, detail: int, heads: int, *, first: bool) -> None:
        super().__init__()
        self.heads = heads
        self.local = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1, groups=features), nn.ReLU(), nn.Conv2d(features, features, 1)
        )
        self.value = None if first else nn.Linear(features, features)
        self.evolve = None if first else Evolution(heads)
        self.fuse = nn.Conv2d(features + detail, features, 3, padding=1)

    def forward(self, attention: Tensor, x: Tensor, detail: Tensor) -> tuple[Tensor, Tensor]:
        """Return this stage's attention and features, shapes as of the last one's."""
        if self.value is not None and self.evolve is not None:
            attention = self.evolve(attention)
            value = self.value(cut_windows(x.permute(0, 2, 3, 1), WINDOW))
            value = value.reshape(*value.shape[:2], self.heads, -1).transpose(1, 2)
            x = image_of_windows((attention @ value).transpose(1, 2).flatten(2), *x.shape[2:])
        fused = self.fuse(torch.cat([x + self.local(x), detail], dim=1))
        return attention, x * fused


class HighPass(nn.Module):
    """High-pass features of both images: depth-wise 3x3 kernels that start as Laplacians, then residual blocks."""

    def __init__(self, bands: int, msi_bands: int, detail: int) -> None:
        super().__init__()
        self.msi = self._branch(msi_bands, detail)
        self.hsi = self._branch(bands, detail)
        self.merge = nn.Conv2d(2 * detail, detail, 1)
        self.blocks = nn.Sequential(*(ResidualBlock(detail) for _ in range(4)))

    @staticmethod
    def _branch(channels: int, detail: int) -> nn.Sequential:
        kernel = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        laplacian = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
        assert kernel.bias is not None
        with torch.no_grad():
            kernel.weight.copy_(laplacian.expand_as(kernel.weight))
            kernel.bias.zero_()
        return nn.Sequential(kernel, nn.Conv2d(channels, detail, 1))

    def forward(self, hsi_up: Tensor, hr_msi: Tensor) -> Tensor:
        """Return features [N, detail, H, W]."""
        features: Tensor = self.blocks(self.merge(torch.cat([self.msi(hr_msi), self.hsi(hsi_up)], dim=1)))
        return features


class Injection(nn.Module):
    """Bring the refined features into the high-pass branch."""

    def __init__(self, features: int, detail: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(features, detail, 1)
        self.merge = nn.Conv2d(2 * detail, detail, 1)
        self.blocks = nn.Sequential(*(ResidualBlock(detail) for _ in range(2)))

    def forward(self, x: Tensor, detail: Tensor) -> Tensor:
        """Return features, shape as `detail`."""
        out: Tensor = self.blocks(self.merge(torch.cat([self.reduce(x), detail], dim=1)))
        return out


class LFormer(nn.Module):
    """Linearly-evolved transformer.

    Attention is computed once, in windows of 8x8 pixels; each later stage evolves the same maps by small
    convolutions instead of computing its own. A branch of high-pass features of both images is injected into every
    stage. The result is a residual to the enlarged LR-HSI.

    The defaults are the published network at 31 + 3 bands: 2,282,549 parameters.

    Parameters
    ----------
    bands, msi_bands, scale
        The problem.
    detail
        Width of the high-pass branch. That of the attention is 64, the number of a window's pixels.
    heads
        Number of attention heads.
    stages
        Number of stages.
    """

    def __init__(
        self,
        bands: int = 31,
        msi_bands: int = 3,
        scale: int = 4,
        *,
        detail: int = 64,
        heads: int = 8,
        stages: int = 5,
    ) -> None:
        super().__init__()
        self.scale = scale
        features = WINDOW**2
        self.attention = FirstAttention(bands, msi_bands, features, heads)
        self.high_pass = HighPass(bands, msi_bands, detail)
        self.stages = nn.ModuleList(Stage(features, detail, heads, first=i == 0) for i in range(stages))
        self.injections = nn.ModuleList(Injection(features, detail) for _ in range(stages + 1))
        self.output = nn.Sequential(
            ResidualBlock(features + detail), ResidualBlock(features + detail), nn.Conv2d(features + detail, bands, 1)
        )

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1].
        hr_msi
            [N, msi_bands, h*scale, w*scale], values in [0, 1]; the sides are multiples of 8.

        Returns
        -------
        Tensor
            [N, bands, h*scale, w*scale], not clipped.
        """
        hsi_up = upsample_bicubic(lr_hsi, self.scale)
        return hsi_up + self.residual(hsi_up, hr_msi)

    def residual(self, hsi_up: Tensor, hr_msi: Tensor) -> Tensor:
        """Return what is to be added to an enlarged LR-HSI [N, bands, H, W]: the authors' network proper."""
        attention, x = self.attention(hsi_up, hr_msi)
        high_pass = self.high_pass(hsi_up, hr_msi)
        *injections, last = self.injections
        for stage, inject in zip(self.stages, injections, strict=True):
            attention, x = stage(attention, x, inject(x, high_pass))
        residual: Tensor = self.output(torch.cat([last(x, high_pass), x], dim=1))
        return residual
