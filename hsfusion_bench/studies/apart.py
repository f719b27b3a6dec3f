"""A stranger's method is run in a process of its own: whatever it does, it costs its own row, and no other."""

from __future__ import annotations

from collections.abc import Mapping

from hsfusion_bench.children.calling import DiedError, call, started
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.methods import NetworkMethod
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.runner import alone_with
from hsfusion_bench.runs.setting import Listener, Result
from hsfusion_bench.studies.asked import Row
from hsfusion_bench.studies.listening import Listening

#: Seconds that the import of a method may take.
IMPORT_LIMIT = 120.0


def run_apart(row: Row, task: Task, listening: Listening) -> Result:
    """Run a method in a process of its own; where that dies, the record says how.

    Parameters
    ----------
    row
        What is run; its method is not imported here.
    task
        Its task, opened here.
    listening
        Makes the listener in the other process.
    """
    try:
        return call(_run, row, listening, start_limit=IMPORT_LIMIT)
    except DiedError as error:
        failed = Contender(row.name, row.origin, None, error)
        with alone_with([failed], row.asked.setting(task, failed)):
            return row.asked.run(failed, task, Listener())


def check_apart(spec: str, changes: Mapping[str, str], *, train: bool) -> bool:
    """Refuse settings that a method does not have; return whether it is a network, as far as that can be told.

    Raises
    ------
    UsageError
        If it has no such setting, or a text is not a value of it. That it cannot be imported is for its row to say.
    """
    try:
        network, number = call(_looked_at, spec, changes, time_limit=IMPORT_LIMIT)
    except UsageError:
        raise
    except HsbenchError:
        return True
    if number is not None and not train:
        raise UsageError(f"--set {spec}.{number} is about training: add --train")
    return network


def _run(row: Row, listening: Listening) -> Result:
    display = listening()
    contender = row.contender()
    started()
    asked = row.asked
    with asked.open().cached() as task, alone_with([contender], asked.setting(task, contender)), display as listener:
        return asked.run(contender, task, listener)


def _looked_at(spec: str, changes: Mapping[str, str]) -> tuple[bool, str | None]:
    """Return whether a method may be a network, and the name of a changed number of its recipe, if there is one."""
    contender = Contender.of(spec, changes)
    network = contender.method is None or isinstance(contender.method, NetworkMethod)
    return network, next(iter(contender.recipe_changes), None)
