"""Ctrl-C, and the signals by which schedulers and closed terminals end a command: they all end it alike.

The command line `handled` them; a program that imports us keeps its own ways. The first signal raises `Interrupted`,
which is a `KeyboardInterrupt`, in the main thread: what was reached is kept, one line says so, and the exit code is 128
and the signal's number. Two things are waited for: an import, since code that is imported from C makes other errors of
it, and what is `uninterrupted`. Further signals of the next seconds are the same wish (a terminal that closes sends
several); one that comes later ends the process at once.

While a command starts, and after it has ended, there is nothing to be kept, and a signal ends the process at once.

Only modules of Python itself that are quick to import are imported here: this comes first.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final, Literal

#: Signals that end a command.
SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
#: Seconds in which further signals are the same wish as the first.
_SAME_WISH: Final = 3.0
#: Seconds between two looks whether an import has ended.
_LOOK: Final = 0.02


class Interrupted(KeyboardInterrupt):
    """A signal that ends the command; `number` tells which."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def told(error: KeyboardInterrupt) -> tuple[str, int]:
    """Return what is said of an interruption, and the exit code."""
    number = error.number if isinstance(error, Interrupted) else signal.SIGINT
    name = signal.Signals(number).name
    return "interrupted" if number == signal.SIGINT else f"ended by {name}", 128 + number


class _State:
    """Where the process stands."""

    phase: Literal["starting", "working", "over"] = "starting"
    first: tuple[int, float] | None = None
    uninterrupted: int = 0
    """So many blocks the main thread is in that are not interrupted."""


def install() -> None:
    """Take the signals from now on, of a process that is a command and nothing else; the main thread calls it.

    A signal that is ignored, as under `nohup`, stays so.
    """
    _take()
    # after all else that is done at the end: Python then gives up its handlers, and a signal would change the exit code
    atexit.register(_ignore)


def _take() -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _receive)


@contextmanager
def handled() -> Iterator[None]:
    """Let signals raise `Interrupted` for the time of the block."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        _take()
    except ValueError:  # not the main thread, to which signals come
        yield
        return
    _State.first, _State.phase = None, "working"
    try:
        yield
    finally:
        _State.phase = "over"
        for number, handler in before.items():
            if handler is not None and handler is not _receive:
                signal.signal(number, handler)


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Put back what a library makes of signals when it is imported: dask-jobqueue ends Python by a Ctrl-C, with 0."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                if handler is not None and signal.getsignal(number) is not handler:
                    signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put signals off to the end of the block: what it does is done wholly or not at all.

    In another thread than the main one, to which no signals come, nothing is changed.
    """
    arrived: list[tuple[int, float]] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append((number, time.monotonic()))
        if arrived[-1][1] - arrived[0][1] > _SAME_WISH:
            _leave(arrived[0][0])

    before: dict[int, Any] = {}
    try:
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, note)
    except ValueError:
        pass
    main = int(threading.current_thread() is threading.main_thread())
    _State.uninterrupted += main
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _State.uninterrupted -= main
        if arrived:
            signal.raise_signal(arrived[0][0])


@contextmanager
def children_uninterrupted() -> Iterator[None]:
    """Keep what reaches all processes of a terminal, Ctrl-C and its end, from those that are started in the block.

    They may take them later by `taken_here`.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGHUP])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def taken_here() -> Iterator[None]:
    """Let signals raise `Interrupted` in a process that was started with them put off, for the time of the block."""
    with handled():
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT, signal.SIGHUP])
        yield


def _ignore() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _receive(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if _State.first is None:
        _State.first = number, now
        if _State.phase == "working":
            _raise(number, frame)
        else:
            _leave(number)
    elif now - _State.first[1] > _SAME_WISH:
        _leave(_State.first[0])


def _raise(number: int, frame: FrameType | None) -> None:
    if hasattr(signal, "setitimer") and (_State.uninterrupted or _is_importing(frame)):
        signal.signal(signal.SIGALRM, lambda _, later: _raise(number, later))
        signal.setitimer(signal.ITIMER_REAL, _LOOK)
        return
    raise Interrupted(number)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether the code that runs imports a module, or is a finaliser, out of which no exception leads."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib") or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


def _leave(number: int) -> None:
    """End the process, with the line that is due."""
    text, code = told(Interrupted(number))
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # it may be writing just now, or be closed
            stream.flush()
    try:
        os.write(2, f"Error: {text}\n".encode())
    finally:
        os._exit(code)
