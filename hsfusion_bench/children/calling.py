"""Functions called in a process of their own, so that nothing that they do ends this one."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeVar

from hsfusion_bench.errors import HsbenchError, reason_of
from hsfusion_bench.interrupts import children_uninterrupted, taken_here, told
from hsfusion_bench.scratch import speak_for

_Result = TypeVar("_Result")
#: Seconds that a process has to end after it was asked to.
_GRACE = 10.0


class DiedError(HsbenchError):
    """A process ended, or was ended, before its function returned."""


def call(
    function: Callable[..., _Result],
    *arguments: object,
    time_limit: float | None = None,
    start_limit: float | None = None,
    quiet: bool = False,
) -> _Result:
    """Call a function in a fresh process and return what it returns.

    Parameters
    ----------
    function, arguments
        What can be pickled: a function of a module.
    time_limit
        Seconds after which the process is ended.
    start_limit
        Seconds within which it must call `started`.
    quiet
        Whether what it prints is thrown away; else it goes to the standard error stream.

    Raises
    ------
    DiedError
        If the process ends by itself, by the system or by a limit; the message says which.
    HsbenchError
        What the function raises of ours; what else it raises comes as one, too, whatever it is.
    """
    context = fresh()
    with no_code_of_the_folder(), children_uninterrupted():
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=_answer, args=(sending, quiet, function, arguments))
        process.start()
    sending.close()
    try:
        answer = _next(receiving, time_limit if start_limit is None else start_limit)
        while answer == _STARTED:
            answer = _next(receiving, time_limit)
    except EOFError:
        process.join()
        raise DiedError(_end_of(process.exitcode)) from None
    except DiedError:
        process.kill()
        raise
    except BaseException:
        _stop(process)
        raise
    finally:
        receiving.close()
        process.join()
    kind, value = answer
    if kind == "error":
        raise value
    result: _Result = value
    return result


_STARTED = ("started", None)
_telling: Connection | None = None


def started() -> None:
    """Say, in a process that `call` started, that what may take forever before the work is over."""
    if _telling is not None:
        _telling.send(_STARTED)


def fresh() -> SpawnContext:
    """Return the way that processes are made: fresh ones, since a fork of one with threads (torch's, say) may hang."""
    return get_context("spawn")


@contextlib.contextmanager
def no_code_of_the_folder() -> Iterator[None]:
    """Let no process that is started meanwhile take a module from the folder it is in, such as ./struct.py."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def end_with_parent() -> None:
    """End this process as soon as the one that made it is gone, whatever ended that one."""
    parent = parent_process()
    if parent is None:
        return

    def watch(sentinel: int) -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, args=(parent.sentinel,), daemon=True).start()


def _next(receiving: Connection, limit: float | None) -> tuple[str, Any]:
    if not receiving.poll(limit):
        raise DiedError(f"stopped after {limit:g} s")
    answer: tuple[str, Any] = receiving.recv()
    return answer


def _answer(sending: Connection, quiet: bool, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
    global _telling
    end_with_parent()
    speak_for(os.getppid())
    # standard output is for what the command prints, not for what a stranger's code does
    os.dup2(os.open(os.devnull, os.O_WRONLY) if quiet else 2, 1)
    if quiet:
        os.dup2(1, 2)
    _telling = sending
    try:
        with taken_here():  # there is time to keep what was computed
            answer: tuple[str, Any] = ("result", function(*arguments))
    except HsbenchError as error:
        answer = ("error", error)
    except KeyboardInterrupt as error:  # for the process that the user sees, which has it, too
        os._exit(told(error)[1])
    except BaseException as error:  # a stranger's code may raise anything
        answer = ("error", HsbenchError(reason_of(error)))
    sending.send(answer)
    sending.close()


def _stop(process: SpawnProcess) -> None:
    """End a process, which may have had the same Ctrl-C, and may be saving what it must."""
    for patience, end in ((1.0, process.terminate), (_GRACE, process.kill)):
        process.join(patience)
        if process.is_alive():
            end()


def _end_of(code: int | None) -> str:
    """Say how a process ended."""
    if code is None or code >= 0:
        return f"it ended the process it ran in, with exit code {code}"
    if -code == signal.SIGKILL:
        return "ended by the system, for want of memory perhaps"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    crashed = {signal.SIGSEGV: "it crashed", signal.SIGBUS: "it crashed", signal.SIGABRT: "it aborted"}
    return f"{crashed.get(signal.Signals(-code), 'the process it ran in was ended')} ({name})"
