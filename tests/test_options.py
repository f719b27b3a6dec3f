"""Options of methods: declared once, set by text, shown, recorded, and never mixed up with the ordinary run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.errors import UsageError
from hsfusion_bench.methods import Card, Cube, Method, Observation, option, upsample_bicubic
from hsfusion_bench.methods.options import options_of, with_options
from hsfusion_bench.runs.records import read_record
from support.records import make_record


@dataclass(frozen=True)
class Tuned(Method):
    card = Card("tuned", "Tuned", "classical")
    rank: int = option(10, "dimension of the subspace", at_least=1)
    weight: float = option(1e-3, "weight of the prior")
    centred: bool = option(True, "subtract the mean")
    start: Literal["vca", "svd"] = option("vca", "where to start")

    def fuse(self, observation: Observation) -> Cube:
        return upsample_bicubic(observation.lr_hsi, observation.scale)


def test_options_are_the_fields_with_their_meanings() -> None:
    options = options_of(Tuned())
    assert list(options) == ["rank", "weight", "centred", "start"]
    assert options["rank"].value == options["rank"].default == 10
    assert options["rank"].meaning == "dimension of the subspace"


def test_texts_become_values_of_the_declared_type() -> None:
    changed = with_options(Tuned(), {"rank": "3", "weight": "2e-2", "centred": "no", "start": "svd"})
    assert changed == Tuned(3, 0.02, False, "svd")
    assert options_of(changed)["rank"].default == 10


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("rnak", "3", "did you mean rank"),
        ("rank", "3.5", "not a whole number"),
        ("rank", "0", "the least is 1"),
        ("weight", "much", "not a number"),
        ("weight", "inf", "not a number"),
        ("centred", "perhaps", "neither true nor false"),
        ("start", "random", "none of vca, svd"),
    ],
)
def test_a_wrong_option_is_one_clear_message(name: str, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        with_options(Tuned(), {name: text})


def test_a_method_without_options_says_so() -> None:
    class Plain(Method):
        card = Card("plain", "Plain", "classical")

        def fuse(self, observation: Observation) -> Cube:
            return observation.lr_hsi

    assert options_of(Plain()) == {}
    with pytest.raises(UsageError, match="There are: none"):
        with_options(Plain(), {"rank": "1"})


MINE = """
from dataclasses import dataclass
from hsfusion_bench.methods import Card, Method, option, upsample_bicubic

@dataclass(frozen=True)
class Power(Method):
    "Bicubic, faded."
    card = Card("power", "Power", "classical", uses=frozenset({"psf", "srf"}))
    gain: float = option(1.0, "factor of all values")

    def fuse(self, observation):
        return self.gain * upsample_bicubic(observation.lr_hsi, observation.scale)
"""


def hsbench(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def run(*more: str, results: str = "results") -> Result:
    common = ["--dataset", "demo", "--scale", "4", "--no-timing", "--device", "cpu", "--results-dir", results]
    return hsbench("run", "--methods", "./mine.py:Power", *common, *more)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def test_a_changed_option_has_a_record_and_a_title_of_its_own(mine: Path) -> None:
    assert run().exit_code == 0
    changed = run("--set", "mine:Power.gain=0.5")
    assert changed.exit_code == 0, changed.output
    assert "Power (gain 0.5; uses psf, srf)" in changed.stdout
    folder = mine / "results" / "demo-x4-uestc"
    assert sorted(path.name for path in folder.iterdir()) == ["mine-power.gain-0.5.json", "mine-power.json"]
    plain, half = (read_record(folder / name) for name in ("mine-power.json", "mine-power.gain-0.5.json"))
    assert (plain.method.options, plain.method.changed) == ({"gain": 1.0}, [])
    assert (half.method.options, half.method.changed) == ({"gain": 0.5}, ["gain"])
    assert plain.summary is not None
    assert half.summary is not None
    assert half.summary["psnr"].mean < plain.summary["psnr"].mean - 1


def test_a_blind_run_gives_no_truth_and_says_so(mine: Path) -> None:
    assert run().exit_code == 0
    blind = run("--blind")
    assert blind.exit_code == 0, blind.output
    assert "Power (estimates psf, srf)" in blind.stdout
    record = read_record(mine / "results" / "demo-x4-uestc" / "mine-power.blind.json")
    assert (record.method.uses, record.method.estimated) == ([], ["psf", "srf"])
    assert read_record(mine / "results" / "demo-x4-uestc" / "mine-power.json").method.uses == ["psf", "srf"]


@pytest.mark.parametrize(
    ("change", "words"),
    [("mine:Power.gian=2", "did you mean gain"), ("mine:Power.gain=big", "not a number")],
)
def test_a_wrong_option_stops_the_command_before_anything_runs(mine: Path, change: str, words: str) -> None:
    done = run("--set", change)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not (mine / "results").exists()


def test_a_number_of_a_recipe_needs_training() -> None:
    done = hsbench("run", "--methods", "feinfn", "--dataset", "demo", "--scale", "4", "--set", "feinfn.patch=32")
    assert done.exit_code == 2
    assert "add --train" in done.stderr


def test_show_lists_options(mine: Path) -> None:
    facts: dict[str, Any] = json.loads(hsbench("show", "./mine.py:Power", "--json").stdout)
    assert facts["options"] == {"gain": {"value": 1.0, "meaning": "factor of all values"}}
    assert "1.0: factor of all values" in hsbench("show", "./mine.py:Power").stdout


def test_records_written_before_there_were_options_are_read() -> None:
    content = json.loads(make_record().model_dump_json(by_alias=True))
    for key in ("options", "changed", "estimated"):
        del content["method"][key]
    old = type(make_record()).model_validate(content)
    assert (old.method.variant, old.key) == ("", "mine")
