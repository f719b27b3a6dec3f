"""Records and speeds for tests of the store and of the tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from typing import Any

from hsfusion_bench.report.leaderboard import Leaderboard, leaderboards
from hsfusion_bench.report.sources import entries_of
from hsfusion_bench.runs.records import (
    DatasetInfo,
    Latency,
    MethodInfo,
    ModelInfo,
    Record,
    SceneResult,
    Speed,
    Statistic,
)

INDEXES = ("psnr", "ssim", "sam", "ergas", "scc", "uqi", "q2n")


def make_record(name: str = "mine", scenes: dict[str, float] | None = None, of: int = 2, **changes: Any) -> Record:
    """Make a record whose every index of a scene is the one number given for the scene."""
    values = {"a": 30.0, "b": 34.0} if scenes is None else scenes
    mean = sum(values.values()) / len(values) if values else 0.0
    finite = all(map(math.isfinite, values.values()))
    deviation = (statistics.stdev(values.values()) if len(values) > 1 else 0.0) if finite else math.nan
    parts: dict[str, Any] = {
        "status": "ok" if values else "no weights",
        "method": MethodInfo(
            name=name,
            title=name.title(),
            family="classical",
            year=2024,
            uses=[],
            origin="shipped",
            distribution="hsfusion-bench",
            version="1",
        ),
        "dataset": DatasetInfo(
            name="cave",
            scale=4,
            protocol="uestc",
            protocol_version=1,
            protocol_digest="0" * 64,
            split="s",
            split_digest="1" * 64,
            scenes=len(values),
            scenes_in_split=of,
            bands=31,
            msi_bands=3,
        ),
        "scenes": [
            SceneResult(name=scene, digest="2" * 64, **dict.fromkeys(INDEXES, value)) for scene, value in values.items()
        ],
        "summary": {index: Statistic(mean=mean, std=deviation) for index in INDEXES} if values else None,
        "model": ModelInfo(),
        "weights": None,
        "metrics": {"suite": "1"},
        "seed": 0,
        "device": "cpu",
        "environment": {},
    }
    return Record(**(parts | changes))


def make_speed(method: str, milliseconds: float, device: str = "Some CPU @ 2 GHz") -> Speed:
    """Make a measurement of speed that belongs to `make_record`."""
    return Speed(
        method=method,
        version="1",
        dataset="cave",
        scale=4,
        protocol="uestc",
        device_kind="CPU",
        device=device,
        threads=2,
        latency=Latency(
            median_ms=milliseconds,
            p90_ms=milliseconds,
            runs=10,
            warmup=1,
            hr_size=[512, 512],
            precision="float32",
            synchronised=False,
        ),
        memory=None,
        measured="2026-01-01",
        environment={},
    )


def boards_of(records: Iterable[Record], speeds: Iterable[Speed] = (), **options: Any) -> list[Leaderboard]:
    """Return the leaderboards of records of one's own."""
    return leaderboards(entries_of(records, speeds), **options)
