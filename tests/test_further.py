"""The papers' ERGAS and SSIM, asked for by --also: recorded, resumed, run again, checked, and shown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import hsfusion_bench as hb
from hsfusion_bench.cli import main
from hsfusion_bench.methods.resize import upsample_bicubic
from hsfusion_bench.report.comparable import agree
from hsfusion_bench.report.frame import frame
from hsfusion_bench.report.latex import latex
from hsfusion_bench.report.leaderboard import Leaderboard, leaderboards
from hsfusion_bench.report.markdown import markdown
from hsfusion_bench.report.published import published_rows
from hsfusion_bench.report.sources import entries_of
from hsfusion_bench.runs.account import summary_of
from hsfusion_bench.runs.records import FURTHER, Record, SceneResult, Store, dump, json_schema, read_record
from hsfusion_bench.runs.submission import check_submission
from hsfusion_metrics import METRICS, PUBLISHED_METRICS, ergas_fused, ssim_full
from support.records import make_record
from support.unfinished import leave_scenes

ROOT = Path(__file__).parents[1]
TASK = "demo-x4-uestc"
ALSO = ("--also", "ssim_full,ergas_fused")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HSBENCH_DATA", "HSBENCH_RESULTS"):
        monkeypatch.delenv(name, raising=False)


def hsbench(*arguments: str | Path, columns: int = 80) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], env={"COLUMNS": str(columns)})


def run(*more: str | Path, methods: str = "bicubic") -> Result:
    demo = ("--dataset", "demo", "--scale", "4", "--device", "cpu", "--no-timing")
    return hsbench("run", "--methods", methods, *demo, *more)


def path_of(method: str) -> Path:
    return Path("results") / TASK / f"{method}.json"


def change(path: Path, tamper: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text())
    tamper(content)
    path.write_text(json.dumps(content))


def with_further(record: Record, value: float, names: tuple[str, ...] = FURTHER) -> Record:
    """Give every scene of a record further indexes of one value, and sum up again."""
    scenes = [scene.model_copy(update=dict.fromkeys(names, value)) for scene in record.scenes]
    return record.model_copy(update={"scenes": scenes, "summary": summary_of(scenes)})


# -- records


def test_the_names_are_those_of_the_metrics() -> None:
    assert tuple(PUBLISHED_METRICS) == FURTHER
    assert FURTHER[0] in json.dumps(json_schema())
    properties = json_schema()["$defs"]["SceneResult"]["properties"]
    for name in FURTHER:
        assert "if it was asked for" in properties[name]["description"]
        assert name not in json_schema()["$defs"]["SceneResult"]["required"]


def test_a_record_without_them_is_the_file_that_it_was() -> None:
    text = dump(make_record())
    assert not any(name in text for name in FURTHER)
    assert Record.model_validate_json(text) == make_record()
    old = read_record(ROOT / "results" / "cave-x8-uestc" / "ltmr.json")
    assert old.further == ()


def test_a_record_with_them_comes_back(tmp_path: Path) -> None:
    record = with_further(make_record(), float("inf"))
    again = Record.model_validate_json(dump(record))
    assert again.further == FURTHER
    assert json.loads(dump(record))["scenes"][0]["ssim_full"] == "Inf"
    one = with_further(make_record(), 1.5, ("ssim_full",))
    assert (one.further, list(one.summary or ())[-1]) == (("ssim_full",), "ssim_full")


def test_a_mean_is_over_all_scenes_or_none() -> None:
    record = with_further(make_record(), 2.0)
    scenes = [record.scenes[0], record.scenes[1].model_copy(update={"ergas_fused": None})]
    assert list(summary_of(scenes) or ()) == [*METRICS, "ssim_full"]


def test_mean_and_deviation_are_the_scripts() -> None:
    values = {"a": 1.0, "b": 2.0, "c": 4.0}
    record = make_record(scenes=values)
    scenes = [scene.model_copy(update={"ssim_full": values[scene.name]}) for scene in record.scenes]
    summary = summary_of(scenes)
    assert summary is not None
    assert summary["ssim_full"].mean == pytest.approx(7 / 3)
    assert summary["ssim_full"].std == pytest.approx((7 / 3) ** 0.5)  # of 1, 2 and 4, with N - 1
    alone = summary_of(scenes[:1])
    assert alone is not None
    assert alone["ssim_full"].std == 0


# -- runs


def test_a_run_records_what_is_asked_for_and_nothing_else() -> None:
    assert run(*ALSO).exit_code == 0
    record = read_record(path_of("bicubic"))
    task = hb.open_task("demo", scale=4)
    for told, scene in zip(record.scenes, task, strict=True):
        cube = upsample_bicubic(scene.observation.lr_hsi, 4)
        assert told.ergas_fused == ergas_fused(scene.hr_hsi, cube, ratio=4)
        assert told.ssim_full == ssim_full(scene.hr_hsi, cube)
    assert record.metrics == {"suite": "1.0", "const": 1.0, "ratio": 4.0}
    assert list(record.summary or ()) == [*METRICS, *FURTHER]
    # the seven are what they are without
    plain = read_record(ROOT / "results" / TASK / "bicubic.json")
    assert agree(record, plain)
    assert run("--also", "ssim_full").exit_code == 0
    assert read_record(path_of("bicubic")).further == ("ssim_full",)
    assert run().exit_code == 0
    assert read_record(path_of("bicubic")).further == ()


@pytest.mark.parametrize(
    ("asked", "earlier"), [((), FURTHER), (ALSO, ()), (ALSO, ("ergas_fused",)), (ALSO, FURTHER), ((), ())]
)
def test_scenes_of_an_earlier_run_are_taken_over_only_with_the_same_indexes(
    asked: tuple[str, ...], earlier: tuple[str, ...]
) -> None:
    assert run(*asked).exit_code == 0
    wanted = read_record(path_of("bicubic"))

    def interrupt(record: dict[str, Any]) -> None:
        record["status"] = "incomplete"
        record["scenes"][2] = {"name": "melons", "digest": None}
        for scene in record["scenes"][:2]:
            scene["psnr"] = 12.25  # a sign of what was taken over
            for name in FURTHER:
                scene.pop(name, None)
            scene |= dict.fromkeys(earlier, 0.5)

    path = path_of("bicubic")
    change(path, interrupt)
    leave_scenes(Store(Path("results")), read_record(path))
    path.unlink()
    assert run(*asked).exit_code == 0
    found = read_record(path)
    assert found.status == "ok"
    assert [scene.further for scene in found.scenes] == [wanted.further] * 3
    assert (found.scenes[1].psnr == 12.25) == (earlier == wanted.further)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("psnr", "psnr is one of the seven"),
        ("ssim_ful", "no further index 'ssim_ful'; there are ergas_fused, ssim_full"),
        ("ssim_full,q2n", "q2n is one of the seven"),
        (",", "--also names no index"),
    ],
)
def test_other_indexes_are_refused(asked: str, said: str) -> None:
    done = run("--also", asked)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
    assert not Path("results").exists()
    with pytest.raises(hb.UsageError):
        hb.run(hb.open_task("demo", scale=4), "bicubic", records=None, also=asked.split(","))


def test_python_asks_likewise() -> None:
    results = hb.run(hb.open_task("demo", scale=4), "bicubic", records=None, also=["ergas_fused"], timing=False)
    assert results.records[0].further == ("ergas_fused",)
    assert results.per_scene()["ergas_fused"].notna().all()
    assert "ssim_full" not in results.per_scene().columns
    assert "ergas_fused_mean" in results.table().columns


def test_results_made_elsewhere_are_scored_by_them_too() -> None:
    assert run(*ALSO, "--save-mat", "saved").exit_code == 0
    told = ("--name", "Mine", "--dataset", "demo", "--scale", "4")
    assert hsbench("evaluate", "saved/demo-x4-uestc/bicubic.mat", *told, *ALSO).exit_code == 0
    ran, scored = read_record(path_of("bicubic")), read_record(path_of("mine"))
    for name in FURTHER:
        pairs = [(getattr(a, name), getattr(b, name)) for a, b in zip(ran.scenes, scored.scenes, strict=True)]
        assert all(one == pytest.approx(other, rel=1e-6) for one, other in pairs)


def test_a_row_is_run_again_with_them() -> None:
    assert run(*ALSO).exit_code == 0
    done = hsbench("reproduce", path_of("bicubic"), "--json")
    assert done.exit_code == 0, done.output
    assert list(json.loads(done.stdout)["scenes"][0]["here"]) == [*METRICS, *FURTHER]
    assert json.loads(done.stdout)["verdict"] == "identical"

    def tamper(record: dict[str, Any]) -> None:
        record["scenes"][1]["ssim_full"] += 0.01
        scenes = [SceneResult.model_validate(scene) for scene in record["scenes"]]
        record["summary"] = {name: each.model_dump() for name, each in (summary_of(scenes) or {}).items()}

    change(path_of("bicubic"), tamper)
    done = hsbench("reproduce", path_of("bicubic"), "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["verdict"] == "differs"


def test_what_is_sent_is_checked_by_them_too() -> None:
    assert run(*ALSO, "--save-mat", "results").exit_code == 0
    assert {check.state for check in check_submission(Path("results")).checks} == {"ok"}

    def tamper(record: dict[str, Any]) -> None:
        record["scenes"][1]["ergas_fused"] += 0.01
        del record["scenes"][2]["ssim_full"]

    change(path_of("bicubic"), tamper)
    found = {check.what: check.found for check in check_submission(Path("results")).checks if check.state != "ok"}
    assert "melons has no ssim_full" in found["scenes"]
    assert "the cube of figs has ERGAS (papers)" in found["cubes, scored again"]
    assert "summary" in found


# -- boards


@pytest.fixture
def board() -> Leaderboard:
    """A row that has them and one that does not, and what papers print."""
    (found,) = leaderboards(
        entries_of([with_further(make_record("with"), 0.25), make_record("without", {"a": 20.0, "b": 22.0})]),
        published=True,
    )
    return found


def test_published_numbers_stand_in_the_columns_of_their_indexes(board: Leaderboard) -> None:
    assert board.indexes == ("psnr", "sam", "ergas", "ssim", "ergas_fused", "ssim_full")
    bicubic = next(line for line in board.published if line.row.method == "Bicubic")
    assert [bicubic.printed(index) for index in board.indexes] == [
        "34.33±3.88",
        "4.45±1.62",
        "-",
        "-",
        "7.21±4.90",
        "0.944±0.0291",
    ]
    assert [row.printed("ergas_fused") for row in board.rows] == ["0.25±0.00", "-"]
    assert not any(set(row.places) & set(FURTHER) for row in board.rows)  # for not every row has them
    assert any("ergas_fused and ssim_full" in line for line in board.sources)


def test_without_them_published_numbers_stand_where_they_did_and_a_line_says_what_they_are() -> None:
    (found,) = leaderboards(entries_of([make_record()]), published=True)
    assert found.indexes == ("psnr", "sam", "ergas", "ssim")
    bicubic = next(line for line in found.published if line.row.method == "Bicubic")
    assert bicubic.printed("ergas") == "7.21±4.90"
    assert any("hsbench run --also ergas_fused,ssim_full" in line for line in found.sources)


def test_one_of_the_two_is_moved_alone() -> None:
    (found,) = leaderboards(entries_of([with_further(make_record(), 0.5, ("ssim_full",))]), published=True)
    bicubic = next(line for line in found.published if line.row.method == "Bicubic")
    assert [bicubic.printed(index) for index in ("ergas", "ergas_fused", "ssim", "ssim_full")] == [
        "7.21±4.90",
        "-",
        "-",
        "0.944±0.0291",
    ]


def test_every_format_heads_the_columns(board: Leaderboard) -> None:
    text = markdown([board])
    assert "| ERGAS | SSIM | ERGAS (papers) | SSIM (papers) |" in text
    assert "| Bicubic [2] | 34.33±3.88 | 4.45±1.62 | - | - | 7.21±4.90 | 0.944±0.0291 |" in text
    table = latex([board])
    above, below = (line.split(" & ") for line in re.findall(r"^(?:Method| & ).*$", table, flags=re.MULTILINE)[:2])
    assert [cell.partition(" ")[0].partition("~")[0] for cell in above[1:7]] == [
        "PSNR",
        "SAM",
        "ERGAS",
        "SSIM",
        "ERGAS",
        "SSIM",
    ]
    assert [cell.partition(" ")[0] for cell in below[5:7]] == ["(papers)", "(papers)"]
    assert "Their ERGAS and SSIM are other indexes" in table
    lines = frame([board])
    bicubic = lines[(lines["title"] == "Bicubic") & (lines["status"] == "published")].iloc[0]
    assert (bicubic["ergas_fused_mean"], bicubic["ssim_full_std"]) == ("7.21", "0.0291")
    assert bicubic[["ergas_mean", "ssim_std"]].isna().all()


def test_the_terminal_has_room_at_80_columns() -> None:
    done = hsbench("leaderboard", "--only", "recorded", "--dataset", "cave", "--scale", "4", "--published")
    assert done.exit_code == 0
    table = done.stdout.split("hsbench leaderboard")[0]
    assert max(map(len, table.splitlines())) <= 80
    heads = re.search(r"^ +papers' +papers' .*\n(method .*)$", done.stdout, flags=re.MULTILINE)
    assert heads is not None
    assert " ".join(heads[1].split()) == "method PSNR ↑ SAM ↓ ERGAS ↓ SSIM ↑ ERGAS ↓ SSIM ↑ (M)"
    ours, papers = re.findall(r"^Bicubic(?: \[\d\])? .*$", done.stdout, flags=re.MULTILINE)
    assert ours.split()[1:] == ["34.33", "4.45", "7.20", "0.9453", "7.21", "0.9441", "-"]
    assert papers.split()[2:] == ["34.33", "4.45", "-", "-", "7.21", "0.944", "-"]


def test_a_run_that_asks_shows_them() -> None:
    done = run(*ALSO)
    assert re.search(r"papers' +papers'\nmethod ", done.stdout), done.stdout
    assert "papers'" not in run().stdout


def test_a_column_of_them_is_asked_for_by_name() -> None:
    assert run(*ALSO, methods="bicubic,gsa").exit_code == 0
    mine = ("leaderboard", "--only", "mine")
    done = hsbench(*mine, "--indexes", "ergas_fused")
    assert "papers'" in done.stdout
    assert "PSNR" not in done.stdout.split("hsbench leaderboard")[0]
    scenes = hsbench(*mine, "--per-scene", "--indexes", "ssim_full", columns=120)
    assert "SSIM (papers), higher is better" in scenes.stdout
    rows = list(csv.DictReader(io.StringIO(hsbench(*mine, "--per-scene", "--format", "csv").stdout)))
    told = read_record(path_of("gsa")).scenes[0]
    assert float(next(row["ssim_full"] for row in rows if row["method"] == "gsa")) == told.ssim_full
    assert run(methods="bicubic,gsa").exit_code == 0
    none = hsbench(*mine, "--indexes", "psnr,ergas_fused")
    assert none.exit_code == 1
    assert "hsbench run --also ergas_fused" in " ".join(none.stderr.split())


def test_a_row_without_them_has_dashes_scene_by_scene() -> None:
    assert run(*ALSO).exit_code == 0
    assert run(methods="gsa").exit_code == 0
    done = hsbench("leaderboard", "--only", "mine", "--per-scene", "--indexes", "ssim_full", columns=120)
    assert done.exit_code == 0, done.output
    line = next(line for line in done.stdout.splitlines() if line.startswith("GSA"))
    assert line.split()[-4:] == ["-"] * 4


def test_committed_bicubic_rows_are_the_published_ones_in_all_columns() -> None:
    for scale in (4, 8):
        record = read_record(ROOT / "results" / f"cave-x{scale}-uestc" / "bicubic.json")
        assert record.summary is not None
        row = next(r for r in published_rows() if (r.dataset, r.scale, r.method) == ("cave", scale, "Bicubic"))
        for index, printed in (("psnr", "psnr"), ("sam", "sam"), ("ergas_fused", "ergas"), ("ssim_full", "ssim")):
            for text, ours in (
                (row.values[printed], record.summary[index].mean),
                (row.values[f"{printed}_std"], record.summary[index].std),
            ):
                assert f"{ours:.{len(text.partition('.')[2])}f}" == text, (scale, index)
