"""DHIF-Net as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "DHIF-Net CAVE/Train.py @6434366"
_DATA = "DHIF-Net CAVE/CAVE_Dataset.py @6434366"


class DHIFMethod(SupervisedMethod):
    """Deep fusion with iterative spatio-spectral regularisation (Huang et al. 2022)."""

    card = CARDS["dhif"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=3e-4,
        final_learning_rate=3e-4 * 0.95**30,
        schedule="steps",
        schedule_epochs=150,
        decay_every=5,
        decay_offset=4,
        decay=0.95,
        epochs=500,
        patches_per_epoch=20_000,
        batch_size=4,
        patch=96,
        stride=8,
        turns="all",
        loss="L1",
        source="the authors' training script for CAVE",
        sources={
            **dict.fromkeys(
                ("optimiser", "learning_rate", "final_learning_rate", "schedule", "decay", "epochs", "loss"), _SCRIPT
            ),
            **dict.fromkeys(("patches_per_epoch", "batch_size", "patch"), _SCRIPT),
            "schedule_epochs": f"{_SCRIPT}: 30 falls",
            "decay_offset": f"{_SCRIPT}: the first fall comes after one epoch",
            "decay_every": _SCRIPT,
            "stride": f"ours: {_DATA} crops anywhere",
            "turns": _DATA,
        },
    )
    multiple = 16
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh DHIF-Net."""
        from hsfusion_baselines.dhif.network import DHIF

        return DHIF(problem.bands, problem.msi_bands, problem.scale)
