"""The options that say what the scenes of a run are computed on: this process, workers on this machine, a cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from hsfusion_bench.cli.common import console
from hsfusion_bench.errors import UsageError

if TYPE_CHECKING:
    from hsfusion_bench.studies.asked import Row
    from hsfusion_bench.studies.engines import Engine
    from hsfusion_bench.studies.listening import Outcome, Watcher

_Function = TypeVar("_Function", bound=Callable[..., Any])
#: Processes of one machine.
_WORKERS: Final = click.IntRange(min=1, max=1024)


def workers_options(function: _Function) -> _Function:
    """Add ``--workers`` and ``--cluster``."""
    workers = click.option(
        "--workers",
        type=_WORKERS,
        metavar="N",
        help="Fuse so many scenes at a time, each in a process of one thread (extra `cluster`).",
    )
    cluster = click.option(
        "--cluster",
        metavar="WHERE",
        help="Fuse scenes on a cluster: tcp://HOST:8786, a Dask scheduler; FILE.toml, workers that SLURM starts; "
        "submitit:FILE.toml, a SLURM job each (extra `cluster`).",
    )
    return workers(cluster(function))


@dataclass(frozen=True)
class Workers:
    """What scenes are computed on.

    Parameters
    ----------
    count
        So many processes on this machine; None, without a cluster: this process.
    cluster
        See `hsfusion_bench.studies.engines.connect`.
    debug
        Print the traceback of a method that fails in this process.

    Raises
    ------
    UsageError
        If both are given.
    """

    count: int | None
    cluster: str | None
    debug: bool

    def __post_init__(self) -> None:
        if self.count is not None and self.cluster is not None:
            raise UsageError("--workers are on this machine, --cluster are others: leave one out")

    def run(self, rows: Sequence[Row], watcher: Watcher, *, alone: bool = False) -> list[Outcome]:
        """Run rows; see `execute` and `conduct`.

        Raises
        ------
        UsageError
            If the cluster is none.
        HsbenchError
            If the extra is not installed, or workers do not start or answer; and as `execute`.
        """
        if self.count is None and self.cluster is None:
            from hsfusion_bench.cli.display import shown
            from hsfusion_bench.studies.executing import execute

            return execute(rows, functools.partial(shown, debug=self.debug), watcher, alone=alone)
        from hsfusion_bench.studies.conducting import conduct

        with self._started(gpus=any(row.asked.device == "cuda" for row in rows)) as engine:
            return conduct(rows, engine, watcher)

    def _started(self, *, gpus: bool) -> Engine:
        from hsfusion_bench.studies.engines import connect, local

        if self.cluster is None:
            assert self.count is not None
            return local(self.count, gpus=None if gpus else 0, say=_say)
        try:
            return connect(self.cluster, say=_say)
        except UsageError as error:
            raise UsageError(f"--cluster {error}") from error


def _say(text: str) -> None:
    console(stderr=True).print(text, markup=False, soft_wrap=True)
