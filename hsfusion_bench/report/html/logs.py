"""The course of trainings: logs that lie beside weights, found by the SHA-256 of the weights that a record names."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

#: Points of a curve that are drawn; a log has thousands of lines.
_POINTS: Final = 160


@dataclass(frozen=True)
class Course:
    """A training, thinned out.

    Parameters
    ----------
    steps
        Optimiser steps.
    psnr, loss
        Of the validation patches, in dB, and of the training patches; None where there is none.
    bicubic
        PSNR of bicubic interpolation on the same patches, where it was measured.
    """

    steps: tuple[int, ...]
    psnr: tuple[float | None, ...]
    loss: tuple[float | None, ...]
    bicubic: float | None


def courses(folders: Iterable[Path], wanted: Iterable[str]) -> dict[str, Course]:
    """Return the courses of weights by their SHA-256; those that have no log here are left out.

    Parameters
    ----------
    folders
        Where weights lie, each in a folder of its method, with card (``.json``) and log (``.csv``) beside them.
    wanted
        SHA-256 of weights.
    """
    sought, found = set(wanted), dict[str, Course]()
    if not sought:
        return found
    for folder in folders:
        for path in sorted(folder.glob("*/*.csv")):
            digest = _digest(path.with_suffix(".json"))
            if digest in sought and digest not in found and (course := _read(path)):
                found[digest] = course
    return found


def _digest(card: Path) -> str:
    try:
        said: Any = json.loads(card.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(said.get("sha256", "")) if isinstance(said, dict) else ""


def _read(path: Path) -> Course | None:
    """Read a log; None if it is none. A log is no result: what is wrong with it costs a curve, and no row."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        if not rows:
            return None
        kept = _thinned(rows)
        steps = tuple(int(row["step"]) for row in kept)
    except (OSError, KeyError, TypeError, ValueError, csv.Error):
        return None
    bicubic = _number(rows[-1], "bicubic_psnr")
    return Course(
        steps,
        tuple(_number(row, "validation_psnr") for row in kept),
        tuple(_number(row, "loss") for row in kept),
        bicubic,
    )


def _thinned(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Leave lines at even distances, the first and the last among them."""
    count = min(len(rows), _POINTS)
    return [rows[round(number * (len(rows) - 1) / max(1, count - 1))] for number in range(count)]


def _number(row: Mapping[str, str], name: str) -> float | None:
    try:
        value = float(row[name])
    except (KeyError, TypeError, ValueError):
        return None
    return float(f"{value:.5g}") if math.isfinite(value) else None
