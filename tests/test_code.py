"""The code of a method that does not ship: a change of it is noticed, and an error in it is told with its line."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hsfusion_bench import registry
from hsfusion_bench.cli import main
from hsfusion_bench.methods import Method
from hsfusion_bench.methods.code import code_of
from hsfusion_bench.registry import Entry, Origin
from hsfusion_bench.runs.account import method_info
from hsfusion_bench.runs.contenders import Contender

PACKAGE = {
    "__init__.py": "",
    "method.py": '''
"""A method."""
from hsfusion_bench.methods import Card, Method

class Theirs(Method):
    """It enlarges."""

    card = Card("theirs", "Theirs", "cnn")

    def fuse(self, observation):
        from their_code.parts import enlarge  # when it is needed

        return enlarge(observation)
''',
    "parts/__init__.py": "from .deep import enlarge",
    "parts/deep.py": "from .. import constants\ndef enlarge(seen):\n    return seen.hr_msi * constants.GAIN",
    "constants.py": "GAIN = 1",
    "plots.py": "COLOUR = 1",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "their_code"
    for name, text in PACKAGE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "their_code"]:
        del sys.modules[name]


def loaded() -> Method:
    """Return the method as another process would find it."""
    forget()
    importlib.invalidate_caches()
    return Entry("theirs", "their_code.method:Theirs", Origin("plugin", "their-code", "1.0")).load()


@pytest.mark.parametrize("name", ["constants.py", "parts/deep.py", "parts/__init__.py", "method.py", "__init__.py"])
def test_code_that_a_method_imports_from_its_package_is_its_code(package: Path, name: str) -> None:
    before = code_of(loaded())
    assert before is not None
    assert re.fullmatch("[0-9a-f]{64}", before)
    (package / name).write_text(PACKAGE[name] + "\nMORE = 2\n")
    assert code_of(loaded()) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("method.py", "# when it is needed", "# now"),
        ("method.py", "It enlarges.", "It does what it does."),
        ("method.py", '"Theirs", "cnn"', '"Their method", "inr", reference="@article{a, title={b}}"'),
        ("constants.py", "GAIN = 1", "GAIN   =  1\n\n"),
        ("plots.py", "1", "2"),
    ],
)
def test_what_decides_nothing_is_not(package: Path, name: str, old: str, new: str) -> None:
    before = code_of(loaded())
    assert old in PACKAGE[name]
    (package / name).write_text(PACKAGE[name].replace(old, new))
    assert code_of(loaded()) == before


def test_the_record_of_a_package_knows_its_code(package: Path) -> None:
    def told() -> dict[str, object]:
        contender = Contender("theirs", Origin("plugin", "their-code", "1.0"), loaded())
        return method_info(contender, contender.method, frozenset()).model_dump()

    before = told()
    (package / "constants.py").write_text("GAIN = 2")
    after = told()
    assert before["version"] == after["version"] == "1.0"
    assert before["code"] != after["code"]


def test_what_ships_has_a_version_alone() -> None:
    entry = registry.entries()["gsa"]
    method = entry.load()
    assert code_of(method) is None
    assert "code" not in method_info(Contender("gsa", entry.origin, method), method, frozenset()).model_dump()


NETWORK = """
from dataclasses import replace
from support.training import Tiny

class Mine(Tiny):
    card = replace(Tiny.card, name="mine", title="Mine")

    def loss(self, network, batch):
        return {name: 1 * value for name, value in super().loss(network, batch).items()}
"""


def invoke(*arguments: str) -> Result:
    done = CliRunner().invoke(main, [*arguments, "--dataset", "demo", "--scale", "4", "--device", "cpu"])
    assert "Traceback" not in done.output
    return done


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_network_that_was_changed_is_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    train = ("train", "./mine.py:Mine", "--epochs", "1", "--batch-size", "20")
    run = ("run", "--methods", "./mine.py:Mine", "--no-timing")
    Path("mine.py").write_text(NETWORK)
    assert "training 2/2" in flat(invoke(*train).stderr)
    assert "are made already" in flat(invoke(*train).stderr)
    assert "has changed since" not in invoke(*run).output

    Path("mine.py").write_text(NETWORK.replace("1 * value", "2 * value"))
    assert "by code of the method that has changed since" in flat(invoke(*run).stdout)
    record = json.loads(Path("results/demo-x4-uestc/mine-mine.json").read_text())
    assert record["method"]["code"] != record["weights"]["training"]["code"]
    assert "training 2/2" in flat(invoke(*train).stderr)
    assert "has changed since" not in invoke(*run).output


BESIDE = """
from dataclasses import replace
from support.training import Tiny

class Mine(Tiny):
    card = replace(Tiny.card, name="mine", title="Mine")

    def build(self, problem):
        from {module} import Network
        return Network()
"""


@pytest.mark.parametrize("verb", [("show",), ("train",), ("run", "--train", "--methods")])
def test_an_error_of_ones_own_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path, verb: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(BESIDE.format(module="model_beside"))
    Path("model_beside.py").write_text("class Network: ...\n")
    arguments = [*verb, "./mine.py:Mine"]
    done = CliRunner().invoke(main, arguments) if verb == ("show",) else invoke(*arguments)
    assert done.exit_code == 1
    told = flat(done.stderr)
    assert "Traceback" not in told
    assert "No module named 'model_beside' (mine.py, line 9; a method in a file is that file alone" in told
    assert "hsbench new-method" in told


def test_a_module_that_is_nowhere_is_not_said_to_lie_beside(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("\nimport nothing_of_that_name\n")
    with pytest.raises(registry.HsbenchError, match=r"No module named 'nothing_of_that_name' \(mine\.py, line 2\)$"):
        registry.find(f"{tmp_path / 'mine.py'}:Mine").load()
