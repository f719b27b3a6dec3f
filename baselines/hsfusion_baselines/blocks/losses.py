"""Losses that several networks are trained with."""

from __future__ import annotations

import torch
from torch.nn import functional

__all__ = ["decoupling", "spatial_edges", "spectral_angle", "spectral_edges", "ssim"]

_SIZE, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


def ssim(fused: torch.Tensor, reference: torch.Tensor, *, size: int = _SIZE, padded: bool = False) -> torch.Tensor:
    """Return the mean structural similarity of two batches, differentiable.

    Wang et al. 2004 as in the index `hsfusion_metrics.ssim`: Gaussian window, sigma 1.5, biased moments, values in
    [0, 1].

    Parameters
    ----------
    fused, reference
        [N, C, H, W], sides of `size` pixels at least unless `padded`.
    size
        Side of the window in pixels, odd; that of the index is 11.
    padded
        Whether images are padded with zeros, so that each pixel has a window, as many a training code has it; else only
        whole windows count, as in the index.

    Returns
    -------
    Tensor
        A scalar, at most 1.
    """
    channels, margin = fused.shape[1], size // 2 * padded
    axis = torch.arange(size, device=fused.device, dtype=fused.dtype) - size // 2
    window = torch.exp(-(axis**2) / (2 * _SIGMA**2))
    window = (window / window.sum()).expand(channels, 1, size)

    def blur(image: torch.Tensor) -> torch.Tensor:
        rows = functional.conv2d(image, window[..., None], groups=channels, padding=(margin, 0))
        return functional.conv2d(rows, window[..., None, :], groups=channels, padding=(0, margin))

    mean_x, mean_y = blur(fused), blur(reference)
    var_x = blur(fused * fused) - mean_x**2
    var_y = blur(reference * reference) - mean_y**2
    covariance = blur(fused * reference) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    structure = (2 * covariance + _C2) / (var_x + var_y + _C2)
    return (luminance * structure).mean()


def spatial_edges(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the differences of neighbouring rows and of neighbouring columns.

    Parameters
    ----------
    image
        [N, C, H, W].

    Returns
    -------
    tuple of Tensor
        [N, C, H - 1, W] and [N, C, H, W - 1]: each pixel less the next one.
    """
    return -image.diff(dim=-2), -image.diff(dim=-1)


def spectral_edges(image: torch.Tensor) -> torch.Tensor:
    """Return the differences of neighbouring bands, [N, C - 1, H, W], of an image [N, C, H, W]."""
    return -image.diff(dim=1)


def spectral_angle(fused: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Return the mean angle between the spectra of two batches, in radians, differentiable.

    Parameters
    ----------
    fused, reference
        [N, C, H, W]. Where a spectrum is zero the angle counts as a right one.

    Returns
    -------
    Tensor
        A scalar in [0, pi]. The cosine is kept 1e-6 away from 1 and -1, where the angle has no slope.
    """
    cosine = functional.cosine_similarity(fused, reference, dim=1)
    return cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos().mean()


def decoupling(
    shared: tuple[torch.Tensor, torch.Tensor], complement: tuple[torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """Return how far shared features of two modalities are from alike, and complementary ones from different.

    MossFuse (Du et al., arXiv 2412.04802): the negative logarithm of p / (p + n), where p is the exponential of the
    cosine of the two shared features, and n sums those of each modality's shared and complementary feature, and of the
    two complements. Each feature is taken as one long vector, the batch included.

    Parameters
    ----------
    shared, complement
        Features of the first and of the second modality, all of one shape.

    Returns
    -------
    Tensor
        A scalar, between log(1 + 3/e^2) = 0.34 and log(1 + 3 e^2) = 3.14.
    """
    first, second = (feature.flatten() for feature in shared)
    other_first, other_second = (feature.flatten() for feature in complement)
    pairs = ((first, second), (first, other_first), (second, other_second), (other_first, other_second))
    cosines = torch.stack([functional.cosine_similarity(a, b, dim=0) for a, b in pairs])
    return cosines.logsumexp(dim=0) - cosines[0]
