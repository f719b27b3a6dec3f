"""What is to be said of a file that is read all the same: one line each, once."""

from __future__ import annotations

import logging
from functools import cache

_LOG = logging.getLogger("hsfusion_bench")


@cache
def note(text: str) -> None:
    """Log a note, once; a file is opened more than once in a run."""
    _LOG.warning(text)
