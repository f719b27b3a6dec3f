"""The page of the indexes: its numbers are what its code gives, its "equal" rows are equal."""

from __future__ import annotations

import importlib.util
import re
import sys
from types import ModuleType

import numpy as np
import pytest

from hsfusion_metrics import q2n_uncast
from support.pages import ROOT, blocks, text_of

PAGE = text_of(ROOT / "docs" / "indexes.md")


def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("indexes_program", ROOT / "docs" / "indexes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


indexes = program()
SECTIONS = indexes.sections(PAGE)
ROWS = indexes.rows(PAGE)
#: Those of packages that come with us, or with the extra `dev`.
AT_HAND = (indexes.OURS, "scikit-image", "torchmetrics", "spectral")
HERE = [row for row in ROWS if row.package in AT_HAND and row.computable]


def one_unit(value: str) -> float:
    """Return one unit of the last digit of a number as printed."""
    return 10.0 ** -len(value.partition(".")[2])


def test_every_row_of_a_table_is_read() -> None:
    assert len(re.findall(r"^\| [^|]+ \| `[^`]+` \| ", PAGE, flags=re.MULTILINE)) == len(ROWS) > 50


def test_the_page_names_the_versions_that_the_tests_run_with() -> None:
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", text_of(ROOT / "constraints.txt"), flags=re.MULTILINE))
    named = {(row.package, row.version) for row in ROWS if row.package in pinned}
    assert {package for package, _ in named} == set(AT_HAND) - {indexes.OURS}
    assert named <= set(pinned.items())


@pytest.mark.parametrize("row", HERE, ids=lambda row: f"{row.package}: {row.code}")
def test_the_code_of_a_row_gives_its_value(row: object) -> None:
    assert indexes.computed(row) == pytest.approx(float(row.value), abs=one_unit(row.value))  # type: ignore[attr-defined]


def test_the_first_table_has_our_values_of_the_seven() -> None:
    ours = {title: indexes.rows(text)[0].value for title, text in SECTIONS.items()}
    assert dict(re.findall(r"^\| \[(\w+)\]\(#\w+\) \| ([\d.]+) \|", PAGE, flags=re.MULTILINE)) == ours


def test_the_program_of_the_page_prints_our_values(capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = blocks(PAGE, "python")
    exec(compile(text, "indexes.md", "exec"), {})
    printed = [float(value) for value in re.findall(r"\w+=([\d.]+)", capsys.readouterr().out)]
    ours = [indexes.rows(text)[0].value for text in SECTIONS.values()]
    assert printed == [pytest.approx(float(value), abs=one_unit(value)) for value in ours]


def test_the_summary_is_that_of_the_tables() -> None:
    summary = PAGE.partition(indexes.START)[2].partition(indexes.END)[0]
    assert summary == indexes.summary(PAGE)
    assert f"| {indexes.OURS} | **29.8927** |" in summary


@pytest.mark.parametrize("text", SECTIONS.values(), ids=SECTIONS)
def test_rows_that_are_called_equal_have_a_value_of_ours(text: str) -> None:
    ours = {row.value for row in indexes.rows(text) if row.package == indexes.OURS}
    equal = re.findall(r"`[^`]+` \| ([\d.]+) \| equal", text)
    assert equal
    assert set(equal) <= ours


def largest_q2n(bands: int) -> float:
    """Return the largest Q2n of one texture whose bands have signs of their own in each of two images."""
    rng = np.random.default_rng(0)
    texture = rng.standard_normal((32, 32))
    signs = rng.choice([-1.0, 1.0], (100, 2, bands, 1, 1))
    return max(q2n_uncast(*(5 + pair * texture)) for pair in signs)


def test_q2n_exceeds_one_only_with_more_than_eight_bands() -> None:
    assert 0.999 < largest_q2n(8) <= 1 + 1e-12
    assert largest_q2n(31) > 1.15


def test_a_page_is_filled_row_by_row_and_keeps_what_it_cannot_compute() -> None:
    page = "| hsfusion_metrics | `hm.psnr(gt, sr)` | 1 | why |\n| sewar 0.0.1 | `sewar.psnr(g, s)` | 2.5 | 7 |\n"
    first, second = indexes.rows(page)
    assert (first.package, first.version, second.version, second.value) == ("hsfusion_metrics", "", "0.0.1", "2.5")
    assert first.computable
    assert not second.computable
    filled = indexes.filled(page, {first: 29.892654}.get)
    assert filled == page.replace("| 1 |", "| 29.8927 |")
