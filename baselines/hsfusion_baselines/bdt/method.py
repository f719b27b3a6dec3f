"""BDT as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import CAVE_FILE
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import HsbenchError, Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "BDT main_x4.py @ab73402"
_OPTIONS = "BDT args_parser.py @ab73402"

_LR_MULTIPLE = 16  # the smallest stage has dilated windows of 8x8: areas of 16x16 LR pixels


class BDTMethod(SupervisedMethod):
    """Bidirectional dilation transformer (Deng et al., IJCAI 2023).

    Scales are powers of 2. Compared with the authors' code at x4.
    """

    card = CARDS["bdt"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adamw",
        learning_rate=1e-4,
        final_learning_rate=1e-4,
        schedule="constant",
        schedule_epochs=2001,
        epochs=2001,
        patches_per_epoch=3136,
        batch_size=32,
        patch=64,
        stride=34,
        weight_decay=1e-4,
        loss="L1",
        source="the authors' training script for CAVE",
        sources={
            **dict.fromkeys(("optimiser", "schedule", "weight_decay", "loss"), _SCRIPT),
            **dict.fromkeys(("learning_rate", "final_learning_rate", "batch_size", "patch"), _OPTIONS),
            **dict.fromkeys(("schedule_epochs", "epochs"), f"{_SCRIPT}: 2002, of which the last kept is the 2001st"),
            **dict.fromkeys(("patches_per_epoch", "stride"), CAVE_FILE),
        },
    )
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh BDT of the published size for the scale.

        Raises
        ------
        HsbenchError
            If the scale is not a power of 2.
        """
        from hsfusion_baselines.bdt.network import BDT

        try:
            return BDT(problem.bands, problem.msi_bands, problem.scale)
        except ValueError as error:
            raise HsbenchError(str(error)) from error

    def predict(
        self, network: torch.nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem
    ) -> torch.Tensor:
        """Return the fused batch, of any size."""
        from hsfusion_baselines.blocks.padding import pad_pair

        height, width = hr_msi.shape[-2:]
        fused: torch.Tensor = network(*pad_pair(lr_hsi, hr_msi, _LR_MULTIPLE * problem.scale))
        return fused[..., :height, :width]
