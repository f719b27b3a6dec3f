"""MIMO-SST as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Batch, Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "MIMO-SST train.py @06aacc1"
_DATA = "MIMO-SST DataSet.py and config.py @06aacc1"


class MIMOSSTMethod(SupervisedMethod):
    """Multi-input multi-output spatial-spectral transformer (Fang et al., IEEE TGRS 2024)."""

    card = CARDS["mimo-sst"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=1e-4,
        final_learning_rate=1e-4,
        schedule="constant",
        schedule_epochs=1001,
        epochs=1001,
        patches_per_epoch=19_220,
        batch_size=16,
        patch=32,
        stride=16,
        weight_decay=1e-8,
        validation=False,
        loss="L1 + 0.01 (modulus of the difference of the Fourier transforms), each at full, half and quarter size",
        source="the authors' training script for CAVE; the paper's loss has wavelets where it has Fourier transforms",
        sources={
            **dict.fromkeys(("optimiser", "learning_rate", "final_learning_rate", "schedule"), _SCRIPT),
            **dict.fromkeys(("schedule_epochs", "epochs", "batch_size", "weight_decay", "loss"), _SCRIPT),
            "patches_per_epoch": f"{_DATA}: 31 x 31 of each of 20 scenes",
            **dict.fromkeys(("patch", "stride"), _DATA),
            "validation": f"{_DATA}: every patch is trained on",
        },
    )
    multiple = 4
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh MIMO-SST of the published size."""
        from hsfusion_baselines.mimo_sst.network import MIMOSST

        return MIMOSST(problem.bands, problem.msi_bands, problem.scale)

    def loss(self, network: torch.nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        """Return the two terms, each summed over three sizes; the sides of a patch are multiples of 4."""
        from hsfusion_baselines.mimo_sst.losses import loss_terms
        from hsfusion_baselines.mimo_sst.network import MIMOSST

        assert isinstance(network, MIMOSST)
        assert batch.hr_hsi is not None
        return loss_terms(network, batch.lr_hsi, batch.hr_msi, batch.hr_hsi)
