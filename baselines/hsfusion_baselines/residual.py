"""What methods share that predict a residual to the enlarged LR-HSI and are trained as FeINFN is.

No torch is imported here until a network runs, so that the modules that hold the methods' cards can derive from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from hsfusion_bench.methods import Batch, NetworkMethod, Problem, Recipe

if TYPE_CHECKING:
    import torch

__all__ = ["FEINFN_RECIPE", "ResidualMethod"]

FEINFN_RECIPE = Recipe(
    supervision="reference",
    optimiser="adamw",
    learning_rate=2e-4,
    final_learning_rate=1e-5,
    schedule_epochs=300,
    epochs=2000,
    patches_per_epoch=3136,
    batch_size=4,
    accumulate=2,
    patch=64,
    stride=34,
    clip_norm=1e-4,
    ema=0.999,
    loss="L1 + 0.1 (1 - SSIM)",
    source="the paper and the authors' configuration; the decay of the moving average is not published: ours",
)
"""The recipe of FeINFN (Liang et al., NeurIPS 2024)."""


class ResidualMethod(NetworkMethod):
    """A network ``network(hr_msi, hsi_up, lr_hsi)`` whose loss is L1 and a share of 1 - SSIM."""

    ssim_weight: ClassVar[float] = 0.1

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
        return {"l1": l1_loss(fused, batch.hr_hsi), "ssim": self.ssim_weight * (1 - ssim(fused, batch.hr_hsi))}
