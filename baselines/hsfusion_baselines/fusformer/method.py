"""Fusformer as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import CAVE_PATCHES
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "Fusformer main.py @b075443"


class FusformerMethod(SupervisedMethod):
    """Transformer whose tokens are all pixels of the image (Hu et al., IEEE GRSL 2022).

    Its work grows with the square of the number of pixels: the authors train and test on patches of 64x64, and larger
    images are fused in tiles of that size.
    """

    card = CARDS["fusformer"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=1e-3,
        final_learning_rate=1e-7,
        schedule="steps",
        schedule_epochs=1000,
        decay_every=200,
        decay=0.1,
        epochs=1000,
        patches_per_epoch=3136,
        batch_size=3,
        patch=64,
        stride=34,
        loss="L1",
        source="the authors' training script for CAVE",
        sources={
            **dict.fromkeys(
                ("optimiser", "learning_rate", "final_learning_rate", "schedule", "decay_every", "decay"), _SCRIPT
            ),
            **dict.fromkeys(("schedule_epochs", "epochs", "batch_size", "patch", "loss"), _SCRIPT),
            **dict.fromkeys(("patches_per_epoch", "stride"), CAVE_PATCHES),
        },
    )
    default_tile = 64
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh Fusformer of the published size."""
        from hsfusion_baselines.fusformer.network import Fusformer

        return Fusformer(problem.bands, problem.msi_bands, problem.scale)
