"""The page of the board: its tables are those of the records' files and of the papers' rows."""

from __future__ import annotations

import csv
import json
import re
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
from scipy.stats import wilcoxon

from support.pages import ROOT, program_of, text_of

PAGE = text_of(ROOT / "docs" / "board.md")
RECORDS: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text(encoding="utf-8")) for file in (ROOT / "results/cave-x4-uestc").glob("*.json")
}
TITLES = {record["method"]["title"]: name for name, record in RECORDS.items() if name == record["method"]["name"]}


def rows(name: str) -> list[list[str]]:
    """Return the cells of a table that the program wrote."""
    (part,) = re.findall(rf"<!-- {name}: written by board\.py -->\n(.*?)<!-- end -->", PAGE, flags=re.DOTALL)
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines]


def values(name: str, index: str) -> list[float]:
    return [scene.get(index) for scene in RECORDS[name]["scenes"]]


@pytest.fixture(scope="module")
def board() -> ModuleType:
    return program_of("board")


def test_the_page_is_as_its_program_writes_it(board: ModuleType) -> None:
    assert board.filled(PAGE) == PAGE, "run python docs/board.py"


def test_rows_are_those_of_the_files_in_the_papers_indexes() -> None:
    lines = rows("table")
    assert {line[0] for line in lines} == set(TITLES)
    assert [float(line[2]) for line in lines] == sorted((float(line[2]) for line in lines), reverse=True)
    for line in lines:
        for cell, (index, digits) in zip(
            line[2::2], {"psnr": 2, "sam": 2, "ergas_fused": 2, "ssim_full": 3}.items(), strict=True
        ):
            found = values(TITLES[line[0]], index)
            if None in found:  # not recorded
                assert cell == ""
                continue
            assert cell == f"{sum(found) / len(found):.{digits}f}", (line[0], index)


def test_budgets_are_those_of_the_trainings() -> None:
    checked = set()
    for line in rows("table"):
        training = (RECORDS[TITLES[line[0]]]["weights"] or {}).get("training")
        if training is None:
            continue
        earlier = training["earlier"] or {"steps": 0, "pixels": 0}
        steps = training["steps"] + earlier["steps"]
        share = 100 * (training["pixels"] + earlier["pixels"]) / training["recipe_pixels"]
        whole = steps == training["recipe_steps"] and not training["changes"]
        told = "whole recipe" if whole else f"{steps} steps, {share:.2g} %"
        assert line[1] == told
        choosing = text_of(ROOT / "docs" / "choosing.md")
        assert (
            f"| `{TITLES[line[0]]}` | weights, {'the whole recipe' if whole else f'{share:.2g} % of the recipe'} |"
            in choosing
        )
        checked.add(told)
    assert len(checked) > 2


def test_published_cells_are_as_papers_print_them() -> None:
    text = (ROOT / "hsfusion_bench/report/published.csv").read_text(encoding="utf-8")
    papers = {
        row["method"]: row
        for row in csv.DictReader(text.splitlines())
        if (row["dataset"], row["scale"]) == ("cave", "4")
    }
    papers["CSTF"] = papers["CSTF-FUS"]
    for line in rows("table"):
        paper = papers.get(line[0], {"psnr": "", "sam": "", "ergas": "", "ssim": ""})
        assert line[3::2] == [paper[index] for index in ("psnr", "sam", "ergas", "ssim")]


def test_differences_are_tested_as_scipy_does() -> None:
    lines, names = rows("differences"), [TITLES[line[0]] for line in rows("table")]
    assert [TITLES[line[0]] for line in lines] == names[1:]
    for column, others in ((1, [names[0]] * len(lines)), (3, names)):
        alone = []
        for name, other, line in zip(names[1:], others, lines, strict=False):
            apart = [a - b for a, b in zip(values(other, "psnr"), values(name, "psnr"), strict=True)]
            assert float(line[column]) == pytest.approx(sum(apart) / len(apart), abs=0.006)
            alone.append(float(wilcoxon(apart, method="exact").pvalue) if max(map(abs, apart)) > 1e-6 else 1.0)
        # Holm's way: the least counts as often as there are tests, the next once less; none is below the one before
        least = 0.0
        for rank, place in enumerate(sorted(range(len(alone)), key=alone.__getitem__)):
            least = max(least, min(1.0, alone[place] * (len(alone) - rank)))
            told = lines[place][column + 1]
            assert float(told.strip("*")) == pytest.approx(least, rel=0.05)
            assert told.startswith("**") == (least < 0.05)


def test_what_is_left_is_what_has_no_row_of_its_recipe() -> None:
    had = {line[0]: line[1] for line in rows("table")}
    left = {line[0]: line for line in rows("left")}
    for title, budget in had.items():
        assert (title in left) == bool(re.match(r"\d+ steps, ", budget)), title
    assert {"BDT", "MoG-DCN", "FeINFN", "MossFuse"} <= set(left)
    assert all(
        re.fullmatch(r"`hsbench train [\w-]+ --dataset cave --scale 4 --device cuda`", each[4])
        for each in left.values()
    )


def test_the_figure_has_every_row() -> None:
    drawn = ElementTree.parse(ROOT / "docs" / "board.svg")
    texts = " ".join("".join(each.itertext()) for each in drawn.iter("{http://www.w3.org/2000/svg}text"))
    assert all(title in texts for title in TITLES), texts
