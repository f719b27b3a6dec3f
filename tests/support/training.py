"""A small method and small scenes to train on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hsfusion_bench.data.observing.protocols import Split, load_protocol
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.scenes import SceneSource
from hsfusion_bench.methods import Batch, Card, NetworkMethod, Problem, Recipe

RECIPE = Recipe(
    supervision="reference",
    optimiser="adam",
    learning_rate=1e-2,
    final_learning_rate=1e-4,
    schedule_epochs=10,
    epochs=20,
    patches_per_epoch=40,
    batch_size=2,
    patch=16,
    loss="L1",
    source="a test",
)
PROTOCOL = load_protocol("uestc")


class Tiny(NetworkMethod):
    """One convolution on the HR-MSI."""

    card = Card("tiny", "Tiny", "cnn")
    recipe = RECIPE

    def build(self, problem: Problem) -> nn.Module:
        return nn.Conv2d(problem.msi_bands, problem.bands, 1)

    def predict(self, network: nn.Module, lr_hsi: torch.Tensor, hr_msi: torch.Tensor, problem: Problem) -> torch.Tensor:
        fused: torch.Tensor = network(hr_msi)
        return fused

    def loss(self, network: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        assert batch.hr_hsi is not None
        fused = self.predict(network, batch.lr_hsi, batch.hr_msi, batch.problem)
        return {"l1": (fused - batch.hr_hsi).abs().mean()}


class Noise(SceneSource):
    """Scenes of noise in files of their own, written where they are missing."""

    name = "noise"
    title = "Noise"
    wavelengths = WAVELENGTHS
    split = Split("noise-2-2", ("a", "b"), ("c", "d"))

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in self.scene_names():
            if not self.path(name).is_file():
                cube = np.random.default_rng(ord(name)).random((31, 48, 48), np.float32)
                np.save(self.path(name), cube)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def scene_names(self) -> tuple[str, ...]:
        return ("a", "b", "c", "d")

    def files(self, name: str) -> list[Path]:
        return [self.path(name)]

    def read(self, name: str) -> np.ndarray:
        cube: np.ndarray = np.load(self.path(name))
        return cube
