"""GuidedNet as a method of the benchmark. No torch is imported here until a network is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from hsfusion_baselines.cards import CARDS
from hsfusion_bench.methods import Batch, HsbenchError, NetworkMethod, Problem, Recipe

if TYPE_CHECKING:
    import torch

_SCRIPT = "GuidedNet main_train.py @1e15f84"


class GuidedNetMethod(NetworkMethod):
    """CNN fusion guided by the high-resolution image (Ran et al. 2023).

    Equal, at scale 8, to a PyTorch port by another, whose levels have parameters of their own; the authors' own code is
    for TensorFlow 1 and was not run. The paper's scale is 8; 2, 4, 16, ... have fewer or more levels.
    """

    card = CARDS["guidednet"]
    recipe = Recipe(
        supervision="reference",
        optimiser="adam",
        learning_rate=1e-4,
        final_learning_rate=1e-4 / 2**34,
        schedule="steps",
        schedule_epochs=35,
        decay_every=1,
        decay=0.5,
        epochs=35,
        patches_per_epoch=320_000,
        batch_size=32,
        patch=80,
        loss="L1 of the result + 2 L1 of the image at half size + 4 L1 of that at a quarter, and so on",
        source="the authors' training code (TensorFlow); 10000 of its iterations are an epoch here",
        sources={
            **dict.fromkeys(("optimiser", "learning_rate", "schedule", "decay"), _SCRIPT),
            **dict.fromkeys(("batch_size", "patch", "loss"), _SCRIPT),
            **dict.fromkeys(("final_learning_rate", "schedule_epochs", "epochs"), f"{_SCRIPT}: 350001 iterations"),
            **dict.fromkeys(("patches_per_epoch", "decay_every"), f"{_SCRIPT}: halved every 10000 iterations"),
        },
    )
    local: ClassVar[bool] = True
    shared: ClassVar[bool] = False

    def build(self, problem: Problem) -> torch.nn.Module:
        """Return a fresh GuidedNet.

        Raises
        ------
        HsbenchError
            If the scale is not a power of 2.
        """
        from hsfusion_baselines.guidednet.network import GuidedNet

        try:
            return GuidedNet(problem.bands, problem.msi_bands, problem.scale, shared=self.shared)
        except ValueError as error:
            raise HsbenchError(str(error)) from error

    def predict(
        self, network: torch.nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem
    ) -> torch.Tensor:
        """Return the fused batch."""
        fused: torch.Tensor = network(lr_hsi, hr_msi)
        return fused

    def loss(self, network: torch.nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        """Return the weighted L1 of every level.

        A smaller reference is every second, fourth, ... pixel: what the bilinear reduction of TensorFlow 1 takes.
        """
        from torch.nn.functional import l1_loss

        from hsfusion_baselines.guidednet.network import GuidedNet

        assert isinstance(network, GuidedNet)
        assert batch.hr_hsi is not None
        terms = {}
        for level, image in enumerate(reversed(network.images(batch.lr_hsi, batch.hr_msi))):
            step = 2**level
            terms[f"l1 at 1/{step}"] = step * l1_loss(image, batch.hr_hsi[..., ::step, ::step])
        return terms


class GuidedNetSharedMethod(GuidedNetMethod):
    """GuidedNet as the paper has it: one level, used again and again. Not compared with the authors' code."""

    card = CARDS["guidednet:shared"]
    shared = True
