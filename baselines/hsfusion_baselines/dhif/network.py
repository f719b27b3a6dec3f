"""The network of DHIF-Net (Huang et al., IEEE Transactions on Computational Imaging 8, 2022)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hsfusion_baselines.dhif.filters import WIDTH, FilterGenerator, filter_along

__all__ = ["DHIF"]


class DHIF(nn.Module):
    """An unfolded gradient descent whose regulariser draws each estimate to a filtered version of itself.

    Blur, spectral response and their adjoints are learned convolutions, each with a leaky ReLU; all stages share them
    and the network that makes the filters.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    scale
        Ratio of the two resolutions. The published ones are 4 (kernel 6 of the blur), 8 (kernel 12) and 16 (twice
        that of 4); tests compare 4. For others the kernel overlaps by a quarter of the scale likewise: ours.
    stages
        Steps of the descent.
    """

    def __init__(self, bands: int, msi_bands: int, scale: int, *, stages: int = 4) -> None:
        super().__init__()
        # The published start; step sizes and weights are random around it.
        self.weights = nn.ParameterList(
            nn.Parameter(torch.normal(mean, 0.01, (1,))) for _ in range(stages) for mean in (1.0, 0.1)
        )
        self.unrespond = nn.Sequential(nn.Conv2d(msi_bands, bands, 3, padding=1), nn.LeakyReLU())
        self.respond = nn.Sequential(nn.Conv2d(bands, msi_bands, 3, padding=1), nn.LeakyReLU())
        self.unblur = _resample(nn.ConvTranspose2d, bands, scale)
        self.blur = _resample(nn.Conv2d, bands, scale)
        self.generator = FilterGenerator(bands)
        self.embed = nn.Conv2d(bands + msi_bands, WIDTH, 3, padding=1)
        self.joins = nn.ModuleList(nn.Conv2d(WIDTH * (stage + 1), WIDTH, 3, padding=1) for stage in range(stages))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(module.weight)
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1].
        hr_msi
            [N, msi_bands, H, W]; H and W are multiples of 16.

        Returns
        -------
        Tensor
            [N, bands, H, W], unclipped.
        """
        x = interpolate(lr_hsi, size=hr_msi.shape[-2:], mode="bicubic", align_corners=False)
        features: list[Tensor] = []
        for stage, join in enumerate(self.joins):
            weight, step = self.weights[2 * stage], self.weights[2 * stage + 1]
            spectral = self.unrespond(self.respond(x) - hr_msi)
            spatial = self.unblur(self.blur(x) - lr_hsi)
            features.append(self.embed(torch.cat([x, hr_msi], dim=1)))
            filtered = x
            for axis, filters in zip((-1, -2, -3), self.generator(join(torch.cat(features, dim=1))), strict=True):
                filtered = filter_along(filtered, filters, axis)
            x = x - 2 * step * (spectral + spatial + weight * (x - filtered))
        return x


def _resample(conv: type[nn.Conv2d] | type[nn.ConvTranspose2d], bands: int, scale: int) -> nn.Sequential:
    """Return the learned blur or its adjoint."""
    factors = (4, 4) if scale == 16 else (scale,)
    layers: list[nn.Module] = []
    for factor in factors:
        overlap = (factor + 3) // 4
        layers += [conv(bands, bands, factor + 2 * overlap, stride=factor, padding=overlap), nn.LeakyReLU()]
    return nn.Sequential(*layers)
