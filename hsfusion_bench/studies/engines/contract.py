"""What every engine does, and the one that computes here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

from hsfusion_bench.errors import HsbenchError

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Needs:
    """What one job takes, beside one thread."""

    gpus: int = 0
    memory_mb: int | None = None
    """MiB of main memory; None: it is not known."""

    def __str__(self) -> str:
        parts = [f"{self.gpus} GPU{'s' if self.gpus > 1 else ''}"] if self.gpus else []
        if self.memory_mb is not None:
            parts.append(f"{self.memory_mb} MiB of memory")
        return " and ".join(parts) or "one thread"


ONE_THREAD = Needs()
"""Nothing beside one thread."""


class Engine(Executor, ABC):
    """Runs jobs; an executor of `concurrent.futures`, whose block ends what it started.

    On leaving, the processes that it started are ended, at once. What waited is cancelled, and what ran has failed.
    """

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many jobs run at a time at present; 0 if none can, since no worker has joined yet."""

    @abstractmethod
    def submit(  # type: ignore[override]  # of an executor: names of arguments of the function
        self,
        function: Callable[..., _Result],
        /,
        *arguments: Any,
        name: str = "",
        needs: Needs = ONE_THREAD,
        retries: int = 2,
    ) -> Future[_Result]:
        """Have a function called.

        Parameters
        ----------
        function, arguments
            What `cloudpickle` can pickle.
        name
            What the job is called in messages.
        needs
            What it takes.
        retries
            So many processes may die of it before it has failed.

        Returns
        -------
        Future
            It can be cancelled until a worker has the job, which then runs to its end: when all futures are done,
            nothing runs. It raises what the function raises, and

            DiedError
                if the processes that ran it died more often than `retries`;
            HsbenchError
                if no worker has what it needs, or the engine is gone.
        """

    @abstractmethod
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End it, as leaving its block does, whatever is asked for."""

    def cancel(self, futures: Iterable[Future[Any]]) -> None:
        """Cancel those that no worker has, if only to be run again; the others come to their end."""
        for future in futures:
            future.cancel()


class _Serial(Engine):
    """Calls in place, in the order of submitting."""

    @property
    def workers(self) -> int:
        """1: this process."""
        return 1

    def submit(  # type: ignore[override]
        self,
        function: Callable[..., _Result],
        /,
        *arguments: Any,
        name: str = "",
        needs: Needs = ONE_THREAD,
        retries: int = 2,
    ) -> Future[_Result]:
        future: Future[_Result] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


def serial() -> Engine:
    """Return the engine that calls functions in this process, as they are submitted."""
    return _Serial()


def missing(error: ImportError) -> HsbenchError:
    """Return what is said where the libraries of clusters are not installed."""
    return HsbenchError(
        f"workers and clusters need the package {error.name}, which is not installed: "
        "pip install 'hsfusion-bench[cluster]'"
    )
