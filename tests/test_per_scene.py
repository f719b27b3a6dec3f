"""Leaderboards scene by scene, and rows that do not differ from the best."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from hsfusion_bench.cli import main
from hsfusion_bench.report import per_scene
from hsfusion_bench.report.alike import mark_alike
from hsfusion_bench.report.leaderboard import Leaderboard, leaderboards
from hsfusion_bench.report.sources import Entry
from hsfusion_bench.runs.recorded import recorded_store
from hsfusion_bench.runs.records import MethodInfo, Record, Statistic, Store
from support.records import make_record

LONG = "fake_and_real_strawberries_of_mine"


def board(records: Sequence[Record], sort: str = "psnr") -> list[Leaderboard]:
    return leaderboards([Entry(record) for record in records], sort=sort)


@pytest.fixture
def records() -> list[Record]:
    return [
        make_record("low", {"a": 30.0, LONG: 33.0, "c": 10.0}, of=3),
        make_record("high", {"a": 40.0, LONG: 32.004, "c": 11.0}, of=3),
        make_record("middle", {"a": 35.0, LONG: 31.999, "c": 12.0}, of=3),
        make_record("lacking", scenes={}, of=3, error="no weights of Lacking"),
    ]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def hsbench(*arguments: str, columns: int = 80) -> Result:
    return CliRunner().invoke(main, ["leaderboard", *arguments], env={"COLUMNS": str(columns)})


def shown(width: int, records: Sequence[Record], indexes: Sequence[str] = ("psnr",)) -> list[str]:
    out = io.StringIO()
    per_scene.show(Console(file=out, width=width), board(records), indexes)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_matrix_has_the_values_and_places_of_each_scene(records: list[Record]) -> None:
    (only,) = board(records)
    found = per_scene.matrix(only, "psnr")
    assert found.columns == ("a", LONG, "c", "mean")
    cells = {line.title: (line.cells, line.places) for line in found.lines}
    assert list(cells) == ["High", "Middle", "Low"]
    assert cells["High"] == (("40.00", "32.00", "11.00", "27.67"), (1, 2, 2, 1))
    # 31.999 and 32.004 are printed alike
    assert cells["Middle"] == (("35.00", "32.00", "12.00", "26.33"), (2, 2, 1, 2))
    assert cells["Low"] == (("30.00", "33.00", "10.00", "24.33"), (0, 1, 0, 0))
    lowest = per_scene.matrix(only, "sam")
    assert [line.places[0] for line in lowest.lines] == [0, 2, 1]


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_nothing_is_cut_off(records: list[Record], width: int) -> None:
    records += [make_record(f"method_{number}", {"a": 1.0, LONG: 2.0, "c": 3.0}, of=3) for number in range(20)]
    lines = shown(width, records)
    text = "".join(lines)
    assert "…" not in text
    for value in ("40.00", "33.00", "12.00", "27.67", "Method_19"):
        assert value in text
    if width >= 40:
        assert max(map(len, lines[2:])) <= width
    assert any("lacking" in line.lower() and "no weights" in line for line in lines)
    # a block has a head, and the whole name can be read down it
    heads = [line for line in lines if line.startswith("method ")]
    assert len(heads) == (1 if width >= 80 else 2 if width == 40 else len(heads))


def test_names_of_scenes_are_folded_where_they_have_a_place_for_it() -> None:
    _, *lines = shown(80, [make_record("x", {LONG: 1.0}, of=1)])
    heads = "\n".join(lines).split("─")[0].split()
    parts = [part for part in heads if part not in ("method", "mean")]
    assert parts == ["fake_", "and_", "real_", "strawberries", "_of_mine"]
    assert "".join(parts) == LONG


def test_indexes_stand_below_each_other(records: list[Record]) -> None:
    text = "\n".join(shown(80, records, ["psnr", "ssim"]))
    assert "PSNR (dB), higher is better" in text
    assert "SSIM, higher is better" in text
    assert "32.0040" in text


def test_csv_has_a_line_a_method_and_scene(records: list[Record]) -> None:
    failed = records[0].scenes[2].model_copy(update={"psnr": None, "error": "out of memory"})
    records[0].scenes[2] = failed
    lines = list(csv.DictReader(io.StringIO(per_scene.csv(board(records)))))
    assert len(lines) == 9
    values = {(line["method"], line["scene"]): line["psnr"] for line in lines}
    assert values["high", LONG] == "32.004"
    assert values["low", "c"] == ""
    assert {line["error"] for line in lines} == {"", "out of memory"}


def test_markdown_has_a_column_a_scene(records: list[Record]) -> None:
    lines = per_scene.markdown(board(records), ["psnr"]).splitlines()
    assert lines[2] == f"| method | a | {LONG} | c | mean |"
    assert lines[4] == "| High | **40.00** | <u>32.00</u> | <u>11.00</u> | **27.67** |"
    assert "- Lacking: no weights" in lines


def test_latex_compiles_and_marks(records: list[Record], tmp_path: Path) -> None:
    records[1].method = MethodInfo(**(records[1].method.model_dump() | {"title": "A_b & 100%"}))
    table = per_scene.latex(board(records), ["psnr", "sam"])
    assert r"A\_b \& 100\% & \textbf{40.00} & \underline{32.00} & \underline{11.00} & \textbf{27.67} \\" in table
    if shutil.which("pdflatex") is None:
        pytest.skip("no LaTeX is installed here")
    preamble = [r"\documentclass{article}", r"\usepackage[T1]{fontenc}", r"\usepackage{booktabs,graphicx}"]
    (tmp_path / "x.tex").write_text("\n".join([*preamble, r"\begin{document}", table, r"\end{document}"]))
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "x.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:]


def test_the_values_are_those_of_the_records() -> None:
    done = hsbench("--per-scene", "--dataset", "cave", "--scale", "4", "--format", "csv")
    assert done.exit_code == 0, done.output
    found = {(line["method"], line["scene"]): line for line in csv.DictReader(io.StringIO(done.stdout))}
    (gsa,) = (
        record
        for record in recorded_store().records()
        if (record.key, record.dataset.scale) == ("gsa", 4) and record.dataset.name == "cave"
    )
    for scene in gsa.scenes:
        assert float(found["gsa", scene.name]["psnr"]) == scene.psnr
        assert float(found["gsa", scene.name]["q2n"]) == scene.q2n


@pytest.mark.parametrize("style", ["table", "csv", "latex", "markdown"])
def test_the_option_goes_with_every_format(style: str) -> None:
    done = hsbench("--per-scene", "--dataset", "cave", "--scale", "8", "--indexes", "sam", "--format", style)
    assert done.exit_code == 0, done.output
    degrees = r"$^\circ$" if style == "latex" else "°"
    assert (f"SAM ({degrees}), lower is better" in done.stdout) == (style in ("table", "markdown", "latex"))
    if style == "table":
        assert max(map(len, done.stdout.splitlines())) <= 80


def test_papers_print_no_scenes() -> None:
    for more in (["--published"], ["--only", "published"]):
        done = hsbench("--per-scene", *more)
        assert done.exit_code == 2
        assert "papers print means" in done.stderr


# Rows that do not differ from the best


def eleven(name: str, offset: float, wave: float = 0.0) -> Record:
    """Make a record of 11 scenes that is off by a constant, and by a wave that takes turns."""
    scenes = {
        f"s{number:02}": 30.0 + number + offset + (-1) ** number * wave * (1 + number / 10) for number in range(11)
    }
    record = make_record(name, scenes, of=11)
    record.dataset = record.dataset.model_copy(update={"name": "toy"})
    return record


@pytest.fixture
def marked() -> list[Leaderboard]:
    records = [eleven("best", 0.0), eleven("near", -0.1, 0.5), eleven("far", -1.0)]
    return mark_alike(board(records), "psnr")


def test_a_mark_and_a_line_below(marked: list[Leaderboard]) -> None:
    (only,) = marked
    assert [row.title for row in only.rows] == ["Best", "Near ≈", "Far"]
    assert [row.p_best is None for row in only.rows] == [True, False, False]
    assert only.rows[2].p_best == pytest.approx(2 * 2 / 2**11)
    assert only.remarks[-1].startswith("≈ PSNR not significantly different from Best's")


@pytest.mark.parametrize("style", ["table", "csv", "latex", "markdown"])
def test_every_format_has_the_mark(style: str) -> None:
    for record in (eleven("best", 0.0), eleven("near", -0.1, 0.5), eleven("far", -1.0)):
        Store(Path("results")).write(record)
    done = hsbench("--mark-ties", "--dataset", "toy", "--format", style)
    assert done.exit_code == 0, done.output
    if style == "csv":
        p = {line["method"]: line["p_best"] for line in csv.DictReader(io.StringIO(done.stdout))}
        assert p["best"] == ""
        assert float(p["near"]) >= 0.05 > float(p["far"]) > 0
        assert "after Holm's correction for 2 tests" in " ".join(done.stderr.split())
    else:
        mark = {"latex": r"Near $\approx$", "table": "Near ≈", "markdown": "| Near ≈ |"}[style]
        assert mark in done.stdout
        assert "Holm's correction for 2 tests" in " ".join(done.stdout.split())
    assert "≈" not in hsbench("--dataset", "toy", "--format", style).stdout


def test_few_scenes_get_no_mark_and_a_reason() -> None:
    (only,) = mark_alike(board([make_record("one"), make_record("two", {"a": 20.0, "b": 36.0})]), "psnr")
    assert not any(row.mark for row in only.rows)
    assert "over 2 scenes no difference can be significant" in only.remarks[-1]


def test_rows_are_tested_by_the_index_that_sorts() -> None:
    records = [eleven("one", 0.0), eleven("two", -1.0)]
    for record in records:
        assert record.summary is not None
        record.summary["sam"] = Statistic(mean=record.summary["psnr"].mean, std=0.0)
    (only,) = mark_alike(board(records, "sam"), "sam")
    assert [row.record.method.name for row in only.rows] == ["two", "one"]
    assert only.rows[0].p_best is None
    assert only.rows[1].p_best == pytest.approx(2 / 2**11)
