"""EDACA-Net as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import CAVE_PATCHES
from hsfusion_baselines.residual import FEINFN_RECIPE, ResidualMethod
from hsfusion_bench.methods import Problem

if TYPE_CHECKING:
    import torch

_CONFIG = "EDACA-Net configs/EDACANet_config.yaml @7a0546c"
_ENGINE = "EDACA-Net accelerate_run_hyper_ms_engine.py @7a0546c"
_SCRIPT = "EDACA-Net scripts/train/accelerate_run_fusion.sh @7a0546c"


class EDACANetMethod(ResidualMethod):
    """Entropy-driven adaptive clustering attention for continuous hyperspectral super-resolution.

    The clusters depend on the whole image. Overlapping patches of 64x64 HR pixels, as in training, are fused and
    merged, as the authors do.
    """

    card = CARDS["edacanet"]
    recipe = replace(
        FEINFN_RECIPE,
        epochs=1000,
        accumulate=1,
        accumulation="mean",
        ema=0.995,
        ema_clock="step",
        loss="L1 + 0.1 (1 - SSIM), windows of 5 pixels, padded with zeros",
        source="the authors' engine and configuration, as they behave, and their training script, which is for Pavia",
        sources={
            **dict.fromkeys(("optimiser", "learning_rate", "final_learning_rate", "clip_norm", "ema", "loss"), _CONFIG),
            "schedule": f"{_ENGINE}: CosineAnnealingLR is stepped beyond its T_max",
            "schedule_epochs": f"{_CONFIG}: T_max",
            "per_epoch": _ENGINE,
            **dict.fromkeys(("epochs", "batch_size", "accumulate"), _SCRIPT),
            "ema_clock": _ENGINE,
            **dict.fromkeys(("patches_per_epoch", "patch", "stride"), CAVE_PATCHES),
        },
    )
    ssim_size = 5
    default_tile = 64

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh EDACA-Net with the published options."""
        from hsfusion_baselines.edacanet.network import EDACANet

        return EDACANet(problem.bands, problem.msi_bands)
