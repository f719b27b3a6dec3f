"""`hsbench train` from the command line, and that `hsbench run` finds what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.methods.weights import WeightsCard

METHOD = """
from dataclasses import replace
from support.training import RECIPE, Tiny

class Seeing(Tiny):
    card = replace(Tiny.card, name="seeing", title="Seeing")

class Blind(Tiny):
    card = replace(Tiny.card, name="blind", title="Blind")
    recipe = replace(RECIPE, supervision="none", validation=False)

    def loss(self, network, batch):
        assert batch.hr_hsi is None
        fused = self.predict(network, batch.lr_hsi, batch.hr_msi, batch.problem)
        return {"lr": (fused[:, :, 2::4, 2::4] - batch.lr_hsi).abs().mean()}
"""


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(METHOD)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--dataset", "demo", "--scale", "4", "--device", "cpu"])


def said(done: Result) -> str:
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def record(name: str) -> dict[str, object]:
    content: dict[str, object] = json.loads(Path(f"results/demo-x4-uestc/{name}.json").read_text())
    return content


def test_run_finds_the_weights(own_cache: Path) -> None:
    done = invoke("train", "./mine.py:Seeing", "--epochs", "1", "--batch-size", "20", "--ema", "0.5")
    assert done.exit_code == 0, done.output
    assert "seeing: training 2/2" in said(done)
    ran = invoke("run", "--methods", "./mine.py:Seeing", "--no-timing")
    assert ran.exit_code == 0, ran.output
    assert "trained 2 steps (5 % of the pixels of the recipe), batch_size 20" in " ".join(ran.stdout.split())
    training = record("mine-seeing")["weights"]["training"]  # type: ignore[index]
    assert (training["batch_size"], training["recipe"]["ema"]) == (20, 0.5)
    assert training["changes"] == {"batch_size": "20", "ema": "0.5"}


def test_run_finds_the_weights_of_every_scene(own_cache: Path) -> None:
    done = invoke("train", "./mine.py:Blind", "--max-steps", "2", "--per-scene", "--scenes", "figs,lemons")
    assert done.exit_code == 2
    assert "no test scene 'lemons'" in said(done)
    done = invoke("train", "./mine.py:Blind", "--max-steps", "2", "--per-scene")
    assert done.exit_code == 0, done.output
    assert "use them by: hsbench run --weights mine:Blind=" in said(done)
    folder = next(own_cache.rglob("*.scenes"))
    assert len(list(folder.glob("*.safetensors"))) == 3
    ran = invoke("run", "--methods", "./mine.py:Blind", "--no-timing")
    assert ran.exit_code == 0, ran.output
    weights = record("mine-blind")["weights"]
    assert weights["training"]["per_scene"]  # type: ignore[index]
    assert weights["file"] == folder.name  # type: ignore[index]
    assert "on each scene by itself" in " ".join(ran.stdout.split())
    next(folder.glob("*.safetensors")).unlink()
    ran = invoke("run", "--methods", "./mine.py:Blind", "--no-timing", "--results-dir", "again")
    assert ran.exit_code == 1
    assert "there is no such weights file" in said(ran)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bicubic",), "Bicubic is not a network: there is nothing to train"),
        (("feinfm",), "no method 'feinfm'"),
        (("./mine.py:Seeing", "--epochs", "1", "--max-steps", "2"), "both say how long to train"),
        (("./mine.py:Seeing", "--out", "w.pth"), "a safetensors file is written"),
        (("./mine.py:Seeing", "--scenes", "figs"), "which only --per-scene trains on"),
        (("./mine.py:Seeing", "--per-scene"), "Seeing learns from references, which a test scene hides"),
        (("./mine.py:Seeing", "--set", "patch"), "expected NAME=VALUE"),
        (("./mine.py:Seeing", "--set", "speed=3"), "no number of a recipe that can be set 'speed'"),
        (("./mine.py:Seeing", "--ema", "all"), "ema: 'all' is not a positive number"),
        (("./mine.py:Seeing", "--precision", "fp16"), "fp16 needs a CUDA device"),
        (("./mine.py:Seeing", "--resume", "none.state"), "--resume none.state: there is no such file"),
        (("./mine.py:Seeing", "--set", "patch=30"), "take 28"),
    ],
)
def test_bad_usage(arguments: tuple[str, ...], words: str) -> None:
    done = invoke("train", *arguments, *(() if "--epochs" in arguments else ("--max-steps", "2")))
    assert done.exit_code == 2
    assert words in said(done)


def test_a_data_set_without_training_scenes() -> None:
    import numpy as np

    np.save("cube.npy", np.random.default_rng(0).random((31, 64, 64), np.float32))
    arguments = ["train", "./mine.py:Seeing", "--dataset", "mat:cube.npy", "--scale", "4", "--device", "cpu"]
    arguments += ["--wavelengths", "400:700"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "has no training scenes" in said(done)


WITH_OPTIONS = '''
from dataclasses import dataclass
from hsfusion_bench.methods import Card, NetworkMethod, Recipe, option

@dataclass(frozen=True)
class Wide(NetworkMethod):
    """A network with an option, as hsfusion_bench.methods.options tells."""

    card = Card(name="wide", title="Wide", family="cnn")
    recipe = Recipe(
        supervision="reference", optimiser="adam", learning_rate=1e-3, final_learning_rate=1e-3, schedule_epochs=1,
        epochs=1, patches_per_epoch=8, batch_size=2, patch=16, loss="L1", source="a test",
    )
    width: int = option(4, "channels of the hidden layer", at_least=1)

    def build(self, problem):
        from torch import nn

        hidden = nn.Conv2d(problem.msi_bands, self.width, 1)
        return nn.Sequential(hidden, nn.ReLU(), nn.Conv2d(self.width, problem.bands, 1))

    def predict(self, network, lr_hsi, hr_msi, problem):
        return network(hr_msi)

    def loss(self, network, batch):
        return {"l1": (network(batch.hr_msi) - batch.hr_hsi).abs().mean()}
'''


def test_a_networks_options_belong_to_its_weights(own_cache: Path) -> None:
    Path("wide.py").write_text(WITH_OPTIONS)
    wide = "./wide.py:Wide"
    done = invoke("train", wide, "--set", "width=8", "--max-steps", "2", "--set", "patch=20")
    assert done.exit_code == 0, done.output
    (weights,) = own_cache.rglob("weights/*/*.safetensors")
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["options"] == {"width": 8}
    assert card["training"]["changes"] == {"patch": "20"}
    # found by the same options, and by no others
    ran = invoke("run", "--methods", wide, "--no-timing", "--set", "wide:Wide.width=8")
    assert ran.exit_code == 0, ran.output
    ran = invoke("run", "--methods", wide, "--no-timing")
    assert ran.exit_code == 1
    assert "no weights" in said(ran)
    ran = invoke("run", "--methods", wide, "--no-timing", "--weights", f"wide:Wide={weights}")
    assert ran.exit_code == 1
    assert "was trained with width 8, not with the default options" in said(ran)
    done = invoke("train", wide, "--set", "width=0", "--max-steps", "2")
    assert done.exit_code == 2
    assert "the least is 1" in said(done)


def test_a_number_that_is_the_recipes_own_is_not_a_change(own_cache: Path) -> None:
    Path("wide.py").write_text(WITH_OPTIONS)
    done = invoke("train", "./wide.py:Wide", "--max-steps", "4", "--set", "learning_rate=0.001", "--batch-size", "2")
    assert done.exit_code == 0, done.output
    (weights,) = own_cache.rglob("weights/*/*.safetensors")
    made = WeightsCard.model_validate_json(
        json.dumps({k: v for k, v in json.loads(weights.with_suffix(".json").read_text()).items() if k != "sha256"})
    )
    assert made.training.changes == {}
    assert made.training.describe().startswith("4 of 4 steps (the whole recipe)")


def test_a_file_is_run_once(own_cache: Path) -> None:
    Path("wide.py").write_text(WITH_OPTIONS + "\nopen('seen', 'a').write('here ')\n")
    invoke("run", "--methods", "./wide.py:Wide", "--no-timing")
    assert Path("seen").read_text() == "here "


def test_a_method_that_cannot_be_imported_is_one_failed_row_whatever_is_set(own_cache: Path) -> None:
    Path("broken.py").write_text("import nothing_of_that_name\n")
    done = invoke("run", "--methods", "bicubic,./broken.py:Broken", "--no-timing", "--set", "broken:Broken.width=8")
    assert done.exit_code == 1
    assert "No module named 'nothing_of_that_name'" in said(done)
    assert record("bicubic")["status"] == "ok"
    assert record("broken-broken")["status"] == "failed"
