"""Workers on this machine: a scheduler of Dask and processes of it, for the time of a block."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hsfusion_bench import memory
from hsfusion_bench.children.supervised import supervised
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.scratch import TemporaryFolder
from hsfusion_bench.studies.engines.contract import Engine
from hsfusion_bench.studies.engines.dealing import Say
from hsfusion_bench.studies.engines.settings import OF_DASK, imported, of_process

#: Seconds in which the workers have to be there.
_START = 120.0
#: Of what is available, this much is for the workers.
_SHARE = 0.9
_LOOPBACK = "127.0.0.1"


def local(workers: int, *, gpus: int | None = None, memory_mb: int | None = None, say: Say | None = None) -> Engine:
    """Start workers on this machine, which listen to it alone.

    They, and all that they start, end with the block or with this process, however it ends. They are in the current
    folder, import nothing of it, and write to the standard error stream alone.

    Parameters
    ----------
    workers
        How many processes, of one thread each.
    gpus
        The first so many workers have one each, and the others none; None: as many as torch sees.
    memory_mb
        MiB that each may take before it is ended; None: its share of what is available.
    say
        What is told of workers that die, in lines.

    Raises
    ------
    UsageError
        If `workers` is no positive number.
    HsbenchError
        If Dask is not installed, or they do not start.
    """
    if workers < 1:
        raise UsageError(f"{workers} workers: at least 1 is needed")
    imported()
    from hsfusion_bench.studies.engines.on_dask import OnDask

    cards = _cards() if gpus is None else [str(number) for number in range(gpus)]
    share = memory_mb * 2**20 if memory_mb else int(memory.available() * _SHARE / workers)
    started = ExitStack()
    try:
        folder = started.enter_context(TemporaryFolder())
        processes = [_started(started, folder, "scheduler", *_scheduler(folder))]
        address = _address(folder, processes)
        spec = {str(number): _nanny(number, cards, share, folder) for number in range(workers)}
        processes.append(_started(started, folder, "spec", address, "--spec", json.dumps(spec)))
        engine = OnDask(
            address,
            f"{workers} workers of this machine",
            gpus=f"torch sees {len(cards) or 'none'} here",
            say=say,
            alive=lambda: _require_alive(processes),
            end=started.close,
        )
    except BaseException:
        started.close()
        raise
    try:
        _wait_for(engine, workers, processes)
    except BaseException:
        engine.shutdown()
        raise
    return engine


def _scheduler(folder: Path) -> list[str]:
    file = str(folder / "scheduler.json")
    return [
        "--host",
        f"tcp://{_LOOPBACK}",
        "--port",
        "0",
        "--no-dashboard",
        "--dashboard-address",
        f"{_LOOPBACK}:0",
        "--scheduler-file",
        file,
    ]


def _nanny(number: int, cards: list[str], share: int, folder: Path) -> dict[str, Any]:
    has_one = number < len(cards)
    options = {
        "name": number,
        "nthreads": 1,
        "host": _LOOPBACK,
        "dashboard_address": f"{_LOOPBACK}:0",
        "memory_limit": share,
        "local_directory": str(folder),
        "resources": {"GPU": int(has_one), "MEMORY": share // 2**20},
        "env": {"CUDA_VISIBLE_DEVICES": cards[number] if has_one else ""},
    }
    return {"cls": "distributed.Nanny", "opts": options}


def _started(stack: ExitStack, folder: Path, kind: str, *arguments: str) -> subprocess.Popen[Any]:
    environment = {
        **os.environ,
        **OF_DASK,
        **of_process(threads=1),
        "DASK_LOGGING__DISTRIBUTED": "error",  # what dies is told by us
        "DASK_TEMPORARY_DIRECTORY": str(folder),
    }
    command = [sys.executable, "-P", "-m", f"distributed.cli.dask_{kind}", *arguments]
    nothing = subprocess.DEVNULL
    # a session of its own: a SIGKILL of all processes of our group must not end the one that ends these
    apart = supervised(command, stdin=nothing, stdout=nothing, env=environment, start_new_session=True)
    return stack.enter_context(apart)


def _address(folder: Path, processes: list[subprocess.Popen[Any]]) -> str:
    file = folder / "scheduler.json"
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        _require_alive(processes)
        try:
            return str(json.loads(file.read_text(encoding="utf-8"))["address"])
        except (OSError, ValueError, KeyError):  # it is not yet written, or not wholly
            time.sleep(0.05)
    raise HsbenchError(f"the scheduler of the workers did not start within {_START:g} s")


def _wait_for(engine: Engine, workers: int, processes: list[subprocess.Popen[Any]]) -> None:
    deadline = time.monotonic() + _START
    while engine.workers < workers:
        _require_alive(processes)
        if time.monotonic() > deadline:
            raise HsbenchError(f"of {workers} workers only {engine.workers} started within {_START:g} s")
        time.sleep(0.05)


def _require_alive(processes: list[subprocess.Popen[Any]]) -> None:
    if any(process.poll() is not None for process in processes):
        raise HsbenchError("the processes that run the workers have ended, or were ended from outside")


def _cards() -> list[str]:
    """Return what CUDA calls the GPUs that this process sees."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [card for card in visible.split(",") if card.strip() not in ("", "-1")]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]
