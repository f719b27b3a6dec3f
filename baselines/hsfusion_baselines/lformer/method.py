"""LFormer as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import CAVE_PATCHES
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Batch, Problem, Recipe

if TYPE_CHECKING:
    import torch

_CONFIG = "Efficient-MIF configs/lformer_config.yaml @daa5afa"
_COMMAND = "Efficient-MIF readmes/lformer.md @daa5afa"
_ENGINE = "Efficient-MIF accelerate_run_hyper_ms_engine.py @daa5afa"

SSIM_WEIGHT = 0.1


class LFormerMethod(SupervisedMethod):
    """Linearly-evolved transformer (Hou, Cao et al., ACM MM 2024, arXiv 2404.12804)."""

    card = CARDS["lformer"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adamw",
        learning_rate=3e-4,
        final_learning_rate=1e-6,
        schedule="restarts",
        schedule_epochs=1500,
        restarts=(100, 300, 700),
        decay=0.5,
        per_epoch=True,
        epochs=800,
        patches_per_epoch=3136,
        batch_size=32,
        accumulate=2,
        accumulation="last",
        patch=64,
        stride=34,
        weight_decay=1e-6,
        clip_norm=0.03,
        ema=0.999,
        ema_clock="batch",
        loss="L1 + 0.1 (1 - SSIM), whose windows are padded with zeros",
        source="the authors' engine and configuration, as they behave, and the command of their guide",
        sources={
            **dict.fromkeys(
                ("optimiser", "learning_rate", "final_learning_rate", "weight_decay", "clip_norm", "ema"), _CONFIG
            ),
            **dict.fromkeys(("schedule", "restarts", "decay"), _CONFIG),
            "schedule_epochs": f"{_CONFIG}: the fourth cycle, of 800 epochs, which the training leaves after 100",
            "per_epoch": _ENGINE,
            **dict.fromkeys(("epochs", "batch_size", "accumulate"), f"{_COMMAND}, given for WorldView-3"),
            "accumulation": "Efficient-MIF utils/network_utils.py @daa5afa: gradients are cleared before the second "
            "backward, so that the first batch of each pair is dropped",
            "ema_clock": _ENGINE,
            **dict.fromkeys(("patches_per_epoch", "patch", "stride"), CAVE_PATCHES),
            "loss": "Efficient-MIF utils/loss_utils.py @daa5afa",
        },
    )
    multiple = 8
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh LFormer of the published size."""
        from hsfusion_baselines.lformer.network import LFormer

        return LFormer(problem.bands, problem.msi_bands, problem.scale)

    def loss(self, network: torch.nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        """Return L1 and the weighted SSIM term."""
        from torch.nn.functional import l1_loss

        from hsfusion_baselines.blocks.losses import ssim

        assert batch.hr_hsi is not None
        fused = self.predict(network, batch.lr_hsi, batch.hr_msi, batch.problem)
        return {"l1": l1_loss(fused, batch.hr_hsi), "ssim": SSIM_WEIGHT * (1 - ssim(fused, batch.hr_hsi, padded=True))}
