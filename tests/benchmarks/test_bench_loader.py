"""Patches per second: memory-mapped scenes beside scenes in memory and the authors' files.

64x64 patches of 31 bands with their LR-HSI and HR-MSI, turned at random, in batches of 32. The scenes are made up,
two of 512x512, and lie in the page cache, as prepared data do after the first epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hsfusion_bench.data.mapped import prepare_mapped
from hsfusion_bench.data.observing.protocols import Split, load_protocol
from hsfusion_bench.data.observing.responses import WAVELENGTHS
from hsfusion_bench.data.prepare import Preparation, prepare_train
from hsfusion_bench.data.scenes import SceneSource
from hsfusion_bench.data.task import Task
from hsfusion_bench.methods import Batch
from hsfusion_bench.training.loading import EpochBatches, fetch
from hsfusion_bench.training.mapped import MappedPatches
from support.loading import data_loader
from support.stored import StoredPatches

UESTC = load_protocol("uestc")
BATCH, EPOCHS = 32, 4


class Noise(SceneSource):
    name = "noise"
    title = "Noise"
    wavelengths = WAVELENGTHS
    split = Split("noise-2-0", ("a", "b"), ())

    def scene_names(self) -> tuple[str, ...]:
        return ("a", "b")

    def read(self, name: str) -> NDArray[np.float32]:
        return np.random.default_rng(ord(name)).random((31, 512, 512), np.float32)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of scenes and a file of patches."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("prepared")
    task = Preparation(Task.over(Noise(), UESTC, 4, "train"), 64, 34)
    return prepare_mapped(task, "train", folder), prepare_train(task, folder)[0]


Batches = Iterator[Batch]


def mapped(prepared: tuple[Path, Path], workers: int, threads: int) -> Batches:
    dataset = MappedPatches(prepared[0], turns="all", seed=0, reference=True)
    batches = EpochBatches(len(dataset), BATCH, epochs=range(EPOCHS), seed=0)
    return fetch(dataset, batches, threads=threads) if threads else iter(data_loader(dataset, batches, workers=workers))


def stored(prepared: tuple[Path, Path], workers: int, threads: int) -> Batches:
    dataset = StoredPatches(prepared[1], reference=True)
    batches = EpochBatches(len(dataset), BATCH, epochs=range(EPOCHS), seed=0)
    return fetch(dataset, batches, threads=threads) if threads else iter(data_loader(dataset, batches, workers=workers))


@pytest.mark.benchmark(group="patches per second")
@pytest.mark.parametrize(
    ("source", "workers", "threads"),
    [
        pytest.param(mapped, 0, 0, id="mapped-alone"),
        pytest.param(mapped, 0, 2, id="mapped-2-threads"),
        pytest.param(mapped, 2, 0, id="mapped-2-processes"),
        pytest.param(stored, 0, 0, id="hdf5-alone"),
        pytest.param(stored, 0, 2, id="hdf5-2-threads"),
    ],
)
def test_patches(
    benchmark: Any, prepared: tuple[Path, Path], source: Callable[..., Batches], workers: int, threads: int
) -> None:
    def count(batches: Batches) -> int:
        return sum(len(batch.lr_hsi) for batch in batches)

    total = benchmark.pedantic(count, setup=lambda: ((source(prepared, workers, threads),), {}), rounds=5)
    benchmark.extra_info["patches per second"] = round(total / benchmark.stats["median"])
    print(f"\n{benchmark.extra_info['patches per second']} patches per second")
