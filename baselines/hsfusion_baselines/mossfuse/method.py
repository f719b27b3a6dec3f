"""MossFuse as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hsfusion_baselines.cards import CARDS
from hsfusion_bench.methods import Batch, HsbenchError, NetworkMethod, Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "MossFuse train.py @878207c"


class MossFuseMethod(NetworkMethod):
    """Self-supervised fusion by modality decoupling (Du et al., arXiv 2412.04802).

    Learns from the two images alone, and learns their PSF and SRF with them. One block a stage, as in the released
    checkpoint; the authors' training script has three.
    """

    card = CARDS["mossfuse"]
    recipe = Recipe(
        supervision="none",
        optimiser="adam",
        learning_rate=9e-5,
        final_learning_rate=1e-6,
        schedule_epochs=98_000,
        per_epoch=True,
        epochs=500,
        patches_per_epoch=980,
        batch_size=2,
        patch=128,
        stride=64,
        validation=False,
        shuffle=False,
        turns="all",
        loss="0.1 decoupling + L1(LR-HSI) + L1(HR-MSI), cameras held; L1 of the two LR-MSIs for the cameras",
        source="the authors' training script: 20 scenes of 7x7 patches of 128x128",
        sources={
            **dict.fromkeys(
                ("optimiser", "learning_rate", "final_learning_rate", "epochs", "batch_size", "shuffle", "loss"),
                _SCRIPT,
            ),
            **dict.fromkeys(("patches_per_epoch", "patch", "stride", "turns"), "MossFuse dataset.py @878207c"),
            "schedule_epochs": f"{_SCRIPT}: T_max counts the iterations of 200 epochs, but the schedule is stepped "
            "once an epoch, so that the rate stays at 9e-5 to within 0.01 %",
            "per_epoch": _SCRIPT,
            "validation": "ours: a method that sees no reference may train on every patch",
        },
    )
    variants: ClassVar[Mapping[str, Recipe]] = {
        "text": replace(
            recipe,
            schedule_epochs=200,
            per_epoch=False,
            shuffle=True,
            source="what the script's T_max means and the paper says: the rate falls over 200 epochs",
            sources={
                **recipe.sources,
                "schedule_epochs": f"{_SCRIPT}: 200 epochs' worth of iterations",
                "per_epoch": "ours: that is what the number means",
                "shuffle": "ours: the text does not say",
            },
        )
    }

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh MossFuse, 1 block a stage."""
        from hsfusion_baselines.mossfuse.network import MossFuse

        return MossFuse(problem.bands, problem.msi_bands, problem.scale, problem.phase)

    def predict(
        self, network: torch.nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem
    ) -> torch.Tensor:
        """Return the fused batch."""
        fused: torch.Tensor = network(hr_msi, lr_hsi)
        return fused

    def loss(self, network: torch.nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        """Return the terms of both objectives; the batch holds no reference."""
        from hsfusion_baselines.mossfuse.losses import loss_terms
        from hsfusion_baselines.mossfuse.network import MossFuse

        assert isinstance(network, MossFuse)
        return loss_terms(network, batch.hr_msi, batch.lr_hsi)

    def read_authors_weights(self, path: Path, problem: Problem) -> Mapping[str, torch.Tensor]:
        """Read the authors' ``CAVE_32_model.pth`` and files like it."""
        from hsfusion_baselines.mossfuse.authors import read_authors_checkpoint
        from hsfusion_baselines.mossfuse.network import MossFuse

        network = self.build(problem)
        assert isinstance(network, MossFuse)
        try:
            return read_authors_checkpoint(path, network)
        except ValueError as error:
            raise HsbenchError(str(error)) from error
