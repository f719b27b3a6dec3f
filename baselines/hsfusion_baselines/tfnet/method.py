"""TFNet and ResTFNet as methods of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import SSRNET_COMPARISON
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem

if TYPE_CHECKING:
    import torch


class TFNetMethod(SupervisedMethod):
    """Two-stream fusion network (Liu et al. 2020), as the authors of SSR-NET carried it over to HSI and MSI.

    The 2.387 M parameters that tables print for ResTFNet at 31 + 3 bands are those of this network.
    """

    card = CARDS["tfnet"]
    recipe = SSRNET_COMPARISON
    multiple = 4
    distance = "mse"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh TFNet."""
        from hsfusion_baselines.tfnet.network import TFNet

        return TFNet(problem.bands, problem.msi_bands)


class ResTFNetMethod(SupervisedMethod):
    """Residual two-stream fusion network (Liu et al. 2020), as the authors of SSR-NET carried it over."""

    card = CARDS["restfnet"]
    recipe = SSRNET_COMPARISON
    multiple = 4
    distance = "mse"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh ResTFNet."""
        from hsfusion_baselines.tfnet.network import ResTFNet

        return ResTFNet(problem.bands, problem.msi_bands)
