"""Entry points of installed distributions, by which plugins are found."""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from contextlib import suppress
from importlib.metadata import EntryPoint
from pathlib import Path


def entry_points(group: str) -> list[EntryPoint]:
    """Return the entry points of a group, by name; what was installed since the last call is among them."""
    return list(_entry_points(group, tuple((path, _changed(path)) for path in sys.path)))


@functools.lru_cache(maxsize=8)
def _entry_points(group: str, places: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    # Reading the metadata of all distributions takes as long as the rest of a small command, which asks several times.
    return tuple(sorted(importlib.metadata.entry_points(group=group), key=lambda point: point.name))


def _changed(path: str) -> int:
    """Return when a folder of distributions last changed; installing makes a folder in it."""
    with suppress(OSError):
        return Path(path).stat().st_mtime_ns
    return 0
