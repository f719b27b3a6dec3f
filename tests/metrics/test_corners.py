"""One band, odd numbers of bands, zero means, NaN throughout, small sides: as the script has them, or stops."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hsfusion_metrics import score
from support.goldens import FIELDS

FOLDER = Path(__file__).parent / "goldens"
CASES = json.loads((FOLDER / "corners.json").read_text())["cases"]


def images(name: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(FOLDER / "corners.npz") as stored:
        return stored[f"{name}_gt"], stored[f"{name}_sr"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "expected" in case])
def test_values_equal_the_script(name: str) -> None:
    case = CASES[name]
    found = score(*images(name), ratio=case["ratio"], const=case["const"])
    assert found._asdict() == {
        index: pytest.approx(float(case["expected"][field]), rel=1e-10, abs=1e-12, nan_ok=True)
        for index, field in FIELDS.items()
    }


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "expected" not in case])
def test_where_the_script_stops_there_is_a_refusal(name: str) -> None:
    gt, sr = images(name)
    assert CASES[name]["stops"]
    with pytest.raises(ValueError, match=f"at least 16 x 16 pixels, these are {gt.shape[1]} x {gt.shape[2]}"):
        score(gt, sr, ratio=4, const=255)
