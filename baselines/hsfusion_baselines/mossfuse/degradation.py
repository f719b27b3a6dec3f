"""How MossFuse learns the two cameras: a Gaussian PSF and a free SRF, from the two images alone.

Geometry. LR pixel k lies at HR index ``scale*k + phase`` (in both directions), so its PSF has ``2*phase + 1``
taps and weighs the HR window ``[scale*k, scale*k + 2*phase]``: a convolution without padding, sampled from
index 0. The published PSF of ``scale - 1`` taps is the case ``phase = scale/2 - 1``. With
``2*phase >= scale`` the window of the last LR pixels leaves the image: those samples do not exist, and
`common_samples` leaves them out of a comparison.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["BlindDegradation", "common_samples", "degrade_spatially", "degrade_spectrally"]


def degrade_spatially(image: Tensor, psf: Tensor, scale: int) -> Tensor:
    """Weigh the window of every LR sample by the PSF.

    Parameters
    ----------
    image
        [N, C, H, W].
    psf
        [size, size].
    scale
        Distance of two samples in `image`.

    Returns
    -------
    Tensor
        [N, C, (H - size) // scale + 1, (W - size) // scale + 1]: only samples whose window lies in the image.

    Raises
    ------
    ValueError
        If the image is smaller than the PSF.
    """
    size = len(psf)
    if min(image.shape[-2:]) < size:
        raise ValueError(
            f"an image of {image.shape[-2]}x{image.shape[-1]} pixels holds no whole window of the "
            f"{size}x{size} PSF; use larger images or patches"
        )
    planes = image.flatten(0, 1).unsqueeze(1)
    samples = functional.conv2d(planes, psf[None, None], stride=scale)
    return samples.reshape(*image.shape[:2], *samples.shape[2:])


def degrade_spectrally(image: Tensor, srf: Tensor) -> Tensor:
    """Apply an SRF [msi_bands, bands] to an image [N, bands, H, W]; return [N, msi_bands, H, W]."""
    return functional.conv2d(image, srf[:, :, None, None])


def common_samples(lr_image: Tensor, samples: Tensor) -> Tensor:
    """Return the part of an LR image [N, C, h, w] that has `samples` [N, C, h', w'] to compare with."""
    return lr_image[..., : samples.shape[-2], : samples.shape[-1]]


class BlindDegradation(nn.Module):
    """The PSF and the SRF, learnt from an LR-HSI and an HR-MSI that both, once degraded, give one LR-MSI.

    The SRF starts uniform; its rows are divided by their sums. The PSF is a Gaussian whose inverse covariance
    is M^T M, where M is the lower triangle of a 2x2 parameter that starts at 5 I (almost a single tap).

    Parameters
    ----------
    bands, msi_bands
        Numbers of bands of the two images.
    scale
        Ratio of the two resolutions.
    phase
        HR index of LR pixel 0: an integer or half of one, at least 0 and below `scale`. With phase 0 the
        PSF is one tap, and no blur can be learnt.

    Raises
    ------
    ValueError
        If the phase is not such a number.
    """

    offsets: Tensor

    def __init__(self, bands: int, msi_bands: int, scale: int, phase: float) -> None:
        super().__init__()
        if not (0 <= phase < scale and float(2 * phase).is_integer()):
            raise ValueError(f"phase must be a multiple of 0.5 in [0, {scale}) at scale {scale}, not {phase}")
        self.scale = scale
        self.response = nn.Parameter(torch.ones(msi_bands, bands))
        self.root = nn.Parameter(5 * torch.eye(2))
        axis = torch.arange(int(2 * phase) + 1) - phase
        grid = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).to(torch.get_default_dtype())
        self.register_buffer("offsets", grid, persistent=False)

    def psf(self) -> Tensor:
        """Return the PSF [2*phase + 1, 2*phase + 1], rows first; it sums to 1."""
        distance = (self.offsets @ self.root.tril().mT).square().sum(dim=-1)
        weight = torch.exp(-0.5 * distance)
        return weight / weight.sum()

    def srf(self) -> Tensor:
        """Return the SRF [msi_bands, bands]; each row sums to 1."""
        return self.response / self.response.sum(dim=1, keepdim=True)

    def forward(self, hr_msi: Tensor, lr_hsi: Tensor) -> tuple[Tensor, Tensor]:
        """Return the LR-MSI made from each of the two images.

        Parameters
        ----------
        hr_msi
            [N, msi_bands, h*scale, w*scale].
        lr_hsi
            [N, bands, h, w].

        Returns
        -------
        tuple of Tensor
            From `lr_hsi` by the SRF, [N, msi_bands, h, w], and from `hr_msi` by the PSF, the same shape or
            less at the far edges (see the module's geometry); both clamped to [0, 1].
        """
        from_hsi = degrade_spectrally(lr_hsi, self.srf()).clamp(0, 1)
        from_msi = degrade_spatially(hr_msi, self.psf(), self.scale).clamp(0, 1)
        return from_hsi, from_msi
