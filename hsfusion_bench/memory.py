"""How much memory this process may still take: what the system has, and what its limits leave."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

_PROC, _CGROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def available() -> int:
    """Return the bytes that can still be had: of the system, of this process's control groups, and of its rlimits."""
    return max(0, min([int(psutil.virtual_memory().available), *of_cgroups(), *_of_rlimits()]))


def of_cgroups(proc: Path = _PROC, root: Path = _CGROUPS) -> Iterator[int]:
    """Give what each control group that this process is in, and each above it, leaves, in bytes.

    Parameters
    ----------
    proc, root
        Where Linux tells the groups, and where their files are, of version 2 or 1.
    """
    with contextlib.suppress(OSError):
        for line in proc.read_text(encoding="utf-8").splitlines():
            _, kinds, inside = line.split(":", 2)
            if not kinds:
                folder, files = root, ("memory.max", "memory.current", "inactive_file")
            elif "memory" in kinds.split(","):
                files = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
                folder = root / "memory"
            else:
                continue
            # within a container the path may be that of the host, of which only the root is there
            place = Path(inside.strip("/"))
            for group in [folder / place, *(folder / above for above in place.parents)]:
                left = _left(group, *files)
                if left is not None:
                    yield left


def _left(group: Path, limit: str, usage: str, reclaimable: str) -> int | None:
    """Return what a control group leaves; None where it has no limit. Cached files are given back when needed."""
    try:
        most, used = int((group / limit).read_text()), int((group / usage).read_text())
        told = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return most - used + int(told.get(reclaimable, 0))
    except (OSError, ValueError):  # "max" is no number
        return None


def _of_rlimits() -> Iterator[int]:
    """Give what ``ulimit -v`` and ``ulimit -d`` leave, in bytes."""
    if sys.platform == "win32":
        return
    import resource

    taken = psutil.Process().memory_info()
    for kind, used in ((resource.RLIMIT_AS, taken.vms), (resource.RLIMIT_DATA, getattr(taken, "data", taken.rss))):
        most, _ = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            yield int(most) - int(used)
