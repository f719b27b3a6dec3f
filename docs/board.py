"""Fill board.md and draw board.svg: recorded rows of CAVE at ×4 beside published ones, what differs, what is left.

Run it from anywhere: ``python docs/board.py``. All numbers are of `results/` and of the papers' tables.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from math import isnan, nan
from pathlib import Path
from typing import Final

import parts

import hsfusion_bench as hb
from hsfusion_bench import registry
from hsfusion_bench.methods import NetworkMethod
from hsfusion_bench.methods.weights import percent
from hsfusion_bench.report.published import MEANT, PublishedRow, published_rows
from hsfusion_bench.report.significance import LEVEL, holm
from hsfusion_bench.runs.records import Record

PAGE: Final = Path(__file__).with_name("board.md")
FIGURE: Final = PAGE.with_suffix(".svg")
DATASET, SCALE = "cave", 4
#: The indexes of the papers' tables, as records and papers call them, and digits.
INDEXES: Final = (
    ("psnr", "psnr", 2),
    ("sam", "sam", 2),
    (MEANT["ergas"], "ergas", 2),
    (MEANT["ssim"], "ssim", 3),
)
#: What papers call a method otherwise than it is called here.
PRINTED: Final = {"cstf-fus": "cstf"}


def rows() -> list[Record]:
    """Return the recorded rows of methods as they are by default, the best PSNR first."""
    records = hb.leaderboard(dataset=DATASET, scale=SCALE, only="recorded").records
    plain = [each for each in records if each.status == "ok" and not each.method.changed and not each.method.estimated]
    return sorted(plain, key=lambda record: mean(record, "psnr") or 0.0, reverse=True)


def mean(record: Record, index: str) -> float | None:
    """Return the mean of an index over the scenes; None if the record has it not."""
    values = [getattr(scene, index) for scene in record.scenes]
    return None if None in values else sum(values) / len(values)


def printed(name: str) -> PublishedRow | None:
    """Return what a paper prints of a method."""
    for row in published_rows():
        called = row.method.lower()
        if (row.dataset, row.scale, PRINTED.get(called, called)) == (DATASET, SCALE, name):
            return row
    return None


def budget(record: Record) -> str:
    """Return what a row had: the cameras it was told, or how much of its recipe."""
    if record.weights is None:
        return f"told {', '.join(sorted(record.method.uses))}" if record.method.uses else ""
    if record.weights.training is None:
        return "its authors' weights"
    training = record.weights.training
    if training.whole:
        return "whole recipe"
    return f"{training.all_steps} steps, {percent(training.share)}"


def table() -> str:
    """Return every row beside the one that was published."""
    lines = [
        ["method", "what it had", *(head for name in ("PSNR", "SAM", "ERGAS", "SSIM") for head in (name, "published"))],
        ["---", "---", *["---:"] * 8],
    ]
    for record in rows():
        paper, cells = printed(record.method.name), []
        for ours, theirs, digits in INDEXES:
            value = mean(record, ours)
            cells += ["" if value is None else f"{value:.{digits}f}", paper.values.get(theirs, "") if paper else ""]
        lines.append([record.method.title, budget(record), *cells])
    return parts.table(lines)


def differences() -> str:
    """Return how far each row is behind the best and the one above it, and whether that is significant."""
    board, order = hb.leaderboard(dataset=DATASET, scale=SCALE, only="recorded"), rows()
    names = [record.method.name for record in order]
    pairs = {
        "best": [(names[0], name) for name in names[1:]],
        "above": list(pairwise(names)),
    }
    tested = {}
    for kind, both in pairs.items():
        found = [board.compare(*pair).iloc[0] for pair in both]
        # of estimators that are one, no scene differs: there is no p
        tested[kind] = list(
            zip(found, holm([1.0 if isnan(row.p or nan) else float(row.p) for row in found]), strict=True)
        )
    lines = [["method", "behind the best", "p", "behind the one above", "p"], ["---", *["---:"] * 4]]
    for place, record in enumerate(order[1:]):
        cells = []
        for kind in pairs:
            row, p = tested[kind][place]
            cells += [f"{row.difference:.2f}", f"**{p:.2g}**" if p < LEVEL else f"{p:.2g}"]
        lines.append([record.method.title, *cells])
    return parts.table(lines)


def left() -> str:
    """Return the networks whose recorded row is not of their whole recipe, with the command that trains each."""
    have = {record.method.name: record for record in rows()}
    lines = [["network", "row here", "published PSNR", "recipe", "command"], ["---", "---", "---:", "---", "---"]]
    for name, entry in sorted(registry.entries().items()):
        method = entry.load() if entry.origin.kind == "shipped" and ":" not in name else None
        if not isinstance(method, NetworkMethod):
            continue
        row = have.get(name)
        had = "none" if row is None else budget(row)
        if had in ("whole recipe", "its authors' weights"):
            continue
        recipe, paper = method.recipe, printed(name)
        lines.append(
            [
                method.card.title,
                had,
                paper.values["psnr"] if paper else "",
                f"{recipe.steps} steps of {recipe.batch_size} × {recipe.patch}²",
                f"`hsbench train {name} --dataset {DATASET} --scale {SCALE} --device cuda`",
            ]
        )
    return parts.table(lines)


def draw() -> None:
    """Draw the trade-off between PSNR and time."""
    words = f"figure tradeoff --dataset {DATASET} --scale {SCALE} --protocol uestc --against latency --only recorded"
    command = [sys.executable, "-m", "hsfusion_bench", *words.split(), "--out", str(FIGURE)]
    subprocess.run(command, check=True, capture_output=True)


PARTS = {"table": table, "differences": differences, "left": left}


def filled(page: str) -> str:
    """Return the page with its parts written anew."""
    return parts.filled(page, "board.py", PARTS)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    draw()
