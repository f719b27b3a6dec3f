"""The loss that MIMO-SST is trained with."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from hsfusion_baselines.blocks.upsampling import upsample_bicubic
from hsfusion_baselines.mimo_sst.network import MIMOSST

__all__ = ["fourier_distance", "loss_terms"]

FOURIER_WEIGHT = 0.01


def fourier_distance(fused: Tensor, reference: Tensor) -> Tensor:
    """Return the mean modulus of the difference of two batches' unnormalised Fourier transforms, a scalar."""
    distance: Tensor = torch.fft.fft2(fused - reference).abs().mean()
    return distance


def loss_terms(network: MIMOSST, lr_hsi: Tensor, hr_msi: Tensor, hr_hsi: Tensor) -> dict[str, Tensor]:
    """Return L1 and the weighted Fourier distance, both summed over the three sizes.

    The references of half and quarter size are every second and fourth pixel. The sides of `hr_msi` and `hr_hsi` are
    multiples of 4.
    """
    results = network.pyramid(upsample_bicubic(lr_hsi, network.scale), hr_msi)
    references = [hr_hsi[..., ::step, ::step] for step in (1, 2, 4)]
    pairs = list(zip(results, references, strict=True))
    return {
        "l1": torch.stack([functional.l1_loss(*pair) for pair in pairs]).sum(),
        "fourier": FOURIER_WEIGHT * torch.stack([fourier_distance(*pair) for pair in pairs]).sum(),
    }
