"""JIIF as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.residual import FEINFN_RECIPE, ResidualMethod
from hsfusion_bench.methods import Problem

if TYPE_CHECKING:
    import torch


class JIIFMethod(ResidualMethod):
    """JIIF's query (Tang et al., ACM MM 2021), with the encoders and the recipe of FeINFN.

    Its parts equal the authors' code, at their sizes; for depth it has one band and deeper encoders. It is not `local`:
    cells outside the image have coordinate (0, 0), so that the outermost half cell depends on the image's size.
    """

    card = CARDS["jiif"]
    recipe = replace(
        FEINFN_RECIPE,
        source=(
            "ours: that of FeINFN, so that the methods differ by the query; published, for depth: Adam 1e-4, times 0.2 "
            "every 60 of 200 epochs, one image a batch, L1 (jiif scripts/train_jiif.sh @acfa3f9)"
        ),
        sources=dict.fromkeys(FEINFN_RECIPE.sources, "ours: as FeINFN's"),
    )

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh JIIF."""
        from hsfusion_baselines.jiif.network import JIIF

        return JIIF(problem.bands, problem.msi_bands)
