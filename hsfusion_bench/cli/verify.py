"""``hsbench verify``: our numbers beside those of the user's own MATLAB test package, and beside published ones."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsfusion_bench.cli.engine_options import engine_options, required_package
from hsfusion_bench.cli.numbers import POSITIVE, RATIO
from hsfusion_bench.errors import UsageError
from hsfusion_bench.spelling import spell
from hsfusion_bench.terminal import echo

if TYPE_CHECKING:
    from hsfusion_bench.matlab.package import Arguments, Script
    from hsfusion_bench.matlab.verify import Check

_HEAD = ("script's", "ours", "difference", "allowed", "")
_WIDTHS = (16, 16, 12, 10, 6)
_FIRST_WIDTH = 9


@dataclass(frozen=True)
class _Verified:
    """One file or golden case."""

    name: str
    kind: str
    script: Script
    arguments: Arguments
    checks: list[Check]


@dataclass(frozen=True)
class _Run:
    """All that was compared, and what the scripts ran in."""

    engine: str
    stand_ins: tuple[str, ...]
    verified: list[_Verified]

    @property
    def passed(self) -> bool:
        return all(check.passed for one in self.verified for check in one.checks)


@click.command("verify", short_help="Compare us with your MATLAB package, or published rows.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@engine_options
@click.option("--ratio", type=RATIO, default=4.0, show_default=True, help="Resolution ratio of the two inputs.")
@click.option("--const", type=POSITIVE, default=1.0, show_default=True, help="Full scale of the data: 1, 2047, ...")
@click.option("--no-reference", is_flag=True, help="FILE has no gt but sr, ms, lms and pan: D_lambda, D_s and HQNR.")
@click.option("--sensor", help="With --no-reference: the sensor's name in the script, such as WV3. Default: none.")
@click.option(
    "--golden",
    is_flag=True,
    help="Compare with values that the package returned before; needs no package. FILE may name a file of "
    "--make-golden, instead of the one we ship.",
)
@click.option(
    "--make-golden",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT",
    help="Run both scripts of the package on the golden cases, and write what they return to the file OUT, in TOML.",
)
@click.option(
    "--published",
    is_flag=True,
    help="Make published Bicubic rows again, and try other protocols on them; needs the scenes, and no package.",
)
@click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    envvar="HSBENCH_DATA",
    show_envvar=True,
    metavar="FOLDER",
    help="With --published: folder of the data sets' files.",
)
@click.option(
    "--markdown",
    "markdown_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --published: write the tables as Markdown: a new file, or the marked part of a page.",
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
    no_reference: bool,
    sensor: str | None,
    golden: bool,
    make_golden: Path | None,
    published: bool,
    data_root: Path | None,
    markdown_file: Path | None,
    as_json: bool,
) -> None:
    """Run your own copy of the MATLAB test package on FILE, and compare its numbers with ours.

    FILE is a MAT-file with `gt` and `sr`, each [B, C, H, W]; with --no-reference, one with `sr` and `lms`, `pan`
    [B, 1, H, W], and `ms`, which the script loads but does not use. The package runs unmodified, in a copy of its
    folder, in MATLAB or GNU Octave. The exit code is 0 if all indexes agree, and 1 if one does not.

    The golden cases are images built from seeds. A file of --make-golden holds their SHA-256, what the scripts returned
    with 17 digits, the engine's version, and which functions of MATLAB it lacked, so that ours stood in; the one we
    ship was made so.

    --published takes some minutes. Below each row stands what other blurs, first samples and protocols give on the
    same scenes, with their distances from the published row. The exit code is 1 if a row whose scenes are known is not
    equal to the last printed digit: in PSNR, SAM, ERGAS and SSIM, the last two by the indexes that the papers mean.

    \b
    Examples:
      hsbench verify results.mat --package ~/Matlab_Test_Package --ratio 4
      hsbench verify real_wv3.mat --no-reference --sensor WV3 --package ~/Matlab_Test_Package
      hsbench verify --golden
      hsbench verify --make-golden matlab.toml --package ~/Matlab_Test_Package --engine matlab
      hsbench verify --golden matlab.toml
      hsbench verify --published --data-root ~/CAVE --markdown proof.md
    """
    _one_of(
        {"FILE": file is not None and not golden}
        | {"--golden": golden, "--make-golden": make_golden is not None, "--published": published}
    )
    told = ("ratio", "const", "no_reference", "sensor")
    if not published:
        _refuse(context, "--published", "data_root", "markdown_file")
    if published:
        _refuse(context, "the package, not with --published", "package", "engine", "time_limit", *told, "as_json")
        from hsfusion_bench.cli.published import verify_published

        context.exit(0 if verify_published(data_root, markdown_file) else 1)
    if make_golden is not None:
        _refuse(context, "a comparison, not with --make-golden", *told, "as_json")
        _make_golden(make_golden, required_package(package), engine, time_limit)
        return
    if golden:
        _refuse(context, "a FILE that is to be run, not with --golden", "package", "engine", "time_limit", *told)
        run = _golden(file)
    elif file is None:
        raise UsageError("FILE is needed: a MAT-file with gt and sr; or --golden, which needs none")
    else:
        from hsfusion_bench.matlab.package import NO_REFERENCE, REFERENCE, Arguments

        if no_reference:
            _refuse(context, "an image and its reference, not with --no-reference", "const")
            if ratio not in (2, 4):
                raise UsageError("--no-reference needs --ratio 2 or 4")
        else:
            _refuse(context, "--no-reference", "sensor")
        script = NO_REFERENCE if no_reference else REFERENCE
        run = _live(script, file, Arguments(ratio, const, sensor), required_package(package), engine, time_limit)
    if as_json:
        echo(json.dumps(_json(run)))
    else:
        _show(run)
    context.exit(0 if run.passed else 1)


def _one_of(modes: dict[str, bool]) -> None:
    """Refuse more than one thing to do."""
    given = [name for name, wanted in modes.items() if wanted]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} do not go together: one at a time")


def _refuse(context: click.Context, goes_with: str, *parameters: str) -> None:
    """Refuse options that were given on the command line, by the names of their parameters."""
    spelt = {each.name: each.opts[0] for each in context.command.params}
    for name in parameters:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(f"{spelt[name]} goes with {goes_with}")


def _make_golden(file: Path, package: Path, engine: Any, time_limit: float) -> None:
    """Write a golden file anew."""
    from rich.text import Text

    from hsfusion_bench.cli.common import console
    from hsfusion_bench.files import write_text
    from hsfusion_bench.matlab import goldens
    from hsfusion_bench.matlab.engine import find_engine

    found = find_engine(engine)
    with console(stderr=True).status(Text(f"{found.title} runs the test package on {len(goldens.CASES)} cases")):
        text = goldens.make(found, package, time_limit=time_limit)
    write_text(file, text)
    echo(f"{file}: {len(goldens.CASES)} cases")


def _golden(file: Path | None) -> _Run:
    from hsfusion_bench.matlab import goldens

    stored = goldens.read(file or goldens.SHIPPED)
    verified = []
    for name, golden in stored.all.items():
        case = goldens.CASES[name]
        verified.append(_Verified(name, case.kind, case.script, case.arguments, goldens.check(name, golden)))
    return _Run(stored.engine, stored.stand_ins, verified)


def _live(script: Script, file: Path, arguments: Arguments, package: Path, engine: Any, time_limit: float) -> _Run:
    from rich.text import Text

    from hsfusion_bench.cli.common import console
    from hsfusion_bench.matlab.engine import check_package, find_engine, run_script
    from hsfusion_bench.matlab.verify import compare, kind_of_file, our_summary

    kind = kind_of_file(script, file)
    check_package(package, script)
    found = find_engine(engine)
    with console(stderr=True).status(Text(f"{found.title} runs {script.file}")):
        # ours first: a file or a sensor that is not fit is told at once, and in our words
        ours = our_summary(script, file, arguments)
        answer = run_script(found, package, script, file, arguments, time_limit=time_limit)
    verified = _Verified(str(file), kind, script, arguments, compare(answer.summary, ours, kind))
    return _Run(answer.engine, answer.stand_ins, [verified])


def _show(run: _Run) -> None:
    from hsfusion_bench.matlab.verify import note

    for script in dict.fromkeys(one.script.name for one in run.verified):
        some = [one for one in run.verified if one.script.name == script]
        echo(f"{script} in {run.engine}, beside us")
        if run.stand_ins and some[0].script.toolbox:
            echo(f"which has no {', '.join(run.stand_ins)} as MATLAB has them; ours stood in")
        for one in some:
            _show_one(one)
        echo()
    echo("Differences are relative, of a std to the mean or the std, whichever is larger.")
    for text in dict.fromkeys(note(one.script, one.kind) for one in run.verified):
        echo(text)
    checks = [check for one in run.verified for check in one.checks]
    failed = sum(not check.passed for check in checks)
    echo(f"{failed} of {len(checks)} comparisons fail" if failed else f"all {len(checks)} comparisons pass")


def _show_one(one: _Verified) -> None:
    echo(f"\n{one.name} ({one.script.told_as_text(one.arguments)})")
    echo(_line("index", _HEAD), bold=True)
    for check in one.checks:
        colour = None if check.passed else "red"
        means = (_value(check.matlab.mean), _value(check.ours.mean), _small(check.mean_difference))
        allowed = (_small(check.tolerance), "pass" if check.passed else "FAIL")
        echo(_line(one.script.indexes[check.index].title, (*means, *allowed)), fg=colour)
        stds = (_value(check.matlab.std), _value(check.ours.std), _small(check.std_difference))
        echo(_line("  std", stds), fg=colour)


def _line(head: str, cells: Iterable[str]) -> str:
    """Return a line of the table, which may end before the last columns."""
    return head.ljust(_FIRST_WIDTH) + "".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=False))


def _value(number: float) -> str:
    spelt = spell(number)
    return spelt if isinstance(spelt, str) else f"{spelt:.10g}"


def _small(number: float) -> str:
    return "0" if number == 0 else f"{number:.1e}"


def _json(run: _Run) -> dict[str, Any]:
    return {
        "engine": run.engine,
        "stand_ins": run.stand_ins,
        "passed": run.passed,
        "cases": {one.name: _json_one(one) for one in run.verified},
    }


def _json_one(one: _Verified) -> dict[str, Any]:
    return {
        "script": one.script.name,
        "type": one.kind,
        **one.script.told(one.arguments),
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
