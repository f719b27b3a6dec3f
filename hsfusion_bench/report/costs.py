"""Latencies for boards whose rows nobody timed: those of the recorded tables of `hsbench cost`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hsfusion_bench.report.rows import Row
from hsfusion_bench.runs.recorded import recorded_root
from hsfusion_bench.runs.records import DatasetInfo

#: Of the images that `hsbench cost` fuses, see `hsfusion_bench.runs.costs.Workload`.
_BANDS: Final = (31, 3)


@dataclass(frozen=True)
class CostTable:
    """Median latencies in milliseconds by method, and where they were measured."""

    told: str
    milliseconds: dict[str, float]


def costs_of(rows: Sequence[Row]) -> CostTable | None:
    """Return the recorded table for the rows of a board; None if there is none, or one of them was timed.

    So all latencies of a board are of one kind: what was timed beside records, or what `hsbench cost` measured.
    """
    timed = any(row.latency_ms is not None for row in rows)
    return None if timed or not rows else _recorded(rows[0].record.dataset)


def latency_of(row: Row, costs: CostTable | None) -> float | None:
    """Return the latency of a row in milliseconds: its own, or that of the ordinary method in a table of costs."""
    if row.latency_ms is not None:
        return row.latency_ms
    method = row.record.method
    if costs is None or method.origin != "shipped" or method.variant:
        return None
    return costs.milliseconds.get(method.name)


def _recorded(dataset: DatasetInfo) -> CostTable | None:
    """Return the recorded table of a scale, or None if there is none, or the images have other bands than its."""
    if (dataset.bands, dataset.msi_bands) != _BANDS:
        return None
    for path in sorted(recorded_root().glob("speed/cost-*.json")):
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if table["task"]["scale"] == dataset.scale:
            size = table["task"]["size"]
            rows = {row["method"]: row["latency"]["median_ms"] for row in table["rows"] if row["latency"]}
            told = f"{table['device']}, {table['threads']} threads, {size} × {size} pixels and 31 bands"
            return CostTable(told, rows)
    return None
