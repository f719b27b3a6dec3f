"""Fill choosing.md: what the recorded methods give and cost, and which of them no faster one equals.

Run it from anywhere: ``python docs/choosing.py``. All numbers are of `results/`.
"""

from __future__ import annotations

from pathlib import Path

import parts

import hsfusion_bench as hb
from hsfusion_bench.methods.weights import percent
from hsfusion_bench.runs.costs import Cost, Costs
from hsfusion_bench.runs.recorded import recorded_root
from hsfusion_bench.runs.records import Record

PAGE = Path(__file__).with_name("choosing.md")
#: Data set and scale of the boards, as the table calls them; the first is the one that is sorted by.
BOARDS = {"CAVE ×4": ("cave", 4), "CAVE ×8": ("cave", 8), "Jasper Ridge ×4": ("jasper-ridge", 4)}
CLOSE = 1.0  # dB
ROUNDING = 1e-6  # dB; GSA and MTF-GLP-HS are one estimator


def board(dataset: str, scale: int) -> dict[str, Record]:
    """Return the recorded rows of methods as they are by default, by name; the best PSNR first."""
    records = hb.leaderboard(dataset=dataset, scale=scale, only="recorded").records
    whole = [each for each in records if each.status == "ok" and not each.method.changed and not each.method.estimated]
    return {record.method.name: record for record in sorted(whole, key=psnr, reverse=True)}


def psnr(record: Record) -> float:
    """Return the mean PSNR of a row, in dB."""
    assert record.summary is not None
    return record.summary["psnr"].mean


def costs() -> dict[str, Cost]:
    """Return what the methods cost, by name."""
    text = (recorded_root() / "speed" / "cost-x4-cpu.json").read_text(encoding="utf-8")
    return {row.method: row for row in Costs.model_validate_json(text).rows}


def seconds(cost: Cost) -> float:
    """Return how long a fusion took."""
    assert cost.latency is not None
    return cost.latency.median_ms / 1000


def needs(record: Record) -> str:
    """Return what a method is told of the cameras, or whose weights it ran with."""
    if record.weights is None:
        return ", ".join(record.method.uses)
    training = record.weights.training
    if training is None:
        return "its authors' weights"
    return f"weights, {'the whole' if training.whole else f'{percent(training.share)} of the'} recipe"


def table() -> str:
    """Return every method of the first board, with what it gives on each board and what it costs."""
    boards, cost = [board(*place) for place in BOARDS.values()], costs()
    lines = [["method", "is given", *BOARDS, "seconds", "memory (MB)"], ["---", "---", *["---:"] * (len(BOARDS) + 2)]]
    for name, record in boards[0].items():
        values = [f"{psnr(rows[name]):.2f}" if name in rows else "" for rows in boards]
        memory = cost[name].memory
        lines.append(
            [
                f"`{name}`",
                needs(record),
                *values,
                f"{seconds(cost[name]):.2f}",
                f"{memory.peak_mb:.0f}" if memory else "",
            ]
        )
    return parts.table(lines)


def front() -> str:
    """Return the methods that no faster one equals on the first board, the fastest first."""
    lines, best, cost = (
        [["method", "seconds", next(iter(BOARDS)), "is given"], ["---", "---:", "---:", "---"]],
        0.0,
        costs(),
    )
    rows = board(*next(iter(BOARDS.values())))
    for name in sorted(rows, key=lambda name: seconds(cost[name])):
        if psnr(rows[name]) > best + ROUNDING:
            best = psnr(rows[name])
            lines.append([f"`{name}`", f"{seconds(cost[name]):.2f}", f"{best:.2f}", needs(rows[name])])
    return parts.table(lines)


def close() -> str:
    """Return the methods without weights that are close to the best of their kind on every board."""
    kept: list[str] | None = None
    for place in BOARDS.values():
        rows = {name: record for name, record in board(*place).items() if record.weights is None}
        limit = max(map(psnr, rows.values())) - CLOSE
        near = [name for name in rows if psnr(rows[name]) >= limit]
        kept = near if kept is None else [name for name in kept if name in near]
    names = ", ".join(f"`{name}`" for name in kept or [])
    return f"Within {CLOSE:.0f} dB of the best of the untrained methods on all {len(BOARDS)} boards below: {names}.\n"


PARTS = {"close": close, "front": front, "table": table}


def filled(page: str) -> str:
    """Return the page with its parts written anew."""
    return parts.filled(page, "choosing.py", PARTS)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
