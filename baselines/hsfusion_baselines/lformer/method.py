"""LFormer as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Batch, Card, Problem, Recipe

if TYPE_CHECKING:
    import torch

SSIM_WEIGHT = 0.1


class LFormerMethod(SupervisedMethod):
    """Linearly-evolved transformer (Hou, Cao et al., ACM MM 2024, arXiv 2404.12804)."""

    card = Card(
        name="lformer",
        title="LFormer",
        family="transformer",
        year=2024,
        reference=(
            "@inproceedings{hou2024lformer, title={Linearly-evolved Transformer for Pan-sharpening}, author={Hou, "
            "Junming and Cao, Zihan and Zheng, Naishan and Li, Xuan and Chen, Xiaoyu and Liu, Xinyang and Cong, "
            "Xiaofeng and Zhou, Man and Hong, Danfeng}, booktitle={Proceedings of the 32nd ACM International "
            "Conference on Multimedia}, year={2024}}"
        ),
    )
    recipe = Recipe(
        supervision="reference",
        optimiser="adamw",
        learning_rate=3e-4,
        final_learning_rate=1e-6,
        schedule_epochs=700,
        epochs=700,
        patches_per_epoch=3136,
        batch_size=32,
        patch=64,
        weight_decay=1e-6,
        clip_norm=0.03,
        ema=0.999,
        loss="L1 + 0.1 (1 - SSIM)",
        source=(
            "the authors' configuration, whose cosine restarts after 100 and 300 epochs with half the rate: one cosine "
            "over 700 here. Epochs, batch and the weight of the SSIM were not found: ours"
        ),
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
        return {"l1": l1_loss(fused, batch.hr_hsi), "ssim": SSIM_WEIGHT * (1 - ssim(fused, batch.hr_hsi))}
