"""The networks beside their authors' code: the same input, in inference, on the CPU.

The authors' code is not part of this project. HSBENCH_NETWORK_AUTHORS names a Python file with a dictionary `AUTHORS`
from the names of methods to ``(build, scale, side)``: `build()` returns a function of (lr_hsi, hr_msi) that runs their
network of 31 + 3 bands on a CPU, `side` is that of the HR-MSI. Both sides of a pair run in turn, so that what else the
machine does falls on both::

    HSBENCH_NETWORK_AUTHORS=authors.py pytest -s tests/benchmarks/test_bench_networks.py
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hsfusion_bench.methods import NetworkMethod, Problem
from hsfusion_bench.registry import entries, find

ROUNDS = 9
NETWORKS = [name for name in entries() if isinstance(find(name).load(), NetworkMethod)]
Forward = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@pytest.fixture(scope="module")
def authors() -> dict[str, tuple[Callable[[], Forward], int, int]]:
    file = os.environ.get("HSBENCH_NETWORK_AUTHORS")
    if not file:
        pytest.skip("HSBENCH_NETWORK_AUTHORS names no file with the authors' networks")
    spec = importlib.util.spec_from_file_location("network_authors", Path(file))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, tuple[Callable[[], Forward], int, int]] = module.AUTHORS
    return found


@pytest.mark.filterwarnings("ignore")  # theirs may warn of what it likes
@pytest.mark.benchmark(group="networks beside their authors' code")
@pytest.mark.parametrize("name", NETWORKS)
def test_beside_the_authors(name: str, authors: dict[str, Any], benchmark: Any) -> None:
    if name not in authors:
        pytest.skip(f"HSBENCH_NETWORK_AUTHORS has no {name}")
    build, scale, side = authors[name]
    method = find(name).load()
    assert isinstance(method, NetworkMethod)
    problem = Problem(31, 3, scale, scale / 2)
    network = method.build(problem).eval()
    images = torch.rand(1, 31, side // scale, side // scale), torch.rand(1, 3, side, side)
    theirs = build()
    ratios = []

    def both() -> None:
        start = time.process_time()
        method.predict(network, *images, problem)
        middle = time.process_time()
        theirs(*images)
        ratios.append((middle - start) / (time.process_time() - middle))

    with torch.inference_mode():
        assert method.predict(network, *images, problem).shape == theirs(*images).shape
        benchmark.pedantic(both, rounds=ROUNDS, warmup_rounds=1)
    ratio = statistics.median(ratios)
    benchmark.extra_info["time, relative to the authors'"] = round(ratio, 3)
    print(f"\n{name}: {ratio:.2f} of the authors' time")
