"""The rows of a study, run one after the other; what is computed is kept whatever ends it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.runner import alone_with
from hsfusion_bench.runs.setting import Result
from hsfusion_bench.studies.apart import run_apart
from hsfusion_bench.studies.asked import Asked, Row
from hsfusion_bench.studies.listening import Listening, Lost, Outcome, Watcher


def execute(rows: Sequence[Row], listening: Listening, watcher: Watcher, *, alone: bool = False) -> list[Outcome]:
    """Run rows, task by task, one at a time.

    Parameters
    ----------
    rows
        What is run; those of one task share its scenes, which are decoded once.
    listening, watcher
        Are told how each row goes, and how all do.
    alone
        Whether the rows are all there is to a command, as those of one task are: then no other process may write any
        of their records, and what prevents one is raised. Else that row is lost, and the others are run.

    Returns
    -------
    What came of each, in the order in which they were run: by task.

    Raises
    ------
    HsbenchError
        Only if `alone`.
    KeyboardInterrupt
        What was computed is recorded; running the same rows again goes on from there.
    """
    tasks = by_task(rows)
    outcomes: list[Outcome] = []

    def done(row: Row, outcome: Outcome) -> None:
        outcomes.append(outcome)
        watcher.row_done(len(outcomes), len(rows), row, outcome)

    for number, (asked, members) in enumerate(tasks, start=1):
        with ExitStack() as stack:
            try:
                task = stack.enter_context(asked.open().cached())
            except HsbenchError as error:
                if alone:
                    raise
                for row in members:
                    done(row, Lost(row, str(error)))
                continue
            watcher.task_begun(number, len(tasks), task)
            contenders = [None if row.apart else row.contender() for row in members]
            for row, contender in zip(members, contenders, strict=True):
                if alone and contender is not None:
                    stack.enter_context(alone_with([contender], row.asked.setting(task, contender)))
            for row, contender in zip(members, contenders, strict=True):
                try:
                    done(row, _run(row, contender, task, listening, locked=alone))
                except HsbenchError as error:
                    if alone:
                        raise
                    done(row, Lost(row, str(error)))
    return outcomes


def by_task(rows: Sequence[Row]) -> list[tuple[Asked, list[Row]]]:
    """Return rows by their task, whose options are those of its rows but for the seed."""
    found: list[tuple[Asked, list[Row]]] = []
    for row in rows:
        asked = replace(row.asked, seed=0)
        members = next((members for known, members in found if known == asked), None)
        if members is None:
            found.append((asked, [row]))
        else:
            members.append(row)
    return found


def _run(row: Row, contender: Contender | None, task: Task, listening: Listening, *, locked: bool) -> Result:
    if contender is None:
        return run_apart(row, task, listening)
    with ExitStack() as stack:
        if not locked:
            stack.enter_context(alone_with([contender], row.asked.setting(task, contender)))
        return row.asked.run(contender, task, stack.enter_context(listening()))
