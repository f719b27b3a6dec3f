"""The results that come with the package: records, speeds and weights that were made by its maintainers.

They are the folder ``results`` of the repository; the wheel carries a copy.
"""

from __future__ import annotations

import functools
import logging
from pathlib import Path

from hsfusion_bench.runs.records import Store

_LOG = logging.getLogger("hsfusion_bench")
_PACKAGE = Path(__file__).parents[1]


def recorded_root() -> Path:
    """Return the folder of the results that come with the package.

    In a wheel it lies inside the package; in a checkout, which an editable install points to, beside it.
    """
    inside = _PACKAGE / "results"
    return inside if inside.is_dir() else _PACKAGE.parent / "results"


def recorded_store() -> Store:
    """Return the store of the records that come with the package."""
    return Store(recorded_root())


@functools.cache
def say_once(line: str) -> None:
    """Log a line about a file of the package that is damaged: once, however often it is met."""
    _LOG.warning(line)
