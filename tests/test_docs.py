"""The programs in docs/methods.md run as they stand there."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hsfusion_bench.cli import main

PAGE = (Path(__file__).parents[1] / "docs" / "methods.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(# (\w+\.py)\n.*?)```", PAGE, flags=re.DOTALL)


def run(program: int, attribute: str, *more: str) -> dict[str, object]:
    text, file = PROGRAMS[program]
    Path(file).write_text(text)
    arguments = ["--methods", f"./{file}:{attribute}", "--dataset", "demo", "--scale", "4", "--no-timing", *more]
    done = CliRunner().invoke(main, ["run", *arguments, "--results-dir", attribute])
    assert done.exit_code == 0, done.output
    (record,) = Path(attribute).glob("demo-x4-uestc/*.json")
    content: dict[str, object] = json.loads(record.read_text())
    return content


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_program_is_tested() -> None:
    assert [file for _, file in PROGRAMS] == ["mine.py", "mine.py", "tuned.py", "net.py"]


def test_the_function_runs() -> None:
    assert run(0, "my_function")["method"]["name"] == "mine:my_function"  # type: ignore[index]


def test_the_class_runs_and_is_better_than_the_function() -> None:
    results = [run(0, "my_function"), run(1, "MyMethod")]
    bicubic, mine = (record["summary"]["psnr"]["mean"] for record in results)  # type: ignore[index]
    assert mine > bicubic


@pytest.mark.skipif(
    importlib.util.find_spec("hsfusion_bench.methods.options") is None, reason="methods have no options yet"
)
def test_an_option_is_set_and_recorded() -> None:
    record = run(2, "Tuned", "--set", "tuned:Tuned.pull=0.5")
    assert record["method"]["options"]["pull"] == 0.5  # type: ignore[index]


def test_the_network_trains_and_runs() -> None:
    record = run(3, "MyNetwork", "--train", "--max-steps", "3", "--device", "cpu")
    assert record["weights"]["training"]["steps"] == 3  # type: ignore[index]
