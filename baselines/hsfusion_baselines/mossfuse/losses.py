"""MossFuse's losses. They take the two images of a scene and nothing else: there is no place for a reference.

Two objectives share one optimiser step. The network is asked for a result that explains both images through
the cameras as they are believed to be; the cameras are asked to agree on the LR-MSI. Neither objective may
move the other's parameters. The authors switch ``requires_grad`` between two backward passes; here the
network's objective sees the cameras detached, and the cameras' objective does not see the network, so that
the gradient of the sum is the same.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from hsfusion_baselines.blocks.losses import decoupling
from hsfusion_baselines.mossfuse.degradation import common_samples, degrade_spatially, degrade_spectrally
from hsfusion_baselines.mossfuse.network import MossFuse

__all__ = ["degradation_loss", "loss_terms", "network_loss_terms"]

DECOUPLING_WEIGHT = 0.1


def network_loss_terms(network: MossFuse, hr_msi: Tensor, lr_hsi: Tensor) -> dict[str, Tensor]:
    """Return the terms of the network's objective, weighted; the cameras are held fixed.

    Parameters
    ----------
    network
        The network.
    hr_msi
        [N, msi_bands, h*scale, w*scale].
    lr_hsi
        [N, bands, h, w].

    Returns
    -------
    dict of Tensor
        "decoupling", "spatial" (the result through the PSF against `lr_hsi`) and "spectral" (the result
        through the SRF against `hr_msi`), scalars whose sum is the objective.
    """
    features = network.encode(hr_msi, lr_hsi)
    fused = network.fusion_decoder(features)
    psf, srf = network.degradation.psf().detach(), network.degradation.srf().detach()
    samples = degrade_spatially(fused, psf, network.scale)
    return {
        "decoupling": DECOUPLING_WEIGHT
        * decoupling((features.shared_msi, features.shared_hsi), (features.complement_msi, features.complement_hsi)),
        "spatial": functional.l1_loss(samples, common_samples(lr_hsi, samples)),
        "spectral": functional.l1_loss(degrade_spectrally(fused, srf), hr_msi),
    }


def degradation_loss(network: MossFuse, hr_msi: Tensor, lr_hsi: Tensor) -> Tensor:
    """Return the disagreement of the two LR-MSIs, a scalar; arguments as of `network_loss_terms`."""
    from_hsi, from_msi = network.degradation(hr_msi, lr_hsi)
    return functional.l1_loss(common_samples(from_hsi, from_msi), from_msi)


def loss_terms(network: MossFuse, hr_msi: Tensor, lr_hsi: Tensor) -> dict[str, Tensor]:
    """Return the terms of both objectives, to minimise as one sum; arguments as of `network_loss_terms`."""
    return {
        **network_loss_terms(network, hr_msi, lr_hsi),
        "degradation": degradation_loss(network, hr_msi, lr_hsi),
    }
