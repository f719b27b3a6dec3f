"""MATLAB's bicubic enlargement on tensors."""

from __future__ import annotations

import torch

from hsfusion_bench.methods import bicubic_matrix

__all__ = ["upsample_bicubic"]


def upsample_bicubic(image: torch.Tensor, scale: int) -> torch.Tensor:
    """Enlarge a batch as MATLAB's ``imresize`` does.

    torch's own bicubic has another kernel (a = -0.75 where MATLAB has -0.5), so the enlargement is written as two
    matrix products.

    Parameters
    ----------
    image
        [N, C, h, w].
    scale
        Factor, 2 or more.

    Returns
    -------
    Tensor
        [N, C, h*scale, w*scale].
    """
    rows, columns = (
        torch.tensor(bicubic_matrix(side, scale), dtype=image.dtype, device=image.device) for side in image.shape[-2:]
    )
    return rows @ image @ columns.mT
