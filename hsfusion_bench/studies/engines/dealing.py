"""Jobs handed to workers, one to each at a time, and run again where a worker died."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar
from weakref import WeakSet

from hsfusion_bench.children.calling import DiedError
from hsfusion_bench.errors import HsbenchError, reason_of
from hsfusion_bench.studies.engines.contract import ONE_THREAD, Engine, Needs
from hsfusion_bench.studies.engines.packing import Outcome, pack

_Result = TypeVar("_Result")
#: What is told of workers, in lines for people.
Say: TypeAlias = Callable[[str], None]
#: Seconds between two looks at what runs, unless something wakes us.
_LOOK = 0.5
#: Seconds that the thread has to end.
_GRACE = 5.0


@dataclass(eq=False)
class Job:
    """A call that is to be run, and how often that has failed."""

    name: str
    call: bytes
    needs: Needs
    retries: int
    future: Future[Any] = field(default_factory=Future)
    deaths: int = 0
    _state: Literal["waits", "runs", "is dropped", "has ended"] = "waits"

    def is_wanted(self) -> bool:
        """Whether it was not cancelled before it ran; those who wait for that are told."""
        if self._state == "waits" and self.future.cancelled():
            self.begin()
        return self._state != "is dropped"

    def begin(self) -> bool:
        """Have its future run, which then cannot be cancelled; False if it was before."""
        if self._state == "waits":
            self._state = "runs" if self.future.set_running_or_notify_cancel() else "is dropped"
        return self._state == "runs"

    def fail(self, error: Exception) -> None:
        """Have its future raise an error."""
        if self.begin():
            self._state = "has ended"
            self.future.set_exception(error)

    def settle(self, outcome: Outcome) -> None:
        """Give its future what came of it."""
        if self.begin():
            self._state = "has ended"
            outcome.settle(self.future)


class WorkerGone(Exception):  # noqa: N818
    """The process that ran a job is gone; the text goes on after "it was ended twice, ", if more is known."""


class Dealing(Engine):
    """An engine that waits for workers in a thread of its own, which alone calls the methods with an underscore.

    A worker is given one job, and the next one after that: whatever ends it, ends one job, and that one is to blame.
    """

    def __init__(self, say: Say | None) -> None:
        self._say: Say = say or (lambda text: None)
        self._lock = threading.Lock()
        self._waiting: list[Job] = []
        self._running: dict[Job, Any] = {}
        self._woken = threading.Event()
        self._unwanted: WeakSet[Future[Any]] = WeakSet()
        self._over: HsbenchError | None = None
        self._thread = threading.Thread(target=self._deal, name="hsbench engine", daemon=True)

    @abstractmethod
    def _start(self, job: Job) -> Any:
        """Give a job to a worker and return what `_look_at` takes; None: none that fits is free.

        Raises
        ------
        HsbenchError
            If there is none that fits.
        """

    @abstractmethod
    def _look_at(self, handle: Any) -> Outcome | None:
        """Return what came of a job, or None as long as it runs.

        Raises
        ------
        WorkerGone
            If what ran it is gone.
        HsbenchError
            If it cannot be run.
        """

    def _look_around(self) -> None:  # not every engine has something to see
        """See what workers there are.

        Raises
        ------
        HsbenchError
            If there can be none any more.
        """

    @abstractmethod
    def _end(self, handles: Iterable[Any]) -> None:
        """End what runs, and what was started for it."""

    def submit(  # type: ignore[override]
        self,
        function: Callable[..., _Result],
        /,
        *arguments: Any,
        name: str = "",
        needs: Needs = ONE_THREAD,
        retries: int = 2,
    ) -> Future[_Result]:
        """Have a function called, as `Engine` says."""
        job = Job(name or getattr(function, "__name__", "a job"), pack(function, arguments), needs, retries)
        with self._lock:
            if self._over is not None:
                raise self._over
            self._waiting.append(job)
        self._woken.set()
        return job.future

    def cancel(self, futures: Iterable[Future[Any]]) -> None:
        """Cancel what waits, if only to be run again."""
        for future in futures:
            if not future.cancel():
                self._unwanted.add(future)
        self._woken.set()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Cancel what has not come back, and end what was started."""
        started = self._thread.is_alive()
        reason = HsbenchError("this engine has ended")
        jobs = self._close(reason)
        if started:
            self._thread.join(_GRACE)
        for job in jobs:
            if not job.future.cancel():
                job.fail(reason)
            job.is_wanted()
        with self._lock:
            handles, self._running = list(self._running.values()), {}
        self._end(handles)

    def _close(self, reason: HsbenchError) -> list[Job]:
        """Take no more jobs, and return those that have not come back."""
        with self._lock:
            self._over = self._over or reason
            jobs, self._waiting = [*self._waiting, *self._running], []
        self._woken.set()
        return jobs

    def _deal(self) -> None:
        while self._over is None:
            try:
                self._look_around()
                self._take_in()
                self._hand_out()
            except Exception as error:
                reason = error if isinstance(error, HsbenchError) else HsbenchError(reason_of(error))
                for job in self._close(reason):
                    job.fail(reason)
                return
            self._woken.wait(_LOOK)
            self._woken.clear()

    def _take_in(self) -> None:
        for job, handle in list(self._running.items()):
            try:
                outcome = self._look_at(handle)
            except WorkerGone as gone:
                del self._running[job]
                self._again(job, str(gone))
            except HsbenchError as error:
                del self._running[job]
                job.fail(error)
            else:
                if outcome is not None:
                    del self._running[job]
                    job.settle(outcome)

    def _again(self, job: Job, more: str) -> None:
        job.deaths += 1
        times = {1: "once", 2: "twice"}.get(job.deaths, f"{job.deaths} times")
        ended = f"the process that ran it was ended {times}, {more or 'for want of memory perhaps'}"
        if job.deaths > job.retries:
            job.fail(DiedError(ended))
        elif job.future in self._unwanted:
            job.fail(CancelledError())
        else:
            self._say(f"{job.name}: {ended}; it is run again")
            with self._lock:
                self._waiting.append(job)  # after the others, which it shall not hold up

    def _hand_out(self) -> None:
        with self._lock:
            jobs = list(self._waiting)
        for job in jobs:
            handle = None
            if job.future in self._unwanted:
                job.fail(CancelledError())
            elif job.is_wanted():
                try:
                    handle = self._start(job)
                except HsbenchError as error:
                    job.fail(error)
                else:
                    if handle is None:
                        continue
            with self._lock:
                with suppress(ValueError):  # it was cancelled at the end
                    self._waiting.remove(job)
                if handle is not None:
                    job.begin()
                    self._running[job] = handle
