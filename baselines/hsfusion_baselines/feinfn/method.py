"""FeINFN as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.residual import FEINFN_RECIPE, FEINFN_TEXT, ResidualMethod
from hsfusion_bench.methods import HsbenchError, Problem, Recipe, option

if TYPE_CHECKING:
    import torch


Activation = Literal["gabor", "relu", "gelu", "leaky_relu"]
Branches = Literal["both", "spatial", "frequency"]
Upsampling = Literal["implicit", "bilinear", "bicubic"]
ACTIVATION = "activation of the decoder's frequency path"
BRANCHES = "which branches there are"
UPSAMPLING = "how LR features are queried at HR pixels"


@dataclass(frozen=True)
class FeINFNMethod(ResidualMethod):
    """Fourier-enhanced implicit neural fusion (Liang et al., NeurIPS 2024, arXiv 2404.15174).

    The features of its two branches are as wide as the HSI has bands, and one more, which is what the authors'
    configuration says for 31, 102 and 128 bands.
    """

    card = CARDS["feinfn"]
    recipe = FEINFN_RECIPE
    variants: ClassVar[Mapping[str, Recipe]] = {"text": FEINFN_TEXT}
    activation: Activation = option("gabor", ACTIVATION)
    branches: Branches = option("both", BRANCHES)
    upsampling: Upsampling = option("implicit", UPSAMPLING)

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh FeINFN."""
        from hsfusion_baselines.feinfn.network import FeINFN

        return FeINFN(
            problem.bands,
            problem.msi_bands,
            implicit=problem.bands + 1,
            activation=self.activation,
            branches=self.branches,
            upsampling=self.upsampling,
        )

    def read_authors_weights(self, path: Path, problem: Problem) -> Mapping[str, torch.Tensor]:
        """Read a state dictionary of the authors' network; there are none of its ablations."""
        if (self.activation, self.branches, self.upsampling) != ("gabor", "both", "implicit"):
            return super().read_authors_weights(path, problem)
        from hsfusion_baselines.feinfn.authors import read_authors_checkpoint

        try:
            return read_authors_checkpoint(path)
        except ValueError as error:
            raise HsbenchError(str(error)) from error
