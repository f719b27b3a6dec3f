"""A stranger's method is run in a process of its own: whatever it does, it costs its own row, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hsfusion_bench.children.calling import DiedError, call, started
from hsfusion_bench.cli.asked import Asked
from hsfusion_bench.cli.display import Display
from hsfusion_bench.data.task import Task
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.runner import Listener, Result, alone_with

#: Seconds that the import of a method may take.
IMPORT_LIMIT = 120.0


def run_apart(spec: str, contender: Contender, asked: Asked, task: Task) -> Result:
    """Run a method in a process of its own; where that dies, the record says how.

    Parameters
    ----------
    spec
        What the method was called by.
    contender
        Its name and origin; it is not imported here.
    asked, task
        What it is run on.
    """
    try:
        return call(_run, spec, asked, start_limit=IMPORT_LIMIT)
    except DiedError as error:
        failed = replace(contender, error=error)
        with alone_with([failed], asked.setting(task)):
            return asked.run(failed, task, Listener())


def check_apart(spec: str, changes: Mapping[str, str], *, train: bool) -> None:
    """Refuse settings that a method does not have.

    Raises
    ------
    UsageError
        If it has no such setting, or a text is not a value of it. That it cannot be imported is for its row to say.
    """
    try:
        number = call(_recipe_change, spec, changes, time_limit=IMPORT_LIMIT)
    except UsageError:
        raise
    except HsbenchError:
        return
    if number is not None and not train:
        raise UsageError(f"--set {spec}.{number} is about training: add --train")


def _run(spec: str, asked: Asked) -> Result:
    from hsfusion_bench.registry import find

    contender = Contender.of(spec, asked.changes.get(find(spec).name))
    started()
    with asked.open().cached() as task, alone_with([contender], asked.setting(task)), Display() as display:
        return asked.run(contender, task, display)


def _recipe_change(spec: str, changes: Mapping[str, str]) -> str | None:
    """Return the name of a changed number of the recipe, if there is one."""
    return next(iter(Contender.of(spec, changes).recipe_changes), None)
