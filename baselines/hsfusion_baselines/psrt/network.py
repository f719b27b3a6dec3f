"""The network of PSRT (Deng et al., "PSRT: Pyramid Shuffle-and-Reshuffle Transformer", IEEE TGRS 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hsfusion_baselines.blocks.upsampling import upsample_bicubic
from hsfusion_baselines.blocks.windows import WindowBlock, from_quadrants, to_quadrants

__all__ = ["PSRT", "ShuffleBlock"]

_LOGIT_SCALE = 4.0  # a literal of the authors' code, whatever the width of a head


class ShuffleBlock(nn.Module):
    """Three window blocks, the middle one on shuffled pixels, and a residual around them.

    The shuffle gathers cells of half a window by the parity of their row and column into the four quadrants of the
    whole image: neighbours in a window then come from two windows' distance.

    Parameters
    ----------
    features, heads
        Width, and number of attention heads.
    window
        Side of a window, even.
    """

    def __init__(self, features: int, heads: int, window: int) -> None:
        super().__init__()
        self.cell = window // 2
        self.first, self.shuffled, self.last = (
            WindowBlock(features, heads, window, scale=_LOGIT_SCALE) for _ in range(3)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the transformed pixels, [N, H, W, features] as `x`; the sides are multiples of the window."""
        y = self.shuffled(to_quadrants(self.first(x), self.cell))
        y = self.last(from_quadrants(y, self.cell))
        out: Tensor = x + y
        return out


class PSRT(nn.Module):
    """Pyramid shuffle-and-reshuffle transformer.

    A convolution embeds the enlarged LR-HSI and the HR-MSI together; pyramids of shuffle blocks with ever smaller
    windows follow; a convolution and a leaky ReLU (slope 0.2) give the residual to the enlarged LR-HSI.

    The defaults are the published network: 247,455 parameters at 31 + 3 bands. It has no positional bias.

    Parameters
    ----------
    bands, msi_bands, scale
        The problem.
    features, heads
        Width, and number of attention heads.
    pyramids
        Number of pyramids.
    windows
        Sides of the windows of a pyramid's blocks.
    """

    def __init__(
        self,
        bands: int = 31,
        msi_bands: int = 3,
        scale: int = 4,
        *,
        features: int = 32,
        heads: int = 8,
        pyramids: int = 2,
        windows: tuple[int, ...] = (8, 4, 2),
    ) -> None:
        super().__init__()
        self.scale = scale
        self.embed = nn.Conv2d(bands + msi_bands, features, 3, padding=1)
        self.pyramids = nn.ModuleList(
            nn.Sequential(*(ShuffleBlock(features, heads, window) for window in windows)) for _ in range(pyramids)
        )
        self.output = nn.Conv2d(features, bands, 3, padding=1)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
            elif isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1].
        hr_msi
            [N, msi_bands, h*scale, w*scale], values in [0, 1]; the sides are multiples of the largest window.

        Returns
        -------
        Tensor
            [N, bands, h*scale, w*scale], not clipped.
        """
        return self.fuse(upsample_bicubic(lr_hsi, self.scale), hr_msi)

    def fuse(self, hsi_up: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse an already enlarged LR-HSI, [N, bands, H, W], with an HR-MSI: what the authors' network does."""
        x = self.embed(torch.cat([hsi_up, hr_msi], dim=1)).permute(0, 2, 3, 1)
        for pyramid in self.pyramids:
            x = pyramid(x)
        residual = nn.functional.leaky_relu(self.output(x.permute(0, 3, 1, 2)), 0.2)
        return hsi_up + residual
