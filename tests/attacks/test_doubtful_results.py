"""Results that pass all checks and are odd all the same are warned of."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from hsfusion_bench.cli import main

_METHODS = """
import numpy as np
from hsfusion_bench.data.sources.demo import DemoSource

def cheat(observation):
    return DemoSource().read("oranges")

def huge(observation):
    return np.full(observation.shape, 1e30)

def honest(observation):
    return np.full(observation.shape, 0.5)
"""


def test_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(_METHODS)
    methods = "mine.py:cheat,mine.py:huge,mine.py:honest"
    words = ["run", "--methods", methods, "--dataset", "demo", "--scale", "4", "--scenes", "oranges", "--no-timing"]
    CliRunner().invoke(main, words)
    said = capfd.readouterr().err  # of the processes that strangers' methods run in
    assert "mine:cheat returned the reference itself, for scene oranges" in said
    assert "mine:huge returned values from 1e+30 to 1e+30, far outside [0, 1]" in said
    assert "honest returned" not in said
