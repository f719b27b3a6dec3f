"""DCFNet as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import CAVE_PATCHES
from hsfusion_baselines.supervised import SupervisedMethod
from hsfusion_bench.methods import Problem, Recipe

if TYPE_CHECKING:
    import torch

_OPTIONS = "UDL UDL/pansharpening/models/DCFNet/option_DCFNet.py @fde81f1"
_BUILD = "UDL UDL/pansharpening/models/DCFNet/model_fcc_dense_head.py @fde81f1"


class DCFNetMethod(SupervisedMethod):
    """Dynamic cross feature fusion (Wu et al., ICCV 2021).

    Only scale 4 was compared with the authors' code: there, the LR-HSI is the image at a quarter of HR size. At other
    scales it is interpolated to that size, bilinearly like the image at half size.
    """

    card = CARDS["dcfnet"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=1e-3,
        final_learning_rate=1e-3,
        schedule="constant",
        schedule_epochs=5000,
        epochs=5000,
        patches_per_epoch=3136,
        batch_size=32,
        patch=64,
        stride=34,
        loss="MSE",
        source="the authors' configuration for pansharpening; none of theirs for hyperspectral images was found",
        sources={
            **dict.fromkeys(("optimiser", "schedule", "loss"), _BUILD),
            **dict.fromkeys(("learning_rate", "final_learning_rate", "batch_size"), _OPTIONS),
            **dict.fromkeys(
                ("epochs", "schedule_epochs"), f"{_OPTIONS}: a limit; the weights it names are those of epoch 857"
            ),
            **dict.fromkeys(("patches_per_epoch", "patch", "stride"), CAVE_PATCHES),
        },
    )
    multiple = 4
    distance = "mse"

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh DCFNet."""
        from hsfusion_baselines.dcfnet.network import DCFNet

        return DCFNet(problem.bands, problem.msi_bands)

    def predict(
        self, network: torch.nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem
    ) -> torch.Tensor:
        """Return the fused batch, of any size."""
        from torch.nn.functional import interpolate

        from hsfusion_baselines.blocks.padding import pad_pair
        from hsfusion_baselines.blocks.upsampling import upsample_bicubic

        height, width = hr_msi.shape[-2:]
        lr_hsi, hr_msi = pad_pair(lr_hsi, hr_msi, self.multiple)
        quarter, half = (
            interpolate(
                lr_hsi, (hr_msi.shape[-2] // part, hr_msi.shape[-1] // part), mode="bilinear", align_corners=True
            )
            for part in (4, 2)
        )
        fused: torch.Tensor = network(quarter, half, upsample_bicubic(lr_hsi, problem.scale), hr_msi)
        return fused[..., :height, :width]
