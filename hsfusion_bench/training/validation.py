"""The validation part of the training split, and a network's score on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import nn

from hsfusion_bench.data.prepare import validation_draws
from hsfusion_bench.methods import Batch, NetworkMethod
from hsfusion_bench.methods.resize import upsample_bicubic
from hsfusion_bench.training.loading import Chosen, Draw, Patches

#: Patches that are looked at: enough to tell a step forward from a step back, few enough to be quick.
_PATCHES = 64


def split_patches(patches: Patches, seed: int) -> tuple[Chosen, Chosen]:
    """Divide patches into those of training and those of validation, one in five, as `hsbench data prepare` does.

    Patches of a scene overlap, so that those of validation are not independent of those of training.
    """
    held_out = [chosen for _, chosen in zip(range(len(patches)), validation_draws(seed), strict=False)]
    return tuple(  # type: ignore[return-value]  # two of them
        Chosen(patches, [number for number, chosen in enumerate(held_out) if chosen == wanted])
        for wanted in (False, True)
    )


class Validation:
    """A score on some patches that stay the same throughout a training.

    Parameters
    ----------
    method
        What is trained.
    patches
        The validation part, with references; up to 64 patches, evenly spread, are used.
    device
        Where to compute.
    """

    def __init__(self, method: NetworkMethod, patches: Patches, device: torch.device) -> None:
        self.method, self.patches, self.device = method, patches, device
        count = min(_PATCHES, len(patches))
        self.draws = [Draw(0, number * len(patches) // count) for number in range(count)]

    @torch.inference_mode()
    def psnr(self, network: nn.Module, batch_size: int) -> float:
        """Return the mean PSNR of the patches in dB, each of one mean squared error over all bands, clipped to [0, 1].

        Quicker than the index of the benchmark, and only compared with itself.
        """
        was_training = network.training
        network.eval()

        def fuse(batch: Batch) -> torch.Tensor:
            lr_hsi, hr_msi = batch.lr_hsi.to(self.device), batch.hr_msi.to(self.device)
            return self.method.predict(network, lr_hsi, hr_msi, batch.problem).float()

        found = self._psnr(fuse, batch_size)
        network.train(was_training)
        return found

    @cached_property
    def bicubic(self) -> float:
        """The same of bicubic interpolation, which a network must beat to have learned anything."""

        def fuse(batch: Batch) -> torch.Tensor:
            enlarged = [upsample_bicubic(cube, batch.problem.scale) for cube in batch.lr_hsi.numpy()]
            return torch.from_numpy(np.stack(enlarged)).float()

        return self._psnr(fuse, 1)

    def _psnr(self, fuse: Callable[[Batch], torch.Tensor], batch_size: int) -> float:
        values: list[torch.Tensor] = []
        for draws in _parts(self.draws, batch_size):
            batch = self.patches.__getitems__(draws)
            assert batch.hr_hsi is not None
            fused = fuse(batch).clamp(0, 1)
            errors = (fused - batch.hr_hsi.to(fused.device)).square().mean(dim=(1, 2, 3)).double()
            values.append(-10 * torch.log10(errors.clamp_min(1e-12)).cpu())
        return float(torch.cat(values).mean())


def _parts(draws: Sequence[Draw], size: int) -> list[Sequence[Draw]]:
    return [draws[start : start + size] for start in range(0, len(draws), size)]
