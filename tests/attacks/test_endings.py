"""A few attacks of each class, as `endings.py` makes them in numbers."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import endings


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["save-mat", "train", "prepare", "score"])
def test_nothing_is_lost_and_nothing_left_behind(verb: str, tmp_path: Path) -> None:
    random.seed(1)
    faults: list[str] = []
    classes = ["interrupt", "terminate", "kill"]
    verdicts = list(endings.campaign(tmp_path, 1, [verb], classes, faults.append))
    assert len(verdicts) == 6
    assert not faults
