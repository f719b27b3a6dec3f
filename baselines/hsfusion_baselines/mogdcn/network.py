"""The network of MoG-DCN (Dong et al., "Model-Guided Deep Hyperspectral Image Super-resolution", IEEE TIP 30, 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hsfusion_baselines.mogdcn.denoiser import CODE, WIDTH, Denoiser

__all__ = ["MoGDCN"]


class MoGDCN(nn.Module):
    """Four stages of an unfolded half-quadratic splitting, each of two gradient steps with one shared denoiser.

    Blur, spectral response and their adjoints are learned convolutions. The published code declares more step sizes
    than it uses, and two more PReLUs: twelve numbers that are left out here.

    Parameters
    ----------
    bands, msi_bands
        Bands of the HSI and of the MSI.
    scale
        Ratio of the two resolutions: the stride of the 7x7 blur. Only 8 was compared with the published code, which
        has no other.
    """

    def __init__(self, bands: int, msi_bands: int, scale: int) -> None:
        super().__init__()
        self.inner_step, self.inner_weight, self.outer_step, self.outer_weight = (
            nn.Parameter(torch.tensor(value)) for value in (0.1, 0.9, 0.1, 0.9)
        )
        self.denoiser = Denoiser(bands)
        self.embed = nn.Conv2d(bands, WIDTH, 3, padding=1)
        # Alternately before the first and before the second denoising of a stage. The first hears of all earlier
        # stages (of none in the first stage, which needs no layer), the second of the first.
        self.joins = nn.ModuleList(
            nn.Conv2d(WIDTH + codes * CODE, WIDTH, 3, padding=1) for codes in (1, 1, 1, 2, 1, 3, 1)
        )
        self.blur = nn.Conv2d(bands, bands, 7, stride=scale, padding=3)
        self.unblur = nn.ConvTranspose2d(bands, bands, 7, stride=scale, padding=3)
        self.respond = nn.Conv2d(bands, msi_bands, 3, padding=1)
        self.unrespond = nn.Conv2d(msi_bands, bands, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_normal_(module.weight)

    def forward(self, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Fuse a batch.

        Parameters
        ----------
        lr_hsi
            [N, bands, h, w], values in [0, 1].
        hr_msi
            [N, msi_bands, h*scale, w*scale], values in [0, 1].

        Returns
        -------
        Tensor
            [N, bands, h*scale, w*scale], unclipped.
        """
        x = interpolate(lr_hsi, size=hr_msi.shape[-2:], mode="bicubic", align_corners=False)
        codes: list[Tensor] = []
        for stage in range(4):
            first = self.embed(x)
            if stage:
                first = self.joins[2 * stage - 1](torch.cat([first, *codes], dim=1))
            residual, code = self.denoiser(first)
            codes.append(code)
            z = self.inner(x, x + residual, hr_msi)
            second = self.joins[2 * stage](torch.cat([self.embed(z), code], dim=1))
            denoised = z + self.denoiser(second)[0]
            x = self.outer(x, denoised, lr_hsi, hr_msi) if stage < 3 else denoised
        return x

    def inner(self, x: Tensor, denoised: Tensor, hr_msi: Tensor) -> Tensor:
        """Return the estimate after the step that knows the MSI alone.

        The denoised image enters with the sign of the published code; in a descent it would be the other.
        """
        step, weight = self.inner_step, self.inner_weight
        out: Tensor = x + step * (self.spectral_error(x, hr_msi) - weight * (x + denoised))
        return out

    def outer(self, x: Tensor, denoised: Tensor, lr_hsi: Tensor, hr_msi: Tensor) -> Tensor:
        """Return the estimate after the step that knows both images."""
        step, weight = self.outer_step, self.outer_weight
        spatial = self.unblur(self.blur(x) - lr_hsi, output_size=x.shape[-2:])
        out: Tensor = x + step * (self.spectral_error(x, hr_msi) + spatial + weight * (denoised - x))
        return out

    def spectral_error(self, x: Tensor, hr_msi: Tensor) -> Tensor:
        """Return what of the MSI an estimate does not explain, brought back to all bands."""
        out: Tensor = self.unrespond(hr_msi - self.respond(x))
        return out
