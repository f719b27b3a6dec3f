"""U2Net as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import CAVE_PATCHES
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "U2Net train.py @32e214c"


class U2NetMethod(SupervisedMethod):
    """Spatial-spectral-integrated double U-net (Peng et al., ACM MM 2023).

    Its work grows with the square of the number of pixels: the authors train on patches of 64x64, and larger images
    are fused in tiles of that size. Compared with the authors' code at x4.
    """

    card = CARDS["u2net"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=1e-3,
        final_learning_rate=1e-3 / 2**4,
        schedule="steps",
        schedule_epochs=500,
        decay_every=100,
        decay=0.5,
        epochs=500,
        patches_per_epoch=3136,
        batch_size=16,
        patch=64,
        stride=34,
        loss="L1",
        source="the authors' training script, which is for pansharpening; none for CAVE was found",
        sources={
            **dict.fromkeys(
                ("optimiser", "learning_rate", "final_learning_rate", "schedule", "decay_every", "decay"), _SCRIPT
            ),
            **dict.fromkeys(("schedule_epochs", "epochs", "batch_size", "loss"), _SCRIPT),
            **dict.fromkeys(("patches_per_epoch", "patch", "stride"), CAVE_PATCHES),
        },
    )
    default_tile = 64
    multiple = 4
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh U2Net of the published size."""
        from hsfusion_baselines.u2net.network import U2Net

        return U2Net(problem.bands, problem.msi_bands, problem.scale)
