"""Work dealt out to threads, and their memory. NumPy lets go of the interpreter in its loops: they run side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import numpy as np

from hsfusion_metrics._pair import FloatArray, quietly

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_executor: ContextVar[Executor | None] = ContextVar("_executor", default=None)
_own = threading.local()


def lines(count: int, size: int) -> FloatArray:
    """Memory of the thread's own for intermediate results, not cleared, [count, size].

    Whoever asks next gets the same memory: nothing that outlives a piece of work may lie in it. Asking the system for
    some megabytes over and over can take longer than the work in them.
    """
    held: FloatArray | None = getattr(_own, "memory", None)
    if held is None or held.size < count * size:
        held = _own.memory = np.empty(count * size)
    return held[: count * size].reshape(count, size)


def deal(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """Call `work` for each item, in threads within `threads`, and give the results in the items' order.

    Whoever adds them up as they come gets the same bits for any number of threads.
    """
    executor = _executor.get()
    # How NumPy treats a division by zero is a setting of the thread.
    return map(work, items) if executor is None else executor.map(quietly(work), items)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let `deal` use `count` threads within the block.

    Raises
    ------
    TypeError
        When `count` is no integer.
    ValueError
        When it is less than 1.
    """
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
        raise TypeError(f"workers must be an integer, not {count!r}")
    if count < 1:
        raise ValueError(f"workers must be 1 or more, not {count}")
    if count == 1:
        yield
        return
    with ThreadPoolExecutor(count, thread_name_prefix="hsfusion_metrics") as executor:
        token = _executor.set(executor)
        try:
            yield
        finally:
            _executor.reset(token)
