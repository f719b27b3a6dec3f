"""3DT-Net as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "3DT-Net 3DT-Net/main.py @20cd516"
_DATA = "3DT-Net 3DT-Net/dataset.py @20cd516"


class Net3DTMethod(SupervisedMethod):
    """Unfolded optimisation with a 3D-CNN and transformer prior (Ma et al., Information Fusion 2023).

    Published for x8, and compared with the authors' code at x8 only.
    """

    card = CARDS["3dt-net"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=1e-4,
        final_learning_rate=5e-5,
        schedule="steps",
        schedule_epochs=100,
        decay_every=80,
        decay=0.5,
        epochs=100,
        patches_per_epoch=20_000,
        batch_size=8,
        patch=64,
        stride=8,
        turns="all",
        loss="L1",
        source="the authors' training script for CAVE",
        sources={
            **dict.fromkeys(
                ("optimiser", "learning_rate", "final_learning_rate", "schedule", "decay_every", "decay"), _SCRIPT
            ),
            **dict.fromkeys(("schedule_epochs", "epochs", "batch_size", "patch", "loss"), _SCRIPT),
            **dict.fromkeys(("patches_per_epoch", "turns"), _DATA),
            "stride": f"ours: {_DATA} crops anywhere",
        },
    )
    multiple = 8
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh 3DT-Net of the published size."""
        from hsfusion_baselines.net_3dt.network import Net3DT

        return Net3DT(problem.bands, problem.msi_bands, problem.scale)
