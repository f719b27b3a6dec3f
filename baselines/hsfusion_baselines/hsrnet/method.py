"""HSRnet as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import CAVE_PATCHES
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "HSRnet HSRnet.py @d37176a"


class HSRNetMethod(SupervisedMethod):
    """Deep spatio-spectral attention network (Hu et al. 2022), in the PyTorch form that comparisons run."""

    card = CARDS["hsrnet"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=1e-4,
        final_learning_rate=1e-4,
        schedule="constant",
        schedule_epochs=1531,
        epochs=1531,
        patches_per_epoch=3136,
        batch_size=32,
        patch=64,
        stride=34,
        loss="L1",
        source="the authors' training code (TensorFlow) for CAVE",
        sources={
            **dict.fromkeys(("optimiser", "learning_rate", "final_learning_rate", "schedule"), _SCRIPT),
            **dict.fromkeys(("batch_size", "patch", "loss"), _SCRIPT),
            **dict.fromkeys(("schedule_epochs", "epochs"), f"{_SCRIPT}: 150001 iterations of 32 patches"),
            **dict.fromkeys(("patches_per_epoch", "stride"), CAVE_PATCHES),
        },
    )
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh HSRnet."""
        from hsfusion_baselines.hsrnet.network import HSRNet

        return HSRNet(problem.bands, problem.msi_bands, problem.scale)
