"""``hsbench run``: methods on a dataset, or a study of many."""

from __future__ import annotations

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
    results_dir_option,
    tile_option,
)
from hsfusion_bench.cli.numbers import SEED
from hsfusion_bench.cli.run_checks import looked_at, members_of, refuse_without_effect
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
from hsfusion_bench.cli.workers import Workers, workers_options
from hsfusion_bench.errors import UsageError

if TYPE_CHECKING:
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
@click.option("--time-again", is_flag=True, help="Measure them also of methods that were measured on this device.")
@workers_options
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
    from hsfusion_bench.cli.run_tasks import plan_of, report, run_many, run_one, show_plan
    from hsfusion_bench.runs.weights.choosing import named
    from hsfusion_bench.studies.points import Place, points, require_known
    from hsfusion_bench.studies.study import read_study

    workers = Workers(told["workers"], told["cluster"], context.find_root().params["debug"])
    where: Path | None = told["study_file"]
    if told["time_again"] and told["no_timing"]:
        raise UsageError("--time-again and --no-timing: leave one out")
    if told["as_json"] and not told["only_plan"]:
        raise UsageError("--json is about the plan: add --plan")
    if where is None:
        require_stated(context)
    file = None if where is None else read_study(where)
    members = members_of(told["methods"] or (() if file is None else file.methods), where, apart=not workers.debug)
    names = [member.name for member in members]
    study = study_of(context, names, file, where)
    if where is not None:
        require_among(study, names, where)
    contenders, classical = looked_at(study, members)
    refuse_without_effect(context, study, names, classical)
    weights = {name: named(text) for name, text in study.weights.items()}
    roots = data_roots(told["data_root"], study.datasets, given="data_root" in given_options(context))
    place = Place(
        told["results_dir"],
        chosen_device(told["device"], networks=len(classical) < len(names)),
        roots,
        told["save_mat"],
        told["time_again"],
    )
    many = len(study.datasets) * len(study.scales) * max(1, len(study.protocols)) * len(study.noise_seeds) > 1
    many = many or bool(study.sweeps) or where is not None
    if many or told["write_study"] is not None:
        require_known(study, "" if where is None else str(where))
    opened = points(study, names, weights, place)
    if told["write_study"] is not None:
        _write(study, told["write_study"])
        if not told["only_plan"]:
            return
    one = not many and len(study.seeds) == 1 and all(member.named for member in members)
    if one and not told["only_plan"] and not told["again"]:
        plan, outcomes = None, run_one(study, members, contenders, opened[0], workers)
    else:
        plan = plan_of(study, members, opened, place, again=told["again"], only=told["only_plan"])
        if told["only_plan"]:
            show_plan(context, plan, as_json=told["as_json"])
            return
        outcomes = run_many(plan, place, workers)
    report(context, outcomes, plan, place, told["csv_file"], told["latex_file"])


def _write(study: Study, file: Path) -> None:
    from hsfusion_bench.files import write_text

    write_text(file, study.text(file.parent))
    console(stderr=True).print(f"study   {file}; hsbench run --study {file}", markup=False, soft_wrap=True)
