"""MossFuse's losses. They take the two images of a scene and nothing else: there is no place for a reference.

Two objectives share one optimiser step. The network is asked for a result that explains both images through
the cameras as they are believed to be; the cameras are asked to agree on the LR-MSI. Neither objective may
move the other's parameters. The authors switch ``requires_grad`` between two backward passes; here the
network's objective sees the cameras detached, and the cameras' objective does not see the network, so that
the gradient of the sum is the same.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from hsfusion_baselines.mossfuse.degradation import common_samples, degrade_spatially, degrade_spectrally
from hsfusion_baselines.mossfuse.network import Features, MossFuse

__all__ = ["decoupling", "degradation_loss", "loss_terms", "network_loss_terms"]

DECOUPLING_WEIGHT = 0.1


def decoupling(features: Features) -> Tensor:
    """Return how far the shared features are from alike and the complementary ones from different.

    The negative logarithm of p / (p + n): p is the exponential of the cosine of the two shared features; n
    sums those of (shared, complement) of the MSI, the same of the HSI, and of the two complements. Each
    feature is taken as one long vector, the batch included.

    Returns
    -------
    Tensor
        A scalar, between log(1 + 3/e^2) = 0.34 and log(1 + 3 e^2) = 3.14.
    """
    shared_msi, complement_msi, shared_hsi, complement_hsi = (feature.flatten() for feature in features)
    pairs = (
        (shared_msi, shared_hsi),
        (shared_msi, complement_msi),
        (shared_hsi, complement_hsi),
        (complement_msi, complement_hsi),
    )
    cosines = torch.stack([functional.cosine_similarity(a, b, dim=0) for a, b in pairs])
    return cosines.logsumexp(dim=0) - cosines[0]


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
        "decoupling": DECOUPLING_WEIGHT * decoupling(features),
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
