"""A few steps of training lower the loss of every method of the implicit family."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hsfusion_bench import registry
from hsfusion_bench.methods import NetworkMethod, Observation
from hsfusion_bench.training.loop import train
from hsfusion_bench.training.patches import Example

SIDE = 12
NAMES = [name for name, entry in registry.entries().items() if "feinfn" in name] + ["edacanet", "jiif", "liif"]


def textured_example() -> Example:
    """Return a scene whose texture the HR-MSI shows, and the LR-HSI does not."""
    texture = np.random.default_rng(0).random((SIDE, SIDE))
    hr_hsi = np.stack([0.3 + (0.2 + 0.1 * band) * texture for band in range(5)]).astype(np.float32)
    lr_hsi = hr_hsi.reshape(5, SIDE // 4, 4, SIDE // 4, 4).mean(axis=(2, 4))
    return Example(Observation(lr_hsi, hr_hsi[:2].copy(), 4, 1.5), hr_hsi)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_training_lowers_the_loss(name: str) -> None:
    method = registry.find(name).load()
    assert isinstance(method, NetworkMethod)
    changes = {"learning_rate": "5e-4", "patch": str(SIDE), "batch_size": "1", "accumulate": "1", "clip_norm": "1"}
    recipe = method.recipe.changed(changes)
    outcome = train(method, [textured_example()], recipe, steps=12, seed=0, device=torch.device("cpu"))
    first, last = (sum(loss.values()) for loss in (outcome.first_loss, outcome.last_loss))
    assert last < 0.99 * first  # the same patch in every step: nothing but training changes the loss
