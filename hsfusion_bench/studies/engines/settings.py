"""Dask as it is used here: what it logs, and the environment variables of workers."""

from __future__ import annotations

from types import ModuleType

from hsfusion_bench.studies.engines.contract import missing

_THREADS = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB_MAXIMUM")

#: Of workers of Dask that we start.
OF_DASK = {
    "DASK_DISTRIBUTED__WORKER__DAEMON": "False",  # methods may start processes
    # a worker that eats its memory is ended; one that was told to pause would do so for ever
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "0.98",
    # Dask has glibc give memory back at every chance, and NumPy's arrays then take three times as long as elsewhere:
    # these are what glibc comes to by itself
    "MALLOC_TRIM_THRESHOLD_": "67108864",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
}


def of_process(threads: int) -> dict[str, str]:
    """Return those of each process: no module of the current folder, and so many threads in whatever library."""
    return {"PYTHONSAFEPATH": "1", **{f"{library}_NUM_THREADS": str(threads) for library in _THREADS}}


def imported() -> ModuleType:
    """Import `distributed`. What it logs of connections that end is not for people: what matters is raised.

    Raises
    ------
    HsbenchError
        If it is not installed.
    """
    try:
        import dask

        with dask.config.set(logging={"distributed": "critical", "distributed.client": "critical"}):
            import distributed
    except ImportError as error:
        raise missing(error) from error
    module: ModuleType = distributed
    return module
