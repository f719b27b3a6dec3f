"""The page of choosing a method: its tables are those of the records, its advice holds for them."""

from __future__ import annotations

import json
import re
from types import ModuleType

import pytest

from support.pages import ROOT, program_of, text_of

PAGE = text_of(ROOT / "docs" / "choosing.md")


@pytest.fixture(scope="module")
def choosing() -> ModuleType:
    return program_of("choosing")


def rows(name: str) -> list[list[str]]:
    """Return the cells of a table that the program wrote."""
    (part,) = re.findall(rf"<!-- {name}: written by choosing\.py -->\n(.*?)<!-- end -->", PAGE, flags=re.DOTALL)
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def recorded(task: str) -> dict[str, float]:
    """Return the mean PSNR of the default rows of a task, read from the files themselves."""
    found = {}
    for file in (ROOT / "results" / task).glob("*.json"):
        record = json.loads(file.read_text(encoding="utf-8"))
        if record["status"] == "ok" and file.stem == record["method"]["name"]:
            found[file.stem] = record["summary"]["psnr"]["mean"]
    return found


def test_the_page_is_as_its_program_writes_it(choosing: ModuleType) -> None:
    assert choosing.filled(PAGE) == PAGE, "run python docs/choosing.py"


def test_a_page_without_its_parts_is_not_filled(choosing: ModuleType) -> None:
    with pytest.raises(AssertionError):
        choosing.filled(PAGE.replace("<!-- front:", "<!-- "))


def test_the_table_holds_every_default_row() -> None:
    boards = [recorded(task) for task in ("cave-x4-uestc", "cave-x8-uestc", "jasper-ridge-x4-yokoya")]
    table = rows("table")
    assert {row[0] for row in table} == set(boards[0])
    for method, _, *cells in table:
        assert cells[:3] == [f"{board[method]:.2f}" if method in board else "" for board in boards]


def test_no_faster_method_equals_those_that_time_buys() -> None:
    costs = json.loads((ROOT / "results" / "speed" / "cost-x4-cpu.json").read_text(encoding="utf-8"))
    time = {row["method"]: row["latency"]["median_ms"] for row in costs["rows"] if row["latency"]}
    psnr = recorded("cave-x4-uestc")
    front = {row[0] for row in rows("front")}
    for method in psnr:
        beaten = [each for each in psnr if time[each] < time[method] and psnr[each] > psnr[method] - 1e-6]
        assert (method in front) is (not beaten), (method, beaten)


def test_the_advice_holds() -> None:
    (near,) = re.findall(r"on all 3 boards below: (.*)\.\n", PAGE)
    assert {"`gsa`", "`fuse`"} <= set(near.split(", "))
    best = {
        task: sorted(values, key=values.__getitem__, reverse=True)
        for task in ("cave-x4-uestc", "cave-x8-uestc", "jasper-ridge-x4-yokoya")
        for values in [recorded(task)]
    }
    assert best["cave-x4-uestc"][:3] == ["feinfn", "psrt", "ltmr"]
    assert best["cave-x8-uestc"][:2] == ["psrt", "ltmr"]
    assert best["jasper-ridge-x4-yokoya"].index("ltmr") > 5
    trained = {row[0]: float(row[2]) for row in rows("table") if "of the recipe" in row[1] or "whole recipe" in row[1]}
    gsa = recorded("cave-x4-uestc")["gsa"]
    assert min(trained.values()) < gsa < max(trained.values())
