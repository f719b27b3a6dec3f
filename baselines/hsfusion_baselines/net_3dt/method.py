"""3DT-Net as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Card, Problem, Recipe

if TYPE_CHECKING:
    import torch


class Net3DTMethod(SupervisedMethod):
    """Unfolded optimisation with a 3D-CNN and transformer prior (Ma et al., Information Fusion 2023).

    Published for x8, and compared with the authors' code at x8 only.
    """

    card = Card(
        name="3dt-net",
        title="3DT-Net",
        family="transformer",
        year=2023,
        reference=(
            "@article{ma2023threedtnet, title={Learning a {3D-CNN} and Transformer prior for hyperspectral image "
            "super-resolution}, author={Ma, Qing and Jiang, Junjun and Liu, Xianming and Ma, Jiayi}, "
            "journal={Information Fusion}, volume={100}, pages={101907}, year={2023}}"
        ),
    )
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=1e-4,
        final_learning_rate=5e-5,
        schedule_epochs=100,
        epochs=100,
        patches_per_epoch=20_000,
        batch_size=8,
        patch=64,
        turns="all",
        schedule="steps",
        decay_every=80,
        decay=0.5,
        loss="L1",
        source="the authors' training script",
    )
    multiple = 8
    distance = "l1"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh 3DT-Net of the published size."""
        from hsfusion_baselines.net_3dt.network import Net3DT

        return Net3DT(problem.bands, problem.msi_bands, problem.scale)
