"""FeINFN in training beside its authors' code: patches per second and peak of memory, at the recipe's batch.

Theirs is trained as they train it: AdamW, the norm of the gradient clipped, L1 + 0.1 (1 - SSIM), float32. Ours goes
through the training loop, in float32, and on CUDA also with bfloat16 and compiled. HSBENCH_FEINFN_AUTHORS names the
authors' module, see test_bench_feinfn.py. HSBENCH_SPEED_FILE, if set, names a JSON file for the figures.

    HSBENCH_FEINFN_AUTHORS=feinfn.py HSBENCH_SPEED_FILE=speed.json pytest -s tests/benchmarks/test_bench_training.py
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch

from hsfusion_baselines.blocks.losses import ssim
from hsfusion_baselines.feinfn.method import FeINFNMethod
from hsfusion_bench.files import write_text
from hsfusion_bench.methods import Batch, Problem
from hsfusion_bench.runs.account import environment
from hsfusion_bench.runs.measure import device_name, peak_memory, synchronise
from hsfusion_bench.training.loading import Draw
from hsfusion_bench.training.loop import Training, make_accelerator

AUTHORS, OUTPUT = "HSBENCH_FEINFN_AUTHORS", "HSBENCH_SPEED_FILE"
BATCH, SIDE = 4, 64
STEPS = 6
PROBLEM = Problem(31, 3, 4, 2.0)
Steps = Iterator[object]


class Random:
    """Patches of noise, ready in memory: loading is not what is measured."""

    problem = PROBLEM

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        sizes = ((31, SIDE // 4), (3, SIDE), (31, SIDE))
        cubes = [torch.rand(BATCH, bands, side, side, generator=generator) for bands, side in sizes]
        self.batch = Batch(*cubes, PROBLEM)

    def __len__(self) -> int:
        return BATCH

    def __getitems__(self, draws: Sequence[Draw]) -> Batch:
        return self.batch

    def describe(self, draw: Draw) -> str:
        return "noise"


def ours(device: str, precision: str = "no", compiled: bool = False) -> Steps:
    method = FeINFNMethod()
    recipe = replace(method.recipe, batch_size=BATCH, accumulate=1)
    accelerator = make_accelerator(device, precision=precision)  # type: ignore[arg-type]
    training = Training(method, recipe, Random(), steps=10**6, seed=0, accelerator=accelerator, compiled=compiled)
    return training.run()


def authors(device: str) -> Steps:
    spec = importlib.util.spec_from_file_location("feinfn_authors", Path(os.environ[AUTHORS]))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.FeINFNet().to(device).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-4, weight_decay=0)
    batch = Random().batch
    assert batch.hr_hsi is not None
    while True:
        lr_hsi, hr_msi, hr_hsi = (cube.to(device) for cube in (batch.lr_hsi, batch.hr_msi, batch.hr_hsi))
        enlarged = torch.nn.functional.interpolate(lr_hsi, scale_factor=4, mode="bicubic")
        fused = network._forward_implem(hr_msi, enlarged, lr_hsi)
        loss = torch.nn.functional.l1_loss(fused, hr_hsi) + 0.1 * (1 - ssim(fused, hr_hsi))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1e-4)
        optimiser.step()
        yield loss.item()


WAYS: dict[str, Callable[[str], Steps]] = {
    "authors, float32": authors,
    "ours, float32": ours,
    "ours, bfloat16, compiled": lambda device: ours(device, "bf16", compiled=True),
}


def measure(way: str, device: str) -> dict[str, float]:
    """Patches per second (the median step) and the peak of memory of the steps, MB."""
    steps = WAYS[way](device)
    where = torch.device(device)
    times = []
    with peak_memory(where) as memory:
        for _ in range(STEPS + 1):
            synchronise(where)
            start = time.perf_counter()
            next(steps)
            synchronise(where)
            times.append(time.perf_counter() - start)
    return {"patches_per_second": BATCH / statistics.median(times[1:]), "peak_mb": memory[0].peak_mb if memory else 0.0}


def in_a_process(way: str, device: str) -> dict[str, float]:
    """Measure in a fresh process, whose memory holds nothing else."""
    done = subprocess.run([sys.executable, __file__, way, device], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_training_beside_the_authors_code(device: str) -> None:
    if not os.environ.get(AUTHORS):
        pytest.skip(f"{AUTHORS} names no file with the authors' module")
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    ways = list(WAYS) if device == "cuda" else list(WAYS)[:2]
    # theirs and ours in turn, since a machine may be slower at one time than at another
    rounds = [{way: in_a_process(way, device) for way in ways} for _ in range(3)]
    found = {
        way: {name: statistics.median(measured[way][name] for measured in rounds) for name in rounds[0][way]}
        for way in ways
    }
    for way, figures in found.items():
        print(f"\n{device}, {way}: {figures['patches_per_second']:.2f} patches/s, {figures['peak_mb']:.0f} MB")
    if os.environ.get(OUTPUT):
        content = {
            "what": f"FeINFN in training, batches of {BATCH} patches of {SIDE} x {SIDE} x 31, x4: median of 3 rounds",
            "device": device_name(torch.device(device)),
            "threads": torch.get_num_threads() if device == "cpu" else None,
            "measured": datetime.now(UTC).date().isoformat(),
            "environment": environment(),
            "figures": found,
        }
        write_text(Path(os.environ[OUTPUT]), json.dumps(content, indent=2) + "\n")
    theirs, fastest = found["authors, float32"], found[ways[-1]]
    assert fastest["patches_per_second"] > (3.0 if device == "cuda" else 1.3) * theirs["patches_per_second"]
    assert found["ours, float32"]["peak_mb"] < 0.8 * theirs["peak_mb"]


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2])))
