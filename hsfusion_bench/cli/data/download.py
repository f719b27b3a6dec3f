"""``hsbench data download``: the originals, from their makers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import console
from hsfusion_bench.cli.data.common import data_root_option
from hsfusion_bench.errors import HsbenchError, UsageError

if TYPE_CHECKING:
    from rich.progress import Progress

    from hsfusion_bench.data.download import ProgressBar
    from hsfusion_bench.data.provenance import Provenance


@click.command("download", short_help="Fetch the originals from their makers, and unpack them.")
@click.argument("name")
@data_root_option
@click.option("--accept-licence", is_flag=True, help="Accept the licence that is shown; it is asked for once.")
def command(name: str, data_root: Path | None, accept_licence: bool) -> None:
    """Fetch the files of a data set from the address of their makers, check them, and unpack them.

    Without --data-root they are put where all verbs look for them. Files that are there are checked, not fetched again.
    An archive may be removed once it is unpacked.

    \b
    Examples:
      hsbench data download cave --accept-licence
      hsbench data download cave --data-root ~/CAVE
    """
    from hsfusion_bench.data.catalog import about, open_dataset
    from hsfusion_bench.data.download import fetch, unpack
    from hsfusion_bench.data.home import data_home

    origin = about(name).provenance
    if origin is None:
        raise UsageError(f"the data set {name} has no originals to fetch")
    root = data_home(name) if data_root is None else data_root.expanduser()
    if not origin.downloads:
        raise HsbenchError(
            f"the makers of {name} hand it out themselves: {origin.homepage}. Put the files into {root}. "
            f"Layout: {origin.layout}. Licence: {origin.licence}"
        )
    from rich.text import Text

    _licence(name, origin, accept_licence)
    for item in origin.downloads:
        with _bar(item.file) as bar:
            digest = fetch(item, root, bar)
        click.echo(f"{root / item.file}: sha256 {digest}{'' if item.sha256 else ' (not known to us before)'}")
        with console(stderr=True).status(Text(f"unpacking {item.file}")):
            count = unpack(root / item.file, root)
        if count:
            click.echo(f"{count} files unpacked")
    source = open_dataset(name, root)
    total, missing = len(source.scene_names()), len(source.missing())
    option = "" if data_root is None else f" --data-root {root}"
    click.echo(f"{total - missing} of {total} scenes are here; `hsbench data check {name}{option}` looks into them")


def _licence(name: str, origin: Provenance, accepted: bool) -> None:
    """Show the licence, and have it accepted once."""
    from hsfusion_bench.data.download import accept, is_accepted

    if is_accepted(name, origin):
        return
    click.echo(f"Licence of {name}: {origin.licence}\nSee {origin.homepage}\nPlease cite:\n{origin.reference}")
    if not accepted and sys.stdin.isatty():
        accepted = click.confirm("Do you accept the licence?")
    if not accepted:
        raise UsageError("the licence has not been accepted; --accept-licence does")
    accept(name, origin)


@contextmanager
def _bar(file: str) -> Iterator[ProgressBar]:
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
