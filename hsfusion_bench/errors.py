"""Errors that are meant for a person: each says what was wrong, where, and what to do."""

from __future__ import annotations

import errno
import re

from hsfusion_bench.strangers import place


class HsbenchError(Exception):
    """Something the user can mend: a missing file, a wrong shape, a foreign checkpoint.

    The command line prints the message without a traceback and exits with 1.
    """


class MissingDataError(HsbenchError):
    """Scenes of a data set are not here; the message tells how to get them."""


class DamagedError(HsbenchError):
    """A file cannot be read: it is cut short, or its content contradicts itself."""


class DifferentDataError(HsbenchError):
    """A scene is not the one that its name says; nothing is recorded of it under that name."""


class UsageError(HsbenchError):
    """A request that makes no sense as it was put (an unknown name, a scale that does not divide).

    The command line prints the message without a traceback and exits with 2.
    """


_OUT_OF_MEMORY = ("can't allocate memory", "CUDA out of memory", "memory allocation failed", "unable to allocate")


def out_of_memory(error: BaseException) -> str | None:
    """Say that memory ran out, and at what, if that is what an exception of NumPy, Python or torch means."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return f"out of memory: {text}" if text else "out of memory"
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:  # of mapping a file
        return "out of memory"
    # torch has no type of its own for it on a CPU, nor has HDF5's library
    if any(words in text for words in _OUT_OF_MEMORY):
        asked = re.search(r"[Tt]ried to allocate ([\d.]+ ?\w+)", text)
        return f"out of memory: {asked[1]} were asked for at once" if asked else "out of memory"
    return None


def reason_of_system(error: OSError) -> str:
    """Say why a file cannot be read or written, in the system's words; libraries raise OSError with none or their own.

    Of those, the text is for their makers: "31744 requested and 15328 written" means a full disk.
    """
    text = str(error)
    if error.strerror and error.errno is not None:
        return str(error.strerror)
    if "written" in text or "write" in text:
        return "the disk is full, or refuses it"
    return "the system does not say why"


def reason_of(error: BaseException) -> str:
    """Say in one line what a stranger's code raised."""
    if isinstance(error, SystemExit):
        return f"it asked Python to end (SystemExit: {error.code})"
    text = " ".join(str(error).split())
    reason = out_of_memory(error) or (f"{type(error).__name__}: {text}" if text else type(error).__name__)
    where = place(error)
    return reason if where is None else f"{reason} ({where})"
