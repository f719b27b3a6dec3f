"""The proof: published rows as data, what agrees with them, and the tables."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.ndimage import correlate

from hsfusion_bench.cli import main
from hsfusion_bench.data import task as tasks
from hsfusion_bench.data.sources.demo import DemoSource
from hsfusion_bench.methods.resize import upsample_bicubic
from hsfusion_bench.report import proof
from hsfusion_bench.report.proof import WHOLE, Score, agrees, bicubic_rows, candidates, prove, rounded, sheets
from hsfusion_bench.report.published import PublishedRow, published_rows

ROOT = os.environ.get("HSBENCH_DATA")

DEMO = PublishedRow(
    dataset="demo",
    scale=4,
    method="Bicubic",
    values={
        "psnr": "29.97",
        "psnr_std": "0.17",
        "sam": "4.93",
        "sam_std": "0.08",
        "ergas": "1",
        "ergas_std": "1",
        "ssim": "1",
        "ssim_std": "1",
    },
    source="a test",
    note="",
)


def silent(scene: str, number: int, total: int) -> None:
    pass


def hsbench(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify", "--published", *arguments])


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HSBENCH_DATA", raising=False)


def test_published_rows_keep_their_digits() -> None:
    rows = published_rows()
    assert len(rows) == 71
    # as printed in BDT, Table 1, and LE-Mamba, Table 3
    four, eight = (next(row for row in bicubic_rows() if (row.dataset, row.scale) == ("cave", s)) for s in (4, 8))
    assert [four.values[name] for name in ("psnr", "psnr_std", "ergas_std", "ssim_std")] == [
        "34.33",
        "3.88",
        "4.90",
        "0.0291",
    ]
    assert [eight.values[name] for name in ("psnr", "sam", "ergas")] == ["29.96", "5.89", "5.56"]
    suspect = next(row for row in rows if row.method == "MTF-GLP-HS" and row.dataset == "harvard")
    assert "below Bicubic" in suspect.note
    assert "params_m" not in suspect.values
    assert all(row.source for row in rows)


@pytest.mark.parametrize(
    ("psnr", "deviation", "agreed"),
    [(29.9749, 0.1651, True), (29.9651, 0.17, True), (29.9752, 0.17, False), (29.97, 0.1649, False)],
)
def test_numbers_agree_if_they_are_rounded_to_what_is_printed(psnr: float, deviation: float, agreed: bool) -> None:
    assert agrees(DEMO, {"psnr": Score(psnr, deviation)}, ["psnr"]) == agreed


def test_rounding_keeps_the_decimals_of_what_is_printed() -> None:
    assert [rounded(2.5, text) for text in ("4.90", "4", "0.0291")] == ["2.50", "2", "2.5000"]


@pytest.mark.parametrize("scale", [4, 8])
def test_candidates_cover_all_first_samples_and_phases_of_the_protocols(scale: int) -> None:
    kernels, firsts, others = candidates(scale).values()
    assert [candidate.first for candidate in firsts] == list(range(scale))
    assert {candidate.first for candidate in kernels} == {scale // 2}
    expected = {
        "`mossfuse`": scale / 2 - 1,
        "`xidian`": (scale - 1) / 2,
        "`wald`": (scale + 1) / 2,
        "`yokoya`": (scale - 1) / 2,
        "mean of the block": (scale - 1) / 2,
    }
    assert {candidate.kernel: candidate.phase for candidate in others} == expected
    for candidate in (*kernels, *firsts, *others):
        assert candidate.psf.sum() == pytest.approx(1)


def test_scores_are_means_and_deviations_over_the_scenes() -> None:
    made = prove(DEMO, None, silent)
    assert made.obstacle is None
    # PSNR written out: mean of the bands' decibels, then over the scenes
    near = np.exp(-2.0)
    psf = np.outer([near, 1, near], [near, 1, near]) / (1 + 2 * near) ** 2
    values = []
    for name in ("oranges", "figs", "melons"):
        cube = DemoSource().read(name)
        low = np.stack([correlate(band.astype(float), psf, mode="mirror")[2::4, 2::4] for band in cube])
        error = upsample_bicubic(low, 4) - cube
        values.append(-10 * np.log10((error**2).mean(axis=(1, 2))).mean())
    assert made.scores["psnr"].mean == pytest.approx(np.mean(values), abs=1e-4)
    assert made.scores["psnr"].std == pytest.approx(np.std(values, ddof=1), abs=1e-4)
    # its scenes are not the protocol's, so that nothing fails, and no candidate is tried
    assert not made.fails
    assert not made.evidence


def test_candidates_are_scored_on_the_same_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    load = tasks.load_protocol
    known = replace(load("uestc"), splits={"demo": DemoSource.split})
    monkeypatch.setattr(tasks, "load_protocol", lambda choice: known if choice.name == "uestc" else load(choice))
    made = prove(DEMO, None, silent)
    kernels, firsts, _ = made.evidence.values()
    for candidate, scores in (*kernels, *firsts):
        if candidate.kernel == "Gaussian 3x3, sigma 0.5" and candidate.first == 2:
            assert scores == {index: made.scores[index] for index in ("psnr", "sam")}
        elif candidate.first in (0, 3):  # a pixel and a half off, the image is worse by decibels
            assert scores["psnr"].mean < made.scores["psnr"].mean - 1
    rows, *tables = sheets([made])
    assert [row[-1] for row in rows.rows] == ["equal", "equal", *["not matched"] * 2, *["another index"] * 2]
    assert [line[-1] for line in tables[1].rows] == ["", "", "equal", ""]


def test_without_scenes_nothing_is_proved() -> None:
    done = hsbench()
    assert done.exit_code == 1
    assert "no published row could be made again" in done.stderr
    assert "--data-root" in done.stderr
    assert "Traceback" not in done.output


@pytest.fixture
def on_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "bicubic_rows", lambda: [DEMO, bicubic_rows()[0]])


@pytest.mark.usefixtures("on_demo")
@pytest.mark.parametrize("verb", ["verify --published", "data proof"])  # the second marked pages once
def test_the_tables_replace_the_marked_part_of_a_page(verb: str) -> None:
    page = Path("page.md")
    page.write_text(f"# Before\n<!-- proof: written by hsbench {verb} -->\nold\n<!-- end of proof -->\nafter\n")
    done = hsbench("--markdown", "page.md")
    assert done.exit_code == 0, done.output
    text = page.read_text()
    assert text.startswith("# Before\n")
    assert text.endswith("<!-- end of proof -->\nafter\n")
    assert "old" not in text
    assert text.count("<!-- proof: written by hsbench verify --published -->") == 1
    assert "| demo ×4 | PSNR | 29.97 ± 0.17 | 29.97 ± 0.17 | 29.9" in text
    assert "cave ×4 | all |  |  |  |  | not made again" in text
    assert "equal" in done.stdout
    # the same again: nothing grows
    assert hsbench("--markdown", "page.md").exit_code == 0
    assert page.read_text() == text


@pytest.mark.usefixtures("on_demo")
def test_a_page_without_the_marks_is_left_alone() -> None:
    Path("page.md").write_text("mine\n")
    done = hsbench("--markdown", "page.md")
    assert done.exit_code == 1
    assert "no part for the tables" in done.stderr
    assert Path("page.md").read_text() == "mine\n"


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(ROOT is None, reason="HSBENCH_DATA names no folder with CAVE scenes")
def test_a_published_row_is_ours_to_the_last_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "candidates", lambda scale: {})
    row = next(row for row in bicubic_rows() if (row.dataset, row.scale) == ("cave", 8))
    made = prove(row, Path(str(ROOT)), silent)
    if made.obstacle is not None:
        pytest.skip(made.obstacle)
    assert agrees(row, made.scores, WHOLE)
    assert not made.fails
    assert not agrees(row, made.scores, ["ergas"])  # which is another index
    assert not agrees(row, made.scores, ["ssim"])
    made.scores["ssim_full"] = made.scores["ssim"]
    assert made.fails
