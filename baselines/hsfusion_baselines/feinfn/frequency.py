"""The frequency branch of FeINFN: amplitudes and phases fused apart, then transformed back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hsfusion_baselines.feinfn.implicit import PhaseQuery, PixelQuery, Upsampling

__all__ = ["FrequencyFusion", "polar_spectrum"]


class FrequencyFusion(nn.Module):
    """Frequency implicit fusion: query the spectra of LR features at the bins of the HR guide's spectra.

    Parameters are those of `PixelQuery`, which queries the amplitudes; `PhaseQuery` queries the phases.
    """

    def __init__(self, features: int, hidden: Sequence[int], out: int, upsampling: Upsampling) -> None:
        super().__init__()
        self.amplitude = PixelQuery(features, hidden, out, upsampling, detail=False)
        self.phase = PhaseQuery(features, hidden, out, upsampling)

    def forward(self, lr: Tensor, guide: Tensor) -> Tensor:
        """Return the modulus of the fused spectrum's inverse transform.

        Parameters
        ----------
        lr
            [N, features, h, w].
        guide
            [N, features, H, W].

        Returns
        -------
        Tensor
            [N, H, W, out], not negative; float32 under mixed precision, too: bfloat16 has no Fourier transforms and no
            complex numbers.
        """
        if torch.is_autocast_enabled(lr.device.type):
            with torch.autocast(lr.device.type, enabled=False):
                single: Tensor = self(lr.float(), guide.float())
                return single
        lr_amplitude, lr_phase = polar_spectrum(lr)
        guide_amplitude, guide_phase = polar_spectrum(guide)
        amplitude = self.amplitude(lr_amplitude, guide_amplitude)
        del lr_amplitude, guide_amplitude  # as large as the guide: without them the phases peak lower
        phase = self.phase(lr_phase, guide_phase)
        spectrum = torch.complex(amplitude * phase.cos(), amplitude * phase.sin())
        feature: Tensor = torch.fft.ifft2(spectrum, dim=(1, 2)).abs()
        return feature


def polar_spectrum(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return amplitude and phase of the two-dimensional Fourier transform of real maps.

    A real map's transform is real at the bins that are their own mirror image (row 0 or H/2, column 0 or
    W/2). An FFT leaves a zero or a rounding error of either sign in the imaginary part there, which would
    make the phase of a negative value +pi or -pi by accident. The imaginary part of those bins is set to +0,
    so that the phase is +pi.

    Parameters
    ----------
    x
        [N, C, H, W], real.

    Returns
    -------
    tuple of Tensor
        Amplitude and phase in radians, (-pi, pi], both [N, C, H, W].
    """
    height, width = x.shape[-2:]
    half = torch.fft.rfft2(x)
    imaginary = half.imag.masked_fill(_self_mirrored(height, width, x.device), 0.0)
    phase = torch.atan2(imaginary, half.real)
    return _unfold(half.abs(), width), _unfold(phase, width, sign=-1)


def _self_mirrored(height: int, width: int, device: torch.device) -> Tensor:
    """Return the mask of the half spectrum's self-conjugate bins, [H, W // 2 + 1]."""
    rows = torch.arange(height, device=device) * 2 % height == 0
    columns = torch.arange(width // 2 + 1, device=device) * 2 % width == 0
    return rows[:, None] & columns


def _unfold(half: Tensor, width: int, sign: int = 1) -> Tensor:
    """Return the whole of a spectrum of which a real FFT gave half: bin (-r, -c) is `sign` times bin (r, c)."""
    mirrored = half[..., 1 : (width + 1) // 2].flip(-2, -1).roll(1, dims=-2)
    return torch.cat([half, sign * mirrored], dim=-1)
