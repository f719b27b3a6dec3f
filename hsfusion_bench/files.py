"""Files that are written whole or not at all, their names, and digests of what is read."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from hsfusion_bench.errors import HsbenchError, reason_of_system
from hsfusion_bench.scratch import passing


def slug(text: str) -> str:
    """Return a text as part of a file name."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-").lower()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; rename it onto `path` if the block succeeds.

    What processes that were killed left in that folder is removed, see `hsfusion_bench.scratch`.

    Raises
    ------
    HsbenchError
        If the folder cannot be made or written; whatever stood at `path` before is untouched.
    """
    try:
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "no ordinary file, and would be replaced by one"
            raise HsbenchError(f"{path} cannot be written: it is {what}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with passing(path.parent, f".{path.name}.", ".part") as temporary:
            temporary.touch(exist_ok=False)
            yield temporary
            temporary.replace(path)
    except OSError as error:
        raise HsbenchError(f"{path} cannot be written: {reason_of_system(error)}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def user_cache() -> Path:
    """Return the folder of what we keep for the user: ``$HSBENCH_CACHE``, or the system's place for such things."""
    root = os.environ.get("HSBENCH_CACHE") or platformdirs.user_cache_dir("hsfusion-bench", appauthor=False)
    return Path(root)


def user_data() -> Path:
    """Return the folder of data that the user keeps with us, by the conventions of the system."""
    return Path(platformdirs.user_data_dir("hsfusion-bench", appauthor=False))


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
