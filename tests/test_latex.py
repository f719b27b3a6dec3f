"""Tables of papers: short titles, notes by letter, a width that fits, citations, and what LaTeX itself says of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hsfusion_bench.cli import main
from hsfusion_bench.data.catalog import about, dataset_names
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods.weights import TrainingInfo
from hsfusion_bench.registry import entries
from hsfusion_bench.report.bibtex import Bibliography, parse
from hsfusion_bench.report.citing import Citations
from hsfusion_bench.report.latex import Choice, latex, typeset
from hsfusion_bench.report.leaderboard import DEFAULT_INDEXES, Leaderboard, leaderboards
from hsfusion_bench.report.sources import entries_of
from hsfusion_bench.report.tex import NORMAL, escape, piece
from hsfusion_bench.runs.recorded import recorded_root
from hsfusion_bench.runs.records import (
    ExternalInfo,
    MethodInfo,
    ModelInfo,
    Record,
    Store,
    TileInfo,
    WeightsInfo,
)
from support.records import boards_of, make_record, make_speed

HOSTILE = r"""[*]a_b & c% $x$ \relax {~^#}<>|"`' ±×↑²₂ é ß α Ω 张 e""" + "\u0301\u200b\n\n\x07 ½ – “q”"


def record_of(name: str, psnr: float = 30.0, *, parameters: int | None = None, **method: Any) -> Record:
    """Return a record whose index of every scene is one number, of a method that is changed."""
    record = make_record(name, scenes={"a": psnr, "b": psnr})
    record.method = MethodInfo(**(record.method.model_dump() | method))
    record.model = ModelInfo(parameters=parameters)
    return record


def training() -> TrainingInfo:
    return TrainingInfo(
        steps=100,
        recipe_steps=1000,
        batch_size=1,
        patch=32,
        learning_rate=1e-3,
        changes={"batch_size": "1"},
        supervision="reference",
        scenes=["x"],
        seed=0,
        device="cpu",
        first_loss={},
        last_loss={},
    )


@pytest.fixture
def varied() -> list[Record]:
    """Return a record of each kind that must be told of."""
    trained = record_of("net", 41.0, parameters=3_164_816, title="Net")
    trained.weights = WeightsInfo(sha256="0", file="f", origin="hsbench", trained_on=None, training=training())
    theirs = record_of("theirs", 42.0, parameters=1_000, title="Theirs")
    theirs.weights = WeightsInfo(sha256="0", file="f", origin="authors", trained_on=None, training=None)
    theirs.model = ModelInfo(parameters=1000, tiles=TileInfo(side=256, overlap=8))
    elsewhere = record_of("else", 33.0, parameters=5_000_000, title="Else", origin="external", distribution="")
    elsewhere.external = ExternalInfo(
        file="f", sha256="0", key="", axes="CHW", const=1.0, reference="ours", reported=["parameters"]
    )
    failed = make_record("bad", scenes={}, status="failed", error="out_of_memory & 100%")
    return [
        record_of("gsa", 40.0, title="GSA", uses=["psf"]),
        record_of("sfim", 39.0, title="SFIM", uses=["psf"]),
        record_of("cnmf", 38.0, title="CNMF", uses=["psf", "srf"]),
        record_of("blind", 37.0, title="Blind", estimated=["psf", "srf"]),
        record_of("tuned", 36.0, title="Tuned", uses=["psf"], options={"a_b": 3, "c": "x"}, changed=["a_b"]),
        record_of("hostile", 35.0, title=HOSTILE),
        trained,
        theirs,
        elsewhere,
        make_record("lacking", scenes={}),
        failed,
    ]


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of the lines of the tabular, with those that are spanned as empty ones."""
    found = []
    for line in text.splitlines():
        if line.endswith(r"\\"):
            cells = re.split(r"(?<!\\)&", line.removesuffix(r"\\"))
            spread = [int(n) - 1 for cell in cells for n in re.findall(r"\\multicolumn\{(\d)\}", cell)]
            found.append([cell.strip() for cell in cells] + [""] * sum(spread))
    return found


def notes_of(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\\textsuperscript\{([a-z]+)\}~(.*?)\.%?$", text, re.MULTILINE))


def marks_of(cell: str) -> list[str]:
    found = re.search(r"\\textsuperscript\{([a-z,]+)\}$", cell)
    return found[1].split(",") if found else []


def test_every_line_has_as_many_cells_and_every_letter_its_note(varied: list[Record]) -> None:
    text = latex(boards_of(varied, [make_speed("gsa", 1234.5)]))
    rows = rows_of(text)
    assert len(rows) == 2 + len(varied)
    assert {len(cells) for cells in rows} == {7}
    assert r"\begin{tabular}{@{}lccccrr@{}}" in text
    notes = notes_of(text)
    used = [mark for cells in rows for cell in cells for mark in marks_of(cell)]
    assert set(used) == set(notes)
    # letters follow the order in which they are read
    assert list(dict.fromkeys(used)) == sorted(notes)


def test_what_must_be_known_stands_in_notes_that_rows_share(varied: list[Record]) -> None:
    text = latex(boards_of(varied, [make_speed("gsa", 1234.5, "CPU_1 @ 100%")]))
    notes = notes_of(text)
    told = {
        cells[0].partition(r"\text")[0]: [notes[mark] for mark in marks_of(cells[0])]
        for cells in rows_of(text)
        if r"\textquote" not in cells[0]
    }
    assert told["GSA"] == told["SFIM"] == ["Uses the true PSF"]
    assert told["CNMF"] == ["Uses the true PSF and SRF"]
    assert told["Blind"] == ["Estimates PSF and SRF from the two images"]
    assert told["Tuned"] == ["Uses the true PSF", r"With a\_b 3"]
    assert told["Net"] == [r"Trained 100 of 1000 steps (10 \% of the recipe), batch\_size 1"]
    assert told["Theirs"] == ["Weights of its authors", "In tiles of 256 pixels"]
    assert told["Else"][0] == "Made elsewhere"
    assert told["Bad"] == [r"Failed: out\_of\_memory \& 100\%"]
    assert told["Lacking"] == []
    assert list(notes.values()).count("Uses the true PSF") == 1
    (params,) = (cells[5] for cells in rows_of(text) if cells[0].startswith("Else"))
    assert params.startswith("5.000\\textsuperscript")
    assert notes[marks_of(params)[0]] == "As reported, not measured here"
    (latency,) = (cells[6] for cells in rows_of(text) if cells[0] == "Method")
    assert notes[marks_of(latency)[0]] == r"Median, float32, on CPU\_1 @ 100\%"


def test_one_estimator_of_two_names_has_one_row_and_a_note() -> None:
    text = latex(boards_of([record_of("gsa", title="GSA"), record_of("mtf-glp-hs", title="MTF-GLP-HS")]))
    (row,) = rows_of(text)[2:]
    assert row[0] == r"GSA\textsuperscript{a}"
    assert notes_of(text) == {"a": "The same values as of MTF-GLP-HS"}


def test_recorded_rows_among_others_are_marked() -> None:
    made = [*entries_of([record_of("mine", title="Mine")]), *entries_of([record_of("gsa", 40.0)], origin="recorded")]
    text = latex(leaderboards(made))
    assert marks_of(rows_of(text)[2][0]) == ["a"]
    assert marks_of(rows_of(text)[3][0]) == []
    assert notes_of(text) == {"a": "Recorded: came with hsfusion-bench, not run here"}


def test_best_is_bold_second_underlined(varied: list[Record]) -> None:
    text = latex(boards_of([record_of("a", 40.0), record_of("b", 39.0), record_of("c", 38.0)]))
    # for PSNR the highest is best, for SAM, of the same numbers, the lowest
    assert [cells[1:3] for cells in rows_of(text)[2:]] == [
        [r"\textbf{40.00$\pm$0.00}", r"40.00$\pm$0.00"],
        [r"\underline{39.00$\pm$0.00}", r"\underline{39.00$\pm$0.00}"],
        [r"38.00$\pm$0.00", r"\textbf{38.00$\pm$0.00}"],
    ]


def test_hostile_titles_are_ascii_without_commands_of_theirs() -> None:
    text = escape(HOSTILE)
    assert text.isascii()
    assert "\n" not in text
    assert text.startswith(r"{[}{*}]a\_b \& c\% \$x\$ \textbackslash{}relax \{")
    assert r"$\pm$$\times$$\uparrow$\textsuperscript{2}$_{\mathrm{2}}$ \'{e} \ss{} $\alpha$ $\Omega$ ? \'{e}" in text
    assert escape("plain words, 4x (1-2)") == "plain words, 4x (1-2)"


def test_widths_are_those_of_computer_modern() -> None:
    # cmr10.tfm: a digit is 0.500002 em of 10 pt, a W 1.027781, a full stop 0.277779
    assert NORMAL.width(piece("48.96")) == pytest.approx(22.78, abs=0.01)
    assert NORMAL.width(piece("W")) == pytest.approx(10.28, abs=0.01)
    # a superscript is set in cmr7, whose digit is 0.5694475 em of 7 pt
    assert NORMAL.width(piece("1").raised()) == pytest.approx(3.986, abs=0.01)


def test_a_table_without_deviations_needs_no_smaller_letters() -> None:
    text = typeset(boards_of([record_of("gsa", title="GSA")]), Choice(deviations=False)).text
    assert r"\pm" not in text
    assert r"\tabcolsep" not in text
    assert r"\small" + "\n" not in text


def test_what_does_not_fit_is_said(varied: list[Record]) -> None:
    every = ("psnr", "sam", "ergas", "ssim", "scc", "uqi", "q2n")
    text, remarks = typeset(boards_of(varied), Choice(every, fit="column"))
    assert len(remarks) == 1
    assert "'column' has 252 pt" in remarks[0]
    assert "% Note: the table is about" in text
    text, remarks = typeset(boards_of([record_of("gsa")]), Choice(every, fit="page"))
    assert remarks == []
    assert text.count("{table*}") == 2


def test_columns_are_chosen(varied: list[Record]) -> None:
    boards = boards_of(varied, [make_speed("gsa", 12.5)])
    heads = [rows_of(typeset(boards, Choice(("psnr",), columns)).text)[0] for columns in (None, [], ["latency"])]
    assert [[cell.partition("\\")[0].strip() for cell in head[2:]] for head in heads] == [
        ["Params", "Latency"],
        [],
        ["Latency"],
    ]
    # a column of dashes has no room taken
    assert [len(rows[0]) for rows in [rows_of(latex(boards_of([record_of("gsa")])))]] == [5]


def test_a_bare_tabular_is_one_table_and_its_notes() -> None:
    boards = boards_of([record_of("gsa", title="GSA", uses=["psf"])])
    text = typeset(boards, Choice(bare=True)).text
    assert r"\begin{table" not in text
    assert r"\caption" not in text
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    assert lines[:3] == [r"\def\hsbenchnotes{%", r"\textsuperscript{a}~Uses the true PSF.%", "}%"]
    assert lines[3].endswith(r"\begin{tabular}{@{}lcccc@{}}")
    other = make_record("gsa")
    other.dataset = other.dataset.model_copy(update={"scale": 8})
    with pytest.raises(UsageError, match="these records make 2"):
        typeset(boards_of([make_record("gsa"), other]), Choice(bare=True))


def test_tables_have_labels_of_their_own() -> None:
    few = make_record("few", scenes={"a": 99.0}, of=2)
    text = latex(boards_of([make_record("all"), few]))
    assert re.findall(r"\\label\{(.*)\}", text) == ["tab:cave-x4-uestc", "tab:cave-x4-uestc-2"]


# --- BibTeX ---


@pytest.mark.parametrize("name", sorted(entries()))
def test_references_of_methods_are_whole(name: str) -> None:
    check_entry(entries()[name].load().card.reference)


@pytest.mark.parametrize("name", sorted(dataset_names()))
def test_references_of_data_sets_are_whole(name: str) -> None:
    provenance = about(name).provenance
    if provenance is not None:
        check_entry(provenance.reference)


def check_entry(reference: str) -> None:
    entry = parse(reference)
    assert entry.lacks() == []
    assert reference.count("{") == reference.count("}")
    assert reference.isascii()
    for field in entry.fields:
        # LaTeX would stop at these in a list of references
        assert re.search(r"(?<!\\)[&%#_]", entry.value(field)) is None or field in ("doi", "url", "howpublished")
    assert parse(entry.text(entry.key)) == entry


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with @kind"),
        ("Deng et al., 2023", "begins with @kind"),
        ("@article{a b, title={x}}", "begins with @kind"),
        ("@article{key, title={x}", "a comma or a closing brace is missing"),
        ("@article{key, title={x},", "the text ends"),
        ("@article{key, title={x {y}, year=2020", "not balanced"),
        ('@article{key, title="x }y", year=2020}', "not balanced"),
        ("@article{key, title=, year=2020}", "has no value"),
        ("@article{key, title={x} year=2020}", "a comma or a closing brace is missing"),
        ("@article{key, title={x}, title={y}}", "twice"),
        ("@article{key, title={x}} @article{b, title={y}}", "there is"),
    ],
)
def test_malformed_entries_are_refused(text: str, said: str) -> None:
    with pytest.raises(HsbenchError, match=said):
        parse(text)


def test_entries_are_read_in_every_form_of_a_value() -> None:
    entry = parse('@Article { k:1-a , Title = "A {B, "}c" # d, year=2020, note = {x = {1}, y} , }')
    assert (entry.kind, entry.key) == ("article", "k:1-a")
    assert entry.fields == {"title": '"A {B, "}c" # d', "year": "2020", "note": "{x = {1}, y}"}


def test_keys_are_of_one_work_each() -> None:
    bibliography = Bibliography()
    assert bibliography.cite(parse("@article{deng2023, title={One}, year={2023}}")) == "deng2023"
    assert bibliography.cite(parse("@article{deng2023, title={Two}, year={2023}}")) == "deng2023b"
    assert bibliography.cite(parse("@article{Deng2023, title={Three}, year={2023}}")) == "Deng2023c"
    assert bibliography.cite(parse("@misc{other, title={{ONE}}, year=2023}")) == "deng2023"
    assert re.findall("@article{(.*),", bibliography.text()) == ["Deng2023c", "deng2023", "deng2023b"]


def test_methods_are_cited_or_it_is_said_why_not() -> None:
    records = [
        record_of("gsa", 40.0, title="GSA"),
        record_of("brovey", 39.0, title="Mine", origin="file", distribution="mine.py", version="0"),
        record_of("sfim", 38.0, title="Theirs", origin="external", distribution=""),
        record_of("gone", 37.0, title="Gone", origin="plugin", distribution="some-plugin"),
    ]
    citations = Citations()
    text, remarks = typeset(boards_of(records), Choice(), citations)
    assert r"GSA~\cite{aiazzi2007improving} &" in text
    assert text.count(r"\cite{") == 2
    assert r"Results on cave~\cite{yasuma2010generalized} at" in text
    assert [remark.split(":")[1].strip() for remark in remarks] == ["Mine", "Theirs", "Gone"]
    assert "made elsewhere" in remarks[1]
    assert set(re.findall(r"@\w+\{(.*),", citations.bibliography.text())) == set(re.findall(r"cite\{(.*?)\}", text))


def test_sources_of_published_rows_are_cited_where_their_paper_is_known() -> None:
    citations = Citations()
    assert citations.source("Deng et al., BDT, IJCAI 2023, Table 1") == ("deng2023bdt", ", Table 1")
    assert citations.source("Wang et al., DCINN, IJCV 2024, Table 5") is None
    assert citations.source("Peng et al., BDT, IJCAI 2023, Table 1") is None
    assert citations.source("Deng et al., BDT, IJCAI 2024, Table 1") is None
    (board,) = leaderboards(entries_of([record_of("gsa")]), published=True)
    text = typeset([board], Choice(), citations).text
    assert r"As printed in~\cite{deng2023bdt}, Table 1." in text
    assert "As printed in~Wang et al., DCINN, IJCV 2024, Table 5." in text


# --- the command ---


def leaderboard(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["leaderboard", "--dataset", "cave", "--scale", "4", *arguments])


def test_rows_are_chosen_in_their_order_and_ranked_among_each_other() -> None:
    done = leaderboard(
        "--only", "recorded", "--methods", "bicubic,gsa,ltmr", "--format", "tabular", "--indexes", "psnr"
    )
    assert done.exit_code == 0
    rows = rows_of(done.stdout)[2:]
    assert [cells[0].partition("\\")[0] for cells in rows] == ["LTMR", "GSA", "Bicubic"]
    assert [cells[1].partition("{")[0] for cells in rows][:2] == [r"\textbf", r"\underline"]


def test_unknown_rows_are_refused_and_variants_named() -> None:
    done = leaderboard("--methods", "gsaa")
    assert done.exit_code == 2
    assert "did you mean gsa" in done.output
    done = leaderboard("--only", "recorded", "--methods", "mtf-glp-hs", "--format", "csv")
    assert "left out, as not named: mtf-glp-hs.interpolation-block" in done.stderr
    assert len(done.stdout.splitlines()) == 2
    done = leaderboard("--only", "recorded", "--methods", "mtf-glp-hs.interpolation-block", "--format", "csv")
    assert "interpolation=block," in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--no-std"], "--no-std is about LaTeX"),
        (["--format", "csv", "--columns", "params"], "--columns is about LaTeX"),
        (["--format", "latex", "--columns", "parms"], "did you mean params"),
        (["--format", "latex", "--cite"], "add --out table.tex"),
        (["--format", "latex", "--cite", "--out", "x.bib"], "call the table x.tex"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: list[str], said: str) -> None:
    done = leaderboard(*arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_a_table_and_its_entries_are_written_together_and_replace_nobodys_file(tmp_path: Path) -> None:
    table = tmp_path / "table.tex"
    arguments = ["--only", "recorded", "--methods", "gsa", "--format", "latex", "--cite", "--out", str(table)]
    assert leaderboard(*arguments).exit_code == 0
    assert "aiazzi2007improving" in table.read_text()
    assert "@article{aiazzi2007improving," in (tmp_path / "table.bib").read_text()
    assert leaderboard(*arguments).exit_code == 0
    table.unlink()
    (tmp_path / "table.bib").write_text("@book{mine, title={My own}}\n")
    done = leaderboard(*arguments)
    assert done.exit_code == 1
    assert "was not made by hsbench" in done.output
    assert not table.exists()


@pytest.mark.parametrize("style", ["table", "csv", "markdown"])
def test_every_format_goes_into_a_file(style: str, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    done = leaderboard("--only", "recorded", "--methods", "gsa,sfim", "--format", style, "--out", str(out))
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "SFIM" in out.read_text(encoding="utf-8")


# --- LaTeX itself ---

needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed here")


def compiled(folder: Path, body: str, citations: Citations | None = None) -> str:
    """Run LaTeX, and BibTeX where something is cited; return the log."""
    source = [
        r"\documentclass{article}",
        r"\usepackage{booktabs}",
        # the same letters, in outlines: others are drawn when first they are wanted, which takes its time
        r"\IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{}",
        r"\begin{document}",
        body,
        *([r"\bibliographystyle{plain}", r"\bibliography{refs}"] if citations else []),
        r"\end{document}",
    ]
    (folder / "x.tex").write_text("\n".join(source), encoding="ascii")
    steps = [["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "x.tex"]]
    if citations is not None:
        (folder / "refs.bib").write_text(citations.bibliography.text(), encoding="utf-8")
        steps = [steps[0], ["bibtex", "x"], steps[0], steps[0]]
    for step in steps:
        done = subprocess.run(step, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120)
        assert done.returncode == 0, done.stdout[-2000:]
        assert "Warning--" not in done.stdout or "empty" not in done.stdout, done.stdout
    return (folder / "x.log").read_text(errors="replace")


def check_log(log: str) -> None:
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert all(points <= 1 for points in wide), log
    assert "undefined" not in log, log


def recorded_boards(**options: Any) -> list[Leaderboard]:
    records = [r for r in Store(recorded_root()).records() if (r.dataset.name, r.dataset.scale) == ("cave", 4)]
    timed = [make_speed(record.method.name, 551.9) for record in records]
    return leaderboards(entries_of(records, timed), **options)


@needs_latex
@pytest.mark.parametrize(
    "choice",
    [
        Choice(fit="page"),
        Choice(DEFAULT_INDEXES),
        Choice(DEFAULT_INDEXES, columns=[]),
        Choice(("psnr", "sam", "ergas_fused", "ssim_full"), deviations=False),
        Choice(("psnr", "sam", "ergas", "ssim", "scc", "uqi", "q2n"), [], deviations=False),
        Choice(("psnr", "ssim"), columns=[], fit="column"),
        Choice(("psnr", "sam", "ergas", "ssim", "scc", "uqi", "q2n"), fit="page"),
    ],
)
def test_the_recorded_board_fits_its_page(choice: Choice, tmp_path: Path) -> None:
    citations = Citations()
    text, remarks = typeset(recorded_boards(published=True), choice, citations)
    assert [remark for remark in remarks if not remark.startswith("not cited")] == []
    room = {"article": "", "column": r"\textwidth=252pt\columnwidth=252pt\hsize=252pt\linewidth=252pt"}
    wide = r"\textwidth=516pt\columnwidth=516pt\hsize=516pt\linewidth=516pt"
    # a list of references of long words has overfull lines of its own in a narrow column
    log = compiled(tmp_path, r"\hbadness=10000\emergencystretch=3em" + room.get(choice.fit, wide) + text, citations)
    check_log(log)


@needs_latex
@pytest.mark.parametrize("bare", [False, True])
def test_hostile_titles_compile(bare: bool, varied: list[Record], tmp_path: Path) -> None:
    every = "".join(chr(code) for code in [*range(1, 0x250), *range(0x370, 0x400), *range(0x2000, 0x2300)])
    chunks = [record_of(f"c{n}", 10.0 + n, title=every[n : n + 12]) for n in range(0, len(every), 12)]
    (tmp_path / "a").mkdir()
    text = typeset(boards_of(varied, [make_speed("gsa", 12.0, HOSTILE)]), Choice(bare=bare)).text
    compiled(tmp_path / "a", text)
    compiled(tmp_path, "\n\n".join(escape(record.method.title) for record in chunks))


@needs_latex
def test_a_bare_tabular_goes_into_an_authors_table(tmp_path: Path) -> None:
    citations = Citations()
    text = typeset(recorded_boards(), Choice(DEFAULT_INDEXES, bare=True), citations).text
    (tmp_path / "t.tex").write_text(text)
    body = "\n".join(
        [
            r"\begin{table}\centering\caption{Mine \cite{yasuma2010generalized}}",
            r"\input{t}",
            r"\par\smallskip{\footnotesize\raggedright\hsbenchnotes\par}",
            r"\end{table}",
        ]
    )
    check_log(compiled(tmp_path, body, citations))
