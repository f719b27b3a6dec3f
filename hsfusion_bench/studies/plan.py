"""What a study will do, before it does: rows, scenes, what is done already, what is missing, how long it takes.

No scene is read for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from hsfusion_bench.runs.records import Record, Store
from hsfusion_bench.studies.asked import Row
from hsfusion_bench.studies.expected import Expected
from hsfusion_bench.studies.outlook import Outlook, outlooks
from hsfusion_bench.studies.points import Place, Point
from hsfusion_bench.studies.roster import Member
from hsfusion_bench.studies.study import Study

State = Literal["run", "recorded", "skipped", "missing"]
#: What is said of the rows of a task that is not open.
_WITHOUT_DATA: Final = {"missing": "data missing", "broken": "data cannot be read"}


@dataclass(frozen=True)
class PlannedRow:
    """One row of a plan.

    Parameters
    ----------
    row
        What is run, or would be.
    state
        "run"; "recorded": running it again would give the record that stands, and it is not; "skipped": it was not
        asked for by name, and cannot be run; "missing": its task lacks data, and so nothing else is known of it.
    scenes, done
        How many it has, and of how many the results are here.
    seconds
        How long it will take; None: nobody knows.
    note
        What is to be known of it: why it is skipped, or will fail.
    record
        The record that stands.
    trained
        Whether a training is part of it.
    """

    row: Row
    state: State
    scenes: int
    done: int
    seconds: float | None
    note: str = ""
    record: Record | None = None
    trained: bool = False


@dataclass(frozen=True)
class PlannedTask:
    """A task of a plan with its rows; none where it makes no sense."""

    point: Point
    rows: tuple[PlannedRow, ...]


@dataclass(frozen=True)
class Plan:
    """What a study will do.

    Parameters
    ----------
    tasks
        In the order in which they are run, those that cannot be opened among them.
    remarks
        What is to be known of it as a whole, a line each.
    """

    tasks: tuple[PlannedTask, ...]
    remarks: tuple[str, ...] = ()

    @property
    def rows(self) -> list[PlannedRow]:
        """The rows that are run, or are recorded already."""
        return [row for task in self.tasks for row in task.rows if row.state in ("run", "recorded")]

    @property
    def to_run(self) -> list[Row]:
        """The rows that are run."""
        return [row.row for row in self.rows if row.state == "run"]

    @property
    def lacks_data(self) -> bool:
        """Whether a task cannot be run for want of data, or since they cannot be read."""
        return any(task.point.state in ("missing", "broken") for task in self.tasks)

    @property
    def seconds(self) -> float:
        """How long it will take, without the rows of which nobody knows."""
        return sum(row.seconds or 0.0 for row in self.rows if row.state == "run")

    @property
    def unknown(self) -> int:
        """How many rows will take nobody knows how long."""
        return sum(row.seconds is None for row in self.rows if row.state == "run")

    def __str__(self) -> str:
        """Return a line such as "34 rows, 211 scenes, 12 done, about 1 h 40 min"."""
        scenes, done = sum(row.scenes for row in self.rows), sum(row.done for row in self.rows)
        parts = [counted(len(self.rows), "row"), counted(scenes, "scene"), f"{done} done"]
        if not self.to_run:
            return ", ".join([*parts, "nothing to run"])
        if self.unknown < len(self.to_run):
            parts.append(told_time(self.seconds))
        if self.unknown:
            parts.append(f"{counted(self.unknown, 'row')} of unknown time")
        return ", ".join(parts)

    def facts(self) -> dict[str, Any]:
        """Return the plan as JSON holds it."""
        return {
            "tasks": [_facts(task) for task in self.tasks],
            "rows": len(self.rows),
            "rows_to_run": len(self.to_run),
            "scenes": sum(row.scenes for row in self.rows),
            "scenes_done": sum(row.done for row in self.rows),
            "seconds": self.seconds,
            "rows_of_unknown_time": self.unknown,
            "remarks": list(self.remarks),
        }


def _facts(task: PlannedTask) -> dict[str, Any]:
    asked, opened = task.point.asked, task.point.task
    return {
        "dataset": asked.dataset,
        "scale": asked.scale,
        "protocol": asked.protocol.name if opened is None else opened.protocol.id,
        "state": task.point.state,
        "problem": None if task.point.problem is None else str(task.point.problem),
        "rows": [
            {
                "method": row.row.name,
                "seed": row.row.asked.seed,
                "state": row.state,
                "scenes": row.scenes,
                "scenes_done": row.done,
                "seconds": row.seconds,
                "note": row.note,
            }
            for row in task.rows
        ],
    }


def planned(study: Study, members: Sequence[Member], points: Sequence[Point], place: Place, *, again: bool) -> Plan:
    """Plan a study.

    Parameters
    ----------
    study, members, points, place
        What is run, by which methods, on which tasks, where.
    again
        Whether rows that are recorded already are run all the same.
    """
    store, expected = Store(place.results_dir), Expected([place.results_dir], place.device)
    opened = [point for point in points if point.task is not None]
    columns = [_of_method(member, study, opened) for member in members]
    tasks = []
    for point in points:
        rows = (row for column in columns for row in column if row[1] is point)
        planned_rows = [_planned(*row, store, expected, again=again) for row in rows]
        tasks.append(PlannedTask(point, tuple(planned_rows or _without_data(point, members))))
    return Plan(tuple(tasks), tuple(_remarks(study, tasks)))


def _without_data(point: Point, members: Sequence[Member]) -> list[PlannedRow]:
    """Return the rows of a task that cannot be opened, one a method: of what is trained nothing is known."""
    note = _WITHOUT_DATA.get(point.state)
    if note is None:
        return []
    rows = [
        Row(each.spec, each.name, each.origin, each.apart, replace(point.asked, seed=0, resume=True))
        for each in members
    ]
    return [PlannedRow(row, "missing", 0, 0, None, note) for row in rows]


def _of_method(member: Member, study: Study, points: Sequence[Point]) -> list[tuple[Row, Point, Outlook, Member]]:
    """Return the rows of a method; one that is not trained has one seed."""
    apart = member.apart
    seeds = study.seeds if study.train else (0,)
    rows = [
        (Row(member.spec, member.name, member.origin, apart, replace(point.asked, seed=seed, resume=True)), point)
        for point in points
        for seed in seeds
    ]
    if not rows:
        return []
    known = outlooks([row for row, _ in rows], [point.task for _, point in rows if point.task is not None])
    found = []
    for (row, point), outlook in zip(rows, known, strict=True):
        if outlook.training is not None:
            found.append((row, point, outlook, member))
        elif row.asked.seed == seeds[0]:  # the seed is that of a training
            told = None if outlook.record is None else outlook.record.model_copy(update={"seed": 0})
            row = replace(row, asked=replace(row.asked, seed=0))
            found.append((row, point, replace(outlook, record=told), member))
    return found


def _planned(
    row: Row, point: Point, outlook: Outlook, member: Member, store: Store, expected: Expected, *, again: bool
) -> PlannedRow:
    assert point.task is not None
    task, scenes = point.task, len(point.task.names)
    why = outlook.obstacle or ("no weights" if outlook.lacking is not None else "")
    if why:
        state: State = "run" if member.named else "skipped"
        return PlannedRow(row, state, scenes, 0, 0.0, why)
    trained = outlook.training is not None
    found = outlook.standing(store, row.asked)
    untimed = row.asked.timing and (row.asked.time_again or not expected.timed(task, outlook))
    if found is not None and not again and not untimed and _has_cubes(row, store, found):
        return PlannedRow(row, "recorded", scenes, scenes, 0.0, "recorded already", found, trained)
    done = outlook.scenes_done(store, row.asked)
    seconds = expected.seconds(task, outlook, scenes - done, timing=untimed)
    notes = [] if outlook.training is None else [f"trained for {counted(outlook.training.steps, 'step')}"]
    notes += ["recorded, but not timed here"] if found is not None and not again and untimed else []
    return PlannedRow(row, "run", scenes, done, seconds, "; ".join(notes), trained=trained)


def _has_cubes(row: Row, store: Store, record: Record) -> bool:
    """Whether the results for the MATLAB script are where they are asked for."""
    if row.asked.save_mat is None:
        return True
    path = store.path(record)
    return Path(row.asked.save_mat, path.parent.name, f"{path.stem}.mat").is_file()


def _remarks(study: Study, tasks: Sequence[PlannedTask]) -> list[str]:
    if len(study.seeds) == 1:
        return []
    seeds = ", ".join(map(str, study.seeds))
    trained = {row.row.name for task in tasks for row in task.rows if row.trained}
    if not study.train:
        return [f"seeds {seeds}: nothing is trained, so that each method runs once; --train trains by each seed"]
    once = {row.row.name for task in tasks for row in task.rows if row.state != "missing"} - trained
    return (
        [f"seeds {seeds}: of networks only; what is not trained runs once ({', '.join(sorted(once))})"] if once else []
    )


def counted(number: int, what: str) -> str:
    """Return a number of things, such as "1 row" or "34 rows"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def told_time(seconds: float) -> str:
    """Return an expected time as people say it, such as "about 1 h 40 min"."""
    if seconds < 60:
        return f"about {max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"about {hours} h {minutes} min" if minutes and hours < 10 else f"about {round(hours + minutes / 60)} h"
    return f"about {round(hours / 24)} days"
