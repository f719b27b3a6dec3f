"""Sizes that a file claims, held against the file and against the memory before any is taken.

A few bytes can claim any size: an array that was never written, a picture of a billion pixels, an archive of zeros.
Every reader asks here first. There are three limits, and what they refuse says its size, the limit and how to raise it:

- memory: no more than is free (`hsfusion_bench.memory.available`), or than ``HSBENCH_MEMORY`` states;
- unpacking: no more than `RATIO` times what the file has for it, beyond `SMALL`; images pack 1.5 to 10 times;
- text: no more than `TEXT` bytes are parsed, of TOML no more than `TOML`.

Who states ``HSBENCH_MEMORY`` has looked at the file: then that limit alone holds, of texts at `PARSED` times their
size.
"""

from __future__ import annotations

import os
import re
import shutil
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.memory import available

#: Bytes that nobody asks for: a machine has them.
SMALL: Final = 2**26
#: How many times its size in the file something may have when it is unpacked.
RATIO: Final = 200
#: Bytes of a text, and of a TOML file, that are parsed.
TEXT: Final = 2**24
TOML: Final = 2**20
#: What a text takes when it is parsed, for each of its bytes.
PARSED: Final = 64
#: Bands, and samples or parts, that one file may have: no instrument and no data set comes near.
BANDS: Final = 2**16
PARTS: Final = 10**6

#: Within a key of TOML.
_DOTS: Final = 100
_STATED: Final = "HSBENCH_MEMORY"
_UNITS: Final = ("bytes", "KB", "MB", "GB", "TB", "PB", "EB")


class RoomError(HsbenchError):
    """More memory or disk would be taken than the limits allow, or than there is."""


@dataclass(frozen=True)
class Claim:
    """What an array in a file takes when it is read.

    Attributes
    ----------
    itemsize
        Bytes of one value.
    stored
        Tells the bytes that the file has for the whole array; None: no less than it claims, which was seen to, or the
        values lie in other files.
    block
        Bytes that are unpacked at least, however small the part that is read.
    """

    itemsize: int = 8
    stored: Callable[[], int] | None = None
    block: int = 0

    def require(self, where: str, shape: Sequence[int], part: Sequence[int]) -> None:
        """Refuse to read a part of an array where there is no room for it, or the file cannot have the array.

        Parameters
        ----------
        where
            The array, for messages.
        shape, part
            Of the array, and of what is to be read of it.

        Raises
        ------
        RoomError
            If it is refused.
        """
        whole = prod(shape) * self.itemsize
        if whole > SMALL and self.stored is not None:
            require_likely(where, whole, self.stored())
        require_room(where, prod(part) * self.itemsize + self.block)


def require_room(where: str, size: int, what: str = "would take") -> None:
    """Refuse to take more memory than is free, or than the user allows.

    Parameters
    ----------
    where
        What is read, for the message.
    size
        In bytes.
    what
        Words between the two.

    Raises
    ------
    RoomError
        If it is too much.
    """
    if size <= SMALL:
        return
    stated = stated_memory()
    limit = available() if stated is None else stated
    if size > limit:
        kind = "are free" if stated is None else f"are allowed by {_STATED}"
        raise RoomError(
            f"{where}: it {what} {told_size(size)} of memory, and {told_size(limit)} {kind}; name a smaller region of "
            f"it, free memory, or raise the limit by {_STATED}=SIZE, as in {_STATED}={_example(size)}"
        )


def require_likely(where: str, size: int, stored: int) -> None:
    """Refuse what would be very much larger than what the file has for it: a damaged file, or one made to harm.

    Parameters
    ----------
    where
        What is read, for the message.
    size, stored
        Bytes when it is unpacked, and in the file.

    Raises
    ------
    RoomError
        If it is.
    """
    limit = max(SMALL, RATIO * stored)
    stated = stated_memory()
    if size > (limit if stated is None else stated):
        told = f"{RATIO} times that" if stated is None else f"{told_size(stated)}, as {_STATED} states,"
        raise RoomError(
            f"{where}: it claims {told_size(size)}, for which the file has {told_size(stored)}; more than {told} is "
            f"not unpacked: get it again, or, if it is right, raise the limit by {_STATED}=SIZE, as in "
            f"{_STATED}={_example(size)}"
        )


def require_packed(path: Path) -> None:
    """Refuse a file of `torch.save`, or another zip file that is read whole, whose parts claim more than there is.

    A file that is no zip archive is read as it is: there is room for it, or not.

    Raises
    ------
    RoomError
        If it is refused.
    """
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            claimed = sum(entry.file_size for entry in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        claimed = size
    require_likely(str(path), claimed, size)
    require_room(str(path), claimed)


def require_disk(where: str, size: int, folder: Path) -> None:
    """Refuse to unpack more than fits on a disk.

    Raises
    ------
    RoomError
        If it is more than is free in the folder.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise RoomError(
            f"{where}: unpacked it takes {told_size(size)} of disk, and {told_size(free)} are free in {folder}; free "
            "some there, or name another folder (TMPDIR, for what is temporary)"
        )


def require_text(path: Path, limit: int = TEXT) -> None:
    """Refuse to parse a text that is larger than any of its kind.

    Raises
    ------
    RoomError
        If it is.
    OSError
        If there is no such file.
    """
    size, stated = path.stat().st_size, stated_memory()
    most = limit if stated is None else max(limit, stated // PARSED)
    if size > most:
        raise RoomError(
            f"{path}: it has {told_size(size)}, and a text of more than {told_size(most)} is not read; name another "
            f"file, or, if it is right, raise the limit by {_STATED}=SIZE, as in {_STATED}={_example(size * PARSED)}"
        )


def read_text(path: Path, encoding: str = "utf-8", limit: int = TEXT) -> str:
    """Return a text, unless it is too large.

    Raises
    ------
    RoomError
        If it is.
    OSError, UnicodeDecodeError
        If it cannot be read, or is no text.
    """
    require_text(path, limit)
    return path.read_text(encoding)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises as `parse_toml`, and OSError if it cannot be read."""
    try:
        text = read_text(path, limit=TOML)
    except UnicodeDecodeError as error:
        raise HsbenchError(f"{path} is not a TOML file: it is not UTF-8 text") from error
    return parse_toml(text, str(path))


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """Parse a TOML file.

    Raises
    ------
    HsbenchError
        If the text is not TOML, is nested too deeply, or has a number beyond 64 bits; the message starts with `where`.
    """
    if max(part.count(".") for part in re.split(r"[=,{\n]", text)) > _DOTS:  # whose parser takes time by their square
        raise HsbenchError(f"{where} is not read: a key in it has more than {_DOTS} dots")
    try:
        content = tomllib.loads(text)
        _require_small(content, where)
    except tomllib.TOMLDecodeError as error:
        raise HsbenchError(f"{where} is not a TOML file: {error}") from error
    except RecursionError as error:
        raise HsbenchError(f"{where} is not read: tables and lists in it are nested too deeply") from error
    except ValueError as error:  # Python's own limit of digits
        raise HsbenchError(f"{where} is not read: a number in it has thousands of digits") from error
    return content


def _require_small(content: Any, where: str) -> None:
    if isinstance(content, dict):
        for value in content.values():
            _require_small(value, where)
    elif isinstance(content, list):
        for value in content:
            _require_small(value, where)
    elif isinstance(content, int) and content.bit_length() > 63:
        raise HsbenchError(f"{where}: a number in it is beyond 64 bits, {float_text(content)}; correct it")


def float_text(number: int) -> str:
    """Return a whole number of any length in a few characters."""
    digits = f"{number:x}"
    return f"0x{digits[:8]}... of {len(digits)} digits" if len(digits) > 16 else str(number)


def stated_memory() -> int | None:
    """Return the bytes that ``HSBENCH_MEMORY`` allows, as in 8G or 500M; None: it is not set.

    Raises
    ------
    HsbenchError
        If it is no size.
    """
    text = os.environ.get(_STATED, "").strip()
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,3})?)\s*([kmgt]?)(?:i?b)?", text.lower())
    if match is None:
        raise HsbenchError(f"the environment variable {_STATED} = {text[:40]!r} is no size, such as 8G or 500M")
    return int(float(match[1]) * 1000 ** " kmgt".index(match[2] or " "))


def told_size(size: int) -> str:
    """Return a number of bytes as people read it."""
    power = 0
    while size >= 1000 ** (power + 1) and power < len(_UNITS) - 1:
        power += 1
    if power == len(_UNITS) - 1 and size >= 1000 ** (power + 1):
        return f"10^{len(str(size)) - 1} bytes" if size.bit_length() < 4000 else "more bytes than can be told"
    return f"{size} bytes" if not power else f"{size / 1000**power:.3g} {_UNITS[power]}"


def _example(size: int) -> str:
    """Return a statement that would let that many bytes pass."""
    return f"{-(-size // 10**9)}G" if size < 10**16 else "SIZE"
