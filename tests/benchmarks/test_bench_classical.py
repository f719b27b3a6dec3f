"""Time and memory of the classical methods on a scene of CAVE's size, 512 x 512 x 31 at x4.

The slowest take minutes: `pytest tests/benchmarks/test_bench_classical.py -k "not ltmr"` leaves one out.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch

from hsfusion_bench.methods import Observation
from hsfusion_bench.registry import find
from hsfusion_bench.runs.measure import peak_memory
from support.fusion import make_scene, observe

#: Most seconds that each may take on two cores.
SECONDS = {
    **dict.fromkeys(["brovey", "gsa", "sfim", "mtf-glp-hs"], 5),
    "fuse": 10,
    **dict.fromkeys(["cnmf", "hysure"], 60),
    **dict.fromkeys(["nssr", "cstf", "ltmr", "lttr", "ir-tensr"], 600),
}


@functools.cache
def scene() -> Observation:
    clean = make_scene(bands=31, shape=(512, 512), rank=8)
    noise = np.random.default_rng(0).normal(0, 1e-3, clean.shape)  # real scenes have no exact rank
    return observe(clean + noise, msi_bands=3, side=3, sigma=0.5)


@pytest.mark.benchmark(group="classical: fuse 512 x 512 x 31 at x4")
@pytest.mark.parametrize("name", SECONDS)
def test_fuse(benchmark: Any, name: str) -> None:
    method, observation = find(name).load(), scene().seen_by(find(name).load().card)
    with peak_memory(torch.device("cpu")) as memory:
        fused = benchmark.pedantic(method.fuse, (observation,), rounds=1)
    assert fused.shape == observation.shape
    assert benchmark.stats.stats.max < SECONDS[name]
    if memory:
        benchmark.extra_info["peak_mb"] = memory[0].peak_mb
        assert memory[0].peak_mb < 4000
