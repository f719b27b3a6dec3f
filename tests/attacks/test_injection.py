"""Texts of others in all that is printed and written: shown as they are, and obeyed by nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.report.bibtex import Bibliography, parse
from hsfusion_bench.report.cells import csv_cell, markdown_text
from hsfusion_bench.report.tex import escape
from hsfusion_bench.runs.records import Record, Store
from hsfusion_bench.terminal import neutral, one_line
from support.records import make_record, make_speed

OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u2028\u2029]")
TITLES = {
    "formula": "=cmd|' /C calc'!A0",
    "plus": "+1+cmd",
    "minus": "-2+3",
    "at": "@SUM(1)",
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "wide": "\uff1d1+1",
    "escape": "\x1b[2J\x1b[31mred",
    "csi": "\x9b31mred",
    "bell": "\x1b]0;title\x07",
    "direction": "abc\u202edef\u2066",
    "line break": "a\nError: b",
    "line separator": "a\u2028b\x85c",
    "script": "<script>alert(1)</script>",
    "image": '<img src=x onerror="alert(1)">',
    "bar": "a | b || c",
    "backtick": "`rm -rf`",
    "link": "[x](javascript:alert(1))",
    "emphasis": "**bold** _x_ ~~y~~ $z$",
    "entity": "&lt;b&gt;",
    "latex": "[12] Smith",
    "star": "*{2} x",
    "command": r"\input{/etc/passwd} \write18{x}",
    "percent": "100% of_it #1 & $x$ ^ ~ {}",
    "markup": "[red]x[/red] [link=http://x]y[/link]",
    "letters": "é 张 ½ Ω",
}


@pytest.fixture(params=TITLES)
def title(request: pytest.FixtureRequest) -> str:
    return TITLES[request.param]


@pytest.fixture
def folder(tmp_path: Path, title: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of three records with the title in every field of text."""
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "r")
    for name, shift in (("one", 0.0), ("two", 1.0), ("three", 0.5)):
        store.write(_record(name, title, shift))
    store.write_speed(make_speed("one", 3.0, device=title))
    return tmp_path / "r"


def _record(name: str, title: str, shift: float) -> Record:
    scenes = {f"s{number}": 30.0 + shift + number * (1 + shift) for number in range(4)}
    record = make_record(name, scenes=scenes, of=4)
    record.method.title = f"{title} {name}" if name != "one" else title
    record.method.family = title
    record.method.uses = [title]
    record.method.options, record.method.changed = {"gain": title}, ["gain"]
    record.dataset.protocol = title
    if name == "three":
        record.error, record.scenes[0].error = title, title
    record.environment = {title: title}
    return record


def hsbench(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def _outputs(folder: Path) -> Iterator[tuple[str, Result]]:
    for style in ("table", "csv", "latex", "markdown"):
        base = ("leaderboard", "--only", "mine", "--results-dir", folder, "--format", style)
        yield style, hsbench(*base)
        yield style, hsbench(*base, "--per-scene")
    for style in ("table", "csv", "latex", "markdown", "json"):
        base = ("compare", "--results-dir", folder, "--format", style)
        yield style, hsbench(*base, "one.gain", "two.gain")
        yield style, hsbench(*base, "--ranks")
    yield "table", hsbench("submit-check", folder)
    yield "table", hsbench("reproduce", next(iter(folder.glob("*-x*/*.json")), folder))


def test_all_outputs_are_neutral(folder: Path) -> None:
    for style, done in _outputs(folder):
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        for text in (done.stdout, done.stderr):
            assert not (found := OBEYED.search(text)), (style, found)
        if style == "csv":
            for line in csv.reader(io.StringIO(done.stdout)):
                for cell in line:
                    _require_no_formula(cell)
        if style == "markdown":
            assert not re.search(r"<(script|img)|(?<!\\)`|(?<!\\)\]\(", done.stdout)
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in done.stdout.splitlines() if line.startswith("|")}
            assert len(widths) <= 3
        if style == "latex":
            assert done.stdout.isascii()
            assert r"\input{/etc" not in done.stdout
            assert r"\write" not in done.stdout
            assert not re.search(r"\\\\\s*[\[*]", done.stdout)
        if style == "json":
            json.loads(done.stdout or "{}")


def _require_no_formula(cell: str) -> None:
    if cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d")):
        float(cell.replace("Inf", "inf"))


@pytest.mark.parametrize("number", ["-1.5", "+2", "-Inf", "NaN", "1e-7", "-3.2e+05", ".5", "0"])
def test_numbers_stay_numbers(number: str) -> None:
    assert csv_cell(number) == number
    assert csv_cell(-2.5) == -2.5
    assert csv_cell(None) is None


def test_formulas_do_not() -> None:
    assert csv_cell("=1+1") == "'=1+1"
    assert csv_cell("  @x") == "'  @x"
    assert csv_cell("-1+1") == "'-1+1"
    assert csv_cell("\t=1") == "' =1"
    assert csv_cell("a\nb") == "a b"
    assert csv_cell("MTF-GLP-HS (=x)") == "MTF-GLP-HS (=x)"


def test_markdown_is_plain_where_it_was() -> None:
    for plain in ("MTF-GLP-HS", "BDT [1]", "3.16*", "p < 0.05", "a_b", "uses psf, srf", "1 & 2", "x > y", "± ≈ †"):
        assert markdown_text(plain) == plain
    assert markdown_text("<b>`x`|") == r"&lt;b>\`x\`\|"
    assert markdown_text("[a](b) **c** _d_") == r"[a\](b) \*\*c\** \_d_"


def test_latex_is_escaped_everywhere() -> None:
    assert escape("[12] a_b% \\input{x}") == r"{[}12] a\_b\% \textbackslash{}input\{x\}"


def test_the_terminal() -> None:
    assert neutral("a\x1b[31m\nb\u202e") == "a\\x1b[31m\nb\\u202e"
    assert one_line("a\nb\tc") == "a\\nb c"


@pytest.mark.parametrize("field", [r"\input{/etc/passwd}", r"a \write18{x}", r"\csname x\endcsname", "a ^^5cinput{x}"])
def test_entries_that_latex_would_obey_are_not_cited(field: str) -> None:
    with pytest.raises(HsbenchError, match="LaTeX would obey"):
        parse(f"@misc{{key, title = {{{field}}}}}")


@pytest.mark.parametrize("key", ["a,b", "a}b", "a b", "a%b", "a\\b", "a{b", "é", "a#b", ""])
def test_keys_are_plain(key: str) -> None:
    with pytest.raises(HsbenchError):
        parse(f"@misc{{{key}, title = {{T}}}}").fields["x"]


def test_ordinary_entries_are_as_they_were() -> None:
    entry = parse(r"@article{k, title = {A {\'e} \& b}, author = {X \"{O}}, url = {http://x/%20y}}")
    bibliography = Bibliography()
    assert bibliography.cite(entry) == "k"
    assert r"{A {\'e} \& b}" in bibliography.text()


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\nError: b", "\u202egnp", "[red]x[/red]"])
def test_messages_and_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (
        ("list", name),
        (name,),
        ("show", name),
        ("leaderboard", f"--{name}"),
        ("leaderboard", "--results-dir", name),
        ("leaderboard", "--dataset", name),
        ("run", "--methods", f"{name}.py:f", "--dataset", "demo", "--scale", 4),
        ("score", name, "--ratio", 4),
        ("weights", "list", "--csv", name),
        ("leaderboard", "--out", name),
        ("new-method", name),
    ):
        done = hsbench(*words)
        assert not OBEYED.search(done.output), words
        assert len(re.findall("^Error: ", done.stderr, re.MULTILINE)) <= 1, done.stderr
        if "red]" in name and done.exit_code:
            assert "[red]" in done.output
