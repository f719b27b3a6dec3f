"""Every network is trained by the command, and fuses by the weights that this leaves."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.torch import load_file

from hsfusion_bench.cli import main
from hsfusion_bench.methods import NetworkMethod
from hsfusion_bench.registry import entries, find

SIDE = 32
STEPS = 6
#: Networks, and their variants, as "feinfn:relu".
NETWORKS = [name for name in entries() if isinstance(find(name).load(), NetworkMethod)]
#: One patch to train on: then nothing but training and the flips change the loss.
DATA_SET = """
name = "one-patch"
title = "One patch"
key = "cube"
layout = "CHW"
wavelengths = { start = 400, stop = 700 }

[[scene]]
name = "patch"
file = "patch.npz"

[[scene]]
name = "other"
file = "other.npz"

[split]
id = "one-patch"
train = ["patch"]
test = ["other"]
"""


@pytest.fixture
def data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set of two scenes of seven bands, whose texture the HR-MSI shows and the LR-HSI does not."""
    random = np.random.default_rng(0)
    for name in ("patch", "other"):
        texture = random.random((SIDE, SIDE))
        np.savez(tmp_path / name, cube=np.stack([0.2 + (0.1 + 0.1 * band) * texture for band in range(7)]))
    path = tmp_path / "one-patch.toml"
    path.write_text(DATA_SET)
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NETWORKS if ":" not in name])
def test_the_command_trains_in_mixed_precision(name: str, data_set: Path) -> None:
    arguments = ["train", name, "--dataset", str(data_set), "--scale", "4", "--off-table", "interpolate"]
    arguments += ["--device", "cpu", "--batch-size", "1", "--max-steps", "2", "--out", "w.safetensors"]
    arguments += ["--precision", "bf16", "--set", f"patch={SIDE}", "--set", f"stride={SIDE}"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    weights = load_file("w.safetensors")
    assert all(bool(tensor.isfinite().all()) for tensor in weights.values())
    with Path("w.csv").open(encoding="utf-8", newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file) if row["step"] != "0"]
    assert len(losses) == 2
    assert np.isfinite(losses).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_the_command_lowers_the_loss(name: str, data_set: Path) -> None:
    numbers = ["learning_rate=3e-4", "accumulate=1", f"patch={SIDE}", f"stride={SIDE}", "clip_norm=1"]
    numbers += [f"part_rates.{part}=3e-3" for part in find(name).load().recipe.part_rates]  # type: ignore[attr-defined]
    problem = ["--dataset", str(data_set), "--scale", "4", "--off-table", "interpolate", "--device", "cpu"]
    arguments = ["train", name, *problem, "--batch-size", "1", "--max-steps", str(STEPS), "--out", "w.safetensors"]
    for number in numbers:
        arguments += ["--set", number]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    with Path("w.csv").open(encoding="utf-8", newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file) if row["loss"] and row["step"] != "0"]
    assert len(losses) == STEPS
    assert np.mean(losses[-2:]) < np.mean(losses[:2])

    done = CliRunner().invoke(
        main, ["run", "--methods", name, *problem, "--weights", f"{name}=w.safetensors", "--no-timing"]
    )
    assert done.exit_code == 0, done.output
    (path,) = Path("results").glob("one-patch-x4-*/*.json")
    record = json.loads(path.read_text())
    assert record["status"] == "ok"
    assert record["weights"]["training"]["steps"] == STEPS
