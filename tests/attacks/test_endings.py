"""A few attacks of each class, as `endings.py` makes them in numbers."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import endings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "classes"),
    [
        ("save-mat", ["interrupt", "terminate", "kill"]),
        ("train", ["terminate"]),  # others in tests/training
        ("prepare", ["interrupt", "terminate", "kill"]),
        ("score", ["interrupt", "terminate", "kill"]),
    ],
    ids=["save-mat", "train", "prepare", "score"],
)
def test_nothing_is_lost_and_nothing_left_behind(verb: str, classes: list[str], tmp_path: Path) -> None:
    random.seed(1)
    faults: list[str] = []
    verdicts = list(endings.campaign(tmp_path, 1, [verb], classes, faults.append))
    assert len(verdicts) == 2 * len(classes)
    assert not faults
