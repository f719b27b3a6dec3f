"""What library functions say on the way, such as that a record was set aside, is printed, and obeyed by no terminal."""

from __future__ import annotations

import logging

from hsfusion_bench.terminal import echo


class _Said(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        echo(record.getMessage(), err=True)


def say_notes() -> None:
    """Print what the logger "hsfusion_bench" is told, from now on."""
    log = logging.getLogger("hsfusion_bench")
    if not any(isinstance(handler, _Said) for handler in log.handlers):
        log.addHandler(_Said())
