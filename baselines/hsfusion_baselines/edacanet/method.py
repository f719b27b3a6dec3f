"""EDACA-Net as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hsfusion_baselines.residual import FEINFN_RECIPE, ResidualMethod
from hsfusion_bench.methods import Card, Problem

if TYPE_CHECKING:
    import torch


class EDACANetMethod(ResidualMethod):
    """Entropy-driven adaptive clustering attention for continuous hyperspectral super-resolution.

    The clusters depend on the whole image. Overlapping patches of 64x64 HR pixels, as in training, are fused and
    merged, as the authors do.
    """

    card = Card(
        name="edacanet",
        title="EDACA-Net",
        family="inr",
        year=2025,
        reference=(
            "@misc{edacanet, title={Entropy-Driven Adaptive Clustering Attention for Continuous Hyperspectral Image "
            "Super-Resolution}, howpublished={https://github.com/vg219/EDACA-Net}, year={2025}}"
        ),
    )
    recipe = replace(
        FEINFN_RECIPE,
        epochs=1000,
        accumulate=1,
        ema=0.995,
        source=(
            "the authors' configuration and training script, which is set for Pavia there; ours: patches an epoch as "
            "for FeINFN, and the SSIM's window of 11 pixels (theirs has 5)"
        ),
    )
    default_tile = 64

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh EDACA-Net with the published options."""
        from hsfusion_baselines.edacanet.network import EDACANet

        return EDACANet(problem.bands, problem.msi_bands)
