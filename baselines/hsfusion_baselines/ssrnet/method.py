"""SSR-NET as two methods of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from hsfusion_baselines.cards import CARDS
from hsfusion_baselines.recipes import CAVE_PATCHES, SSRNET_COMPARISON
from hsfusion_bench.methods import Batch, NetworkMethod, Problem, Recipe

if TYPE_CHECKING:
    import torch

    from hsfusion_baselines.ssrnet.network import Joining

_CONFIG = "Efficient-MIF configs/ssrnet_config.yaml @daa5afa"

LOSS = "MSE of the result + MSE of the spatial stage's edges (rows and columns, half each) + MSE of the spectral edges"


class _Either(NetworkMethod):
    """What both forms of the network share: all but the way in which the images are joined."""

    local: ClassVar[bool] = True
    joining: ClassVar[Joining]

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh SSR-NET."""
        from hsfusion_baselines.ssrnet.network import SSRNet

        return SSRNet(problem.bands, problem.msi_bands, self.joining)

    @abstractmethod
    def enlarge(self, lr_hsi: torch.Tensor, problem: Problem) -> torch.Tensor:
        """Return the LR-HSI at HR size, as this form of the network expects it."""

    def predict(
        self, network: torch.nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem
    ) -> torch.Tensor:
        """Return the fused batch."""
        fused: torch.Tensor = network(self.enlarge(lr_hsi, problem), hr_msi)
        return fused

    def loss(self, network: torch.nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        """Return the squared errors of the result, of the spatial stage's edges and of the result's spectral edges."""
        from torch.nn.functional import mse_loss

        from hsfusion_baselines.blocks.losses import spatial_edges, spectral_edges
        from hsfusion_baselines.ssrnet.network import SSRNet

        assert isinstance(network, SSRNet)
        assert batch.hr_hsi is not None
        spatial, fused = network.stages(self.enlarge(batch.lr_hsi, batch.problem), batch.hr_msi)
        rows, columns = (
            mse_loss(ours, theirs)
            for ours, theirs in zip(spatial_edges(spatial), spatial_edges(batch.hr_hsi), strict=True)
        )
        return {
            "fusion": mse_loss(fused, batch.hr_hsi),
            "spatial edges": (rows + columns) / 2,
            "spectral edges": mse_loss(spectral_edges(fused), spectral_edges(batch.hr_hsi)),
        }


class SSRNetMethod(_Either):
    """SSR-NET as recent comparisons run it: HSI, enlarged by bicubic interpolation, and MSI are concatenated.

    Of this form are the 0.027 M parameters in the tables of BDT, LE-Mamba and others.
    """

    card = CARDS["ssrnet"]
    joining = "concatenate"
    recipe = Recipe(
        supervision="reference",
        optimiser="adamw",
        learning_rate=1e-3,
        final_learning_rate=1e-5,
        schedule="steps",
        schedule_epochs=1000,
        decay_every=400,
        decay=0.1,
        epochs=1000,
        patches_per_epoch=3136,
        batch_size=32,
        patch=64,
        stride=34,
        weight_decay=1e-6,
        clip_norm=0.01,
        loss=LOSS,
        source="the configuration of Efficient-MIF, a collection of networks, for other data; its length is ours",
        sources={
            **dict.fromkeys(
                ("optimiser", "learning_rate", "final_learning_rate", "schedule", "decay_every", "decay"), _CONFIG
            ),
            **dict.fromkeys(("weight_decay", "clip_norm"), _CONFIG),
            **dict.fromkeys(("epochs", "schedule_epochs"), "ours: not published; the rate falls at 400 and at 800"),
            "batch_size": "ours: not published",
            **dict.fromkeys(("patches_per_epoch", "patch", "stride"), CAVE_PATCHES),
            "loss": "SSRNET train.py @9727896; in Efficient-MIF each term is L1, or L1 and SSIM",
        },
    )

    def enlarge(self, lr_hsi: torch.Tensor, problem: Problem) -> torch.Tensor:
        """Return the LR-HSI enlarged by MATLAB's bicubic."""
        from hsfusion_baselines.blocks.upsampling import upsample_bicubic

        return upsample_bicubic(lr_hsi, problem.scale)


class SSRNetOverwriteMethod(_Either):
    """SSR-NET as its authors released it: bands of the bilinearly enlarged HSI are overwritten by the MSI's."""

    card = CARDS["ssrnet:overwrite"]
    joining = "overwrite"
    recipe = replace(SSRNET_COMPARISON, loss=LOSS)

    def enlarge(self, lr_hsi: torch.Tensor, problem: Problem) -> torch.Tensor:
        """Return the LR-HSI enlarged bilinearly."""
        from torch.nn.functional import interpolate

        return interpolate(lr_hsi, scale_factor=problem.scale, mode="bilinear", align_corners=False)
