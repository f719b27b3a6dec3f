"""How a study's plan is shown, and how far it has come."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hsfusion_bench.cli.common import console, remark_on_camera
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.runs.records import Record, Speed, Store, Written, read_speed
from hsfusion_bench.runs.setting import Result
from hsfusion_bench.studies.asked import Row
from hsfusion_bench.studies.listening import Lost, Outcome, Watcher
from hsfusion_bench.studies.plan import Plan, PlannedRow, PlannedTask, counted, told_time
from hsfusion_bench.terminal import print_table

#: What is said of a task that is not open.
_PROBLEMS: Final = {"missing": "missing data", "impossible": "not possible", "broken": "cannot be read"}
#: Methods of a list that are named, before only their number is told.
_NAMED: Final = 12


def print_plan(plan: Plan, *, rows: bool) -> None:
    """Print a plan.

    Parameters
    ----------
    plan
        The plan.
    rows
        Whether every row is shown, on the standard output stream; else a line for each task, on that of errors.
    """
    if rows:
        for task in plan.tasks:
            if any(row.state != "skipped" for row in task.rows):
                _print_rows(task)
    else:
        lines = [_line(task) for task in plan.tasks if task.rows and task.point.task is not None]
        heads = ["task", "rows", "recorded", "scenes", "done", "time"]
        print_table(heads, lines, right=(1, 2, 3, 4, 5), title="plan", stderr=True)
    said = console(stderr=not rows)
    named = None if rows else _NAMED
    for line in (*_problems(plan), *_skipped(plan, named), *plan.remarks, str(plan)):
        said.print(line, markup=False, soft_wrap=True)


def _print_rows(task: PlannedTask) -> None:
    lines = [
        [
            row.row.title,
            *(["-"] * 2 if row.state == "missing" else [str(row.scenes), str(row.done)]),
            _time(row),
            row.note,
        ]
        for row in task.rows
        if row.state != "skipped"
    ]
    print_table(["method", "scenes", "done", "time", "note"], lines, right=(1, 2, 3), title=task.point.title)


def _line(task: PlannedTask) -> list[str]:
    rows = [row for row in task.rows if row.state != "skipped"]
    recorded = sum(row.state == "recorded" for row in rows)
    to_run = [row for row in rows if row.state == "run"]
    known = [row.seconds for row in to_run if row.seconds is not None]
    time = told_time(sum(known)).removeprefix("about ") if known else "-" if not to_run else "unknown"
    more = " and more" if known and len(known) < len(to_run) else ""
    scenes, done = (sum(getattr(row, name) for row in rows) for name in ("scenes", "done"))
    return [task.point.title, str(len(rows)), str(recorded), str(scenes), str(done), time + more]


def _time(row: PlannedRow) -> str:
    if row.state in ("recorded", "missing"):
        return "-"
    return "unknown" if row.seconds is None else told_time(row.seconds).removeprefix("about ")


def _problems(plan: Plan) -> list[str]:
    """Return a line for each reason for which tasks cannot be run."""
    found: dict[tuple[str, str], list[str]] = {}
    for task in plan.tasks:
        if task.point.problem is not None:
            found.setdefault((task.point.state, str(task.point.problem)), []).append(task.point.title)
    lines = []
    for (state, why), titles in found.items():
        told = [title if count == 1 else f"{title} ({count} tasks)" for title, count in Counter(titles).items()]
        lines.append(f"{_PROBLEMS[state]}: {', '.join(told)}: {why}")
    return lines


def _skipped(plan: Plan, named: int | None) -> list[str]:
    """Return a line for each reason for which methods are left out, or will fail; `named` of them by name, or all."""
    open_tasks = sum(task.point.state == "open" for task in plan.tasks)
    skipped = Counter((row.note, row.row.name) for task in plan.tasks for row in task.rows if row.state == "skipped")
    lines = []
    for note in dict.fromkeys(note for note, _ in skipped):
        names = [
            name if count == open_tasks else f"{name} ({counted(count, 'task')})"
            for (why, name), count in skipped.items()
            if why == note
        ]
        more = f" and {len(names[named:])} more" if named is not None and names[named:] else ""
        lines.append(f"skipped, {note}: {', '.join(names[:named])}{more}")
    wanting = Counter(row.row.name for row in plan.rows if row.state == "run" and row.note == "no weights")
    if wanting:
        lines.append(f"no weights, and asked for by name: {', '.join(wanting)}")
    return lines


class Progress(Watcher):
    """Says on the standard error stream how far a study has come.

    Parameters
    ----------
    plan
        What is run; None: one task, which needs no more than its name.
    """

    def __init__(self, plan: Plan | None) -> None:
        self._expected = {id(row.row): row.seconds for row in plan.rows} if plan is not None else {}
        self._left: list[float | None] = [row.seconds for row in plan.rows if row.state == "run"] if plan else []
        self._plan = plan
        self._began = time.monotonic()
        self._done: list[Row] = []

    def task_begun(self, number: int, total: int, task: Task) -> None:
        """Say which task it is."""
        remark_on_camera(task)
        where = "" if self._plan is None else f"task {number} of {total}: "
        console(stderr=True).print(f"{where}{task}", markup=False, soft_wrap=True)

    def weights_taken(self, row: Row, text: str) -> None:
        """Say which weights a network runs with."""
        console(stderr=True).print(f"{row.name}: {text}", markup=False, highlight=False, soft_wrap=True)

    def scene_done(self, row: Row, scene: str, number: int, total: int) -> None:
        """Say once that all scenes of a row are done."""
        if number == total:
            console(stderr=True).print(f"{row.title}: scenes {number}/{total}, {scene}", markup=False, soft_wrap=True)

    def measuring(self, row: Row) -> None:
        """Say whose speed is measured."""
        console(stderr=True).print(f"{row.title}: measuring its speed, alone", markup=False, soft_wrap=True)

    def row_done(self, number: int, total: int, row: Row, outcome: Outcome) -> None:
        """Say how many rows are done, and how long the others will take."""
        self._done.append(row)
        if self._plan is None:
            return
        passed = time.monotonic() - self._began
        what = (
            outcome.reason
            if isinstance(outcome, Lost)
            else ""
            if outcome.record.status == "ok"
            else outcome.record.status
        )
        parts = [f"row {number} of {total}: {row.title}{f', {what}' if what else ''}"]
        parts.append(f"{told_time(passed).removeprefix('about ')} passed")
        if number < total and (left := self._time_left(passed)) is not None:
            parts.append(f"{told_time(left)} left")
        console(stderr=True).print("; ".join(parts), markup=False, soft_wrap=True)

    def _time_left(self, passed: float) -> float | None:
        """Return how long the rows that are left take: as planned, and as much slower or faster as those before."""
        done = [self._expected.get(id(row)) for row in self._done]
        left = [seconds for key, seconds in self._expected.items() if key not in {id(row) for row in self._done}]
        planned = sum(seconds for seconds in done if seconds is not None)
        if not planned or any(seconds is None for seconds in (*done, *left)):
            return None
        return sum(seconds or 0.0 for seconds in left) * passed / planned


def results_of(outcomes: Sequence[Outcome]) -> list[Result]:
    """Return the results among outcomes, and say what was lost."""
    said = console(stderr=True)
    for outcome in outcomes:
        if isinstance(outcome, Lost):
            said.print(f"{outcome.row.title}: {outcome.reason}", style="red", markup=False, soft_wrap=True)
    return [outcome for outcome in outcomes if not isinstance(outcome, Lost)]


def recorded_already(plan: Plan, folder: Path) -> list[Result]:
    """Return what stands of the rows that were not run again, as if it had been made now."""
    store, found = Store(folder), []
    for row in plan.rows:
        if row.record is not None:
            path = store.path(row.record)
            found.append(Result(row.record, _speed_of(row.record, store), Written(path, kept=False)))
    return found


def _speed_of(record: Record, store: Store) -> Speed | None:
    """Return a measurement of speed that belongs to a record."""
    told, data = record.method, record.dataset
    for path in store.speed_files():
        if path.parent.name != store.path(record).parent.name:
            continue
        try:
            speed = read_speed(path)
        except HsbenchError:
            continue
        made = (speed.method, speed.variant, speed.dataset, speed.scale, speed.protocol)
        if made == (told.name, told.variant, data.name, data.scale, data.protocol):
            return speed
    return None
