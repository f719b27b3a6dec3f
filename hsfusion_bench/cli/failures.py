"""What a command line says where something fails: one message, in one place, whatever verb it was."""

from __future__ import annotations

import errno
import re
from typing import Final

import click

from hsfusion_bench.errors import HsbenchError, UsageError, out_of_memory, reason_of
from hsfusion_bench.strangers import place
from hsfusion_bench.terminal import neutral, one_line

#: What the system says too briefly.
_TOLD: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full, as far as it is yours",
    errno.EFBIG: "the file would be larger than the system lets it",
    errno.ENAMETOOLONG: "the name is too long: a system takes 255 bytes in a name, and some 4000 in a path",
    errno.ELOOP: "its symbolic links lead in a circle",
    errno.EROFS: "the file system can only be read",
}
#: What may be cut in a message, for nobody reads it.
_LONG: Final = re.compile(r"\S{600,}")
#: Of a name in a message, so many characters.
_SHOWN: Final = 200


class Message(click.ClickException):
    """One clear message, and the exit code that belongs to it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(_indented(message))
        self.exit_code = code  # type: ignore[misc]  # click declares it for the class


def told(error: Exception) -> click.ClickException | None:
    """Return what to say of an error; None where only its traceback helps: it is a fault of ours.

    What the system refuses (a file, a folder, memory) and what is not fit to be a path needs no handling of its own
    where it happens, unless more is to be said there.
    """
    if isinstance(error, UsageError):
        return Message(str(error), 2)
    if isinstance(error, HsbenchError):
        return Message(str(error), 1)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    if isinstance(error, click.UsageError):
        return click.UsageError(_indented(error.format_message()), error.ctx)
    if isinstance(error, click.ClickException):
        return error if isinstance(error, Message) else Message(error.format_message(), error.exit_code)
    if isinstance(error, OSError) and error.errno != errno.EPIPE:  # click ends quietly where a pipe is closed
        return Message(reason(error), 1)
    if (memory := out_of_memory(error)) is not None:
        return Message(f"{memory}; smaller images, fewer --workers or --tile N need less", 1)
    if isinstance(error, RecursionError):
        return Message("something that was read is nested too deeply", 1)
    if isinstance(error, UnicodeEncodeError):
        return Message(f"{cut(str(error.object))}: these characters are none that can be written as UTF-8", 2)
    if isinstance(error, ValueError) and "null byte" in str(error):
        return Message("a path holds a NUL character, which no file name can", 2)
    if isinstance(error, RuntimeError) and "home directory" in str(error):
        return Message("a path begins with ~ and a name, and there is no user of that name here", 2)
    if isinstance(error, RuntimeError) and "Symlink loop" in str(error):  # of pathlib, before Python 3.13
        return Message(f"{_TOLD[errno.ELOOP]}: {cut(str(error))}", 1)
    if place(error) is not None:
        return Message(f"{reason_of(error)}. `hsbench --debug` and the same command show the traceback", 1)
    return None


def _indented(message: str) -> str:
    """Return a message that is obeyed by no terminal, and whose further lines do not look like further messages."""
    return _LONG.sub(lambda found: cut(found[0]), neutral(message).replace("\n", "\n  "))


def reason(error: OSError) -> str:
    """Return what a system refuses, and why, in one line."""
    names = [cut(str(name)) for name in (error.filename, error.filename2) if name is not None]
    why = _TOLD.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__
    return f"{' and '.join(names)}: {why}" if names else why


def cut(text: str) -> str:
    """Return the beginning of a text that may be very long, in one line."""
    text = one_line(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"
