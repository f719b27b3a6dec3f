"""The merged board: one's own records beside those that come with the package, and which of them may be ranked."""

from __future__ import annotations

import csv as csv_module
import io
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import hsfusion_bench as hb
from hsfusion_bench.cli import main
from hsfusion_bench.report.comparable import agree
from hsfusion_bench.report.leaderboard import Leaderboard, leaderboards
from hsfusion_bench.report.sources import RECORDED, Entry, entries_of, gather
from hsfusion_bench.runs.account import summary_of
from hsfusion_bench.runs.recorded import recorded_root, recorded_store
from hsfusion_bench.runs.records import Record, SceneResult, Store, dump, read_record
from support.records import INDEXES, boards_of, make_record, make_speed

ROOT = Path(__file__).parents[1]
GSA = ROOT / "results" / "cave-x4-uestc" / "gsa.json"


def hsbench(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"COLUMNS": "120"})


def moved(record: Record, by: float, scene: int = 0) -> Record:
    """Return a record with another PSNR of one scene, and what follows from it."""
    scenes = [each.model_copy() for each in record.scenes]
    old = scenes[scene]
    assert old.psnr is not None
    scenes[scene] = old.model_copy(update={"psnr": old.psnr + by})
    return record.model_copy(update={"scenes": scenes, "summary": summary_of(scenes)})


def board(entries: list[Entry], **options: Any) -> Leaderboard:
    (only,) = leaderboards(entries, **options)
    return only


def names(board: Leaderboard) -> list[str]:
    return [row.record.method.name for row in board.rows]


def test_the_folder_of_the_package_is_the_committed_one() -> None:
    assert recorded_root() == ROOT / "results"
    assert len(recorded_store().record_files()) > 40


def test_recorded_rows_stand_beside_ones_own_and_are_marked() -> None:
    own = make_record("own", {"a": 31.0, "b": 33.0})
    there = make_record("there", {"a": 30.0, "b": 30.0})
    found = board([*entries_of([own]), *entries_of([there], origin=RECORDED)])
    assert [(row.title, row.recorded) for row in found.rows] == [("Own", False), ("There †", True)]
    assert found.rows[0].places["psnr"] == 1
    assert "† recorded: came with hsfusion-bench, not run here" in found.remarks
    alone = board(entries_of([there], origin=RECORDED))
    assert [row.title for row in alone.rows] == ["There"]
    assert any("all rows are recorded" in line for line in alone.remarks)


def test_a_row_of_ones_own_that_equals_the_recorded_one_is_one_row() -> None:
    record = read_record(GSA)
    found = board([Entry(moved(record, 5e-4)), Entry(record, origin=RECORDED)])
    assert [(row.title, row.recorded) for row in found.rows] == [("GSA (uses psf)", False)]
    assert found.remarks == ("equal to the recorded rows, within rounding: GSA",)


def test_two_records_of_one_method_that_disagree_are_both_shown_and_named() -> None:
    record = read_record(GSA)
    other = moved(record, 0.05, scene=3).model_copy(update={"environment": record.environment | {"numpy": "1.26.0"}})
    found = board([Entry(other), Entry(record, origin=RECORDED)])
    assert [row.title for row in found.rows] == ["GSA (uses psf)", "GSA (uses psf) †"]
    (line,) = [line for line in found.remarks if "disagree" in line]
    assert line == (
        "GSA: two records disagree, PSNR 48.82 and 48.82 (one's own and recorded), by up to 0.05 dB (clay): "
        "what else differs: numpy"
    )


def test_rows_of_two_folders_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for folder, by in (("monday", 0.0), ("tuesday", 2.0)):
        Store(tmp_path / folder).write(moved(make_record("mine"), by))
    found = gather([tmp_path / "monday", tmp_path / "tuesday"], "mine")
    titles = [row.title for row in board(list(found.entries)).rows]
    assert titles == [f"Mine [{tmp_path / 'tuesday'}]", f"Mine [{tmp_path / 'monday'}]"]


@pytest.mark.parametrize("status", ["failed", "no weights"])
def test_a_record_without_values_never_doubles_a_row(status: str) -> None:
    empty = make_record("gsa", {}, status=status, error="the disk was full")
    full = make_record("gsa")
    for entries in (
        [*entries_of([empty]), *entries_of([full], origin=RECORDED)],
        [*entries_of([full]), *entries_of([empty], origin=RECORDED)],
        [*entries_of([empty]), *entries_of([full], origin="other")],
    ):
        found = board(entries)
        assert names(found) == ["gsa"]
        assert found.rows[0].record.summary is not None
    told = board([*entries_of([empty]), *entries_of([full], origin=RECORDED)])
    assert "Gsa: a run without values is not shown (the disk was full)" in told.remarks
    twice = board([*entries_of([empty]), *entries_of([empty], origin=RECORDED)])
    assert names(twice) == ["gsa"]


def test_rows_of_other_scenes_stand_apart_and_rank_among_themselves() -> None:
    of_three = [
        make_record(name, {"a": 30.0, "b": 31.0, "c": 32.0 + more}, of=3) for name, more in (("x", 0), ("y", 1))
    ]
    of_one = make_record("z", {"b": 50.0}, of=3)
    first, second = boards_of([*of_three, of_one])
    assert names(first) == ["y", "x"]
    assert names(second) == ["z"]
    assert "1 of 3 scenes" in second.title
    assert second.remarks[0] == "scenes: b"
    assert "apart from the first table: other scenes" in second.remarks[1]


def test_common_compares_over_the_scenes_that_all_rows_have() -> None:
    """By hand: over b and c, x has (31 + 32) / 2 and z (30 + 36) / 2, with sample deviations 0.7071 and 4.2426."""
    x = make_record("x", {"a": 90.0, "b": 31.0, "c": 32.0}, of=4)
    z = make_record("z", {"b": 30.0, "c": 36.0, "d": 1.0}, of=4)
    found = board(entries_of([x, z]), common=True)
    assert [(row.record.method.name, *(row.value("psnr") or ())) for row in found.rows] == [
        ("z", 33.0, pytest.approx(4.242640687)),
        ("x", 31.5, pytest.approx(0.707106781)),
    ]
    assert "2 of 4 scenes" in found.title
    assert "scenes: b, c" in found.remarks
    # there is no scene in common: they stay apart
    _, apart = boards_of([x, make_record("w", {"d": 3.0}, of=4)], common=True)
    assert "apart from the first table: no scene is in all rows" in apart.remarks


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metrics": {"suite": "0.9"}}, "another suite of indexes"),
        ({"dataset": {"protocol_digest": "9" * 64}}, "the protocol had another content"),
        ({"digest": "8" * 64}, "the reference of a is another"),
    ],
)
def test_what_was_scored_on_something_else_stands_apart(change: dict[str, Any], reason: str) -> None:
    record = make_record("other")
    if "dataset" in change:
        change = {"dataset": record.dataset.model_copy(update=change["dataset"])}
    if "digest" in change:
        first = record.scenes[0].model_copy(update=change)
        change = {"scenes": [first, *record.scenes[1:]]}
    other = record.model_copy(update=change)
    tables = boards_of([make_record("one"), make_record("two", {"a": 20.0, "b": 20.0}), other])
    assert [names(table) for table in tables] == [["one", "two"], ["other"]]
    assert any(reason in line for line in tables[1].remarks)
    assert len(boards_of([make_record("one"), other], common=True)) == (1 if "scenes" in change else 2)


def test_one_estimator_under_two_names_is_one_row() -> None:
    gsa, glp = (read_record(GSA.with_name(f"{name}.json")) for name in ("gsa", "mtf-glp-hs"))
    assert agree(gsa, glp)
    found = board(entries_of([gsa, glp, read_record(GSA.with_name("bicubic.json"))]))
    assert [row.title for row in found.rows] == ["GSA = MTF-GLP-HS (uses psf)", "Bicubic"]
    assert found.rows[1].places["psnr"] == 2
    # somebody's own method is never hidden in another's row
    glp.method = glp.method.model_copy(update={"origin": "file", "name": "mine", "title": "Mine"})
    assert len(board(entries_of([gsa, glp])).rows) == 2


def test_equal_means_alone_are_no_agreement() -> None:
    one, other = make_record("x", {"a": 30.0, "b": 34.0}), make_record("x", {"a": 34.0, "b": 30.0})
    assert not agree(one, other)


def test_a_damaged_record_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    path = store.write(make_record("good")).path
    (path.parent / "cut.json").write_text(path.read_text()[:200])
    (path.parent / "later.json").write_text(path.read_text().replace("record/1", "record/9"))
    (path.parent / "no.json").write_bytes(b"\xff\xfe")
    done = hsbench("leaderboard", "--only", "mine", "--results-dir", str(tmp_path / "results"))
    assert done.exit_code == 1
    assert "Good" in done.stdout
    said = " ".join(done.stderr.split())
    for name in ("cut.json", "later.json", "no.json"):
        assert name in said
    assert "Traceback" not in done.stderr
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert len(hb.leaderboard(tmp_path / "results", only="mine")) == 1
    assert [Path(str(each.message).split()[0]).name for each in warned] == ["cut.json", "later.json", "no.json"]


def test_a_record_whose_means_are_not_those_of_its_scenes_is_not_shown(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(make_record("good"))
    path = store.write(make_record("better")).path
    path.write_text(path.read_text().replace('"mean": 32.0', '"mean": 60.0', 1))
    done = hsbench("leaderboard", "--only", "mine", "--results-dir", str(tmp_path))
    assert done.exit_code == 1
    assert "Good" in done.stdout
    assert "Better" not in done.stdout
    said = " ".join(done.stderr.split())
    assert "better.json is not shown: the record's own psnr over the scenes is 60.0 ± 2.8" in said
    assert "but its scenes give 32.0 ± 2.8" in said


def test_every_committed_record_is_sound() -> None:
    found = gather([], "recorded")
    assert found.damaged == ()
    assert len(found.entries) > 50


def test_a_damaged_speed_costs_no_row(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(make_record("good"))
    store.write_speed(make_speed("good", 3.0)).write_text("{}")
    found = gather([tmp_path], "mine")
    assert [entry.record.method.name for entry in found.entries] == ["good"]
    assert len(found.damaged) == 1


def test_the_package_alone_has_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = hsbench("leaderboard", "--dataset", "cave", "--scale", "4")
    assert done.exit_code == 0
    assert "GSA = MTF-GLP-HS" in done.stdout
    assert "all rows are recorded" in done.stdout
    assert len(hb.leaderboard(dataset="cave", scale=4)) > 15


def test_the_same_folder_twice_is_read_once() -> None:
    once = gather([ROOT / "results"], dataset="cave", scale=4)
    assert len(once.entries) == len(gather([], dataset="cave", scale=4).entries)
    assert all(entry.recorded for entry in once.entries)
    assert len(gather([ROOT / "results", ROOT / "results"], "mine", dataset="cave", scale=4).entries) == len(
        once.entries
    )


def test_only_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Store(Path("results")).write(make_record("mine"))
    mine = hsbench("leaderboard", "--only", "mine").stdout
    assert "Mine" in mine
    assert "GSA" not in mine
    recorded = hsbench("leaderboard", "--only", "recorded", "--dataset", "cave", "--scale", "4").stdout
    assert "Mine" not in recorded
    assert "LTMR" in recorded
    rows = list(csv_module.DictReader(io.StringIO(hsbench("leaderboard", "--format", "csv").stdout)))
    assert {row["method"]: row["recorded"] for row in rows}["mine"] == "False"
    assert {row["method"]: row["recorded"] for row in rows}["ltmr"] == "True"
    assert {row["method"]: row["same_as"] for row in rows}["gsa"] == "mtf-glp-hs"


def test_published_rows_need_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # no record of Harvard is anywhere
    done = hsbench("leaderboard", "--published", "--dataset", "harvard", "--scale", "4")
    assert done.exit_code == 0
    assert "harvard ×4, protocol uestc, as published" in done.stdout
    assert re.search(r"Bicubic \[\d\] +38\.71±4\.33", done.stdout)
    alone = hsbench("leaderboard", "--only", "published", "--dataset", "cave", "--scale", "4")
    assert alone.exit_code == 0
    assert "HySure" not in alone.stdout  # there is a record, but no published row
    for style in ("csv", "latex", "markdown"):
        assert "52.47" in hsbench("leaderboard", "--only", "published", "--format", style).stdout
    nothing = hsbench("leaderboard", "--only", "published", "--dataset", "demo")
    assert nothing.exit_code == 1
    assert "papers that are known here print no rows of dataset demo" in nothing.stderr


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = hsbench("leaderboard", "--results-dir", str(tmp_path / "typo"))
    assert done.exit_code == 2
    assert "no such folder" in done.stderr


def test_without_data_the_recorded_rows_of_the_methods_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HSBENCH_DATA", raising=False)
    run = ("run", "--dataset", "cave", "--scale", "4", "--methods")
    done = hsbench(*run, "feinfn,liif,mtf-glp-hs", "--set", "mtf-glp-hs.interpolation=block")
    assert done.exit_code == 1
    assert "Nothing was run. Recorded before, and come with hsbench:" in done.stdout
    record = read_record(ROOT / "results" / "cave-x4-uestc" / "feinfn.json")
    assert record.summary is not None
    assert f"{record.summary['psnr'].mean:.2f}±" in done.stdout
    assert "48.60±3.33" in done.stdout  # of the option that was asked for
    assert "48.82" not in done.stdout
    assert "LTMR" not in done.stdout
    assert "no recorded row: liif" in done.stdout
    said = " ".join(done.stderr.split())
    assert "`hsbench data download cave` (about 420 MB" in said
    assert "Licence: made available by Columbia University" in said
    assert not list(tmp_path.iterdir())
    # another observation has no such rows
    other = hsbench(*run, "gsa", "--snr-hsi", "30")
    assert other.exit_code == 1
    assert "Recorded" not in other.stdout
    assert hsbench(*run, "gsa", "--protocol", "uestk").exit_code == 2


def test_a_latency_belongs_to_the_folder_it_was_measured_in(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(make_record("here", {"a": 1.0, "b": 2.0}))
    store.write_speed(make_speed("here", 7.0))
    store.write_speed(make_speed("there", 9.0))
    own = gather([tmp_path], "mine").entries
    found = board([*own, *entries_of([make_record("there")], origin=RECORDED)])
    assert {row.record.method.name: row.latency for row in found.rows} == {"here": "7.0", "there": "-"}


def test_scenes_that_failed_are_not_among_those_compared() -> None:
    whole = make_record("x", {"a": 30.0, "b": 31.0})
    broken = make_record("y", {"a": 30.0}, status="incomplete")
    broken.scenes.append(SceneResult(name="b", digest=None, error="damaged"))
    assert [names(table) for table in boards_of([whole, broken])] == [["x"], ["y"]]
    assert set(INDEXES) <= set(whole.summary or {})
    assert dump(broken)
