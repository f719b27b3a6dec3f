"""Jobs on the workers of a Dask scheduler, whoever started them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from hsfusion_bench.errors import HsbenchError, reason_of
from hsfusion_bench.studies.engines.dealing import Dealing, Job, Say, WorkerGone
from hsfusion_bench.studies.engines.packing import Origin, Outcome, require_same, run
from hsfusion_bench.studies.engines.settings import imported

if TYPE_CHECKING:
    from distributed import Client, Future

#: Seconds in which a scheduler has to answer.
ANSWER = 10.0
#: Seconds between two looks at what workers there are.
_AROUND = 1.0
#: Seconds for which a job waits for a worker that has what it needs, while others are there.
_PATIENCE = 30.0
_MIB = 2**20
#: As our distribution is imported; Dask tells its version on each worker.
_PACKAGE = "hsfusion_bench"


class _Handed(NamedTuple):
    future: Future[Any]
    worker: str


class OnDask(Dealing):
    """Gives each worker one job at a time.

    Dask could queue them at the workers, but then a method that ends its process would be one death of all that wait
    behind it. It is asked which workers there are, which version of us they have and what they offer; it carries jobs
    and results, and knows when a worker is lost.

    Parameters
    ----------
    address
        Of the scheduler, or a cluster of Dask.
    called
        What the user calls it, for messages.
    gpus
        How workers with GPUs are had.
    say
        What is told of workers, in lines.
    alive
        Raises HsbenchError once what was started for it has ended.
    end
        Ends that.
    """

    def __init__(
        self,
        address: Any,
        called: str,
        *,
        gpus: str,
        say: Say | None = None,
        alive: Callable[[], None] = lambda: None,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(say)
        self._called, self._gpus, self._alive, self._end_started = called, gpus, alive, end
        self._origin = Origin()
        self._offers: dict[str, dict[str, Any]] = {}
        self._refused: dict[str, HsbenchError] = {}
        self._looked = float("-inf")
        self._unfit_since: dict[Job, float] = {}
        self._client = _client(address, called)
        try:
            self._look_around()
            for refusal in self._refused.values():
                raise refusal
        except BaseException:
            self._client.close(timeout=1)
            raise
        self._thread.start()

    @property
    def workers(self) -> int:
        """How many have joined and are of our version."""
        return len(self._offers)

    def _look_around(self) -> None:
        now = time.monotonic()
        if now - self._looked < _AROUND:
            return
        self._looked = now
        self._alive()
        try:
            found = self._client.scheduler_info(n_workers=-1)["workers"]
            if not set(found) <= {*self._offers, *self._refused}:
                self._check(found)
        except Exception as error:  # Dask's, Tornado's and the system's
            self._alive()
            raise HsbenchError(f"{self._called}: the scheduler is gone: {reason_of(error)}") from error
        self._offers = {address: offer for address, offer in found.items() if address not in self._refused}

    def _check(self, found: Iterable[str]) -> None:
        """Refuse those of the workers that have another version."""
        new = sorted(set(found) - {*self._offers, *self._refused})
        # as `Client.get_versions` asks all of them, of which some may be too busy to answer
        asked = {"op": "versions", "packages": [_PACKAGE]}
        versions = self._client.sync(self._client.scheduler.broadcast, msg=asked, workers=new, on_error="ignore")
        for address in new:
            packages = versions.get(address, {}).get("packages")
            if packages is None:  # it has left already
                continue
            python = ".".join(packages["python"].split(".")[:2])
            try:
                require_same(f"{self._called}: worker {address}", packages.get(_PACKAGE), python, self._origin)
            except HsbenchError as refusal:
                self._refused[address] = refusal
                if self._thread.is_alive():
                    self._say(f"{refusal}. It is given no job")

    def _start(self, job: Job) -> _Handed | None:
        fit = {address for address, offer in self._offers.items() if _has(offer, job)}
        if fit:
            self._unfit_since.pop(job, None)
        elif self._offers or self._refused:
            self._require_patience(job)
        taken = {handed.worker for handed in self._running.values()}
        free = [address for address in fit - taken if self._offers[address].get("status", "running") == "running"]
        if not free:
            return None
        # a GPU is kept for those who need one
        worker = min(free, key=lambda address: (_gpus(self._offers[address]), address))
        # a worker that is lost is no reason for Dask to run it elsewhere: we count, and choose
        future = self._client.submit(
            run, job.call, self._origin, key=f"hsbench-{id(job)}-{job.deaths}", workers=[worker], pure=False, retries=0
        )
        future.add_done_callback(lambda _: self._woken.set())
        return _Handed(future, worker)

    def _require_patience(self, job: Job) -> None:
        """Wait a while for a worker that has what a job needs: one that died is started again."""
        since = self._unfit_since.setdefault(job, time.monotonic())
        if time.monotonic() - since < _PATIENCE:
            return
        if not self._offers:
            raise next(iter(self._refused.values()))
        hint = f"; {self._gpus}" if job.needs.gpus else ""
        raise HsbenchError(f"{self._called}: of {self.workers} workers none has {job.needs}{hint}")

    def _look_at(self, handle: _Handed) -> Outcome | None:
        future, worker = handle
        status = future.status
        if status == "finished":
            try:
                outcome: Outcome = future.result(timeout=ANSWER)
            except Exception as error:  # lost with its worker, on the way
                raise WorkerGone from error
            return outcome
        if status == "error":
            failure = future.exception(timeout=ANSWER)
            if isinstance(failure, imported().KilledWorker):
                raise WorkerGone
            raise HsbenchError(f"worker {worker} cannot run it: {reason_of(failure)}")
        if status in ("cancelled", "lost"):
            self._alive()
            raise HsbenchError(f"{self._called}: the scheduler is gone, or was started again")
        if worker not in self._offers:
            with suppress(Exception):
                future.cancel()
            raise WorkerGone
        return None

    def _end(self, handles: Iterable[_Handed]) -> None:
        with suppress(Exception):
            self._client.cancel([handed.future for handed in handles])
        with suppress(Exception):
            self._client.close(timeout=2)
        self._end_started()


def _has(offer: dict[str, Any], job: Job) -> bool:
    memory = job.needs.memory_mb or 0
    limits = [offer.get("memory_limit") or None, offer["resources"].get("MEMORY", 0) * _MIB or None]
    return _gpus(offer) >= job.needs.gpus and all(limit is None or limit >= memory * _MIB for limit in limits)


def _gpus(offer: dict[str, Any]) -> float:
    return float(offer["resources"].get("GPU", 0))


def _client(address: Any, called: str) -> Client:
    try:
        return imported().Client(address, timeout=ANSWER, set_as_default=False, name="hsbench")
    except (OSError, TimeoutError) as error:
        raise HsbenchError(
            f"{called}: nobody answers there within {ANSWER:g} s. Start a scheduler by `dask scheduler`, and see that "
            "this machine can reach it"
        ) from error
