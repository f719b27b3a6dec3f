"""How quickly the command line answers, beside Python's own start."""

import subprocess
import sys

import pytest

COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "hsbench --help": [sys.executable, "-m", "hsfusion_bench", "--help"],
    "hsbench list methods": [sys.executable, "-m", "hsfusion_bench", "list", "methods"],
}


@pytest.mark.benchmark(group="command line")
@pytest.mark.parametrize("name", COMMANDS)
def test_answer(benchmark, name):
    benchmark.pedantic(
        lambda: subprocess.run(COMMANDS[name], check=True, capture_output=True), rounds=5, warmup_rounds=1
    )
