"""How quickly the command line answers, beside an import of NumPy: a start that every program of the field has."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

import pytest

HSBENCH = [sys.executable, "-m", "hsfusion_bench"]
NUMPY = [sys.executable, "-c", "import numpy"]

#: Commands, each with how many times an import of NumPy it may take.
COMMANDS = {
    "--help": 3,
    "list methods": 4,
    "list metrics": 5,
    "show feinfn": 8,
    "weights list": 8,
    "leaderboard --only recorded": 10,
}


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.benchmark(group="command line")
@pytest.mark.parametrize("words", COMMANDS)
def test_answer(benchmark: Any, words: str) -> None:
    imports: list[float] = []

    def import_numpy() -> None:  # one before each round, so that both see the same machine
        start = time.perf_counter()
        _run(NUMPY)
        imports.append(time.perf_counter() - start)

    _run([*HSBENCH, *words.split()])
    benchmark.pedantic(_run, args=([*HSBENCH, *words.split()],), setup=import_numpy, rounds=11)
    ratio = benchmark.stats.stats.median / statistics.median(imports)
    benchmark.extra_info["times an import of numpy"] = round(ratio, 2)
    print(f"\nhsbench {words}: {ratio:.1f} times an import of numpy")
    assert ratio < COMMANDS[words]
