"""Readers of other libraries, whose complaints of a damaged file become one sentence of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hsfusion_bench.claims import told_size
from hsfusion_bench.errors import DamagedError, HsbenchError, out_of_memory

_Result = TypeVar("_Result")


class ContentError(ValueError):
    """What is wrong with a file, in words of ours: which part, and both sizes where it is cut short."""


def readable(path: Path, kind: Callable[[], str], read: Callable[[], _Result]) -> _Result:
    """Call a reader; whatever a damaged file makes it raise becomes one message, and the message's cause.

    Parameters
    ----------
    path, kind
        The file, and what says what it should be, such as "MAT-file", when that is needed.
    read
        May raise `ContentError`, whose words are told; those of a library's errors are not.

    Raises
    ------
    HsbenchError
        If it raises one, or memory runs out.
    DamagedError
        If it raises anything else.
    """
    try:
        return read()
    except HsbenchError:
        raise
    except ContentError as error:
        raise DamagedError(f"{unreadable(path, kind())}: {error}; get it again") from error
    except Exception as error:
        if reason := out_of_memory(error):
            size = f"; it has {told_size(path.stat().st_size)}" if path.is_file() else ""
            raise HsbenchError(f"{path} cannot be read: {reason}{size}") from error
        raise DamagedError(f"{unreadable(path, kind())}; get it again") from error


def unreadable(path: Path, kind: str) -> str:
    """Say that a file cannot be read, and why that may be."""
    article = "an" if kind.startswith(("HDF5", "ENVI")) else "a"
    return f"{path} cannot be read as {article} {kind}, or is damaged or cut short"


def cut_short(stated: int, there: int, what: str = "it states") -> ContentError:
    """Return what is said of a file that ends too early."""
    return ContentError(f"{what} {stated} bytes, but it has {there}")
