"""Environment variables of workers."""

from __future__ import annotations

_THREADS = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB_MAXIMUM")

#: Of workers of Dask that we start.
OF_DASK = {
    "DASK_DISTRIBUTED__WORKER__DAEMON": "False",  # methods may start processes
    # a worker that eats its memory is ended; one that was told to pause would do so for ever
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "0.98",
}


def of_process(threads: int) -> dict[str, str]:
    """Return those of each process: no module of the current folder, and so many threads in whatever library."""
    return {"PYTHONSAFEPATH": "1", **{f"{library}_NUM_THREADS": str(threads) for library in _THREADS}}
