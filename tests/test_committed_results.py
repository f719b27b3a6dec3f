"""The committed records are valid, and the tables of the documentation say what they say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from hsfusion_bench import registry
from hsfusion_bench.cli import main
from hsfusion_bench.methods import NetworkMethod, Problem
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.runs.costs import Costs
from hsfusion_bench.runs.measure import count_parameters
from hsfusion_bench.runs.recorded import recorded_parameters
from hsfusion_bench.runs.records import Store
from hsfusion_bench.runs.weights.catalogue import find, read_authors
from support.records import boards_of

ROOT = Path(__file__).parents[1]
CLASSICAL = (ROOT / "docs" / "classical.md").read_text(encoding="utf-8")
NETWORKS = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
START = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
PROOF = (ROOT / "docs" / "cave.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def boards() -> dict[tuple[str, int], Leaderboard]:
    store = Store(ROOT / "results")
    return {(board.dataset, board.scale): board for board in boards_of(store.records(), published=True)}


def section(page: str, head: str) -> list[list[str]]:
    """Return the cells of the first table below a heading of a page, without those of its head."""
    text = page.split(f"\n## {head}\n")[1].split("\n## ")[0]
    lines = text[text.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def measured(board: Leaderboard, method: str) -> tuple[str, str]:
    """Return PSNR and SAM of a method with its defaults, as printed."""
    (row,) = [
        row
        for row in board.rows
        if row.complete and any(each.name == method and not each.changed for each in (row.record.method, *row.also))
    ]
    return row.printed("psnr"), row.printed("sam")


def published(board: Leaderboard, method: str) -> str:
    """Return the PSNR that was published of a method, or nothing."""
    wanted = {"cstf": "cstf-fus"}.get(method, method)
    return next((line.printed("psnr") for line in board.published if line.row.method.lower() == wanted), "")


def test_there_are_records_of_every_data_set(boards: dict[tuple[str, int], Leaderboard]) -> None:
    assert set(boards) >= {("cave", 4), ("cave", 8), ("jasper-ridge", 4)}


def test_the_table_of_cave(boards: dict[tuple[str, int], Leaderboard]) -> None:
    rows = section(CLASSICAL, "On CAVE")
    assert len(rows) == 13
    for name, _, uses, *cells in rows:
        method = name.strip("`")
        expected = []
        for scale in (4, 8):
            board = boards["cave", scale]
            expected += [*measured(board, method), published(board, method)]
        assert cells == expected, method
        record = next(row.record for row in boards["cave", 4].rows if row.record.method.name == method)
        assert uses == ", ".join(record.method.uses)


def test_the_scene_under_two_cameras(boards: dict[tuple[str, int], Leaderboard]) -> None:
    (lines,) = re.findall(r"\| method \| `uestc` \|.*\n\|---.*\n((?:\|.*\n)+)", CLASSICAL)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines.splitlines()]
    assert len(rows) == 10
    for name, here, _ in rows:
        (record,) = (
            row.record
            for row in boards["cave", 8].rows
            if f"`{row.record.method.name}`" == name and not row.record.method.changed
        )
        (scene,) = (scene for scene in record.scenes if scene.name == "jelly_beans")
        assert here == f"{scene.psnr:.2f}, {scene.sam:.2f}"


def test_the_table_of_jasper_ridge(boards: dict[tuple[str, int], Leaderboard]) -> None:
    rows = section(CLASSICAL, "On remote-sensing cubes")
    assert len(rows) == 13
    for name, psnr, sam in rows:
        found = measured(boards["jasper-ridge", 4], name.strip("`"))
        assert [psnr, sam] == [re.sub("±.*", "", value) for value in found]


def test_networks_have_the_parameters_that_their_records_say() -> None:
    """`hsbench show` takes them from there."""
    checked = set()
    for record in Store(ROOT / "results").records():
        if record.model.parameters is None:
            continue
        assert not record.method.changed
        method = registry.find(record.method.name).load()
        assert isinstance(method, NetworkMethod)
        data = record.dataset
        problem = Problem(data.bands, data.msi_bands, data.scale, data.scale / 2)
        counted = count_parameters(method.build(problem))
        assert counted == (record.model.parameters, record.model.trainable)
        assert recorded_parameters(record.method.name, problem) == counted
        checked.add(record.method.name)
    assert {"feinfn", "mossfuse", "psrt"} <= checked


def test_only_a_record_of_the_very_same_network_tells_its_parameters() -> None:
    cave = Problem(31, 3, 4, 2.0)
    assert recorded_parameters("feinfn", cave) == (3164816, 3164816)
    assert recorded_parameters("feinfn:relu", cave) is None
    assert recorded_parameters("bicubic", cave) is None
    for other in (replace(cave, bands=30), replace(cave, msi_bands=4), replace(cave, scale=16)):
        assert recorded_parameters("feinfn", other) is None


def test_the_table_of_costs() -> None:
    costs = Costs.model_validate_json((ROOT / "results" / "speed" / "cost-x4-cpu.json").read_text(encoding="utf-8"))
    assert (costs.workload.size, costs.workload.scale, costs.workload.device) == (512, 4, "cpu")
    assert {row.method for row in costs.rows} >= {"bicubic", "feinfn", "mossfuse", "psrt", "lttr"}
    # written by the same run; the pixels, the first column and the numbers are those of the file
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert len(lines) == len(costs.rows)
    for line, row in zip(lines, costs.rows, strict=True):
        title, parameters, _, latency, *_ = (cell.strip() for cell in line.strip("|").split("|"))
        assert title == row.title
        assert parameters == ("-" if row.parameters is None else f"{row.parameters / 1e6:.3f}")
        assert latency == ("-" if row.latency is None else f"{row.latency.median_ms:.0f}")


def test_the_table_of_the_authors_weights(boards: dict[tuple[str, int], Leaderboard]) -> None:
    checked = 0
    for name, _, here, _ in section(NETWORKS, "Weights of the authors"):
        if place := re.match(r"CAVE x(\d+), `(\w+)`: (.*) dB, SAM (.*), ERGAS (.*)", here):
            scale, protocol, *values = place.groups()
            board = boards["cave", int(scale)]
            (row,) = [row for row in board.rows if f"`{row.record.method.name}`" == name]
            assert row.record.weights is not None
            assert row.record.weights.origin == "authors"
            assert board.protocol == protocol
            assert values == [row.printed(index) for index in ("psnr", "sam", "ergas")]
            checked += 1
    assert checked == 3
    # all that the catalogue has of others, and no digest or address that stands there
    names = [name for row in section(NETWORKS, "Weights of the authors") for name in re.findall(r"`([^`]+)`", row[1])]
    assert names == [*read_authors().file]


def test_the_first_steps(boards: dict[tuple[str, int], Leaderboard]) -> None:
    board = boards["cave", 4]
    example = START.split("## Real scenes")[1].split("## Weights")[0]
    shown = {line.split()[0]: line.split() for line in example.splitlines() if "±" in line}
    for name in ("bicubic", "feinfn", "mossfuse"):
        (row,) = [row for row in board.rows if row.record.method.name == name]
        assert shown[row.title][1:5] == [row.printed(index) for index in ("psnr", "sam", "ergas", "ssim")]
        if name != "bicubic":
            entry = find(f"{name}-cave-x4-uestc")
            said = f"{name}: weights from the package ({entry.id}); {entry.budget}; {entry.score} dB on its test split"
            assert said in example.splitlines()
            assert f"{row.title}: {row.note}" in " ".join(example.split())
    words = " ".join(START.split())
    for method, pattern in (
        ("feinfn", r"FeINFN reached (\S+) dB on the 11 test scenes after (\d+) steps"),
        ("mossfuse", r"MossFuse reached (\S+) dB after (\d+) steps"),
    ):
        (row,) = [row for row in board.rows if row.record.method.name == method]
        assert row.record.weights is not None
        training = row.record.weights.training
        assert training is not None
        assert re.findall(pattern, words) == [(row.printed("psnr"), str(training.all_steps))]


def test_the_readme_shows_the_two_rows_of_the_board(boards: dict[tuple[str, int], Leaderboard]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split("$ hsbench run --methods feinfn,mossfuse --dataset cave --scale 4\n")[1].split("```\n")[2]
    printed = {line.split()[0]: line.split() for line in shown.splitlines() if "±" in line}
    assert set(printed) == {"FeINFN", "MossFuse"}
    for row in boards["cave", 4].rows:
        if row.title in printed:
            assert printed[row.title][1:5] == [row.printed(index) for index in ("psnr", "sam", "ergas", "ssim")]
            assert f"{row.title}: {row.note}" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


def test_the_list_of_weights_is_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(main, ["weights", "list", "--method", "mossfuse"]).stdout
    assert f"$ hsbench weights list --method mossfuse\n```\n\n```\n{shown.rstrip()}\n```" in START


def test_the_table_of_the_proof(boards: dict[tuple[str, int], Leaderboard]) -> None:
    lines = re.findall(r"^\| cave ×(\d) \| (PSNR|SAM|ERGAS) \| [^|]* \| ([^|]*) \|", PROOF, flags=re.MULTILINE)
    assert len(lines) == 6
    for scale, index, ours in lines:
        (row,) = [row for row in boards["cave", int(scale)].rows if row.record.method.name == "bicubic"]
        assert ours.replace(" ", "") == row.printed(index.lower())
    papers = r"^\| cave ×(\d) \| (PSNR|SAM|ERGAS \(papers\)|SSIM \(papers\)) \| ([^|]*) \| ([^|]*) \|.*\| equal \|$"
    proved = re.findall(papers, PROOF, flags=re.MULTILINE)
    assert len(proved) == 8
    assert all(theirs == ours for *_, theirs, ours in proved)
