"""Jobs of SLURM that cannot reach us: submitit writes what they do to a folder, and reads there what came of it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from hsfusion_bench.errors import HsbenchError, reason_of
from hsfusion_bench.studies.engines.dealing import Dealing, Job, Say, WorkerGone
from hsfusion_bench.studies.engines.packing import Origin, Outcome, run

if TYPE_CHECKING:
    from submitit import SlurmExecutor, SlurmJob

    from hsfusion_bench.studies.engines.slurm import Asked

    _Slurm: TypeAlias = SlurmJob[Any]

#: Seconds between two questions to SLURM how its jobs are; results are seen without it.
_ASK = 30.0
#: Seconds for which the result of a job that has ended may still be on its way through a file system.
_LATE = 15.0


class OnSubmitit(Dealing):
    """Submits a job of SLURM for each job, so many at a time as the file says.

    Parameters
    ----------
    executor
        Of submitit.
    asked
        What the file asks for.
    say
        What is told of jobs that are submitted again, in lines.
    """

    def __init__(self, executor: SlurmExecutor, asked: Asked, *, say: Say | None = None) -> None:
        super().__init__(say)
        self._executor, self._asked, self._origin = executor, asked, Origin()
        self._asked_at = time.monotonic()
        self._force = False
        self._thread.start()

    @property
    def workers(self) -> int:
        """As many as the file says: SLURM has them wait, not we."""
        return self._asked.jobs

    def _look_around(self) -> None:
        now = time.monotonic()
        self._force = now - self._asked_at >= _ASK  # the first one asked of asks for all
        if self._force:
            self._asked_at = now

    def _start(self, job: Job) -> _Slurm | None:
        has = self._asked
        if job.needs.gpus > has.gpus or (job.needs.memory_mb or 0) > has.memory_mb:
            offers = f"gpus = {has.gpus}, memory_gb = {has.memory_gb:g}"
            raise HsbenchError(f"it needs {job.needs}, and the file asks SLURM for {offers}")
        if len(self._running) >= has.jobs:
            return None
        try:
            return self._executor.submit(run, job.call, self._origin)
        except Exception as error:  # sbatch's, in the words of submitit
            raise HsbenchError(f"SLURM does not take the job: {reason_of(error)}") from error

    def _look_at(self, handle: _Slurm) -> Outcome | None:
        force, self._force = self._force, False
        ended = handle.done(force_check=force)
        state = handle.watcher.get_state(handle.job_id, mode="cache")
        if not ended:
            if state == "PREEMPTED":  # some clusters put it back into the queue, others do not
                _end(handle)
                raise WorkerGone(_as(handle, state))
            return None
        if not handle.paths.result_pickle.exists() and time.monotonic() < _deadline(handle):
            return None
        try:
            handle._results_timeout_s = 0
            kind, value = handle._get_outcome_and_result()
        except Exception as error:
            raise WorkerGone(_as(handle, state)) from error
        for path in (handle.paths.submitted_pickle, handle.paths.result_pickle):
            path.unlink(missing_ok=True)
        if kind == "success":
            outcome: Outcome = value
            return outcome
        reason = str(value).strip().splitlines()[-1]
        if "UncompletedJobError" in reason:
            raise WorkerGone(_as(handle, "TIMEOUT"))
        raise HsbenchError(f"job {handle.job_id} of SLURM could not run it: {reason}")

    def _end(self, handles: Iterable[_Slurm]) -> None:
        for handle in handles:
            _end(handle)


def _as(handle: _Slurm, state: str) -> str:
    return f"at last job {handle.job_id} of SLURM, {state} ({handle.paths.stderr})"


def _deadline(handle: _Slurm) -> float:
    """Return until when a result is waited for, from when the job was first seen to have ended."""
    return float(handle.__dict__.setdefault("_hsbench_late", time.monotonic() + _LATE))


def _end(handle: _Slurm) -> None:
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(["scancel", str(handle.job_id)], check=False, capture_output=True, timeout=30)
