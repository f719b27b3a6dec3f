"""Jobs as bytes, there and back: what a worker does with them, and what comes of it."""

from __future__ import annotations

import os
import pickle
import socket
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hsfusion_bench import __version__
from hsfusion_bench.errors import HsbenchError, reason_of


@dataclass(frozen=True)
class Origin:
    """Who submits: a worker must be of the same version."""

    version: str = __version__
    python: str = f"{sys.version_info.major}.{sys.version_info.minor}"
    host: str = field(default_factory=socket.gethostname)


@dataclass(frozen=True)
class Outcome:
    """What came of a job: a pickled result or exception, and in a line what it is."""

    failed: bool
    content: bytes
    says: str = ""

    def settle(self, future: Future[Any]) -> None:
        """Give a future the result or the exception."""
        try:
            value = pickle.loads(self.content)
        except Exception as error:  # of a class that only the worker has
            value = None
            failure: BaseException | None = HsbenchError(self.says or f"its result cannot be read: {reason_of(error)}")
        else:
            failure = value if self.failed else None
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(value)


def pack(function: Callable[..., object], arguments: tuple[object, ...]) -> bytes:
    """Make bytes of a call.

    Raises
    ------
    HsbenchError
        If it cannot be pickled.
    """
    import cloudpickle

    try:
        content: bytes = cloudpickle.dumps((function, arguments))
    except Exception as error:
        raise HsbenchError(f"{function!r} cannot be sent to a worker: {reason_of(error)}") from error
    return content


def run(call: bytes, origin: Origin) -> Outcome:
    """Do a job, on a worker: check that this is the version that submits, call, and pack what came of it."""
    with suppress(OSError):  # what a job prints is not what a command prints
        os.dup2(2, 1)
    host = socket.gethostname()
    try:
        require_same(f"worker {host}", __version__, Origin.python, origin)
        function, arguments = pickle.loads(call)
        return Outcome(False, _dumped(function(*arguments)))
    except BaseException as error:  # of a stranger's method; one that ends Python must not end the worker
        if (over := of_engine(error)) is not None:
            raise over from None  # as it was: the engine looks for it
        return _failure(error, host, origin)


def of_engine(error: BaseException | None) -> BaseException | None:
    """Return the engine's word that its time is over, if an error is that or came of it: the job is run again."""
    while error is not None and not type(error).__module__.startswith("submitit."):
        error = error.__cause__
    return error


def require_same(worker: str, version: str | None, python: str, origin: Origin) -> None:
    """Refuse a worker of another version.

    Raises
    ------
    HsbenchError
        If it is; the message says both.
    """
    if version != origin.version:
        has = "has no hsfusion-bench" if version is None else f"has hsfusion-bench {version}"
        raise HsbenchError(
            f"{worker} {has}, and here is {origin.version}: install the same version there, and start the worker again"
        )
    if python != origin.python:
        raise HsbenchError(
            f"{worker} runs Python {python}, and here is {origin.python}: jobs can only go between the same ones"
        )


def _failure(error: BaseException, host: str, origin: Origin) -> Outcome:
    if isinstance(error, HsbenchError):
        if host != origin.host and host not in str(error):  # a file that is missing is missing there
            error.args = (f"{error} (on worker {host})", *error.args[1:])
    elif isinstance(error, Exception):
        error.add_note(f"on worker {host}:\n" + "".join(traceback.format_exception(error)))
    else:
        error = HsbenchError(reason_of(error))
    says = str(error) if isinstance(error, HsbenchError) else reason_of(error)
    try:
        return Outcome(True, _dumped(error), says)
    except Exception:
        return Outcome(True, _dumped(HsbenchError(says)), says)


def _dumped(value: object) -> bytes:
    import cloudpickle

    content: bytes = cloudpickle.dumps(value)
    return content
