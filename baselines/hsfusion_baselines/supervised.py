"""Networks that are trained on one pixel-wise loss against the reference, as most are.

No torch is imported here until a network runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from hsfusion_bench.methods import Batch, NetworkMethod, Problem

if TYPE_CHECKING:
    import torch

__all__ = ["SupervisedMethod"]


class SupervisedMethod(NetworkMethod):
    """A network called as ``network(lr_hsi, hr_msi)`` and trained on the mean of one pixel-wise distance."""

    multiple: ClassVar[int] = 1
    """The network takes HR sides that are multiples of this; others are padded by repetition of the border and cut."""
    distance: ClassVar[Literal["l1", "mse"]]
    """The loss."""

    def predict(
        self, network: torch.nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem
    ) -> torch.Tensor:
        """Return the fused batch, of any size."""
        from hsfusion_baselines.blocks.padding import pad_pair

        height, width = hr_msi.shape[-2:]
        fused: torch.Tensor = network(*pad_pair(lr_hsi, hr_msi, self.multiple))
        return fused[..., :height, :width]

    def loss(self, network: torch.nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        """Return the one term of the loss."""
        from torch.nn import functional

        assert batch.hr_hsi is not None
        fused = self.predict(network, batch.lr_hsi, batch.hr_msi, batch.problem)
        distance = {"l1": functional.l1_loss, "mse": functional.mse_loss}[self.distance]
        return {self.distance: distance(fused, batch.hr_hsi)}
