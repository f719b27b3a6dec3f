"""FeINFN as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hsfusion_bench.methods import Batch, Card, HsbenchError, NetworkMethod, Problem, Recipe

if TYPE_CHECKING:
    import torch

SSIM_WEIGHT = 0.1


class FeINFNMethod(NetworkMethod):
    """Fourier-enhanced implicit neural fusion (Liang et al., NeurIPS 2024, arXiv 2404.15174)."""

    card = Card(
        name="feinfn",
        title="FeINFN",
        family="inr",
        year=2024,
        reference=(
            "@inproceedings{liang2024feinfn, title={Fourier-enhanced Implicit Neural Fusion Network for Multispectral "
            "and Hyperspectral Image Fusion}, author={Liang, Yu-Jie and Cao, Zihan and Deng, Shangqi and Dou, "
            "Hong-Xia and Deng, Liang-Jian}, "
            "booktitle={Advances in Neural Information Processing Systems}, year={2024}}"
        ),
    )
    recipe = Recipe(
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

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh FeINFN with the published options."""
        from hsfusion_baselines.feinfn.network import FeINFN

        return FeINFN(problem.bands, problem.msi_bands)

    def predict(
        self, network: torch.nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem
    ) -> torch.Tensor:
        """Return the fused batch; the network's third input is the LR-HSI enlarged by MATLAB's bicubic."""
        from hsfusion_baselines.blocks.upsampling import upsample_bicubic

        fused: torch.Tensor = network(hr_msi, upsample_bicubic(lr_hsi, problem.scale), lr_hsi)
        return fused

    def loss(self, network: torch.nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        """Return L1 and the weighted SSIM term."""
        from torch.nn.functional import l1_loss

        from hsfusion_baselines.blocks.losses import ssim

        assert batch.hr_hsi is not None
        fused = self.predict(network, batch.lr_hsi, batch.hr_msi, batch.problem)
        return {"l1": l1_loss(fused, batch.hr_hsi), "ssim": SSIM_WEIGHT * (1 - ssim(fused, batch.hr_hsi))}

    def read_authors_weights(self, path: Path, problem: Problem) -> Mapping[str, torch.Tensor]:
        """Read a state dictionary of the authors' network."""
        from hsfusion_baselines.feinfn.authors import read_authors_checkpoint

        try:
            return read_authors_checkpoint(path)
        except ValueError as error:
            raise HsbenchError(str(error)) from error
