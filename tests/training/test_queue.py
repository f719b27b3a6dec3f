"""Trainings that a file lists."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from hsfusion_bench.cli import main
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.files import sha256_file
from hsfusion_bench.methods import Problem
from hsfusion_bench.methods.weights import TrainingInfo, WeightsCard, halve, read_weights, write_weights
from hsfusion_bench.registry import find
from hsfusion_bench.training.queue import read_queue

ONE = '[[training]]\nmethod = "ssfcnn"\ndataset = "demo"\nscale = 4\nsteps = 2\n'


def queue(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trainings.toml"
    path.write_text(text)
    return path


# -- the file


def test_what_is_common_holds_unless_a_training_says_otherwise(tmp_path: Path) -> None:
    text = (
        '[common]\ndataset = "cave"\nscale = 4\nseed = 3\nset = { patch = 32 }\n'
        '[[training]]\nmethod = "feinfn"\nsteps = 5\n'
        '[[training]]\nmethod = "mossfuse"\nscale = 8\nrecipe = "text"\nset = { shuffle = true, ema = 0.9 }\n'
    )
    first, second = read_queue(queue(tmp_path, text))
    assert (first.scale, first.seed, first.steps, first.set) == (4, 3, 5, {"patch": "32"})
    assert (second.scale, second.recipe, second.steps) == (8, "text", None)
    recipe = second.recipe_used()
    assert (recipe.shuffle, recipe.ema, recipe.schedule_epochs) == (True, 0.9, 200)
    assert second.command() == [
        *("train", "mossfuse", "--dataset", "cave", "--scale", "8", "--recipe", "text", "--seed", "3"),
        *("--set", "shuffle=true", "--set", "ema=0.9"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "training is missing"),
        ("training = []", "lists no"),
        ("x = [", "is not a TOML file"),
        (ONE.replace("steps", "step"), "training 1: there is no key 'step'; did you mean steps"),
        (ONE.replace("steps = 2", "steps = 0"), "training 1: steps: .*greater than or equal to 1"),
        (ONE.replace("steps = 2", 'steps = "two"'), "training 1: steps: "),
        (ONE.replace("ssfcnn", "ssfcnnn"), "training 1: there is no method 'ssfcnnn'; did you mean ssfcnn"),
        (ONE.replace("ssfcnn", "bicubic"), "training 1: Bicubic is not a network"),
        (ONE + 'recipe = "tex"\n', "training 1: there is no recipe of SSFCNN 'tex'"),
        (ONE + "set = { speed = 3 }\n", "training 1: there is no number of a recipe that can be set 'speed'"),
        (ONE + 'keep = "all"\n', "training 1: keep: "),
        (ONE + "rounds = 2\n", "training 1: rounds begin with weights that are kept"),
        (ONE + ONE, "training 2: ssfcnn demo x4 is there already"),
        ("commn = {}\n" + ONE, "there is no key 'commn'; did you mean common"),
    ],
)
def test_a_file_with_a_fault_is_refused_before_anything_is_trained(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_queue(queue(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_queue(tmp_path / "none.toml")


def test_a_method_that_the_file_does_not_list_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["weights", "make", str(queue(tmp_path, ONE)), "--only", "feinfn"])
    assert done.exit_code == 2
    assert "ssfcnn" in done.output


def test_the_commands_can_be_seen_first(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["weights", "make", str(queue(tmp_path, ONE)), "--dry-run"])
    assert done.exit_code == 0
    assert done.output == ("hsbench train ssfcnn --dataset demo --scale 4 --recipe published --seed 0 --max-steps 2\n")


# -- the trainings


def make(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(file), capture_output=True, text=True, check=False, cwd=file.parent)


def command(file: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "hsfusion_bench", "weights", "make", str(file), "--device", "cpu"),
        *("--results-dir", "results", "--work", "work"),
    ]


@pytest.mark.slow
def test_each_training_leaves_weights_card_log_and_record_and_a_failure_does_not_stop_the_rest(tmp_path: Path) -> None:
    numbers = "set = { patch = 16, stride = 16, batch_size = 4 }\n"
    failing = ONE.replace("ssfcnn", "conssfcnn") + "set = { patch = 30 }\n"
    last = ONE.replace("ssfcnn", "ssrnet") + numbers
    file = queue(tmp_path, ONE + numbers + 'keep = "float16"\n' + failing + last)
    done = make(file)
    assert done.returncode == 1, done.stderr
    assert [line.split("  ")[0].strip() for line in done.stdout.splitlines()] == ["made", "failed", "made"]
    assert "conssfcnn demo x4 failed: exit code 2: Error: " in done.stderr
    assert "take 28" in done.stderr

    results = tmp_path / "results"
    kept = results / "weights" / "ssfcnn" / "demo-x4.safetensors"
    card = json.loads(kept.with_suffix(".json").read_text())
    assert card["sha256"] == sha256_file(kept)
    assert (card["stored"], card["training"]["steps"]) == ("float16", 2)
    assert card["made_by"]["command"][:3] == ["hsbench", "train", "ssfcnn"]
    assert kept.with_suffix(".csv").read_text().startswith("step,")
    (record,) = results.glob("demo-x4-*/ssfcnn.json")
    scored = json.loads(record.read_text())
    assert scored["weights"]["sha256"] == card["sha256"]
    assert {"ergas_fused", "ssim_full"} <= scored["summary"].keys()  # to stand beside published rows
    # of the last one the digest alone is kept, and that is what its record ran with
    assert not (results / "weights" / "ssrnet" / "demo-x4.safetensors").exists()
    card = json.loads((results / "weights" / "ssrnet" / "demo-x4.json").read_text())
    (record,) = results.glob("demo-x4-*/ssrnet.json")
    assert json.loads(record.read_text())["weights"]["sha256"] == card["sha256"]

    again = make(file)
    assert [line.split("  ")[0].strip() for line in again.stdout.splitlines()] == ["was there", "failed", "was there"]


@pytest.mark.slow
def test_rounds_begin_with_the_weights_of_the_one_before(tmp_path: Path) -> None:
    numbers = 'set = { patch = 16, stride = 16, batch_size = 4 }\nkeep = "float32"\n'
    file = queue(tmp_path, ONE + numbers)
    assert make(file).returncode == 0
    kept = tmp_path / "results" / "weights" / "ssfcnn" / "demo-x4.safetensors"
    first = kept.read_bytes()
    # one that has a round already makes the next one only, also where nothing else is left of the first
    shutil.rmtree(tmp_path / "work")
    queue(tmp_path, ONE + numbers + "rounds = 2\n")
    done = make(file)
    assert (done.returncode, done.stdout.split()[0]) == (0, "made"), done.stderr
    card = json.loads(kept.with_suffix(".json").read_text())
    assert card["made_by"]["round"] == 2
    assert card["training"]["earlier"]["sha256"] == hashlib.sha256(first).hexdigest()
    assert card["training"]["earlier"]["steps"] == 2
    (record,) = (tmp_path / "results").glob("demo-x4-*/ssfcnn.json")
    assert json.loads(record.read_text())["weights"]["sha256"] == card["sha256"]
    assert make(file).stdout.startswith("was there")


@pytest.mark.slow
def test_an_interrupted_queue_resumes(tmp_path: Path) -> None:
    numbers = "set = { patch = 16, stride = 16, batch_size = 4 }\n"
    file = queue(tmp_path, ONE.replace("steps = 2", "steps = 1500") + numbers)
    log = tmp_path / "work" / "ssfcnn" / "demo-x4.csv"
    with subprocess.Popen(
        command(file), cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        deadline = time.monotonic() + 60
        while not (log.is_file() and log.stat().st_size > 200) and time.monotonic() < deadline:
            time.sleep(0.1)
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert log.with_suffix(".state").is_file()
    done = subprocess.run([*command(file)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "resumes after step" in done.stderr


# -- half as large


def test_halved_weights_are_read_as_single_precision(tmp_path: Path) -> None:
    method = find("ssfcnn").load()
    problem = Problem(31, 3, 4, 2.0)
    network = method.build(problem)  # type: ignore[attr-defined]
    training = TrainingInfo(
        steps=1, recipe_steps=1, batch_size=1, patch=1, learning_rate=1, changes={}, supervision="none", scenes=[],
        seed=0, device="cpu", first_loss={}, last_loss={},
    )  # fmt: skip
    card = WeightsCard(
        method="ssfcnn", dataset="demo", scale=4, protocol="uestc", protocol_digest="", training=training, versions={}
    )
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    write_weights(whole, network.state_dict(), card)
    halve(whole, half)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    read = read_weights(half, method, problem)  # type: ignore[arg-type]
    assert read.card is not None
    assert read.card.stored == "float16"
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(read.state[name], tensor.half().float(), rtol=0, atol=0)

    write_weights(whole, {**network.state_dict(), "first.bias": torch.tensor([1e6])}, card)
    with pytest.raises(HsbenchError, match=r"first\.bias has numbers that float16 cannot hold"):
        halve(whole, half)
