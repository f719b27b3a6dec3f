"""Who is told how the rows of a study go, and what came of each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

from hsfusion_bench.data.task import Task
from hsfusion_bench.runs.setting import Listener, Result
from hsfusion_bench.studies.asked import Row

Listening: TypeAlias = Callable[[], AbstractContextManager[Listener]]
"""Makes the listener of one row, in the process that runs it; it can be sent there. It listens within its context."""


@dataclass(frozen=True)
class Lost:
    """A row without a record: why it could not be begun, or not be recorded."""

    row: Row
    reason: str


Outcome: TypeAlias = Result | Lost
"""What came of a row."""


class Watcher:
    """Is told how a study goes; this one stays silent."""

    def task_begun(self, number: int, total: int, task: Task) -> None:
        """Take note that the task of that number is begun."""

    def row_done(self, number: int, total: int, row: Row, outcome: Outcome) -> None:
        """Take note that so many rows are done, and what came of the last."""
