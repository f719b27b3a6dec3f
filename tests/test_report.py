import csv as csv_module
import io
import math
from typing import Any

import pytest
from rich.console import Console

from hsfusion_bench.errors import UsageError
from hsfusion_bench.report.frame import csv
from hsfusion_bench.report.latex import escape, latex
from hsfusion_bench.report.markdown import markdown
from hsfusion_bench.report.terminal import show
from hsfusion_bench.runs.records import MethodInfo, ModelInfo, Record, Statistic
from support.records import boards_of, make_record, make_speed


def with_means(name: str, **means: float) -> Record:
    record = make_record(name)
    assert record.summary is not None
    for index, whole in record.summary.items():
        record.summary[index] = Statistic(mean=whole.mean, std=1.0)
    for index, mean in means.items():
        record.summary[index] = Statistic(mean=mean, std=0.125)
    return record


@pytest.fixture
def records() -> list[Record]:
    return [
        with_means("low", psnr=30.0, sam=5.0),
        with_means("high", psnr=40.0, sam=4.0),
        with_means("middle", psnr=35.0, sam=3.0),
        make_record("lacking_%", scenes={}, of=2, error="no weights of Lacking"),
    ]


def test_best_first_and_rows_without_values_last(records: list[Record]) -> None:
    (board,) = boards_of(records)
    assert [row.record.method.name for row in board.rows] == ["high", "middle", "low", "lacking_%"]
    (by_sam,) = boards_of(records, sort="sam")
    assert [row.record.method.name for row in by_sam.rows][:3] == ["middle", "high", "low"]


def test_places_follow_the_direction_of_the_index(records: list[Record]) -> None:
    (board,) = boards_of(records)
    places = {row.record.method.name: row.places for row in board.rows}
    assert places["high"]["psnr"] == 1
    assert places["high"]["sam"] == 2
    assert places["middle"]["psnr"] == 2
    assert places["middle"]["sam"] == 1
    assert "psnr" not in places["low"]


def test_a_row_of_fewer_scenes_stands_apart() -> None:
    few = make_record("few", scenes={"a": 99.0}, of=2)
    board, apart = boards_of([make_record("all"), few])
    assert [row.record.method.name for row in board.rows] == ["all"]
    assert board.rows[0].places["psnr"] == 1
    assert [row.record.method.name for row in apart.rows] == ["few"]
    assert apart.remarks[:2] == (
        "scenes: a",
        "apart from the first table: other scenes; --common compares over those that all rows have",
    )


def test_coverage_says_how_many_scenes() -> None:
    (board,) = boards_of([make_record("mine", of=11)])
    assert "2 of 11 scenes" in board.title


def test_other_datasets_scales_and_protocols_are_other_boards() -> None:
    other = make_record("mine")
    other.dataset = other.dataset.model_copy(update={"scale": 8})
    assert [board.scale for board in boards_of([make_record(), other])] == [4, 8]


def test_unknown_index_and_device_are_refused() -> None:
    with pytest.raises(UsageError, match="no index 'psn'"):
        boards_of([make_record()], sort="psn")
    with pytest.raises(UsageError, match="measured were Some CPU"):
        boards_of([make_record()], [make_speed("mine", 1.0)], device="H100")


def test_csv_has_full_precision_and_empty_cells(records: list[Record]) -> None:
    records[0].model = ModelInfo(parameters=3164816, trainable=3164816)
    assert records[1].summary is not None
    records[1].summary["psnr"] = Statistic(mean=math.inf, std=math.nan)
    records[2].summary = {**(records[2].summary or {}), "psnr": Statistic(mean=1 / 3, std=0.0)}
    rows = {row["method"]: row for row in csv_module.DictReader(io.StringIO(csv(boards_of(records))))}
    assert rows["low"]["parameters"] == "3164816"
    assert rows["middle"]["parameters"] == ""
    assert float(rows["middle"]["psnr_mean"]) == 1 / 3
    assert rows["high"]["psnr_mean"] == "Inf"
    assert rows["high"]["psnr_std"] == "NaN"
    assert rows["lacking_%"]["psnr_mean"] == ""
    assert rows["lacking_%"]["status"] == "no weights"


def test_escape_leaves_words_alone() -> None:
    assert escape("FeINFN 3.2 (x4)") == "FeINFN 3.2 (x4)"


def shown(width: int, records: list[Record], indexes: list[str] | None = None, **options: Any) -> list[str]:
    out = io.StringIO()
    show(Console(file=out, width=width), boards_of(records, **options), indexes)
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("width", [30, 80, 200])
def test_a_narrow_terminal_cuts_off_no_value(records: list[Record], width: int) -> None:
    lines = shown(width, records, speeds=[make_speed("high", 1234.5)])
    text = " ".join(" ".join(lines).split())
    values = ["40.00", "±0.12", "3.00", "32.0000", "±1.0000", "1234", "Lacking_%: no weights", "2 of 2 scenes"]
    for value in values:
        assert value in text
    assert "…" not in text


def heads(lines: list[str]) -> list[str]:
    (line,) = [line for line in lines if line.startswith("method")]
    return [word for word in line.split() if word.isalnum()][1:]


def test_a_table_has_the_columns_that_fit(records: list[Record]) -> None:
    four, seven = ["PSNR", "SAM", "ERGAS", "SSIM"], ["PSNR", "SAM", "ERGAS", "SSIM", "SCC", "UQI", "Q2n"]
    assert heads(shown(200, records)) == seven
    narrow = shown(80, records)
    assert heads(narrow) == four
    assert max(map(len, narrow)) <= 80
    (note,) = [line for line in narrow if "--indexes scc,uqi,q2n" in line]
    least = int(" ".join(narrow).partition("terminal of ")[2].split()[0])
    assert note.startswith("hsbench leaderboard")
    assert heads(shown(least, records)) == seven
    assert heads(shown(least - 1, records)) == four
    assert heads(shown(200, records, ["uqi"])) == ["UQI"]
    assert not [line for line in shown(80, records, ["uqi", "psnr"]) if "--indexes" in line]


def test_where_nothing_else_fits_deviations_stand_below_their_means(records: list[Record]) -> None:
    lines = shown(48, records)
    (number,) = [number for number, line in enumerate(lines) if line.startswith("High")]
    assert lines[number].split() == ["High", "40.00", "4.00", "32.00", "32.0000"]
    assert lines[number + 1].split() == ["±0.12", "±0.12", "±1.00", "±1.0000"]
    assert max(map(len, lines[: number + 4])) <= 48


def test_long_titles_are_folded_and_not_cut(records: list[Record]) -> None:
    title = "A method (one_option 0.125; another_option none; uses psf, srf)"
    records[0].method = MethodInfo(**(records[0].method.model_dump() | {"title": title}))
    lines = shown(80, records)
    first = next(number for number, line in enumerate(lines) if line.startswith("A method"))
    words = [word for line in lines[first:] for word in line.split() if "±" not in word]
    assert " ".join(words).startswith(title)
    assert max(map(len, lines)) <= 80


def test_columns_that_say_nothing_are_left_out(records: list[Record]) -> None:
    assert "params" not in " ".join(shown(200, records))
    assert "latency" in " ".join(shown(200, records, speeds=[make_speed("high", 1.0)]))
    records[0].model = ModelInfo(parameters=1, trainable=1)
    assert "params" in " ".join(shown(200, records))


def test_titles_are_no_markup(records: list[Record]) -> None:
    records[0].method = MethodInfo(**(records[0].method.model_dump() | {"title": ":fire: [bold]x[/bold] [/]"}))
    records[0].error, records[0].summary, records[0].status = "a :smile: [red]", None, "failed"
    lines = shown(200, records)
    assert any(line.startswith(":fire: [bold]x[/bold] [/] ") for line in lines)
    assert ":fire: [bold]x[/bold] [/]: failed: a :smile: [red]" in lines


@pytest.mark.parametrize(("better", "first", "second"), [("psnr", 40.001, 39.9951), ("sam", 3.0041, 2.9951)])
def test_what_is_printed_equal_has_the_same_place(better: str, first: float, second: float) -> None:
    records = [with_means(name, **{better: value}) for name, value in [("a", first), ("b", second), ("c", 30.0)]]
    (board,) = boards_of(records)
    places = {row.record.method.name: row.places[better] for row in board.rows}
    assert places["a"] == places["b"]
    value = f"{first:.2f}±0.12"
    if better == "psnr":
        assert markdown([board]).count(f"**{value}**") == 2
        assert latex([board]).count(rf"\textbf{{{value.replace('±', '$' + chr(92) + 'pm$')}}}") == 2
        out = io.StringIO()
        show(Console(file=out, width=200, force_terminal=True, color_system="standard"), [board])
        assert out.getvalue().count(f"\x1b[1m{value}") == 2


def test_markdown_has_a_line_a_row(records: list[Record]) -> None:
    lines = markdown(boards_of(records)).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(records)
    assert len({line.count(" | ") for line in table}) == 1
    assert "**40.00±0.12**" in table[2]


@pytest.fixture
def cave_records(records: list[Record]) -> list[Record]:
    for record in records:
        record.dataset = record.dataset.model_copy(update={"name": "cave", "protocol": "uestc"})
    return records


def test_published_rows_stand_below_the_measured_ones(cave_records: list[Record]) -> None:
    (board,) = boards_of(cave_records, published=True)
    titles = [line.title for line in board.published]
    assert titles[:2] == ["FeINFN [1]", "BDT [2]"]
    assert titles[-1].startswith("Bicubic")
    # 52.47 dB is more than any record here has, and takes no place from them
    assert {row.record.method.name: row.places.get("psnr") for row in board.rows}["high"] == 1
    (by_sam,) = boards_of(cave_records, sort="sam", published=True)
    assert by_sam.published[0].row.method == "Ada3D"
    assert not boards_of(cave_records)[0].published


def test_published_rows_are_shown_digit_by_digit(cave_records: list[Record]) -> None:
    boards = boards_of(cave_records, published=True)
    out = io.StringIO()
    show(Console(file=out, width=200), boards)
    (line,) = [line for line in out.getvalue().splitlines() if line.startswith("BDT")]
    assert line.split()[:6] == ["BDT", "[2]", "52.30±3.98", "1.93±0.55", "1.02±0.77", "0.997±0.0014"]
    assert line.split()[6:] == ["-", "-", "-", "2.668"]
    assert "[2] Deng et al., BDT, IJCAI 2023, Table 1" in out.getvalue()
    assert r" & 52.30$\pm$3.98 & 1.93$\pm$0.55 & 1.02$\pm$0.77 & 0.997$\pm$0.0014 & 2.668" in latex(boards)
    assert "| BDT [2] | 52.30±3.98 | 1.93±0.55 |" in markdown(boards)
    row = next(row for row in csv_module.DictReader(io.StringIO(csv(boards))) if row["title"] == "BDT")
    assert (row["status"], row["psnr_mean"], row["psnr_std"], row["parameters"]) == (
        "published",
        "52.30",
        "3.98",
        "2668000",
    )


def test_published_rows_of_another_protocol_are_not_compared(records: list[Record]) -> None:
    for record in records:
        record.dataset = record.dataset.model_copy(update={"name": "cave", "protocol": "xidian"})
    assert not boards_of(records, published=True)[0].published


def test_what_is_suspect_of_a_published_row_is_said(cave_records: list[Record]) -> None:
    for record in cave_records:
        record.dataset = record.dataset.model_copy(update={"name": "harvard"})
    (board,) = boards_of(cave_records, published=True)
    assert any("MTF-GLP-HS" in line and "suspect: below Bicubic" in line for line in board.sources)
