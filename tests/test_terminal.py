"""Text on terminals and in pipes: as it is, whole, and in whatever encoding the stream has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.terminal import fold, print_facts, print_table, readable
from support.records import make_record

COMMITTED = Path(__file__).parents[1] / "results"


def hsbench(*arguments: str | Path, charset: str = "utf-8", columns: int | None = None) -> Result:
    environment = {"COLUMNS": None if columns is None else str(columns)}
    return CliRunner(charset=charset, env=environment).invoke(main, [str(each) for each in arguments])


VERBS = [
    "leaderboard --published",
    "leaderboard --format markdown",
    "leaderboard --format latex",
    "leaderboard --format csv",
    "list methods",
    "list protocols",
    "list protocols --json",
    "list metrics",
    "show feinfn",
    "show gsa",
    "show feinfn --json",
    "show schema",
    "data list",
    "data info demo",
    "data info demo --json",
    "data check demo",
    "verify --golden",
    "compare ltmr gsa --scale 8 --index sam",
    "compare ltmr gsa --scale 8 --index sam --format json",
    "leaderboard --per-scene --dataset cave --scale 8 --indexes sam",
]


@pytest.mark.parametrize("charset", ["ascii", "cp1252"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_stream_that_is_not_utf_8_stops_nothing(verb: str, charset: str) -> None:
    more = ["--results-dir", COMMITTED] if verb.startswith("leaderboard") else []
    done = hsbench(*verb.split(), *more, charset=charset)
    assert done.exit_code == 0, done.exception
    assert done.stdout
    if verb.endswith("--json"):
        assert json.loads(done.stdout) == json.loads(hsbench(*verb.split()).stdout)


def test_signs_that_are_lacking_are_replaced_readably() -> None:
    shown = hsbench("leaderboard", "--results-dir", COMMITTED, "--dataset", "cave", charset="ascii").stdout
    assert "cave x4, protocol uestc" in shown
    assert "PSNR ^" in shown
    assert "34.33+/-3.88" in shown
    assert "?" not in shown
    heads, rule, first = shown.splitlines()[3:6]  # the columns stay below their heads
    assert set(rule) == {"-"}
    assert len(first) == len(rule) >= len(heads)
    assert "34.33±3.88" in hsbench("leaderboard", "--results-dir", COMMITTED, charset="cp1252").stdout


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("1±2", "utf-8", "1±2"),
        ("1±2", "cp1252", "1±2"),
        ("1±2 × ≥", "ascii", "1+/-2 x >="),
        ("Café", "ascii", "Cafe"),
        ("中", "ascii", "?"),
        ("x\udcff", "utf-8", "x?"),
    ],
)
def test_readable(text: str, encoding: str, expected: str) -> None:
    assert readable(text, encoding) == expected


def test_a_message_with_a_name_that_is_no_text_is_printed() -> None:
    done = hsbench("leaderboard", "--results-dir", "x\udcff")
    assert done.exit_code == 2
    assert "x?" in done.stderr


@pytest.mark.parametrize("what", ["methods", "protocols", "metrics"])
def test_lists_fit_80_columns_and_cut_nothing(what: str) -> None:
    narrow = hsbench("list", what, columns=80).stdout
    assert max(map(len, narrow.splitlines())) <= 80
    assert "…" not in narrow
    for each in json.loads(hsbench("list", what, "--json").stdout):
        assert each["name"] in narrow.split()


@pytest.mark.parametrize("verb", ["list methods", "list protocols", "show feinfn", "data list", "data info demo"])
def test_a_pipe_gets_whole_lines_without_trailing_spaces(verb: str) -> None:
    lines = hsbench(*verb.split()).stdout.splitlines()
    assert not [line for line in lines if line != line.rstrip()]
    starts = {"list methods": "feinfn:no-frequency", "list protocols": "yokoya-toolbox", "show feinfn": "reference"}
    starts |= {"data list": "houston-2013", "data info demo": "uestc: split"}
    (line,) = [line for line in lines if line.startswith(starts[verb])]
    assert len(line) > 80


def test_columns_is_honoured_in_a_pipe() -> None:
    wide = hsbench("show", "gsa").stdout.splitlines()
    narrow = hsbench("show", "gsa", columns=60).stdout.splitlines()
    assert max(map(len, wide)) > 200
    assert max(map(len, narrow)) <= 60


def test_the_leaderboard_fits_80_columns() -> None:
    lines = hsbench("leaderboard", "--results-dir", COMMITTED, "--dataset", "cave", columns=80).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert any("34.33±3.88" in line and line.startswith("Bicubic ") for line in lines)


def test_methods_as_json() -> None:
    found = {each["name"]: each for each in json.loads(hsbench("list", "methods", "--json").stdout)}
    assert found["cnmf"]["uses"] == ["psf", "srf"]
    assert found["cnmf"]["origin"]["distribution"] == "hsfusion-bench"
    assert found["feinfn"]["error"] is None
    assert json.loads(hsbench("data", "list", "--json").stdout)[0]["present"] == 9


def test_names_and_paths_are_no_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(":fire:.py").write_text("def x(observation): raise ValueError(':smile: [red]')\n")
    options = ("--dataset", "demo", "--scale", "4", "--no-timing", "--results-dir", "[b]:boom:")
    done = hsbench("run", "--methods", ":fire:.py:x", *options)
    assert "ValueError: :smile: [red]" in done.stderr
    assert "[b]:boom:" in done.stderr
    assert "🔥" not in done.output
    record = make_record(":fire:")
    (path,) = Path("[b]:boom:").rglob("*.json")
    path.write_text(record.model_dump_json(by_alias=True))
    assert ":Fire:" in hsbench("leaderboard", "--results-dir", "[b]:boom:").stdout


def test_tables_keep_markup_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["name", ":fire:"], [["[bold]a[/bold]", ":fire:"]], title=":fire:")
    print_facts([("[b]", ":fire:", "[i]"), ("b", "c", "")])
    shown = capsys.readouterr().out
    assert shown.count(":fire:") == 4
    assert "[bold]a[/bold]" in shown
    assert "[b]   :fire:  ([i])" in shown


@pytest.mark.parametrize("width", [1, 5, 10, 100])
def test_folding_loses_no_character(width: int) -> None:
    text = "MTF-GLP-HS (interpolation block; nyquist_gain 0.3; uses psf)"
    for first, rest in [("", "  "), ("  label  ", " " * 9)]:
        lines = fold(text, width, first=first, rest=rest)
        assert "".join("".join(lines).split()) == "".join((first + text).split())
        assert max(map(len, lines)) <= max(width, len(rest) + 1, len(first) + 1)


def test_folding_keeps_the_lines_of_a_text() -> None:
    assert fold("a b\nc", 80) == ["a b", "  c"]
    assert fold("", 80, first="  x  ") == ["  x"]
