"""Commands that end with the process that started them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hsfusion_bench.errors import HsbenchError

_SUPERVISOR = Path(__file__).with_name("supervisor.py")


def hsbench(*arguments: str) -> list[str]:
    """Return the command that runs a verb of ours in a process of its own, and no module of the current folder."""
    return [sys.executable, "-P", "-m", "hsfusion_bench", *arguments]


@contextmanager
def supervised(command: Sequence[str], *, grace: float = 0, **more: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a command, which ends with the block, or with this process, even where that is killed.

    Parameters
    ----------
    command
        Program and arguments.
    grace
        Seconds that it has to save what it must, after SIGTERM; 0: it is killed at once, and all that it started.
    **more
        As `subprocess.Popen` takes them.

    Raises
    ------
    HsbenchError
        If the program cannot be started.
    """
    if shutil.which(command[0]) is None:
        raise HsbenchError(f"{command[0]} cannot be started: there is no such program, or it is not to be run")
    if os.name != "posix":
        with subprocess.Popen(command, **more) as process:
            try:
                yield process
            finally:
                process.kill()
        return
    listening, lifeline = os.pipe()
    try:
        whole = [sys.executable, "-I", "-S", str(_SUPERVISOR), str(listening), f"{grace:g}", *command]
        with subprocess.Popen(whole, pass_fds=(listening,), **more) as process:
            os.close(listening)
            listening = -1
            try:
                yield process
            finally:
                os.close(lifeline)
                lifeline = -1
                process.wait()
    finally:
        for end in (listening, lifeline):
            if end >= 0:
                os.close(end)
