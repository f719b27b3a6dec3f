"""FeINFN beside its authors' code: the same input, 128 x 128, on the CPU.

The authors' code is not part of this project. HSBENCH_FEINFN_AUTHORS names their module, a Python file with a
class `FeINFNet` for 31 + 3 bands whose `_forward_implem(hr_msi, hsi_up, lr_hsi)` runs on the CPU.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hsfusion_baselines.feinfn.network import FeINFN
from hsfusion_bench.runs.measure import peak_memory

AUTHORS = "HSBENCH_FEINFN_AUTHORS"
SIDE = 128

Forward = Callable[..., torch.Tensor]


def our_forward() -> Forward:
    return FeINFN().eval()


def authors_forward() -> Forward:
    file = os.environ.get(AUTHORS)
    if not file:
        pytest.skip(f"{AUTHORS} names no file with the authors' module")
    spec = importlib.util.spec_from_file_location("feinfn_authors", Path(file))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    forward: Forward = module.FeINFNet().eval()._forward_implem
    return forward


@pytest.mark.benchmark(group="feinfn: fuse 128 x 128")
@pytest.mark.parametrize("build", [our_forward, authors_forward], ids=["ours", "authors"])
def test_fuse(benchmark: Any, build: Callable[[], Forward]) -> None:
    forward = build()
    images = torch.rand(1, 3, SIDE, SIDE), torch.rand(1, 31, SIDE, SIDE), torch.rand(1, 31, SIDE // 4, SIDE // 4)
    with torch.inference_mode():
        fused = benchmark.pedantic(forward, images, rounds=5, warmup_rounds=1)
    assert fused.shape == images[1].shape


@pytest.mark.benchmark(group="feinfn: forward and backward, 4 patches of 64 x 64")
@pytest.mark.parametrize("build", [our_forward, authors_forward], ids=["ours", "authors"])
def test_step(benchmark: Any, build: Callable[[], Forward]) -> None:
    forward = build()
    images = torch.rand(4, 3, 64, 64), torch.rand(4, 31, 64, 64), torch.rand(4, 31, 16, 16)
    reference = torch.rand(4, 31, 64, 64)

    def step() -> torch.Tensor:
        loss = torch.nn.functional.l1_loss(forward(*images), reference)
        loss.backward()
        return loss.detach()

    assert benchmark.pedantic(step, rounds=3, warmup_rounds=1).isfinite()


@pytest.mark.benchmark(group="feinfn: fuse a scene of 512 x 512")
def test_a_scene_fits_in_3_gb(benchmark: Any) -> None:
    forward = our_forward()
    images = torch.rand(1, 3, 512, 512), torch.rand(1, 31, 512, 512), torch.rand(1, 31, 128, 128)
    with torch.inference_mode(), peak_memory(torch.device("cpu")) as memory:
        benchmark.pedantic(forward, images, rounds=1)
    if not memory:
        pytest.skip("this system does not tell a process's peak of memory")
    assert memory[0].peak_mb < 3000
