"""A leaderboard as a pandas DataFrame: all indexes in full precision. CSV is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hsfusion_bench.report.cells import csv_cell
from hsfusion_bench.report.leaderboard import Leaderboard
from hsfusion_bench.report.published import PROTOCOL
from hsfusion_bench.report.rows import Printed, Row
from hsfusion_bench.spelling import spell
from hsfusion_metrics import METRICS, PUBLISHED_METRICS

if TYPE_CHECKING:
    import pandas as pd


def frame(boards: Iterable[Leaderboard]) -> pd.DataFrame:
    """Return one line for each row of the leaderboards; columns of further indexes only where a row has them."""
    import pandas as pd

    boards = list(boards)
    further = [name for name in PUBLISHED_METRICS if any(name in board.further for board in boards)]
    indexes = (*METRICS, *further)
    rows = [row for board in boards for row in board.rows]
    lines = [_line(row, indexes) for row in rows]
    _add_seeds(lines, rows)
    lines += [_published(line, indexes) for board in boards for line in board.published]
    # convert_dtypes: a column of whole numbers with a gap stays one of whole numbers
    return pd.DataFrame(lines).convert_dtypes()


def csv(boards: Iterable[Leaderboard]) -> str:
    """Return the text of a CSV file; non-finite values are NaN, Inf and -Inf, and what was not measured is empty."""
    return frame(boards).map(csv_cell).to_csv(index=False, lineterminator="\n")


def _line(row: Row, indexes: Sequence[str]) -> dict[str, Any]:
    record, speed = row.record, row.speed
    line: dict[str, Any] = {
        "method": record.method.name,
        "title": record.method.title,
        "family": record.method.family,
        "year": record.method.year,
        "uses": " ".join(record.method.uses),
        "estimated": " ".join(record.method.estimated),
        "options": " ".join(f"{name}={record.method.options[name]}" for name in record.method.changed),
        "dataset": record.dataset.name,
        "scale": record.dataset.scale,
        "protocol": record.dataset.protocol,
        "scenes": record.dataset.scenes,
        "scenes_in_split": record.dataset.scenes_in_split,
        "status": record.status,
        "recorded": row.recorded,
        "same_as": " ".join(method.name for method in row.also),
    }
    for index in indexes:
        value = row.value(index)
        line[f"{index}_mean"], line[f"{index}_std"] = (None, None) if value is None else map(spell, value)
    line |= {
        "parameters": record.model.parameters,
        "trainable": record.model.trainable,
        "flops": record.model.flops.value if record.model.flops else None,
        "flops_lower_bound": record.model.flops.lower_bound if record.model.flops else None,
        "latency_median_ms": row.latency_ms,
        "latency_p90_ms": speed.latency.p90_ms if speed else None,
        "peak_memory_mb": speed.memory.peak_mb if speed and speed.memory else None,
        "device": speed.device if speed else None,
        "reported": " ".join(row.reported),
        "note": row.note,
    }
    return line if row.p_best is None else line | {"p_best": row.p_best}


def _add_seeds(lines: Sequence[dict[str, Any]], rows: Sequence[Row]) -> None:
    """Add columns of seeds to all lines, of the kinds of which any row has several, or is told apart by."""
    of_trainings, of_noises = [row.trainings for row in rows], [row.noises for row in rows]
    for spreads, prefix in ((of_trainings, ""), (of_noises, "noise_")):
        if all(each is None for each in spreads):
            continue
        for line, spread in zip(lines, spreads, strict=True):
            line[f"n_{prefix}seeds"] = None if spread is None else len(spread.seeds)
            line[f"{prefix}seeds"] = None if spread is None else " ".join(map(str, spread.seeds))
            for index in [name.removesuffix("_mean") for name in line if name.endswith("_mean")]:
                std = None if spread is None else spread.std.get(index)
                line[f"{index}_{prefix}seed_std"] = None if std is None else spell(std)
    if any(row.apart for row in rows):
        for line, row in zip(lines, rows, strict=True):
            line["seed"] = row.apart


def _published(line: Printed, indexes: Sequence[str]) -> dict[str, Any]:
    row = line.row
    values = {
        f"{index}_{name}": value
        for index in indexes
        for name, value in zip(("mean", "std"), line.value(index), strict=True)
    }
    millions = row.values.get("params_m")
    return {
        "title": row.method,
        "dataset": row.dataset,
        "scale": row.scale,
        "protocol": PROTOCOL,
        "status": "published",
        **values,
        "parameters": None if millions is None else round(float(millions) * 1e6),
        "note": "; ".join(part for part in (row.source, row.note) if part),
    }
