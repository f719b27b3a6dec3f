"""``hsbench compare``: which records are meant, what is found of them, and how it is told."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import hsfusion_bench as hb
from hsfusion_bench.cli import main
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.report.comparison import (
    Comparison,
    alike_with_best,
    amount,
    compare,
    p_text,
    rank,
    words,
)
from hsfusion_bench.report.contestants import choose, contestants_of
from hsfusion_bench.report.sources import RECORDED, Entry
from hsfusion_bench.runs.account import summary_of
from hsfusion_bench.runs.recorded import recorded_store
from hsfusion_bench.runs.records import MethodInfo, Record, Store
from support.records import make_record

SIX = [30.0, 31.0, 32.0, 33.0, 34.0, 35.0]


def scored(name: str, values: Sequence[float], *, title: str | None = None, of: int | None = None) -> Record:
    """Make a record of the scenes a, b, c ... of a data set that no recorded record is of."""
    scenes = {"abcdefghijklmnopqrstuvwxyz"[number]: value for number, value in enumerate(values)}
    record = make_record(name, scenes, of=len(scenes) if of is None else of)
    record.dataset = record.dataset.model_copy(update={"name": "toy"})
    if title is not None:
        record.method = MethodInfo(**(record.method.model_dump() | {"title": title}))
    return record


def compared(*records: Record, index: str = "psnr") -> Comparison:
    return compare(contestants_of(records), index)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(*records: Record, root: str = "results") -> None:
    for record in records:
        Store(Path(root)).write(record)


def hsbench(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env={"COLUMNS": "80"})


# On the committed records


@pytest.fixture(scope="module")
def cave() -> dict[str, Record]:
    records = (record for record in recorded_store().records() if record.dataset.protocol == "uestc")
    return {record.key: record for record in records if (record.dataset.name, record.dataset.scale) == ("cave", 4)}


@pytest.mark.parametrize(
    ("first", "second", "p"), [("ltmr", "gsa", "0.28"), ("gsa", "fuse", "0.58"), ("psrt", "gsa", "0.054")]
)
def test_what_is_known_of_the_committed_records(cave: dict[str, Record], first: str, second: str, p: str) -> None:
    (pair,) = compared(cave[first], cave[second]).pairs
    assert pair.p is not None
    assert p_text(pair.p) == p
    assert pair.corrected == pair.p
    assert pair.exact
    assert f"not significant (p = {p}, 11 scenes)" in words(pair, "psnr")


def test_the_same_algorithm_twice_is_equal(cave: dict[str, Record]) -> None:
    (pair,) = compared(cave["gsa"], cave["mtf-glp-hs"]).pairs
    assert (pair.wins, pair.losses, pair.ties) == (0, 0, 11)
    assert pair.p is pair.corrected is pair.effect is pair.interval is None
    assert not pair.significant
    assert words(pair, "psnr") == "GSA and MTF-GLP-HS are equal on all 11 scenes, to 1e-06: nothing is tested"


def test_twenty_methods_take_seconds(cave: dict[str, Record]) -> None:
    begin = time.process_time()
    found = compared(*cave.values())
    assert time.process_time() - begin < 20
    assert len(found.pairs) == len(cave) * (len(cave) - 1) // 2
    (note,) = found.notes
    said = (
        r"over 11 scenes no difference can be significant: the least p .* is (0\.\d+) after correction for (\d+) tests"
    )
    (told,) = re.findall(said, note)
    assert float(told[0]) == pytest.approx(2 / 2**11 * int(told[1]), rel=0.03)


# What is found


def test_a_pair_by_hand() -> None:
    first = [31.0, 33.0, 35.0, 37.0, 39.0, 34.0]
    (pair,) = compared(scored("one", first), scored("two", SIX)).pairs  # gains 1, 2, 3, 4, 5, -1
    assert pair.difference == pytest.approx(14 / 6)
    assert (pair.wins, pair.losses, pair.ties) == (5, 1, 0)
    assert pair.effect == pytest.approx((21 - 2 * 1.5) / 21)
    # of the ranks 1.5, 1.5, 3, 4, 5, 6 those against sum to 1.5; three of the 64 ways give that or less, on two sides
    assert pair.p == pytest.approx(2 * 3 / 64)
    assert pair.interval is not None
    assert pair.interval[0] < pair.difference < pair.interval[1]


def test_the_direction_of_the_index_is_heeded() -> None:
    one, two = scored("one", [value + number + 1 for number, value in enumerate(SIX)]), scored("two", SIX)
    higher, lower = compared(one, two).pairs[0], compared(one, two, index="sam").pairs[0]
    assert (higher.wins, lower.wins) == (6, 0)
    assert (higher.effect, lower.effect) == (1.0, -1.0)
    assert higher.difference == lower.difference == 3.5
    assert higher.interval == lower.interval
    assert words(higher, "psnr") == "One is 3.50 dB above Two in the mean; significant (p = 0.031, 6 scenes)"
    assert words(lower, "sam") == "Two is 3.50° below One in the mean; significant (p = 0.031, 6 scenes)"
    assert compared(one, two, index="sam").standings[0].title == "Two"


def test_pairs_are_corrected_together() -> None:
    better = [value + number + 1 for number, value in enumerate(SIX)]
    mixed = [value + sign for value, sign in zip(SIX, [0.1, -0.2, 0.3, -0.4, 0.5, -0.6], strict=True)]
    found = compared(scored("one", better), scored("two", SIX), scored("three", mixed))
    alone = [pair.p for pair in found.pairs]
    assert alone[:2] == [pytest.approx(2 / 64)] * 2
    assert [pair.corrected for pair in found.pairs[:2]] == [pytest.approx(6 / 64)] * 2
    assert not any(pair.significant for pair in found.pairs)
    assert "p = 0.094 corrected, 0.031 alone" in words(found.pairs[0], "psnr")
    (note,) = found.notes
    assert note == (
        "over 6 scenes no difference can be significant: the least p that the test can give is 0.094 after correction "
        "for 3 tests; 7 scenes would be enough"
    )


def test_five_scenes_show_nothing() -> None:
    found = compared(scored("one", [40.0, 41.5, 43.0, 44.6, 46.1]), scored("two", SIX[:5]))
    assert found.pairs[0].p == pytest.approx(2 / 32)
    assert found.notes == [
        "over 5 scenes no difference can be significant: the least p that the test can give is 0.062; "
        "6 scenes would be enough"
    ]


def test_a_mean_that_one_scene_makes_is_not_what_the_test_is_of() -> None:
    # better by a little on seven scenes and far worse on one, whose rank weighs less than its value
    gains = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, -20.0]
    base = [30.0 + number for number in range(11)]
    one = scored("one", [value + gain for value, gain in zip(base, gains, strict=True)])
    (pair,) = compared(one, scored("two", base)).pairs
    assert pair.effect is not None
    assert pair.effect > 0 > pair.difference
    text = words(pair, "psnr")
    assert text.startswith("Two is 1.32 dB above One in the mean; ")
    changed = pair.__class__(**(pair.__dict__ | {"corrected": 0.01, "p": 0.01}))
    assert "One is better by the ranks of the scenes, and that is significant (p = 0.010" in words(changed, "psnr")


def test_infinite_values_count_as_the_greatest() -> None:
    found = compared(scored("one", [math.inf, *SIX[1:]]), scored("two", SIX))
    (pair,) = found.pairs
    assert (pair.wins, pair.ties, pair.interval) == (1, 5, None)
    assert pair.difference == math.inf
    assert any("Inf on some scenes" in note for note in found.notes)
    assert words(pair, "psnr").startswith("One is better than Two by ranks, their means' difference is not finite; ")
    (both,) = compared(scored("one", [math.inf, *SIX]), scored("two", [math.inf, *SIX])).pairs
    assert both.ties == 7


def test_a_scene_without_a_value_is_left_out_and_named() -> None:
    found = compared(scored("one", [math.nan, *SIX[1:]]), scored("two", SIX))
    assert found.scenes == ("b", "c", "d", "e", "f")
    assert "left out, for PSNR is NaN there: a" in found.notes
    with pytest.raises(HsbenchError, match="NaN on every scene"):
        compared(scored("one", [math.nan, math.nan]), scored("two", SIX[:2]))


def test_only_scenes_of_the_same_reference_are_compared() -> None:
    one, two = scored("one", SIX), scored("two", SIX)
    two.scenes[2] = two.scenes[2].model_copy(update={"digest": "3" * 64})
    found = compared(one, two)
    assert found.scenes == ("a", "b", "d", "e", "f")
    assert found.notes[0] == "left out, for the references differ (digest): c"
    two.scenes[:] = [scene.model_copy(update={"digest": "3" * 64}) for scene in two.scenes]
    with pytest.raises(HsbenchError, match=r"no scene in common: left out, for the references differ .* a, b, c"):
        compared(one, two)


def test_scenes_that_not_all_have_are_named() -> None:
    found = compared(scored("one", SIX), scored("two", SIX[:4], of=6))
    assert found.scenes == ("a", "b", "c", "d")
    assert found.notes[0] == "left out, for not all have it: e, f of One"
    assert "4 scenes" in found.title


def test_one_scene_is_refused() -> None:
    with pytest.raises(HsbenchError, match=r"1 scene in common \(a\): a comparison needs 2 or more, and 6 to find"):
        compared(scored("one", [30.0]), scored("two", [31.0]))


def test_other_conditions_are_refused() -> None:
    one, two = scored("one", SIX), scored("two", SIX)
    two.dataset = two.dataset.model_copy(update={"protocol_digest": "9" * 64})
    with pytest.raises(HsbenchError, match="One and Two cannot be compared: protocol uestc had another content"):
        compared(one, two)
    other = scored("two", SIX)
    other.metrics = {"suite": "2"}
    with pytest.raises(HsbenchError, match="another suite of indexes"):
        compared(one, other)


def test_ranks_are_averaged() -> None:
    found = rank(
        contestants_of([scored("one", [3.0, 1.0]), scored("two", [2.0, 2.0]), scored("six", [1.0, 3.0])]), "psnr"
    )
    assert [each.rank for each in found.standings] == [2.0, 2.0, 2.0]
    assert found.friedman is None


@pytest.mark.parametrize(
    ("value", "text"), [(0.146, "0.15"), (-1.2, "-1.20"), (0.0012, "0.0012"), (-0.00012, "-0.00012"), (0.0, "0.00")]
)
def test_a_difference_is_never_printed_as_nothing(value: float, text: str) -> None:
    assert amount(value, "psnr") == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.2783, "0.28"), (0.7, "0.70"), (1.0, "1.0"), (0.00098, "0.00098"), (1e-9, "<0.0001")]
)
def test_a_p_has_two_digits(p: float, text: str) -> None:
    assert p_text(p) == text


# Rows like the best one


def test_rows_that_do_not_differ_from_the_best() -> None:
    base = [30.0 + number for number in range(11)]
    near = [value + (-0.3 if number % 2 else 0.2) - number / 100 for number, value in enumerate(base)]
    far = [value - 1 - number / 10 for number, value in enumerate(base)]
    few = scored("few", base[:3], of=11)
    records = [scored("far", far), scored("best", base), scored("near", near), scored("same", base), few]
    found = alike_with_best(records, "psnr")
    assert found.best == 1
    assert found.others == {2, 3}
    assert found.p[0] == pytest.approx(2 * 2 / 2**11)
    assert found.p[3] == 1.0
    assert found.note == (
        "≈ PSNR not significantly different from Best's: Wilcoxon's signed-rank test over 11 scenes, p ≥ 0.05 after "
        "Holm's correction for 2 tests"
    )


def test_nothing_is_marked_where_nothing_can_differ() -> None:
    found = alike_with_best([scored("one", SIX[:3]), scored("two", [1.0, 2.0, 3.5])], "psnr")
    assert (found.best, found.p) == (None, {})
    assert found.note.startswith("nothing is marked ≈: over 3 scenes no difference can be significant")
    assert alike_with_best([scored("one", SIX)], "psnr").note == ""
    assert alike_with_best([], "psnr").best is None


# Which records are meant


def names(entries: Sequence[Entry], *wanted: str) -> list[Record]:
    (choice,) = choose(entries, wanted)
    return [each.record for each in choice.contestants]


def test_records_are_found_by_name_variant_and_title() -> None:
    plain, other = scored("my-method", SIX, title="My Method"), scored("gsa", SIX, title="GSA")
    variant = scored("gsa", SIX, title="GSA")
    changed = {"options": {"window": 5}, "changed": ["window"]}
    variant.method = MethodInfo(**(variant.method.model_dump() | changed))
    entries = [Entry(plain), Entry(other), Entry(variant)]
    assert names(entries, "my method", "gsa") == [plain, other]
    assert names(entries, "GSA", "gsa.window-5") == [other, variant]
    (choice,) = choose(entries, ["gsa", "gsa.window-5"])
    assert [each.title for each in choice.contestants] == ["GSA", "GSA (window 5)"]


def test_ones_own_record_goes_first_and_it_is_said() -> None:
    own, theirs, other = scored("gsa", SIX), scored("gsa", SIX[::-1]), scored("fuse", SIX)
    entries = [Entry(own), Entry(theirs, origin=RECORDED), Entry(other, origin=RECORDED)]
    (choice,) = choose(entries, ["gsa", "fuse"])
    assert choice.contestants[0].record is own
    assert choice.notes == ["gsa is your own; there is also gsa@recorded"]
    assert names(entries, "gsa@recorded", "fuse") == [theirs, other]
    (both,) = choose(entries, ["gsa@mine", "gsa@recorded"])
    assert [each.record for each in both.contestants] == [own, theirs]
    assert [each.title for each in both.contestants] == ["Gsa [gsa@mine]", "Gsa [gsa@recorded]"]
    assert both.notes == []


def test_folders_set_records_apart() -> None:
    monday, tuesday = scored("gsa", SIX), scored("gsa", SIX[::-1])
    entries = [Entry(monday, origin="monday"), Entry(tuesday, origin="tuesday")]
    assert names(entries, "gsa", "gsa@tuesday") == [monday, tuesday]


def test_ones_own_without_values_gives_way() -> None:
    failed = scored("gsa", []).model_copy(update={"status": "failed", "error": "out of memory"})
    theirs, other = scored("gsa", SIX), scored("fuse", SIX)
    assert names([Entry(failed), Entry(theirs, origin=RECORDED), Entry(other)], "gsa", "fuse") == [theirs, other]
    with pytest.raises(
        HsbenchError,
        match=r"no task has values of all of them: gsa on toy ×4, protocol uestc \(no values: out of memory\); fuse",
    ):
        choose([Entry(failed), Entry(other)], ["gsa", "fuse"])


def test_records_of_some_scenes_are_named_by_them() -> None:
    few, others = scored("gsa", SIX[:2], of=6), scored("gsa", SIX[:3], of=6)
    fuse = scored("fuse", SIX)
    assert names([Entry(few), Entry(fuse)], "gsa", "fuse") == [few, fuse]
    with pytest.raises(UsageError, match=r"gsa may be any of gsa.subset-a-b, gsa.subset-a-b-c"):
        choose([Entry(few), Entry(others), Entry(fuse)], ["gsa", "fuse"])
    assert names([Entry(few), Entry(others)], "gsa.subset-a-b", "gsa.subset-a-b-c") == [few, others]


def test_names_that_mean_nothing_or_the_same() -> None:
    entries = [Entry(scored("gsa", SIX)), Entry(scored("fuse", SIX))]
    with pytest.raises(UsageError, match=r"no record of 'fusee'; did you mean fuse\? There are: fuse, gsa"):
        choose(entries, ["gsa", "fusee"])
    with pytest.raises(UsageError, match="no record of 'gsa@recorded'"):
        choose(entries, ["gsa@recorded", "fuse"])
    with pytest.raises(UsageError, match="two methods or more, and got gsa"):
        choose(entries, ["gsa"])
    with pytest.raises(UsageError, match="gsa is named twice"):
        choose(entries, ["gsa", "gsa"])
    with pytest.raises(UsageError, match="gsa and GSA are the same record"):
        choose(entries, ["gsa", "GSA"])


def test_methods_that_share_no_task() -> None:
    other = scored("fuse", SIX)
    other.dataset = other.dataset.model_copy(update={"scale": 8})
    with pytest.raises(
        HsbenchError, match="no task has values of all of them: gsa on toy ×4, protocol uestc; fuse on toy ×8"
    ):
        choose([Entry(scored("gsa", SIX)), Entry(other)], ["gsa", "fuse"])


# The verb


def test_the_verb_finds_the_task_by_itself() -> None:
    written(scored("one", [value + number + 1 for number, value in enumerate(SIX)]), scored("two", SIX))
    done = hsbench("compare", "one", "two")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "toy ×4, protocol uestc, 6 scenes: PSNR (dB), higher is better"
    assert "One is 3.50 dB above Two in the mean; significant (p = 0.031, 6 scenes)" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_ones_own_against_the_recorded_ones() -> None:
    (gsa,) = (record for record in recorded_store().records() if (record.key, record.dataset.scale) == ("gsa", 8))
    mine = gsa.model_copy(deep=True)
    mine.method.name, mine.method.title = "mine", "Mine"
    for number, scene in enumerate(mine.scenes):
        assert scene.psnr is not None
        scene.psnr += 1 + number / 100
    mine.summary = summary_of(mine.scenes)
    written(mine)
    done = hsbench("compare", "mine", "gsa", "mtf-glp-hs")
    assert done.exit_code == 0, done.output
    assert "Mine is 1.05 dB above GSA in the mean; significant (p = 0.0020 corrected" in " ".join(done.stdout.split())
    assert "GSA and MTF-GLP-HS are equal" in done.stdout


def test_several_tasks_are_to_be_chosen_from() -> None:
    done = hsbench("compare", "ltmr", "gsa")
    assert done.exit_code == 2
    assert "several tasks have them: cave ×4, protocol uestc; cave ×8, protocol uestc" in done.stderr
    assert "Traceback" not in done.output


def test_ranks_over_tasks() -> None:
    done = hsbench("compare", "ltmr", "gsa", "fuse", "--ranks", "--format", "csv")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {(row["dataset"], row["scale"]) for row in rows} >= {("cave", "4"), ("cave", "8"), ("jasper-ridge", "4")}
    shown = hsbench("compare", "ltmr", "gsa", "fuse", "--ranks").stdout
    assert max(map(len, shown.splitlines())) <= 80
    (line,) = [line.split() for line in shown.splitlines() if line.startswith("GSA ")]
    own = [float(row["rank"]) for row in rows if row["method"] == "gsa"]
    assert [float(each) for each in line[1:-1]] == pytest.approx(own, abs=0.005)
    assert float(line[-1]) == pytest.approx(sum(own) / len(own), abs=0.005)
    assert "cave ×4 uestc: Friedman's test that all 3 are alike: p = 0.70" in shown


def test_ranks_of_a_whole_board() -> None:
    done = hsbench("compare", "--ranks", "--dataset", "cave", "--scale", "8")
    assert done.exit_code == 0, done.output
    assert "IR-TenSR" in done.stdout
    assert "Friedman's test" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert hsbench("compare", "--ranks").exit_code == 2


@pytest.mark.parametrize("style", ["table", "csv", "latex", "markdown", "json"])
def test_formats(style: str) -> None:
    done = hsbench(
        "compare",
        "ltmr",
        "gsa",
        "mtf-glp-hs",
        "--scale",
        "4",
        "--dataset",
        "cave",
        "--index",
        "psnr,sam",
        "--format",
        style,
    )
    assert done.exit_code == 0, done.output
    if style == "csv":
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert [(row["index"], row["first"], row["second"]) for row in rows][:2] == [
            ("psnr", "ltmr", "gsa"),
            ("psnr", "ltmr", "mtf-glp-hs"),
        ]
        assert (float(rows[0]["p"]), rows[2]["p"], rows[2]["low"]) == (0.2783203125, "", "")
        assert len(rows) == 6
    elif style == "json":
        first, _ = json.loads(done.stdout)["comparisons"]
        assert first["pairs"][0]["p"] == 0.2783203125
        assert first["pairs"][0]["p_holm"] == 2 * 0.2783203125
        assert first["pairs"][2]["p"] is None
        assert first["scenes"][0] == "balloons"
    elif style == "latex":
        assert r"LTMR - GSA & +0.15 & $-$1.53, 0.95 & 7/11 & +0.39 & 0.28 & 0.56 \\" in done.stdout
    elif style == "markdown":
        assert "| LTMR - GSA | +0.15 | -1.53, 0.95 | 7/11 | +0.39 | 0.28 | 0.56 |" in done.stdout


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed here")
def test_latex_compiles(tmp_path: Path) -> None:
    table = hsbench(
        "compare", "ltmr", "gsa", "mtf-glp-hs", "--dataset", "cave", "--scale", "4", "--format", "latex"
    ).stdout
    preamble = [r"\documentclass{article}", r"\usepackage[T1]{fontenc}", r"\usepackage{booktabs}", r"\begin{document}"]
    (tmp_path / "x.tex").write_text("\n".join([*preamble, table, r"\end{document}"]))
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "x.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:]


def test_many_pairs_are_counted() -> None:
    done = hsbench("compare", "ltmr", "gsa", "fuse", "psrt", "bicubic", "cnmf", "--dataset", "cave", "--scale", "4")
    assert done.exit_code == 0, done.output
    assert "of 15 pairs differ significantly" in done.stdout
    assert "in the mean" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["gsa", "gsa"], "gsa is named twice", 2),
        (["gsa"], "two methods or more", 2),
        ([], "two methods or more, and got none", 2),
        (["gsa", "ltmrr"], "did you mean ltmr", 2),
        (["gsa", "ltmr", "--index", "psn"], "there is no index 'psn'", 2),
        (["gsa", "fuse", "--dataset", "jasper-ridge"], "1 scene in common (jasper-ridge)", 1),
        (["gsa", "ltmr", "--dataset", "no-such"], "no records of dataset no-such", 1),
        (["psrt", "fuse", "--dataset", "jasper-ridge"], "no record of 'psrt'", 2),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], words: str, code: int) -> None:
    done = hsbench("compare", *arguments)
    assert done.exit_code == code
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.output


def test_a_damaged_record_is_named_and_stops_nothing() -> None:
    written(scored("one", SIX), scored("two", SIX[::-1]))
    Path("results/toy-x4-uestc/bad.json").write_text("{")
    done = hsbench("compare", "one", "two")
    assert "bad.json" in done.stderr
    assert "One" in done.stdout


def test_in_a_narrow_terminal_nothing_is_cut_off() -> None:
    command: list[Any] = [
        "compare",
        "mtf-glp-hs.interpolation-block",
        "gsa",
        "ltmr",
        "--dataset",
        "cave",
        "--scale",
        "4",
    ]
    done = CliRunner().invoke(main, command, env={"COLUMNS": "40"})
    assert done.exit_code == 0
    assert "0.28" in done.stdout
    assert "…" not in done.stdout


# From Python, and in the documentation


def test_results_compare() -> None:
    found = hb.leaderboard(dataset="cave", scale=4).compare("ltmr", "gsa", "mtf-glp-hs", indexes=["psnr", "sam"])
    assert list(found["index"]) == ["psnr"] * 3 + ["sam"] * 3
    assert found["p"][0] == 0.2783203125
    assert math.isnan(found["p"][2])
    with pytest.raises(UsageError, match=r"several tasks have them: .* Choose by hb\.leaderboard"):
        hb.leaderboard().compare("ltmr", "gsa")
    with pytest.raises(UsageError, match="no index 'psn'"):
        hb.leaderboard().compare("ltmr", "gsa", indexes=["psn"])


def test_results_compare_warns_of_what_must_be_known(tmp_path: Path) -> None:
    written(scored("one", SIX[:5]), scored("two", SIX[4::-1]))
    with pytest.warns(UserWarning, match="over 5 scenes no difference can be significant"):
        hb.leaderboard("results", dataset="toy").compare("one", "two")


def test_the_page_shows_what_is_printed() -> None:
    page = (Path(__file__).parents[1] / "docs" / "significance.md").read_text(encoding="utf-8")
    (command, expected) = re.findall(r"```console\n\$ hsbench (compare [^\n]*)\n(.+?)```", page, flags=re.DOTALL)[0]
    done = hsbench(*command.split())
    assert done.exit_code == 0, done.output
    assert [line.rstrip() for line in done.stdout.rstrip().splitlines()] == expected.rstrip().splitlines()


def test_what_the_page_says_of_many_pairs() -> None:
    assert 51 * 2 / 2**11 < 0.05 < 52 * 2 / 2**11
