"""Small scenes that stand for CAVE's: known by digests of their own, for as long as a test takes."""

from __future__ import annotations

from hashlib import sha256
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from hsfusion_bench.data.sources import columbia


def stand_for(monkeypatch: pytest.MonkeyPatch, name: str, counts: NDArray[np.integer], full_scale: int = 65535) -> None:
    """Let a scene be the one that Columbia hands out under a name; `counts` are its stored numbers [31, H, W]."""
    values = (counts / full_scale).astype("<f4")
    digest = sha256(" ".join(map(str, values.shape)).encode() + values.tobytes()).hexdigest()
    known = cast("dict[str, columbia.Original]", columbia.originals())
    monkeypatch.setitem(known, name, columbia.Original(digest, int(counts.max()) * (65535 // full_scale)))
