"""Options and output that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Width of a table that is not drawn on a terminal, so that no line of it is folded.
_PLAIN_WIDTH = 200


def results_dir_option(function: _Function) -> _Function:
    """Add ``--results-dir``."""
    return click.option(
        "--results-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("results"),
        show_default=True,
        envvar="HSBENCH_RESULTS",
        help="Folder of the records.",
    )(function)


def console(*, stderr: bool = False) -> Console:
    """Return a rich console that folds nothing where it does not write to a terminal."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=_PLAIN_WIDTH)


def comma_separated(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[str] | None:
    """Split "a, b" into its parts, without empty and repeated ones."""
    if value is None:
        return None
    return list(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
