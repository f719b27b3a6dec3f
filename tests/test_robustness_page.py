"""The page on robustness: its tables are those of the records, and what it says in words holds for them."""

from __future__ import annotations

import json
import re
from statistics import fmean
from types import ModuleType

import pytest

from support.pages import ROOT, program_of, text_of

PAGE = text_of(ROOT / "docs" / "robustness.md")


@pytest.fixture(scope="module")
def program() -> ModuleType:
    return program_of("robustness")


def psnr(condition: str, method: str) -> float:
    """Return the mean over all 11 scenes, read from the files themselves."""
    folder = f"robustness/cave-x4-uestc-{condition}" if condition else "cave-x4-uestc"
    record = json.loads((ROOT / "results" / folder / f"{method}.json").read_text(encoding="utf-8"))
    values = [scene["psnr"] for scene in record["scenes"]]
    assert len(values) == 11
    return fmean(values)


def cells(part: str) -> dict[str, dict[str, str]]:
    """Return the cells of a table that the program wrote, by method and head."""
    (text,) = re.findall(rf"<!-- {part}: written by robustness\.py -->\n(.*?)<!-- end -->", PAGE, flags=re.DOTALL)
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    return {line[0]: dict(zip(lines[0], line, strict=True)) for line in lines[2:]}


def test_the_page_is_as_its_program_writes_it(program: ModuleType) -> None:
    assert program.filled(PAGE) == PAGE, "run python docs/robustness.py"


def test_cells_are_differences_of_means() -> None:
    true, told = cells("true"), cells("told")
    assert true["GSA"]["shift ½"] == f"{psnr('shift0.5', 'gsa') - psnr('', 'gsa'):+.1f}"
    assert true["FUSE"]["gain 1.1"] == f"{psnr('gain1.1', 'fuse') - psnr('', 'fuse'):+.1f}"
    assert told["MTF-GLP-HS"]["blur 4"] == f"{psnr('told-fwhm4', 'mtf-glp-hs') - psnr('', 'mtf-glp-hs'):+.1f}"
    assert cells("published")["MTF-GLP-HS"]["told a blur of 4.71"] == f"{psnr('told-fwhm4.71', 'mtf-glp-hs'):.2f}"


def test_what_is_said_in_words_holds() -> None:
    classical = ("gsa", "sfim", "mtf-glp-hs", "brovey", "fuse")
    small = ("conssfcnn", "ssfcnn")
    assert all(psnr("shift1", name) < psnr("shift1", "bicubic") for name in (*classical, *small))
    assert all(abs(psnr("gain1.1", name) - psnr("", name)) < 0.05 for name in classical if name != "fuse")
    assert psnr("gain1.1", "fuse") < psnr("", "fuse") - 12
    assert min(psnr("snr20-20", name) for name in small) > max(psnr("snr20-20", name) for name in classical)
    lost = [psnr("", name) - psnr("told-fwhm2", name) for name in ("gsa", "sfim", "mtf-glp-hs", "fuse")]
    assert min(lost) > 1.5
    assert max(lost) < 5
    lines = {name.split(" (")[0]: line for name, line in cells("true").items()}
    for name in ("FeINFN", "PSRT"):
        changes = {head: float(cell) for head, cell in lines[name].items() if cell and head not in ("method", "dB")}
        assert abs(changes["blur 4"]) < 1
        assert -3.5 < changes["camera B"] < -2.5
        assert -10.5 < changes["30 dB"] < -9.5
        assert all(-14.5 < changes[head] < -13.4 for head in ("shift ½", "1 dead"))
    assert all(-16.5 < float(lines[name]["gain 1.1"]) < -10.5 for name in ("FeINFN", "PSRT", "SSRNet"))
    assert min(float(cell) for head, cell in lines["MossFuse"].items() if cell and head not in ("method", "dB")) > -2


def test_every_record_says_its_conditions() -> None:
    files = list((ROOT / "results" / "robustness").glob("*/*.json"))
    assert len(files) > 200
    for file in files:
        record = json.loads(file.read_text(encoding="utf-8"))
        assert record["status"] == "ok", file
        assert record["dataset"]["conditions"], file
        assert file.parent.name == f"cave-x4-{record['dataset']['protocol']}".lower()
