"""A few steps of training lower the loss of every method of the implicit family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from hsfusion_bench import registry
from hsfusion_bench.methods import Batch, NetworkMethod, Problem
from hsfusion_bench.training.loading import Draw
from hsfusion_bench.training.loop import Training, make_accelerator

SIDE = 16
NAMES = [name for name, entry in registry.entries().items() if "feinfn" in name] + ["edacanet", "jiif", "liif"]


class OnePatch:
    """A scene whose texture the HR-MSI shows, and the LR-HSI does not."""

    problem = Problem(5, 2, 4, 1.5)

    def __init__(self) -> None:
        texture = np.random.default_rng(0).random((SIDE, SIDE))
        hr_hsi = np.stack([0.3 + (0.2 + 0.1 * band) * texture for band in range(5)]).astype(np.float32)
        lr_hsi = hr_hsi.reshape(5, SIDE // 4, 4, SIDE // 4, 4).mean(axis=(2, 4))
        lr, msi, hsi = (torch.from_numpy(np.ascontiguousarray(cube))[None] for cube in (lr_hsi, hr_hsi[:2], hr_hsi))
        self.batch = Batch(lr, msi, hsi, self.problem)

    def __len__(self) -> int:
        return 1

    def __getitems__(self, draws: Sequence[Draw]) -> Batch:
        return self.batch

    def describe(self, draw: Draw) -> str:
        return "the patch"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_training_lowers_the_loss(name: str) -> None:
    method = registry.find(name).load()
    assert isinstance(method, NetworkMethod)
    recipe = replace(method.recipe, learning_rate=3e-4, patch=SIDE, batch_size=1, accumulate=1, clip_norm=1.0)
    training = Training(method, recipe, OnePatch(), steps=20, seed=0, accelerator=make_accelerator("cpu"))
    losses = [sum(terms.values()) for terms in training.run()]
    # the same patch in every step: nothing but training changes the loss
    assert np.mean(losses[-2:]) < 0.98 * np.mean(losses[:2])
