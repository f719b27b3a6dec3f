"""``hsbench run``: methods on a dataset, or a study of many."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsfusion_bench.cli.common import (
    also_option,
    chosen_device,
    comma_separated,
    console,
    file_options,
    pictures_option,
    report_results,
    results_dir_option,
    tile_option,
)
from hsfusion_bench.cli.numbers import SEED
from hsfusion_bench.cli.run_options import (
    STUDIES,
    Several,
    data_roots,
    given_options,
    require_among,
    require_stated,
    study_of,
    study_options,
)
from hsfusion_bench.cli.sections import Sectioned, SectionOption
from hsfusion_bench.errors import HsbenchError, MissingDataError, UsageError

if TYPE_CHECKING:
    from hsfusion_bench.runs.contenders import Contender
    from hsfusion_bench.runs.setting import Result
    from hsfusion_bench.studies.listening import Outcome
    from hsfusion_bench.studies.plan import Plan
    from hsfusion_bench.studies.points import Place, Point
    from hsfusion_bench.studies.roster import Member
    from hsfusion_bench.studies.study import Study


@click.command("run", cls=Sectioned, short_help="Run methods on datasets, score them, write records and tables.")
@click.option(
    "--methods",
    callback=comma_separated,
    metavar="NAME,...",
    help="Methods, by name; FILE.py:NAME for a class or a function in a file of your own; all, or a family: "
    "classical, cnn, inr, transformer, unsupervised.",
)
@study_options
@file_options
@tile_option
@click.option(
    "--weights",
    multiple=True,
    metavar="METHOD=FILE",
    help="Weights of a network: ours, a file of its authors, or a name of `hsbench weights list`.",
)
@click.option("--train", is_flag=True, help="Train the networks first, by their recipes.")
@click.option(
    "--max-steps",
    multiple=True,
    metavar="[METHOD=]N",
    help="Cut the recipes to N optimiser steps (with --train); for one method by METHOD=N.",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="METHOD.NAME=VALUE",
    help="Change an option of a method (see `hsbench show`), or, with --train, a number of a network's recipe.",
)
@click.option(
    "--blind", is_flag=True, help="Withhold PSF and SRF from all methods; those that need them estimate them."
)
@also_option
@click.option(
    "--seed",
    type=Several(SEED),
    default="0",
    show_default=True,
    metavar="N,...",
    help="Seeds of weights and patches, with --train: networks are trained by each.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--no-timing", is_flag=True, help="Do not measure latency and memory.")
@click.option(
    "--study",
    "study_file",
    cls=SectionOption,
    section=STUDIES,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.toml",
    help="A study of many tasks, in a file: see --write-study.",
)
@click.option(
    "--write-study",
    cls=SectionOption,
    section=STUDIES,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.toml",
    help="Write what this command line says as a study, and run nothing.",
)
@click.option(
    "--plan",
    "only_plan",
    cls=SectionOption,
    section=STUDIES,
    is_flag=True,
    help="Print what would be run, and how long it takes; run nothing.",
)
@click.option("--json", "as_json", cls=SectionOption, section=STUDIES, is_flag=True, help="Print the plan as JSON.")
@click.option(
    "--again",
    cls=SectionOption,
    section=STUDIES,
    is_flag=True,
    help="Run rows of a study again that are recorded already.",
)
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the table as CSV.")
@click.option("--latex", "latex_file", type=click.Path(path_type=Path, dir_okay=False), help="Write it as LaTeX.")
@click.option(
    "--save-mat",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write each method's results for the MATLAB script: FOLDER/TASK/METHOD.mat, called as the record is.",
)
@pictures_option
@results_dir_option
@click.pass_context
def command(context: click.Context, /, **told: Any) -> None:
    """Run methods on datasets: observe, fuse, score, count, time.

    Writes one record a method and task below --results-dir, prints a leaderboard of each task, and exits with 1 if any
    method has no weights or fails, or data are missing; the others run all the same. Of several tasks, or by `all`, a
    plan is printed first, and what is recorded already is not run again.

    \b
    Examples:
      hsbench run --methods bicubic,feinfn,mossfuse --dataset cave --scale 4 --data-root ~/CAVE
      hsbench run --methods bicubic,./mine.py:MyMethod --dataset demo --scale 4
      hsbench run --methods cnmf --dataset demo --scale 4 --set cnmf.endmembers=20
      hsbench run --methods feinfn --dataset demo --scale 4 --train --max-steps 100
      hsbench run --methods all --dataset cave,harvard --scale 4,8 --plan
      hsbench run --study study.toml --data-root cave=~/CAVE
    """
    from hsfusion_bench.runs.weights.choosing import named
    from hsfusion_bench.studies.points import Place, points, require_known
    from hsfusion_bench.studies.study import read_study

    debug: bool = context.find_root().params["debug"]
    where: Path | None = told["study_file"]
    if told["as_json"] and not told["only_plan"]:
        raise UsageError("--json is about the plan: add --plan")
    if where is None:
        require_stated(context)
    file = None if where is None else read_study(where)
    members = _members(told["methods"] or (() if file is None else file.methods), where, apart=not debug)
    names = [member.name for member in members]
    study = study_of(context, names, file, where)
    if where is not None:
        require_among(study, names, where)
    contenders, classical = _looked_at(study, members)
    _refuse_without_effect(context, study, names, classical)
    weights = {name: named(text) for name, text in study.weights.items()}
    roots = data_roots(told["data_root"], study.datasets, given="data_root" in given_options(context))
    place = Place(told["results_dir"], chosen_device(told["device"]), roots, told["save_mat"])
    many = len(study.datasets) * len(study.scales) * max(1, len(study.protocols)) * len(study.noise_seeds) > 1
    many = many or bool(study.sweeps) or where is not None
    if many:
        require_known(study, "" if where is None else str(where))
    opened = points(study, names, weights, place)
    if told["write_study"] is not None:
        _write(study, told["write_study"])
        if not told["only_plan"]:
            return
    one = not many and len(study.seeds) == 1 and all(member.named for member in members)
    if one and not told["only_plan"] and not told["again"]:
        plan, outcomes = None, _run_one(study, members, contenders, opened[0], debug=debug)
    else:
        plan = _planned(study, members, opened, place, again=told["again"])
        if told["only_plan"]:
            _print(plan, as_json=told["as_json"])
            return
        outcomes = _run_many(plan, place, debug=debug)
    _report(context, outcomes, plan, place, told["csv_file"], told["latex_file"])


def _members(words: Sequence[str], where: Path | None, *, apart: bool) -> list[Member]:
    from hsfusion_bench.studies.roster import chosen_methods

    try:
        return chosen_methods(words, apart=apart)
    except UsageError as error:
        if where is None:
            raise
        raise UsageError(f"{where}: methods: {error}") from error


def _looked_at(study: Study, members: Sequence[Member]) -> tuple[list[Contender], set[str]]:
    """Set the options of the methods, to refuse wrong ones; return them, and which are known to be no networks.

    Those of others are imported in processes of their own, and only if something is said of them.
    """
    from hsfusion_bench.methods import NetworkMethod
    from hsfusion_bench.runs.contenders import Contender
    from hsfusion_bench.studies.apart import check_apart

    contenders, classical = [], set[str]()
    about_networks = study.train or study.seeds != (0,)
    for member in members:
        settings = study.settings.get(member.name)
        if not member.apart:
            contenders.append(Contender.of(member.spec, settings))
            continue
        contenders.append(Contender(member.name, member.origin, None))
        asked = about_networks or member.name in study.weights or member.name in study.max_steps
        if (settings or asked) and not check_apart(member.spec, settings or {}, train=study.train):
            classical.add(member.name)
    for contender in contenders:
        if contender.recipe_changes and not study.train:
            number = next(iter(contender.recipe_changes))
            raise UsageError(f"--set {contender.name}.{number} is about training: add --train")
    classical |= {each.name for each in contenders if each.method and not isinstance(each.method, NetworkMethod)}
    return contenders, classical


def _refuse_without_effect(context: click.Context, study: Study, names: Sequence[str], classical: set[str]) -> None:
    """Refuse options about networks where none, or not that method, is one; of what was not imported nobody knows."""
    if study.max_steps and not study.train:
        raise UsageError("--max-steps is about training: add --train")
    for option, table in (("--weights", study.weights), ("--max-steps", study.max_steps)):
        for name, value in table.items():
            if name in classical:
                raise UsageError(f"{option} {name}={value}: {name} is not a network, and has no weights")
    if study.train and (both := [name for name in names if name in study.weights]):
        raise UsageError(
            f"--weights {both[0]}=... and --train: weights are given to a method, or trained; leave one out"
        )
    seeded = "seed" in given_options(context) or study.seeds != (0,)
    if len(classical) < len(names):
        if seeded and not study.train and len(study.seeds) == 1:
            raise UsageError("--seed is that of a training: add --train")
        return  # of several seeds the plan says what becomes of them
    tiled = "tile" in given_options(context) or study.tile != "auto"
    for option, given in (("--train", study.train), ("--tile", tiled), ("--seed", seeded)):
        if given:
            raise UsageError(
                f"{option} is about networks, and none is among the methods ({', '.join(sorted(classical))})"
            )


def _write(study: Study, file: Path) -> None:
    from hsfusion_bench.files import write_text

    write_text(file, study.text(file.parent))
    console(stderr=True).print(f"study   {file}; hsbench run --study {file}", markup=False, soft_wrap=True)


def _run_one(
    study: Study, members: Sequence[Member], contenders: list[Contender], point: Point, *, debug: bool
) -> list[Outcome]:
    """Run methods on one task; what prevents it is raised."""
    from dataclasses import replace

    from hsfusion_bench.cli.display import shown
    from hsfusion_bench.cli.planned import Progress
    from hsfusion_bench.cli.recorded import show_recorded
    from hsfusion_bench.runs.records import Store
    from hsfusion_bench.studies.asked import Row
    from hsfusion_bench.studies.executing import execute

    asked = replace(point.asked, seed=study.seeds[0])
    if point.problem is not None:
        if isinstance(point.problem, MissingDataError):
            show_recorded(contenders, asked.dataset, asked.scale, asked.protocol)
        raise point.problem
    Store(asked.results_dir).require_writable()
    rows = [Row(member.spec, member.name, member.origin, member.apart, asked) for member in members]
    return execute(rows, functools.partial(shown, debug=debug), Progress(None), alone=True)


def _planned(study: Study, members: Sequence[Member], points: Sequence[Point], place: Place, *, again: bool) -> Plan:
    from hsfusion_bench.studies.plan import planned
    from hsfusion_bench.studies.points import possible

    plan = planned(study, members, [possible(point) for point in points], place, again=again)
    if not plan.rows:
        problems = [task.point.problem for task in plan.tasks if task.point.problem is not None]
        if len(problems) == len(plan.tasks):
            more = f" (and {len(problems) - 1} more tasks cannot be run)" if len(problems) > 1 else ""
            raise type(problems[0])(f"{problems[0]}{more}")
        raise HsbenchError(f"no method can be run: {plan.tasks[0].rows[0].note}")
    return plan


def _print(plan: Plan, *, as_json: bool) -> None:
    from hsfusion_bench.cli.planned import print_plan
    from hsfusion_bench.terminal import echo, json_text

    if as_json:
        echo(json_text(plan.facts()))
    else:
        print_plan(plan, rows=True)


def _run_many(plan: Plan, place: Place, *, debug: bool) -> list[Outcome]:
    """Show the plan, and run what it says."""
    from hsfusion_bench.cli.display import shown
    from hsfusion_bench.cli.planned import Progress, print_plan
    from hsfusion_bench.runs.records import Store
    from hsfusion_bench.studies.executing import execute

    print_plan(plan, rows=False)
    Store(place.results_dir).require_writable()
    return execute(plan.to_run, functools.partial(shown, debug=debug), Progress(plan))


def _report(
    context: click.Context,
    outcomes: Sequence[Outcome],
    plan: Plan | None,
    place: Place,
    csv_file: Path | None,
    latex_file: Path | None,
) -> None:
    """Print the leaderboards of what was run and what was recorded already, and exit with 1 if anything failed."""
    from hsfusion_bench.cli.planned import recorded_already, results_of

    results: list[Result] = results_of(outcomes)
    known = [] if plan is None else recorded_already(plan, place.results_dir)
    if results or known:
        report_results(results, csv_file, latex_file, known)
    failed = any(result.record.status != "ok" or result.lost is not None for result in results)
    if failed or len(results) < len(outcomes) or (plan is not None and plan.lacks_data):
        context.exit(1)
