"""What methods share that predict a residual to the enlarged LR-HSI and are trained as FeINFN is.

No torch is imported here until a network runs, so that the modules that hold the methods' cards can derive from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from hsfusion_baselines.recipes import CAVE_FILE
from hsfusion_bench.methods import Batch, NetworkMethod, Problem, Recipe

if TYPE_CHECKING:
    import torch

__all__ = ["FEINFN_RECIPE", "FEINFN_TEXT", "ResidualMethod"]

_CONFIG = "Efficient-MIF configs/FeINFN_config.yaml @08c4e9f"
_ENGINE = "Efficient-MIF accelerate_run_hyper_ms_engine.py @06744c7"
_COMMAND = "Efficient-MIF readmes/FeINFN.md @bd87abd, the training command"
_PAPER = "paper, implementation details"

FEINFN_RECIPE = Recipe(
    supervision="reference",
    optimiser="adamw",
    learning_rate=2e-4,
    final_learning_rate=1e-5,
    schedule="waves",
    schedule_epochs=300,
    per_epoch=True,
    epochs=2000,
    patches_per_epoch=3136,
    batch_size=4,
    accumulate=2,
    accumulation="last",
    patch=64,
    stride=34,
    clip_norm=1e-4,
    ema=0.995,
    ema_clock="batch",
    loss="L1 + 0.1 (1 - SSIM), whose windows are padded with zeros",
    source="the authors' engine and configuration, as they behave",
    sources={
        "optimiser": _CONFIG,
        "learning_rate": _CONFIG,
        "final_learning_rate": _CONFIG,
        "schedule": f"{_ENGINE}: CosineAnnealingLR is stepped beyond its T_max, so that the rate is back at its start "
        "at epochs 601, 1201 and 1801 (mean 1.09e-4)",
        "schedule_epochs": f"{_CONFIG}: T_max",
        "per_epoch": _ENGINE,
        "epochs": _COMMAND,
        "patches_per_epoch": CAVE_FILE,
        "batch_size": _COMMAND,
        "accumulate": _COMMAND,
        "accumulation": f"{_ENGINE}: gradients are cleared before the second backward, so that the first batch of each "
        "pair is dropped; followed here, since the published results come from it",
        "patch": CAVE_FILE,
        "stride": "14 x 14 patches a scene, as in that file",
        "clip_norm": _CONFIG,
        "ema": "ours: that of EDACA-Net's configuration for the same engine; FeINFN's is not published",
        "ema_clock": _ENGINE,
        "loss": f"{_COMMAND}; the loss module pads with zeros",
    },
)
"""The recipe of FeINFN (Liang et al., NeurIPS 2024) as its authors' code carries it out."""

FEINFN_TEXT = replace(
    FEINFN_RECIPE,
    schedule="cosine",
    per_epoch=False,
    accumulation="mean",
    ema_clock="step",
    source="the paper's text: one fall of the rate, and both batches of a step count",
    sources={
        **FEINFN_RECIPE.sources,
        "schedule": _PAPER,
        "schedule_epochs": _PAPER,
        "per_epoch": "ours: the text does not say",
        "accumulation": _PAPER,
        "ema_clock": "ours: the text has no moving average",
    },
)
"""What the paper says of it."""


class ResidualMethod(NetworkMethod):
    """A network ``network(hr_msi, hsi_up, lr_hsi)`` whose loss is L1 and a share of 1 - SSIM."""

    ssim_weight: ClassVar[float] = 0.1
    ssim_size: ClassVar[int] = 11
    """Side of the SSIM's window, pixels."""

    def predict(
        self, network: torch.nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem
    ) -> torch.Tensor:
        """Return the fused batch; `hsi_up` is the LR-HSI enlarged by MATLAB's bicubic."""
        from hsfusion_baselines.blocks.upsampling import upsample_bicubic

        fused: torch.Tensor = network(hr_msi, upsample_bicubic(lr_hsi, problem.scale), lr_hsi)
        return fused

    def loss(self, network: torch.nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        """Return L1 and the weighted SSIM term."""
        from torch.nn.functional import l1_loss

        from hsfusion_baselines.blocks.losses import ssim

        assert batch.hr_hsi is not None
        fused = self.predict(network, batch.lr_hsi, batch.hr_msi, batch.problem)
        return {
            "l1": l1_loss(fused, batch.hr_hsi),
            "ssim": self.ssim_weight * (1 - ssim(fused, batch.hr_hsi, size=self.ssim_size, padded=True)),
        }
