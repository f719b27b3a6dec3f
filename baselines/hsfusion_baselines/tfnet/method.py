"""TFNet and ResTFNet as methods of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.recipes import SSRNET_COMPARISON
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Card, Problem

if TYPE_CHECKING:
    import torch

REFERENCE = (
    "@article{liu2020tfnet, title={Remote sensing image fusion based on two-stream fusion network}, "
    "author={Liu, Xiangyu and Liu, Qingjie and Wang, Yunhong}, journal={Information Fusion}, "
    "volume={55}, pages={1--15}, year={2020}}"
)


class TFNetMethod(SupervisedMethod):
    """Two-stream fusion network (Liu et al. 2020), as the authors of SSR-NET carried it over to HSI and MSI.

    The 2.387 M parameters that tables print for ResTFNet at 31 + 3 bands are those of this network.
    """

    card = Card(name="tfnet", title="TFNet", family="cnn", year=2020, reference=REFERENCE)
    recipe = SSRNET_COMPARISON
    multiple = 4
    distance = "mse"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh TFNet."""
        from hsfusion_baselines.tfnet.network import TFNet

        return TFNet(problem.bands, problem.msi_bands)


class ResTFNetMethod(SupervisedMethod):
    """Residual two-stream fusion network (Liu et al. 2020), as the authors of SSR-NET carried it over."""

    card = Card(name="restfnet", title="ResTFNet", family="cnn", year=2020, reference=REFERENCE)
    recipe = SSRNET_COMPARISON
    multiple = 4
    distance = "mse"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh ResTFNet."""
        from hsfusion_baselines.tfnet.network import ResTFNet

        return ResTFNet(problem.bands, problem.msi_bands)
