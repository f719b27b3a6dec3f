"""Losses that several networks are trained with."""

from __future__ import annotations

import torch
from torch.nn import functional

__all__ = ["spatial_edges", "spectral_edges", "ssim"]

_SIZE, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


def ssim(fused: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Return the mean structural similarity of two batches, differentiable.

    Wang et al. 2004 as in the index `hsfusion_metrics.ssim`: Gaussian window of 11x11 pixels, sigma 1.5, biased
    moments, only whole windows, values in [0, 1].

    Parameters
    ----------
    fused, reference
        [N, C, H, W], sides of 11 pixels at least.

    Returns
    -------
    Tensor
        A scalar, at most 1.
    """
    channels = fused.shape[1]
    axis = torch.arange(_SIZE, device=fused.device, dtype=fused.dtype) - _SIZE // 2
    window = torch.exp(-(axis**2) / (2 * _SIGMA**2))
    window = (window / window.sum()).expand(channels, 1, _SIZE)

    def blur(image: torch.Tensor) -> torch.Tensor:
        rows = functional.conv2d(image, window[..., None], groups=channels)
        return functional.conv2d(rows, window[..., None, :], groups=channels)

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
