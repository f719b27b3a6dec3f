"""DSPNet as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "DSPNet CAVE/Train_DSP.py @6a6a065"
_DATA = "DSPNet CAVE/CAVE_Dataset.py @6a6a065"


class DSPNetMethod(SupervisedMethod):
    """Dual spatial-spectral pyramid network (Sun et al. 2023); compared with the authors' code at 31 + 3 bands, x4."""

    card = CARDS["dspnet"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=3e-4,
        final_learning_rate=3e-4 * 0.95**20,
        schedule="steps",
        schedule_epochs=100,
        decay_every=5,
        decay_offset=4,
        decay=0.95,
        epochs=100,
        patches_per_epoch=20_000,
        batch_size=50,
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
            "schedule_epochs": f"{_SCRIPT}: 20 falls",
            "decay_offset": f"{_SCRIPT}: the first fall comes after one epoch",
            "decay_every": _SCRIPT,
            "stride": f"ours: {_DATA} crops anywhere",
            "turns": _DATA,
        },
    )
    multiple = 16
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh DSPNet."""
        from hsfusion_baselines.dspnet.network import DSPNet

        return DSPNet(problem.bands, problem.msi_bands)
