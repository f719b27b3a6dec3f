"""Fixtures that all tests share."""

from __future__ import annotations

import os

# Two threads that wait for each other on a busy machine can take a hundred times as long as one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import hypothesis
import platformdirs
import pytest

# A machine that does other work is slow, and no fault of what is tested.
hypothesis.settings.register_profile("busy", deadline=None)
hypothesis.settings.load_profile("busy")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's weights and data."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("HSBENCH_CACHE", str(folder))
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(folder / "data"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))  # of commands that tests start
    monkeypatch.delenv("HSBENCH_RESULTS", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)  # tables are as wide as it says; pytest-xdist sets it
    return folder


@pytest.fixture
def cave_root() -> Path:
    """Folder of real CAVE scenes."""
    root = os.environ.get("HSBENCH_DATA")
    if not root:
        pytest.skip("HSBENCH_DATA names no folder of CAVE scenes")
    return Path(root)
