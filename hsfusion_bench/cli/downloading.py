"""What verbs that download share: a licence to be accepted, and a bar."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import console
from hsfusion_bench.errors import UsageError
from hsfusion_bench.terminal import echo

if TYPE_CHECKING:
    from rich.progress import Progress

    from hsfusion_bench.data.download import ProgressBar


def have_accepted(name: str, licence: str, shown: str, accepted: bool) -> None:
    """Show a licence, and have it accepted once.

    Parameters
    ----------
    name
        What the acceptance is kept under.
    licence
        The text that is accepted; another one has to be accepted anew.
    shown
        What is shown before.
    accepted
        Whether the command line accepts it; else a person at a terminal is asked.

    Raises
    ------
    UsageError
        If it has not been accepted.
    """
    from hsfusion_bench.data.download import accept, is_accepted

    if is_accepted(name, licence):
        return
    echo(shown)
    if not accepted and sys.stdin.isatty():
        accepted = click.confirm("Do you accept the licence?")
    if not accepted:
        raise UsageError("the licence has not been accepted; --accept-licence does")
    accept(name, licence)


@contextmanager
def bar_of(file: str) -> Iterator[ProgressBar]:
    """Show the progress of a download on a terminal."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    shown = console(stderr=True)
    # a file's name is no format: it may hold braces
    columns: tuple[ProgressColumn, ...]
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=30), DownloadColumn())
    columns += (TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as progress:
        yield _Bar(progress, file)


class _Bar:
    """A bar of rich, as pooch wants it."""

    def __init__(self, progress: Progress, file: str) -> None:
        self._progress = progress
        self._task = progress.add_task(file, total=None)
        self._total = 0

    @property
    def total(self) -> int:
        """Bytes that will arrive; 0 if unknown."""
        return self._total

    @total.setter
    def total(self, count: int) -> None:
        self._total = count
        self._progress.update(self._task, total=count or None)

    def update(self, count: int) -> None:
        """Count further bytes."""
        self._progress.advance(self._task, count)

    def reset(self) -> None:
        """Start from 0."""
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """End; leaving the block does."""
