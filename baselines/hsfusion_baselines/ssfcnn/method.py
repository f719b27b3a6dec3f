"""SSF-CNN and ConSSF-CNN as methods of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import SSRNET_COMPARISON
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem

if TYPE_CHECKING:
    import torch


class SSFCNNMethod(SupervisedMethod):
    """Spatial and spectral fusion CNN (Han et al. 2018), as the authors of SSR-NET run it."""

    card = CARDS["ssfcnn"]
    recipe = SSRNET_COMPARISON
    local = True
    distance = "mse"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh SSF-CNN."""
        from hsfusion_baselines.ssfcnn.network import SSFCNN

        return SSFCNN(problem.bands, problem.msi_bands)


class ConSSFCNNMethod(SupervisedMethod):
    """ConSSF-CNN as the authors of SSR-NET run it: a slip in their code leaves one convolution of the three."""

    card = CARDS["conssfcnn"]
    recipe = SSRNET_COMPARISON
    local = True
    distance = "mse"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh network of the code."""
        from hsfusion_baselines.ssfcnn.network import ConSSFCNN

        return ConSSFCNN(problem.bands, problem.msi_bands, inputs="images")


class ConSSFCNNPaperMethod(SupervisedMethod):
    """ConSSF-CNN as the paper (Han et al. 2018) has it. Not compared with any authors' code."""

    card = CARDS["conssfcnn:paper"]
    recipe = SSRNET_COMPARISON
    local = True
    distance = "mse"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh network of the paper."""
        from hsfusion_baselines.ssfcnn.network import ConSSFCNN

        return ConSSFCNN(problem.bands, problem.msi_bands, inputs="features")
