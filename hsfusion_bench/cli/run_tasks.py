"""How a run is carried out: of one task, or of a study by its plan; and what is printed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from hsfusion_bench.cli.common import report_results
from hsfusion_bench.cli.planned import Progress, print_plan, recorded_already, results_of
from hsfusion_bench.cli.recorded import show_recorded
from hsfusion_bench.cli.workers import Workers
from hsfusion_bench.errors import HsbenchError, MissingDataError
from hsfusion_bench.runs.contenders import Contender
from hsfusion_bench.runs.records import Store
from hsfusion_bench.studies.asked import Row
from hsfusion_bench.studies.listening import Outcome
from hsfusion_bench.studies.plan import Plan, counted, planned
from hsfusion_bench.studies.points import Place, Point, possible
from hsfusion_bench.studies.roster import Member
from hsfusion_bench.studies.study import Study
from hsfusion_bench.terminal import echo, json_text


def run_one(
    study: Study, members: Sequence[Member], contenders: list[Contender], point: Point, workers: Workers
) -> list[Outcome]:
    """Run methods on one task; what prevents it is raised."""
    asked = replace(point.asked, seed=study.seeds[0])
    if point.problem is not None:
        if isinstance(point.problem, MissingDataError):
            show_recorded(contenders, asked.dataset, asked.scale, asked.protocol)
        raise point.problem
    Store(asked.results_dir).require_writable()
    rows = [Row(member.spec, member.name, member.origin, member.apart, asked) for member in members]
    return workers.run(rows, Progress(None), alone=True)


def plan_of(
    study: Study, members: Sequence[Member], points: Sequence[Point], place: Place, *, again: bool, only: bool = False
) -> Plan:
    """Plan a study; one of which nothing can be run is refused, with the reason: but that data are missing is a plan.

    With `only`, the plan is all that is wanted.
    """
    plan = planned(study, members, [possible(point) for point in points], place, again=again)
    if not plan.rows and not (only and plan.lacks_data):
        problems = [task.point.problem for task in plan.tasks if task.point.problem is not None]
        if len(problems) == len(plan.tasks):
            more = f" (nor can {counted(len(problems) - 1, 'other task')} be run)" if len(problems) > 1 else ""
            raise type(problems[0])(f"{problems[0]}{more}")
        raise HsbenchError(f"no method can be run: {plan.tasks[0].rows[0].note}")
    return plan


def show_plan(context: click.Context, plan: Plan, *, as_json: bool) -> None:
    """Print a plan with all its rows, or as JSON; exit with 1 if none of them can be run for want of data."""
    if as_json:
        echo(json_text(plan.facts()))
    else:
        print_plan(plan, rows=True)
    if not plan.rows:
        context.exit(1)


def run_many(plan: Plan, place: Place, workers: Workers) -> list[Outcome]:
    """Show the plan, and run what it says."""
    print_plan(plan, rows=False)
    Store(place.results_dir).require_writable()
    return workers.run(plan.to_run, Progress(plan))


def report(
    context: click.Context,
    outcomes: Sequence[Outcome],
    plan: Plan | None,
    place: Place,
    csv_file: Path | None,
    latex_file: Path | None,
) -> None:
    """Print the leaderboards of what was run and what was recorded already, and exit with 1 if anything failed."""
    results = results_of(outcomes)
    known = [] if plan is None else recorded_already(plan, place.results_dir)
    if results or known:
        report_results(results, csv_file, latex_file, known)
    failed = any(result.record.status != "ok" or result.lost is not None for result in results)
    if failed or len(results) < len(outcomes) or (plan is not None and plan.lacks_data):
        context.exit(1)
