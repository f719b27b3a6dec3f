"""Threads, which may change how long it takes and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from hsfusion_metrics import score
from support import goldens


@pytest.mark.parametrize("workers", [2, 3, 16])
@pytest.mark.parametrize("shape", [(5, 200, 150), (1, 33, 300), (31, 70, 40)])
def test_any_number_gives_the_same_bits(shape: tuple[int, int, int], workers: int) -> None:
    rng = np.random.default_rng(0)
    gt = rng.random(shape)
    sr = gt + 0.1 * rng.standard_normal(shape)
    alone = score(gt, sr, ratio=4)
    assert score(gt, sr, ratio=4, workers=workers) == alone


@pytest.mark.parametrize("name", goldens.edge_names())
def test_the_scripts_corners_are_no_warnings_in_threads(name: str) -> None:
    golden = goldens.edge(name)
    alone, in_threads = (
        score(golden.gt[0], golden.sr[0], ratio=golden.ratio, const=golden.const, workers=workers) for workers in (1, 2)
    )
    assert repr(in_threads) == repr(alone)


def test_an_error_arrives() -> None:
    with pytest.raises(ValueError, match="at least 16 x 16"):
        score(np.ones((2, 12, 12)), np.ones((2, 12, 12)), ratio=4, workers=2)


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_are_refused(workers: int) -> None:
    with pytest.raises(ValueError, match="workers must be 1 or more"):
        score(np.ones((2, 16, 16)), np.ones((2, 16, 16)), ratio=4, workers=workers)
