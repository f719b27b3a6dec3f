"""The cost table: what it measures, and that one method's failure is a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.runs.costs import Cost, Costs, Workload, _observation

FILE = """
import os
import time
import numpy as np

def slow(observation):
    time.sleep(60)

def dies(observation):
    os.kill(os.getpid(), 9)

def wrong(observation):
    return np.zeros((1, 2, 3), np.float32)

def still(observation):
    time.sleep(0.05)
    return np.zeros(observation.shape, np.float32)
"""


def cost(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["cost", "--device", "cpu", *arguments])


def test_failures_are_rows_and_stop_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(FILE)
    names = ",".join(f"./mine.py:{name}" for name in ("dies", "wrong", "still"))
    done = cost("--methods", names, "--size", "64", "--json", "cost.json", "--markdown", "cost.md")
    assert done.exit_code == 0, done.output
    costs = Costs.model_validate_json(Path("cost.json").read_text())
    errors = [row.error for row in costs.rows]
    assert errors[0] == "ended by the system, for want of memory perhaps"
    assert errors[1] is not None
    assert "returned an array of shape (1, 2, 3)" in errors[1]
    assert errors[2] is None
    still = costs.rows[2]
    assert still.latency is not None
    assert still.latency.median_ms >= 50
    assert still.parameters is None
    assert Path("cost.md").read_text().count("\n| ") == 4
    assert "Traceback" not in done.output
    assert "slow: stopped after 2 s" in cost("--methods", "./mine.py:slow", "--time-limit", "2").stderr


def test_an_interruption_loses_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> Iterator[Cost]:
        yield Cost(method="one", title="One", family="custom", error="stopped")
        raise KeyboardInterrupt

    monkeypatch.setattr("hsfusion_bench.runs.costs.measure_all", interrupted)
    monkeypatch.chdir(tmp_path)
    assert cost("--methods", "bicubic", "--json", "cost.json", "--markdown", "cost.md").exit_code == 130
    assert [row.method for row in Costs.model_validate_json(Path("cost.json").read_text()).rows] == ["one"]
    assert "| One |" in Path("cost.md").read_text()


def test_a_networks_cost(tmp_path: Path) -> None:
    done = cost("--methods", "ssrnet", "--size", "64", "--json", str(tmp_path / "cost.json"))
    assert done.exit_code == 0, done.output
    [row] = json.loads((tmp_path / "cost.json").read_text())["rows"]
    assert row["parameters"] == 26877
    # three convolutions of 3x3, from 34 bands once and from 31 twice, and the two matrices that enlarge 16 to 64 pixels
    convolutions, matrices = 9 * 64 * 64 * (34 * 31 + 2 * 31 * 31), 31 * (64 * 16 * 16 + 64 * 16 * 64)
    assert row["flops"]["value"] == 2 * (convolutions + matrices)
    assert row["memory"]["peak_mb"] > 0
    assert row["tiles"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--methods", "nobody"), "no method 'nobody'"),
        (("--size", "66"), "is not a multiple of --scale 4; take 64"),
        (("--scale", "5", "--size", "65"), "not at 5"),
    ],
)
def test_bad_usage(arguments: tuple[str, ...], words: str) -> None:
    done = cost(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr


def test_an_image_of_other_cameras() -> None:
    workload = Workload(size=64, scale=4, bands=50, msi_bands=4)
    seen = _observation(workload)
    assert (seen.lr_hsi.shape, seen.hr_msi.shape) == ((50, 16, 16), (4, 64, 64))
    assert seen.srf is not None
    assert seen.srf.sum(axis=1) == pytest.approx(1)
    usual = _observation(Workload(size=64, scale=4))
    # the first, last and middle wavelengths are those of the demo; in between spectra are straight
    assert seen.lr_hsi[[0, -1]] == pytest.approx(usual.lr_hsi[[0, -1]], abs=1e-6)
    flat = _observation(Workload(size=64, scale=4, bands=61, msi_bands=1))
    assert flat.lr_hsi[::2] == pytest.approx(usual.lr_hsi, abs=1e-6)
    assert flat.lr_hsi[1::2] == pytest.approx((usual.lr_hsi[1:] + usual.lr_hsi[:-1]) / 2, abs=1e-6)


def test_bands_are_those_of_the_table(tmp_path: Path) -> None:
    done = cost(
        "--methods", "gsa", "--size", "64", "--bands", "40", "--msi-bands", "9", "--json", str(tmp_path / "c.json")
    )
    assert done.exit_code == 0, done.output
    assert "64 x 64 pixels, 40 + 9 bands" in " ".join(done.stdout.split())
    costs = Costs.model_validate_json((tmp_path / "c.json").read_text())
    assert (costs.workload.bands, costs.workload.msi_bands) == (40, 9)
    assert costs.rows[0].latency is not None
    refused = cost("--bands", "2")
    assert refused.exit_code == 2
    assert "--bands 2 are fewer than --msi-bands 3" in " ".join(refused.stderr.split())
