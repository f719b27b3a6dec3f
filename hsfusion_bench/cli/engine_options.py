"""Options of the verbs that run the MATLAB test package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from hsfusion_bench.cli.numbers import SECONDS
from hsfusion_bench.errors import UsageError

_Function = TypeVar("_Function", bound=Callable[..., Any])


def engine_options(function: _Function) -> _Function:
    """Add ``--package``, ``--engine`` and ``--time-limit``."""
    for option in (
        click.option(
            "--time-limit",
            type=SECONDS,
            default=3600.0,
            show_default=True,
            metavar="SECONDS",
            help="Stop the engine after this time.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["auto", "octave", "matlab"]),
            default="auto",
            show_default=True,
            help="What runs the package; auto takes MATLAB where it is, and else GNU Octave.",
        ),
        click.option(
            "--package",
            type=click.Path(path_type=Path),
            envvar="HSBENCH_MATLAB_PACKAGE",
            show_envvar=True,
            metavar="FOLDER",
            help="Your copy of the MATLAB test package: the folder that holds analysis_ref_batched_images.m and "
            "analysis_unref_batched_images.m.",
        ),
    ):
        function = option(function)
    return function


def required_package(package: Path | None) -> Path:
    """Return the folder of the package, which only some uses of a verb need.

    Raises
    ------
    UsageError
        When none was named.
    """
    if package is None:
        raise UsageError(
            "--package FOLDER (or HSBENCH_MATLAB_PACKAGE) is needed: the folder of your copy of the MATLAB test "
            "package, which holds analysis_ref_batched_images.m and analysis_unref_batched_images.m"
        )
    return package
