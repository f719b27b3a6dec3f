"""What two workers gain on two cores, beside a run in one process on one."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hsfusion_bench.machine import cores

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

#: Seconds of fusing, of which there is much more than of starting workers.
METHODS = "cnmf"
ROUNDS = 1


@pytest.mark.data
@pytest.mark.benchmark(group="workers")
@pytest.mark.skipif(cores() < 2, reason="two workers need two cores")
@pytest.mark.skipif(not os.environ.get("HSBENCH_DATA"), reason="HSBENCH_DATA names no folder of CAVE scenes")
def test_two_workers(benchmark: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hsfusion_bench", "run", "--methods", METHODS, "--dataset", "cave", "--scale", "4"]
    command += ["--no-timing", "--results-dir"]
    threads = {**os.environ, **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}}
    alone: list[float] = []

    def run(folder: str, *more: str, one_core: bool = False) -> None:
        pinned = (lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})) if one_core else None
        whole = [*command, str(tmp_path / folder), *more]
        subprocess.run(whole, check=True, capture_output=True, env=threads, preexec_fn=pinned)

    def one_process() -> None:  # before each round, so that both see the same machine
        start = time.perf_counter()
        run(f"one-{len(alone)}", one_core=True)
        alone.append(time.perf_counter() - start)

    benchmark.pedantic(lambda: run(f"two-{len(alone)}", "--workers", "2"), setup=one_process, rounds=ROUNDS)
    gain = statistics.median(alone) / benchmark.stats.stats.median
    benchmark.extra_info["times as fast as one core"] = round(gain, 2)
    print(f"\ntwo workers: {gain:.2f} times as fast as one core")
    assert gain > 1.6  # of eleven scenes one worker has six: 1.83 at the most, and starting takes some seconds
