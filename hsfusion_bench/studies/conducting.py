"""The rows of a study on workers: one job is one scene of one method; the records are written here, and nowhere else.

A training comes before the scenes of its row. Speed is measured after all else, one method at a time, when nothing of
ours runs beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import DifferentDataError, HsbenchError, reason_of
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.equipped import account
from hsfusion_bench.runs.joining import joined
from hsfusion_bench.runs.records import Record, Speed, Store
from hsfusion_bench.runs.setting import Result
from hsfusion_bench.scratch import alone
from hsfusion_bench.studies import jobs
from hsfusion_bench.studies.asked import Row
from hsfusion_bench.studies.engines import Engine, Needs
from hsfusion_bench.studies.executing import by_task
from hsfusion_bench.studies.listening import Lost, Outcome, Watcher


def conduct(rows: Sequence[Row], engine: Engine, watcher: Watcher) -> list[Outcome]:
    """Run rows on the workers of an engine.

    What goes wrong with a row is in its record, or in its outcome, and costs no other one.

    Parameters
    ----------
    rows
        What is run; those of one task share its scenes, which are decoded once where workers share our disk.
    engine
        What computes.
    watcher
        Is told how the rows go.

    Returns
    -------
    What came of each, in the order of their tasks.

    Raises
    ------
    KeyboardInterrupt
        What was computed is recorded; running the same rows again goes on from there.
    """
    with ExitStack() as stack:
        conductor = _Conductor(engine, watcher, stack)
        tasks = by_task(rows)
        for number, (asked, members) in enumerate(tasks, start=1):
            try:
                root = asked.data_root and asked.data_root.resolve()  # a worker may be in another folder
                task = stack.enter_context(replace(asked, data_root=root).open().cached())
            except HsbenchError as error:
                conductor.lost += [Lost(row, str(error)) for row in members]
                continue
            watcher.task_begun(number, len(tasks), task)
            for row in members:
                conductor.begin(row, task)
        return conductor.outcomes()


@dataclass(eq=False)
class _Running:
    """A row that is being run."""

    row: Row
    task: Task
    content: bytes
    locks: ExitStack
    account: Record | None = None
    done: dict[str, Record] = field(default_factory=dict)
    pending: set[Future[Any]] = field(default_factory=set)
    error: str | None = None
    lost: Lost | None = None
    speed: Speed | None = None
    timed_before: bool = False
    extras: jobs.Extras = field(default_factory=jobs.Extras)
    recounted: bool = False

    @property
    def store(self) -> Store:
        return Store(self.row.asked.results_dir)

    @property
    def scored(self) -> dict[str, Record]:
        """The scenes that were scored, in the task's order."""
        return {
            name: self.done[name]
            for name in self.task.names
            if name in self.done and self.done[name].summary is not None
        }

    def record(self) -> Record:
        """Return the record as it stands."""
        told = self.account
        if told is None:  # its method was never imported here, nor was a worker's word of it heard
            nobody = Contender(self.row.name, self.row.origin, None)
            told = account(nobody, self.row.asked.setting(self.task, nobody))
        record = joined(told, self.done, error=self.error)
        changes: dict[str, object] = {"pictures": self.extras.digest}
        if told.status == "no weights":
            changes["status"] = told.status
        return record.model_copy(update=changes)


class _Conductor:
    """Hands out jobs, and takes in what came of them."""

    def __init__(self, engine: Engine, watcher: Watcher, stack: ExitStack) -> None:
        self.engine, self.watcher, self.stack = engine, watcher, stack
        self.running: list[_Running] = []
        self.lost: list[Outcome] = []
        self.whose: dict[Future[Any], tuple[_Running, str | None]] = {}
        """Of each job, the row and the scene; None for a scene: the training."""
        self.finished = 0

    def begin(self, row: Row, task: Task) -> None:
        """Hand out the first jobs of a row."""
        running = _Running(row, task, jobs.packed(row, task), self.stack.enter_context(ExitStack()))
        self.running.append(running)
        if row.asked.train:
            self._submit(running, None, jobs.train, running.content)
        else:
            self._submit_scenes(running)

    def outcomes(self) -> list[Outcome]:
        """Take in what comes of all jobs, then have speeds measured."""
        try:
            while self.whose:
                ended, _ = wait(self.whose, return_when=FIRST_COMPLETED)
                for future in [each for each in self.whose if each in ended]:  # in their order, not in a set's
                    running, name = self.whose.pop(future)
                    running.pending.discard(future)
                    self._take(running, name, future)
                    if not running.pending:
                        self._settle(running)
            return [*(self._outcome(running) for running in self.running), *self.lost]
        except KeyboardInterrupt:
            for running in self.running:
                if running.pending and running.account is not None:
                    running.error = "interrupted"
                    running.store.write(running.record())
            raise

    def _submit(self, running: _Running, name: str | None, function: Any, *arguments: Any) -> None:
        row = running.row
        called = f"{row.name}, {name or 'training'}"
        needs = Needs(gpus=int(row.asked.device == "cuda"))
        future = self.engine.submit(function, *arguments, name=called, needs=needs)
        running.pending.add(future)
        self.whose[future] = (running, name)

    def _submit_scenes(self, running: _Running) -> None:
        for number, name in enumerate(running.task.names):
            self._submit(running, name, jobs.fuse, running.content, name, number == 0)

    def _take(self, running: _Running, name: str | None, future: Future[Any]) -> None:
        """Take in what came of a job."""
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            said = str(error) if isinstance(error, HsbenchError) else reason_of(error)
            self._stop(running, said, lost=isinstance(error, DifferentDataError))
        elif name is None:
            path = future.result()
            asked = replace(running.row.asked, train=False, weights={running.row.name: path} if path else {})
            running.content = jobs.packed(replace(running.row, asked=asked), running.task)
            self._submit_scenes(running)
        else:
            self._take_scene(running, name, future.result())

    def _take_scene(self, running: _Running, name: str, done: jobs.Done) -> None:
        if running.account is None:
            try:
                running.locks.enter_context(alone(running.store.path(done.account)))
            except HsbenchError as error:
                self._stop(running, str(error), lost=True)
                return
            running.account = done.account
            if done.told is not None:
                self.watcher.weights_taken(running.row, done.told)
        if done.scene is None:
            running.account = done.account
            self._stop(running, done.error or "failed")
            return
        running.done[name] = done.scene
        self.watcher.scene_done(running.row, name, len(running.done), len(running.task.names))
        if len(running.done) < len(running.task.names):
            running.store.write(running.record())

    def _stop(self, running: _Running, error: str, *, lost: bool = False) -> None:
        """Have no more of a row done; what was, is kept."""
        if lost:
            running.lost = running.lost or Lost(running.row, error)
        running.error = running.error or error
        self.engine.cancel(running.pending)

    def _settle(self, running: _Running) -> None:
        """Have done what is left of a row whose jobs have ended, or take note that all is."""
        scored = running.scored
        if self._lacks_count(running, scored):
            running.recounted = True
            name = next(iter(scored))
            self._submit(running, name, jobs.fuse, running.content, name, True)
            return
        self.finished += 1
        self.watcher.row_done(self.finished, len(self.running), running.row, running.lost or self._result(running))

    def _lacks_count(self, running: _Running, scored: dict[str, Record]) -> bool:
        """Whether the operations of a network are to be counted on another scene: the first one was not readable."""
        told = running.account
        if running.recounted or running.error or not scored or told is None or told.model.parameters is None:
            return False
        return all(scene.model.flops is None for scene in scored.values())

    def _outcome(self, running: _Running) -> Outcome:
        if running.lost is None:
            self._finish(running)
        outcome: Outcome = running.lost or self._result(running)
        running.locks.close()
        return outcome

    def _result(self, running: _Running) -> Result:
        """Write the record as it stands, and return it with what lies beside it."""
        record, extras = running.record(), running.extras
        return Result(
            record,
            running.speed,
            running.store.write(record),
            extras.cubes,
            extras.lost,
            extras.pictures,
            running.timed_before,
        )

    def _finish(self, running: _Running) -> None:
        """Have a row's speed measured, and its cubes and pictures put in their place."""
        asked, scored = running.row.asked, running.scored
        if not scored:
            if asked.save_mat is not None:
                running.extras = jobs.Extras(lost="there are no cubes to be written")
            return
        if asked.timing:
            self.watcher.measuring(running.row)
            timed = self._called(running, jobs.time, running.content, next(iter(scored)))
            if timed is not None:
                running.speed, running.timed_before = timed
        if asked.save_mat is not None or asked.pictures:
            record = running.record()
            digests = {name: str(scene.scenes[0].digest) for name, scene in scored.items()}
            kept = running.store.keeps(record)
            extras = self._called(running, jobs.finish, running.content, digests, record.status == "ok", kept)
            running.extras = extras or running.extras

    def _called(self, running: _Running, function: Any, *arguments: Any) -> Any:
        """Have something done while nothing else is; None: it failed, and why is said."""
        needs = Needs(gpus=int(running.row.asked.device == "cuda"))
        future = self.engine.submit(function, *arguments, name=f"{running.row.name}, speed", needs=needs)
        try:
            return future.result()
        except Exception as error:  # a stranger's method may raise anything
            said = str(error) if isinstance(error, HsbenchError) else reason_of(error)
            running.extras = replace(running.extras, lost=said)
            return None
