"""Work on samples dealt out to processes, with the results in the samples' order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hsfusion_bench.children.calling import DiedError, end_with_parent, fresh, no_code_of_the_folder
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.interrupts import children_uninterrupted, uninterrupted

FloatArray = NDArray[np.float64]
_Result = TypeVar("_Result")


def dealt(
    path: Path,
    images: Callable[[int], Sequence[NDArray[Any]]],
    count: int,
    work: Callable[..., _Result],
    *,
    workers: int,
    executor: Executor | None = None,
) -> Iterator[_Result]:
    """Call ``work(*images(k), workers=threads)`` for each k below `count`, and give the results in order.

    Of the samples no more are in memory than there are processes.

    Parameters
    ----------
    path
        Where the samples are from, for messages.
    images, work
        Functions that can be pickled: one reads the images of a sample, the other does something with them.
    workers
        Up to so many samples are worked on at a time, each in a process of its own; what is left over is given to
        each as threads.
    executor
        What calls them, such as an engine of `hsfusion_bench.studies.engines`; None: processes that are started for it.

    Raises
    ------
    HsbenchError
        When `work` raises ValueError or TypeError, with the sample's number, from 1; when a process dies.
    """
    processes = min(workers, count)
    call = partial(_call, images, partial(work, workers=workers // processes))
    with _results(call, count, processes, executor) as results:
        for number in range(1, count + 1):
            try:
                result = next(results)
            except (ValueError, TypeError) as error:
                raise HsbenchError(f"{path}: sample {number} cannot be scored: {error}") from error
            except (BrokenExecutor, DiedError) as error:
                raise HsbenchError(
                    f"{path}: a process was ended from outside before sample {number} was scored, for want of memory "
                    "perhaps; fewer --workers need less"
                ) from error
            yield result


@contextmanager
def _results(
    call: Callable[[int], _Result], count: int, processes: int, executor: Executor | None
) -> Iterator[Iterator[_Result]]:
    if executor is not None:
        yield executor.map(call, range(count))
        return
    if processes == 1:
        yield map(call, range(count))
        return
    others = set(active_children())
    try:
        # the process that the user sees is told of signals, once all others are started, and ends them: one that is
        # still starting when its parent is gone would print a traceback
        with uninterrupted(), children_uninterrupted(), no_code_of_the_folder():
            pool = ProcessPoolExecutor(processes, mp_context=fresh(), initializer=end_with_parent)
            results = pool.map(call, range(count))
        with pool:
            try:
                yield results
            except BaseException:
                _kill(others)
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    except BaseException:
        _kill(others)
        raise


def _kill(others: set[BaseProcess]) -> None:
    """End the processes that this one has started, but for some others."""
    for process in set(active_children()) - others:
        process.kill()


def _call(images: Callable[[int], Sequence[NDArray[Any]]], work: Callable[..., _Result], number: int) -> _Result:
    return work(*images(number))
