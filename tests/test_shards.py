"""`hsbench join`: records of some scenes each, against that of a run of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.runs.records import read_record

WHOLE = Path("whole/demo-x4-uestc")
PARTS = Path("parts/demo-x4-uestc")


def hsbench(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def run(folder: str, *more: str) -> Result:
    demo = ("--dataset", "demo", "--scale", "4", "--no-timing", "--results-dir", folder)
    return hsbench("run", "--methods", "bicubic,gsa", *demo, *more)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("whole").exit_code == 0
    assert run("parts", "--scenes", "melons").exit_code == 0
    assert run("parts", "--scenes", "oranges,figs").exit_code == 0


def change(path: Path, **changes: Any) -> None:
    held = json.loads(path.read_text())
    for key, value in changes.items():
        place, _, last = key.rpartition("__")
        (held[place] if place else held)[last] = value
    path.write_text(json.dumps(held))


def test_the_whole_is_the_record_of_all_scenes() -> None:
    done = hsbench("join", *sorted(PARTS.glob("*.json")))
    assert done.exit_code == 0, done.output
    for name in ("bicubic", "gsa"):
        assert f"record  results/demo-x4-uestc/{name}.json: 3 of 3 scenes" in done.stderr
        assert Path(f"results/demo-x4-uestc/{name}.json").read_bytes() == (WHOLE / f"{name}.json").read_bytes()


def test_a_part_of_the_scenes_is_a_record_of_that_part() -> None:
    done = hsbench("join", PARTS / "gsa.subset-melons.json", "--results-dir", "one")
    assert done.exit_code == 0
    written = Path("one/demo-x4-uestc/gsa.subset-melons.json")
    assert written.read_bytes() == (PARTS / "gsa.subset-melons.json").read_bytes()


def test_scenes_of_another_machine_are_told() -> None:
    path = PARTS / "gsa.subset-melons.json"
    change(path, environment__cpu="another")
    done = hsbench("join", *PARTS.glob("gsa*.json"))
    assert done.exit_code == 0
    assert "3 of 3 scenes, 1 of another machine" in done.stderr
    record = read_record(Path("results/demo-x4-uestc/gsa.json"))
    assert record.elsewhere == {"melons": {"cpu": "another"}}
    assert "melons: cpu another" in hsbench("show", "results/demo-x4-uestc/gsa.json").stdout
    again = hsbench("join", "results/demo-x4-uestc/gsa.json", "--results-dir", "again")
    assert again.exit_code == 0
    assert read_record(Path("again/demo-x4-uestc/gsa.json")) == record


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"dataset__protocol_digest": "0" * 64}, "dataset.protocol_digest"),
        ({"environment__hsfusion-bench": "0.0.1"}, "environment"),
        ({"metrics__suite": "0"}, "metrics.suite"),
        ({"method__uses": []}, "method.uses"),
    ],
)
def test_what_is_of_another_run_is_refused(changes: dict[str, Any], key: str) -> None:
    change(PARTS / "gsa.subset-melons.json", **changes)
    done = hsbench("join", *sorted(PARTS.glob("gsa*.json")))
    assert done.exit_code == 1
    assert f"are not of the same run: they differ in {key}" in done.stderr
    assert not Path("results/demo-x4-uestc/gsa.json").exists()


def test_a_scene_with_two_results_is_refused() -> None:
    path = PARTS / "gsa.subset-melons.json"
    held = json.loads(path.read_text())
    held["scenes"][0]["psnr"] += 1
    path.write_text(json.dumps(held))
    done = hsbench("join", path, WHOLE / "gsa.json")
    assert done.exit_code == 1
    assert "both have scene melons, with other numbers" in done.stderr


def test_a_file_that_is_no_record_is_named() -> None:
    assert "nothing.json cannot be read" in hsbench("join", "nothing.json").stderr
    path = PARTS / "gsa.subset-melons.json"
    path.write_text("{")
    assert "is not a valid record" in hsbench("join", path).stderr
    assert not Path("results").exists() or not list(Path("results").rglob("*.json"))
