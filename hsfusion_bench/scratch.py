"""What a command writes while it works: things that go with it, and targets that it has for itself.

Whether the owner of a file lives is told by a lock that the system takes back when a process ends, however it ends. A
thing of passage, such as ``.gsa.json.hsbench-k3x0_9qa.part`` or a temporary folder ``hsbench-k3x0_9qa``, lies beside a
file of the same name that ends in ``.lock``, which its owner holds. Who is about to write in a folder removes there
what dead owners left: only things beside a lock of ours that nobody holds, and only the user's own.

A target that one process writes alone is guarded by ``.NAME.hsbench-writing.lock`` beside it. Another one is refused at
once, and is told who writes.

Where the system has no such locks (Windows, some file systems), nothing is refused, and nothing is removed.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import socket
import stat
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Final

from hsfusion_bench.errors import HsbenchError, reason_of_system
from hsfusion_bench.interrupts import uninterrupted

_fcntl: ModuleType | None
try:
    import fcntl as _fcntl
except ImportError:
    _fcntl = None

#: Name of a lock of ours; what it guards begins with the first group.
_LOCK: Final = re.compile(r"((?:.*\.)?hsbench-[0-9a-z]+)\.lock", re.DOTALL)
_WRITING: Final = "hsbench-writing"
#: A lock may be held for a moment by somebody who only looks whether its owner lives.
_TRIES, _PAUSE = 10, 0.02
#: Seconds between two looks whether it is one's turn.
_TURN: Final = 0.05
_LONGEST_COMMAND: Final = 200


class BusyError(HsbenchError):
    """Another process writes what was to be written."""


@contextmanager
def in_turn(target: Path, patience: float) -> Iterator[None]:
    """Be the only process that writes a file or folder, as soon as it may be.

    Parameters
    ----------
    target
        As for `alone`.
    patience
        Seconds after which it is no longer waited for.

    Raises
    ------
    BusyError
        If another process still writes it then.
    HsbenchError
        If the folder cannot be written.
    """
    end = time.monotonic() + patience
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(alone(target))
                break
            except BusyError:
                if time.monotonic() > end:
                    raise
                time.sleep(_TURN)
        yield


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Be the only process that writes a file or folder, for the time of the block.

    Parameters
    ----------
    target
        The file or folder, which need not exist; its parent is made.

    Raises
    ------
    BusyError
        If another process writes it: the message names the process.
    HsbenchError
        If the folder cannot be written.
    """
    lock = target.with_name(f".{target.name}.{_WRITING}.lock")
    descriptor: int | None = None
    try:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            with uninterrupted():  # a signal comes once what is held is known
                descriptor = None if _fcntl is None else _held(lock)
        except OSError as error:
            raise HsbenchError(f"{target} cannot be written: {reason_of_system(error)}") from error
        if descriptor is None and _fcntl is not None:
            raise BusyError(
                f"{target} is being written by another process: {_owner(lock)}. Wait until it has ended, or end it; "
                "then run the same command again"
            )
        yield
    finally:
        if descriptor is not None:
            with uninterrupted():
                _release(descriptor, lock)


@contextmanager
def passing(folder: Path, name: str, suffix: str) -> Iterator[Path]:
    """Give a path in a folder for a thing that goes with the block; what dead processes left there goes before.

    Parameters
    ----------
    folder
        Where; it must exist.
    name, suffix
        What the thing's name begins and ends with.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    sweep(folder)
    claimed: tuple[int | None, Path] | None = None
    try:
        with uninterrupted():
            claimed = _claimed(folder, name, suffix)
        yield claimed[1]
    finally:
        if claimed is not None:
            descriptor, path = claimed
            with uninterrupted():
                _drop(descriptor, path, path.with_name(path.name.removesuffix(suffix) + ".lock"))


class TemporaryFolder:
    """A folder for the time of a block, or until `cleanup`; it goes with the process at the latest.

    If the process is killed, the next one that makes such a folder removes it.

    Parameters
    ----------
    folder
        Where it is made; None: in the system's folder of temporary files.
    name
        What its name begins with.
    """

    def __init__(self, folder: Path | None = None, name: str = "") -> None:
        with uninterrupted():
            # asked for the first time, the system's folder is tried out by a file in it
            place = Path(tempfile.gettempdir()) if folder is None else folder
            sweep(place)
            descriptor, path = _claimed(place, name, "")
            self._finalizer = weakref.finalize(self, _drop, descriptor, path, path.with_name(f"{path.name}.lock"))
            path.mkdir(mode=0o700)
        self.path: Final = path
        self.name: Final = str(path)

    def cleanup(self) -> None:
        """Remove the folder."""
        with uninterrupted():
            self._finalizer()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cleanup()


def sweep(folder: Path) -> None:
    """Remove what dead processes left in a folder: things beside a lock of ours that nobody holds."""
    if _fcntl is None:
        return
    try:
        names = os.listdir(folder)  # noqa: PTH208  # names only: of thousands, a few are looked at
    except OSError:
        return
    for name in names:
        found = _LOCK.fullmatch(name)
        if found is None:
            continue
        lock = folder / name
        with suppress(OSError):
            descriptor = _opened(lock, os.O_RDWR)
            if not _is_ours(os.fstat(descriptor)) or _lock(descriptor) is not True or not _is(descriptor, lock):
                os.close(descriptor)
                continue
            for other in names:
                if other == found[1] or (other.startswith(f"{found[1]}.") and other != name):
                    _remove(folder / other)
            _release(descriptor, lock)


def _claimed(folder: Path, name: str, suffix: str) -> tuple[int | None, Path]:
    """Take a name that is free, by its lock: as long as that is held, no other process touches what it guards."""
    while True:
        stem = f"{name}hsbench-{secrets.token_hex(4)}"
        path = folder / f"{stem}{suffix}"
        if path.exists():
            continue
        if _fcntl is None:
            return None, path
        descriptor = _held(folder / f"{stem}.lock")
        if descriptor is not None:
            return descriptor, path


def _held(lock: Path) -> int | None:
    """Make a lock and hold it, with a note of who does; None if another process holds it."""
    for number in range(_TRIES):
        if number:
            time.sleep(_PAUSE)
        descriptor = _opened(lock, os.O_RDWR | os.O_CREAT)
        try:
            if _lock(descriptor) is not False and _is(descriptor, lock):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, json.dumps(_note()).encode())
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    return None


def _opened(lock: Path, flags: int) -> int:
    return os.open(lock, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _lock(descriptor: int) -> bool | None:
    """Hold an open file; False if another process does, None if the system cannot tell."""
    if _fcntl is None:
        return None
    try:
        _fcntl.flock(descriptor, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # the file system has no locks
        return None
    return True


def _is(descriptor: int, lock: Path) -> bool:
    """Whether an open file still has its name: who held it before removes it at the end."""
    try:
        return os.path.samestat(os.fstat(descriptor), lock.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _release(descriptor: int | None, lock: Path) -> None:
    # removed while it is held: once it is free, it may be another's
    with suppress(OSError):
        lock.unlink(missing_ok=True)
    if descriptor is not None:
        os.close(descriptor)


def _drop(descriptor: int | None, path: Path, lock: Path) -> None:
    _remove(path)
    _release(descriptor, lock)


def _remove(path: Path) -> None:
    with suppress(OSError):
        found = path.lstat()
        if not _is_ours(found):
            return
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _is_ours(found: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or found.st_uid == os.getuid()


_speaker = 0


def speak_for(pid: int) -> None:
    """Name another process as the one that writes: the command that the user sees, which has started this one."""
    global _speaker
    _speaker = pid


def _note() -> dict[str, Any]:
    first, *rest = sys.argv or [""]
    program = "hsbench" if Path(first).name in ("hsbench", "__main__.py") else first or "python"
    command = shlex.join([program, *rest])
    if len(command) > _LONGEST_COMMAND:
        command = f"{command[:_LONGEST_COMMAND]}..."
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return {"pid": _speaker or os.getpid(), "host": socket.gethostname(), "command": command, "since": since}


def _owner(lock: Path) -> str:
    """Say who holds a lock."""
    try:
        note = json.loads(lock.read_text(encoding="utf-8"))
        return f"{note['command']} (process {note['pid']} on {note['host']}, since {note['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "one that does not say which"
