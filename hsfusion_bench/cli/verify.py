"""``hsbench verify``: our numbers beside those of the user's own MATLAB test package."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsfusion_bench.cli.engine_options import engine_options, required_package
from hsfusion_bench.errors import UsageError
from hsfusion_bench.spelling import spell

if TYPE_CHECKING:
    from hsfusion_bench.verify import Check

_POSITIVE = click.FloatRange(min=0, min_open=True)
_HEAD = ("script's mean", "ours", "difference", "script's std", "ours", "difference", "allowed", "")
_WIDTHS = (16, 16, 11, 16, 16, 11, 9, 6)


@dataclass(frozen=True)
class _Verified:
    """One file or golden case."""

    name: str
    kind: str
    ratio: float
    const: float
    checks: list[Check]


@click.command("verify", short_help="Compare our indexes with your copy of the MATLAB test package.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@engine_options
@click.option("--ratio", type=_POSITIVE, default=4.0, show_default=True, help="Resolution ratio of the two inputs.")
@click.option("--const", type=_POSITIVE, default=1.0, show_default=True, help="Full scale of the data: 1, 2047, ...")
@click.option(
    "--golden",
    is_flag=True,
    help="Compare with values that the package returned before; needs no package. FILE may name a file of "
    "`hsbench goldens`, instead of the one we ship.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(
    context: click.Context,
    file: Path | None,
    package: Path | None,
    engine: Any,
    time_limit: float,
    ratio: float,
    const: float,
    golden: bool,
    as_json: bool,
) -> None:
    """Run your own copy of the MATLAB test package on FILE, and compare its numbers with ours.

    FILE is a MAT-file with `gt` and `sr`, each [B, C, H, W]. The package runs unmodified, in a copy of its folder,
    in MATLAB or GNU Octave. The exit code is 0 if all seven indexes agree, and 1 if one does not.

    \b
    Example:
      hsbench verify results.mat --package ~/Matlab_Test_Package --ratio 4
      hsbench verify --golden
    """
    if golden:
        _refuse(context, "package", "engine", "time_limit", "ratio", "const")
        ran_in, verified = _golden(file)
    elif file is None:
        raise UsageError("FILE is needed: a MAT-file with gt and sr; or --golden, which needs none")
    else:
        ran_in, verified = _live(file, required_package(package), engine, time_limit, ratio, const)
    passed = all(check.passed for one in verified for check in one.checks)
    if as_json:
        click.echo(
            json.dumps({"engine": ran_in, "passed": passed, "cases": {one.name: _json(one) for one in verified}})
        )
    else:
        _show(ran_in, verified)
    context.exit(0 if passed else 1)


def _refuse(context: click.Context, *options: str) -> None:
    for option in options:
        if context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(f"--{option.replace('_', '-')} goes with a FILE that is to be run, not with --golden")


def _golden(file: Path | None) -> tuple[str, list[_Verified]]:
    from hsfusion_bench import goldens

    stored = goldens.read(file or goldens.SHIPPED)
    verified = []
    for name, golden in stored.cases.items():
        case = goldens.CASES[name]
        verified.append(_Verified(name, case.kind, case.ratio, case.const, goldens.check(name, golden)))
    return stored.engine, verified


def _live(
    file: Path, package: Path, engine: Any, time_limit: float, ratio: float, const: float
) -> tuple[str, list[_Verified]]:
    from hsfusion_bench.cli.common import console
    from hsfusion_bench.engine import SCRIPT, check_package, find_engine, run_script
    from hsfusion_bench.verify import compare, kind_of_file, our_summary

    kind = kind_of_file(file)
    check_package(package)
    found = find_engine(engine)
    with console(stderr=True).status(f"{found.title} runs {SCRIPT}"):
        answer = run_script(found, package, file, ratio=ratio, const=const, time_limit=time_limit)
        ours = our_summary(file, ratio=ratio, const=const)
    return answer.engine, [_Verified(str(file), kind, ratio, const, compare(answer.summary, ours, kind))]


def _show(ran_in: str, verified: list[_Verified]) -> None:
    from hsfusion_bench.verify import note
    from hsfusion_metrics import METRICS

    click.echo(f"the script in {ran_in}, beside us")
    for one in verified:
        click.echo(f"\n{one.name} (ratio {one.ratio:g}, const {one.const:g})")
        click.secho(_line("index", _HEAD), bold=True)
        for check in one.checks:
            cells = (
                *(_value(check.matlab.mean), _value(check.ours.mean), _small(check.mean_difference)),
                *(_value(check.matlab.std), _value(check.ours.std), _small(check.std_difference)),
                *(_small(check.tolerance), "pass" if check.passed else "FAIL"),
            )
            click.secho(_line(METRICS[check.index].title, cells), fg=None if check.passed else "red")
    click.echo("\nDifferences are relative, of a std to the mean or the std, whichever is larger.")
    for kind in dict.fromkeys(one.kind for one in verified):
        click.echo(note(kind))
    checks = [check for one in verified for check in one.checks]
    failed = sum(not check.passed for check in checks)
    click.echo(f"{failed} of {len(checks)} comparisons fail" if failed else f"all {len(checks)} comparisons pass")


def _line(head: str, cells: Iterable[str]) -> str:
    return head.ljust(6) + "".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True))


def _value(number: float) -> str:
    spelt = spell(number)
    return spelt if isinstance(spelt, str) else f"{spelt:.10g}"


def _small(number: float) -> str:
    return "0" if number == 0 else f"{number:.1e}"


def _json(one: _Verified) -> dict[str, Any]:
    return {
        "type": one.kind,
        "ratio": one.ratio,
        "const": one.const,
        "passed": all(check.passed for check in one.checks),
        "indexes": {
            check.index: {
                "matlab": [spell(value) for value in check.matlab],
                "ours": [spell(value) for value in check.ours],
                "difference": [spell(check.mean_difference), spell(check.std_difference)],
                "tolerance": check.tolerance,
                "passed": check.passed,
            }
            for check in one.checks
        },
    }
