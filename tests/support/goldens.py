"""What the MATLAB test package printed for which images; see tests/metrics/goldens/PROVENANCE.md."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[1] / "metrics" / "goldens"

# The script's names for our indexes.
FIELDS = {
    "psnr": "psnr",
    "ssim": "ssim",
    "sam": "sam",
    "ergas": "ergas",
    "scc": "scc",
    "uqi": "qave",
    "q2n": "qn",
}


@dataclass(frozen=True)
class Golden:
    """One case: images [B, C, H, W] in the type of the script's file, and the script's numbers."""

    gt: np.ndarray
    sr: np.ndarray
    ratio: float
    const: float
    per_image: list[dict[str, float]]
    summary: dict[str, list[float]]


def batch_names() -> list[str]:
    """Names of the batches of ordinary images."""
    return list(_read_json("expected.json"))


def edge_names() -> list[str]:
    """Names of the single images that try the script's corners."""
    return list(_read_json("edge_cases.json"))


def batch(name: str) -> Golden:
    """Read a batch; its images are stored as integers."""
    case = _read_json("expected.json")[name]
    with np.load(FOLDER / f"{name}.npz") as stored:
        gt, sr = (
            (stored[image] / stored["scale"] * stored["mult"]).astype(str(stored["dtype"])) for image in ("gt", "sr")
        )
    columns = {index: _numbers(case["per_image"][field]) for index, field in FIELDS.items()}
    per_image = [{index: columns[index][number] for index in FIELDS} for number in range(len(gt))]
    summary = {index: _numbers(case["summary"][field]) for index, field in FIELDS.items()}
    return Golden(gt, sr, case["ratio"], case["const"], per_image, summary)


def edge(name: str) -> Golden:
    """Read an edge case as a batch of one; its images are stored as they are."""
    case = _read_json("edge_cases.json")[name]
    with np.load(FOLDER / "edge_cases.npz") as stored:
        gt, sr = (stored[f"{name}_{image}"][None] for image in ("gt", "sr"))
    per_image = [{index: float(case["expected"][field]) for index, field in FIELDS.items()}]
    return Golden(gt, sr, case["ratio"], case["const"], per_image, {})


@cache
def _read_json(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name).read_text())["cases"]


def _numbers(values: list[float | str]) -> list[float]:
    return [float(value) for value in values]
