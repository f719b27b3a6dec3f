"""``hsbench run``: methods on a dataset."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import (
    also_option,
    chosen_device,
    comma_separated,
    console,
    dataset_options,
    file_options,
    pictures_option,
    remark_on_camera,
    report_results,
    results_dir_option,
    tile_option,
    with_key,
)
from hsfusion_bench.cli.numbers import SEED
from hsfusion_bench.cli.sections import Sectioned
from hsfusion_bench.errors import MissingDataError, UsageError

if TYPE_CHECKING:
    from hsfusion_bench.data.observing.protocols import ProtocolChoice
    from hsfusion_bench.methods import Tile
    from hsfusion_bench.runs.setting import Result
    from hsfusion_bench.runs.weights.choosing import Named


@click.command("run", cls=Sectioned, short_help="Run methods on a dataset, score them, write records and tables.")
@click.option(
    "--methods",
    required=True,
    callback=comma_separated,
    metavar="NAME,...",
    help="Methods, by name; FILE.py:NAME for a class or a function in a file of your own.",
)
@dataset_options
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
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of weights and patches.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--no-timing", is_flag=True, help="Do not measure latency and memory.")
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
def command(
    context: click.Context,
    methods: list[str],
    dataset: str,
    scale: int,
    protocol: ProtocolChoice,
    data_root: Path | None,
    scenes: list[str] | None,
    wavelengths: str | None,
    key: str | None,
    const: float | None,
    tile: Tile,
    weights: tuple[str, ...],
    train: bool,
    max_steps: tuple[str, ...],
    changes: tuple[str, ...],
    blind: bool,
    also: tuple[str, ...],
    seed: int,
    device: str,
    no_timing: bool,
    csv_file: Path | None,
    latex_file: Path | None,
    save_mat: Path | None,
    pictures: bool,
    results_dir: Path,
) -> None:
    """Run methods on a dataset: observe, fuse, score, count, time.

    Writes one record a method below --results-dir, prints the leaderboard of this run, and exits with 1 if any method
    has no weights or fails; the others run all the same.

    \b
    Examples:
      hsbench run --methods bicubic,feinfn,mossfuse --dataset cave --scale 4 --data-root ~/CAVE
      hsbench run --methods bicubic,./mine.py:MyMethod --dataset demo --scale 4
      hsbench run --methods cnmf --dataset demo --scale 4 --set cnmf.endmembers=20
      hsbench run --methods feinfn --dataset demo --scale 4 --train --max-steps 100
      hsbench run --methods bicubic,gsa --dataset demo --scale 4 --pictures
    """
    from hsfusion_bench.cli.apart import check_apart, run_apart
    from hsfusion_bench.cli.asked import Asked
    from hsfusion_bench.cli.display import Display
    from hsfusion_bench.cli.recorded import show_recorded
    from hsfusion_bench.methods import NetworkMethod
    from hsfusion_bench.registry import find
    from hsfusion_bench.runs.contenders import Contender, require_apart
    from hsfusion_bench.runs.records import Store
    from hsfusion_bench.runs.runner import alone_with

    if max_steps and not train:
        raise UsageError("--max-steps is about training: add --train")
    debug = context.find_root().params["debug"]
    entries = [find(spec) for spec in methods]
    names = [entry.name for entry in entries]
    require_apart(names)
    steps = _steps(max_steps, names)
    changed = _changes(changes, names)
    apart = set() if debug else {entry.name for entry in entries if entry.origin.kind != "shipped"}
    contenders, classical = [], set[str]()
    for spec, entry in zip(methods, entries, strict=True):
        if entry.name not in apart:
            contenders.append(Contender.of(spec, changed.get(entry.name)))
            continue
        contenders.append(Contender(entry.name, entry.origin, None))
        about_networks = train or entry.name in steps or any(text.startswith(f"{entry.name}=") for text in weights)
        if (entry.name in changed or about_networks) and not check_apart(
            spec, changed.get(entry.name, {}), train=train
        ):
            classical.add(entry.name)
    for contender in contenders:
        if contender.recipe_changes and not train:
            number = next(iter(contender.recipe_changes))
            raise UsageError(f"--set {contender.name}.{number} is about training: add --train")
    classical |= {each.name for each in contenders if each.method and not isinstance(each.method, NetworkMethod)}
    _refuse_without_effect(context, names, classical, train, max_steps)
    files = _weights(weights, names)
    if train and (both := [name for name in names if name in files]):
        raise UsageError(
            f"--weights {both[0]}=... and --train: weights are given to a method, or trained; leave one out"
        )
    asked = Asked(
        dataset=with_key(dataset, key, const),
        scale=scale,
        protocol=protocol,
        data_root=data_root,
        scenes=scenes,
        wavelengths=wavelengths,
        results_dir=results_dir,
        device=chosen_device(device),
        seed=seed,
        timing=not no_timing,
        train=train,
        steps=steps,
        changes=changed,
        weights=files,
        blind=blind,
        tile=tile,
        also=also,
        save_mat=save_mat,
        pictures=pictures,
    )
    try:
        opened = asked.open()
    except MissingDataError:
        show_recorded(contenders, dataset, scale, protocol)
        raise
    task = context.with_resource(opened.cached())
    remark_on_camera(task)
    Store(results_dir).require_writable()
    console(stderr=True).print(str(task), markup=False)
    results: list[Result] = []
    display = Display(debug=debug)
    here = [contender for contender in contenders if contender.name not in apart]
    with alone_with(here, asked.setting(task)):
        for spec, contender in zip(methods, contenders, strict=True):
            if contender.name in apart:
                results.append(run_apart(spec, contender, asked, task))
            else:
                with display:
                    results.append(asked.run(contender, task, display))
    report_results(results, csv_file, latex_file)
    if any(result.record.status != "ok" or result.lost is not None for result in results):
        context.exit(1)


def _refuse_without_effect(
    context: click.Context, names: list[str], classical: set[str], train: bool, max_steps: tuple[str, ...]
) -> None:
    """Refuse options about networks where none, or not that method, is one; of what was not imported nobody knows."""
    for option, values in (("--weights", context.params["weights"]), ("--max-steps", max_steps)):
        for text in values:
            name, equals, _ = text.partition("=")
            if equals and name in classical:
                raise UsageError(f"{option} {text}: {name} is not a network, and has no weights")
    if len(classical) < len(names):
        return
    tiled = context.get_parameter_source("tile") is click.core.ParameterSource.COMMANDLINE
    for option, given in (("--train", train), ("--tile", tiled)):
        if given:
            raise UsageError(
                f"{option} is about networks, and none is among the methods ({', '.join(sorted(classical))})"
            )


def _per_method(values: tuple[str, ...], names: list[str], option: str) -> dict[str, str]:
    """Read ``METHOD=VALUE`` options."""
    found = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise UsageError(f"{option} {text!r}: expected METHOD=VALUE, such as {option} {names[0]}=...")
        if name not in names:
            raise UsageError(f"{option} {text!r}: {name!r} is not among the methods of this run ({', '.join(names)})")
        found[name] = value
    return found


def _steps(values: tuple[str, ...], names: list[str]) -> dict[str, int]:
    """Return the number of training steps of each method that has a limit."""
    common = [text for text in values if "=" not in text]
    texts = dict.fromkeys(names, common[-1]) if common else {}
    texts |= _per_method(tuple(text for text in values if "=" in text), names, "--max-steps")
    for name, text in texts.items():
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
            raise UsageError(f"--max-steps: {text[:40]!r} (for {name}) is not a number of steps, 1 to 999999999")
    return {name: int(text) for name, text in texts.items()}


def _changes(values: tuple[str, ...], names: list[str]) -> dict[str, dict[str, str]]:
    """Return the texts of each method's changes by name."""
    found: dict[str, dict[str, str]] = {}
    for text in values:
        path, equals, value = text.partition("=")
        name, dot, number = path.partition(".")
        if not (equals and dot and value):
            raise UsageError(f"--set {text!r}: expected METHOD.NAME=VALUE, such as --set {names[0]}.patch=32")
        if name not in names:
            raise UsageError(f"--set {text!r}: {name!r} is not among the methods of this run ({', '.join(names)})")
        found.setdefault(name, {})[number] = value
    return found


def _weights(values: tuple[str, ...], names: list[str]) -> dict[str, Named]:
    from hsfusion_bench.runs.weights.choosing import named

    return {name: named(text) for name, text in _per_method(values, names, "--weights").items()}
