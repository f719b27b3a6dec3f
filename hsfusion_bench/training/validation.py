"""The validation part of the training split, and a network's score on it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from hsfusion_bench.data.prepare import validation_draws
from hsfusion_bench.methods import NetworkMethod
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
        The validation part; up to 64 patches, evenly spread, are used.
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
        values: list[torch.Tensor] = []
        for draws in _parts(self.draws, batch_size):
            batch = self.patches.__getitems__(draws)
            assert batch.hr_hsi is not None
            lr_hsi, hr_msi, hr_hsi = (cube.to(self.device) for cube in (batch.lr_hsi, batch.hr_msi, batch.hr_hsi))
            fused = self.method.predict(network, lr_hsi, hr_msi, batch.problem).float().clamp(0, 1)
            values.append(-10 * torch.log10((fused - hr_hsi).square().mean(dim=(1, 2, 3)).double().clamp_min(1e-12)))
        network.train(was_training)
        return float(torch.cat(values).mean())


def _parts(draws: Sequence[Draw], size: int) -> list[Sequence[Draw]]:
    return [draws[start : start + size] for start in range(0, len(draws), size)]
