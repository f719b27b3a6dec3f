"""LIIF as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.residual import FEINFN_RECIPE, ResidualMethod
from hsfusion_bench.methods import Problem

if TYPE_CHECKING:
    import torch


class LIIFMethod(ResidualMethod):
    """LIIF's query (Chen et al., CVPR 2021), with the encoders and the recipe of FeINFN.

    Its query and MLP equal the authors' code; the guide, the encoders and the residual are ours, for LIIF enlarges
    one image.
    """

    card = CARDS["liif"]
    recipe = replace(
        FEINFN_RECIPE,
        source=(
            "ours: that of FeINFN, so that the methods differ by the query; published, for photographs of three bands: "
            "Adam 1e-4, halved every 200 of 1000 epochs, batch 16, L1 (liif train_edsr-baseline-liif.yaml @4c833f8)"
        ),
        sources=dict.fromkeys(FEINFN_RECIPE.sources, "ours: as FeINFN's"),
    )
    local = True

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh LIIF."""
        from hsfusion_baselines.liif.network import LIIF

        return LIIF(problem.bands, problem.msi_bands)
