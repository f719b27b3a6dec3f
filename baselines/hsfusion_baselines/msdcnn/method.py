"""MSDCNN as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import SSRNET_COMPARISON
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem

if TYPE_CHECKING:
    import torch


class MSDCNNMethod(SupervisedMethod):
    """Multiscale and multidepth network (Yuan et al. 2018), as the authors of SSR-NET carried it over."""

    card = CARDS["msdcnn"]
    recipe = SSRNET_COMPARISON
    local = True
    distance = "mse"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh MSDCNN."""
        from hsfusion_baselines.msdcnn.network import MSDCNN

        return MSDCNN(problem.bands, problem.msi_bands)
