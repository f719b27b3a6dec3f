"""What the verbs of ``hsbench data`` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from hsfusion_bench.cli.common import console

_Function = TypeVar("_Function", bound=Callable[..., Any])


def data_root_option(function: _Function) -> _Function:
    """Add ``--data-root``."""
    return click.option(
        "--data-root",
        type=click.Path(path_type=Path),
        envvar="HSBENCH_DATA",
        show_envvar=True,
        metavar="FOLDER",
        help="Folder of the data set's files. Default: where `hsbench data download` puts them.",
    )(function)


@contextmanager
def scene_bar(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar on a terminal; give the function that moves it: scenes done, scenes there are, present scene."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[scene]}", markup=False),
    )
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as bar:
        task = bar.add_task(what, total=None, scene="")
        yield lambda done, total, scene: bar.update(task, completed=done, total=total, scene=scene)
