"""MoG-DCN as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "MoG-DCN sf_8_CAVE/train.py @35eef37"
_DATA = "MoG-DCN sf_8_CAVE/clean_dataset.py @35eef37"


class MoGDCNMethod(SupervisedMethod):
    """Model-guided deep convolutional network (Dong et al. 2021); compared with the published code at scale 8."""

    card = CARDS["mog-dcn"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=1e-4,
        final_learning_rate=1e-4,
        schedule="constant",
        schedule_epochs=100_501,
        epochs=100_501,
        patches_per_epoch=20,
        batch_size=4,
        patch=96,
        stride=8,
        weight_decay=1e-8,
        loss="L1",
        source="the authors' training script for CAVE, up to the epoch that their test script takes",
        sources={
            **dict.fromkeys(("optimiser", "learning_rate", "final_learning_rate", "schedule"), _SCRIPT),
            **dict.fromkeys(("batch_size", "patch", "weight_decay", "loss"), _SCRIPT),
            **dict.fromkeys(
                ("schedule_epochs", "epochs"),
                "MoG-DCN sf_8_CAVE/tst.py @35eef37: the weights of epoch 100500; train.py ends at 200000",
            ),
            "patches_per_epoch": f"{_DATA}: one of each scene; that these are CAVE's 20 is our reading",
            "stride": f"ours: {_DATA} crops anywhere",
        },
    )
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh MoG-DCN."""
        from hsfusion_baselines.mogdcn.network import MoGDCN

        return MoGDCN(problem.bands, problem.msi_bands, problem.scale)
