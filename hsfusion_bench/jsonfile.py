"""JSON files that somebody else may have written, or damaged: read with care, or refused in one line."""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NoReturn

from hsfusion_bench.errors import HsbenchError, reason_of_system

#: Bytes that no file of ours comes near; the records of the largest splits have some hundred thousand.
_LARGEST: Final = 64_000_000


def read_json(path: Path, what: str) -> tuple[str, Any]:
    """Return the text of a JSON file, and what it says.

    Parameters
    ----------
    path
        Of the file.
    what
        It should be, for messages: "record".

    Raises
    ------
    HsbenchError
        If it cannot be read, is no ordinary file, no UTF-8, no JSON by the letter (NaN is none), or says something
        twice; the message is one line that begins with the path.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise HsbenchError(f"{path} is no file, as a {what} is; move it away")
        if about.st_size > _LARGEST:
            raise HsbenchError(f"{path} is no {what}: it has {about.st_size} bytes; move it away")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise HsbenchError(f"{path} is no text, as a {what} is; move it away") from error
    except OSError as error:
        raise HsbenchError(f"{path} cannot be read: {reason_of_system(error)}") from error
    except ValueError as error:  # a NUL character
        raise HsbenchError(f"{path} cannot be read: {error}") from error
    try:
        content = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
        )
    except RecursionError as error:
        raise HsbenchError(f"{path} is not a valid {what}: it is nested too deeply") from error
    except ValueError as error:
        told = "it is empty" if not text.strip() else str(error)
        raise HsbenchError(f"{path} is not a valid {what}: {told}") from error
    return text, content


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"it says {key[:40]!r} twice")
        found[key] = value
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON; such numbers are written as texts")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


def _whole(text: str) -> int:
    if len(text) > 20:
        raise ValueError(f"the number {text[:10]}... has {len(text)} digits")
    return int(text)
