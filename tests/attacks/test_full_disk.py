"""A disk that takes no more, by a limit on the size of files: one message, and no half of a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import attacks
from support.attacks import attempt

resource = pytest.importorskip("resource")

VERBS = {
    "run": "run --methods bicubic --dataset demo --scale 4 --scenes oranges --no-timing",
    "run with a table": "run --methods bicubic --dataset demo --scale 4 --scenes oranges --no-timing --csv t.csv",
    "run with cubes": "run --methods bicubic --dataset demo --scale 4 --scenes oranges --no-timing --save-mat m",
    "leaderboard": "leaderboard --dataset demo --out t.txt",
    "latex": "leaderboard --dataset cave --scale 4 --format latex --out t.tex --cite",
    "fuse": "fuse bicubic pair.mat fused.mat",
    "fuse to numpy": "fuse bicubic pair.mat fused.npy --picture p.png",
    "evaluate": "evaluate cubes.npy --name x --dataset demo --scale 4 --scenes oranges",
    "prepare": "data prepare demo --scale 4 --out p --form scenes",
    "prepare patches": "data prepare demo --scale 4 --out p",
    "train": "train ssrnet --dataset demo --scale 4 --max-steps 1 --set patch=16 --out w.safetensors",
    "weights": "weights list --csv w.csv",
    "new-method": "new-method mine --kind network",
}


@contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("verb", VERBS)
def test_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    monkeypatch.chdir(tmp_path)
    attacks.furnish_inputs()
    given = set(tmp_path.rglob("*"))
    with _files_up_to(700):
        outcome, why = attempt(VERBS[verb].split())
    assert outcome == "error", why
    assert "large" in why or "written" in why or "full" in why
    whole = [path for path in set(tmp_path.rglob("*")) - given if path.is_file()]
    assert not [
        path for path in whole if path.suffix in (".csv", ".tex", ".mat", ".npy", ".safetensors", ".h5", ".part")
    ]
