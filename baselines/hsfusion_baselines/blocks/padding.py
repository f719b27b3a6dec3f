"""Sizes that a network with strides does not take, made to fit."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

__all__ = ["pad_pair"]


def pad_pair(lr_hsi: Tensor, hr_msi: Tensor, multiple: int) -> tuple[Tensor, Tensor]:
    """Enlarge both images of a scene, by whole LR pixels, until the HR sides are multiples of a number.

    Parameters
    ----------
    lr_hsi, hr_msi
        [N, bands, h, w] and [N, msi_bands, h*scale, w*scale].
    multiple
        What the HR sides must be multiples of.

    Returns
    -------
    tuple of Tensor
        The images with their last rows and columns repeated; as they were where nothing is missing.
    """
    scale = hr_msi.shape[-1] // lr_hsi.shape[-1]
    bottom, right = (
        next(extra for extra in range(multiple) if (side + extra) * scale % multiple == 0) for side in lr_hsi.shape[-2:]
    )
    if not bottom and not right:
        return lr_hsi, hr_msi
    return (
        functional.pad(lr_hsi, (0, right, 0, bottom), mode="replicate"),
        functional.pad(hr_msi, (0, scale * right, 0, scale * bottom), mode="replicate"),
    )
