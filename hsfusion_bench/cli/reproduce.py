"""``hsbench reproduce``: a row run again, and held against its record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hsfusion_bench.cli.common import comma_separated, console, refuse_data_root
from hsfusion_bench.cli.numbers import SCALE
from hsfusion_bench.errors import UsageError
from hsfusion_bench.terminal import echo, json_text, print_table

if TYPE_CHECKING:
    from hsfusion_bench.runs.records import Record
    from hsfusion_bench.runs.reproduce import Reproduction

_STYLES = {"identical": "green", "equal within rounding": "green", "differs": "red", "not run": "red"}


@click.command("reproduce", short_help="Run a recorded row again, and say whether the numbers are the same.")
@click.argument("record")
@click.option("--dataset", metavar="NAME", help="Which of the rows of that name; or the data set's FILE, see `run`.")
@click.option("--scale", type=SCALE, help="Likewise.")
@click.option("--protocol", metavar="NAME", help="Likewise; FILE.toml where the protocol is one of your own.")
@click.option("--method", metavar="FILE.py:NAME", help="Where the method is in a file of your own.")
@click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    envvar="HSBENCH_DATA",
    help="Folder of the dataset's files.",
)
@click.option("--scenes", callback=comma_separated, metavar="NAME,...", help="Only these of the recorded scenes.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Weights of the network.  [default: those of the recorded SHA-256, if they are here]",
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where networks run.  [default: as recorded]"
)
@click.option("--force", is_flag=True, help="Run even where the record is of other data, or of another protocol.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(
    context: click.Context,
    record: str,
    dataset: str | None,
    scale: int | None,
    protocol: str | None,
    method: str | None,
    data_root: Path | None,
    scenes: list[str] | None,
    weights: Path | None,
    device: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Run the row of a record again, from its own account, and say whether it gives the same numbers.

    RECORD is a file, or the name of a row that comes with hsbench. Data, protocol, method and options, seed, tiles and
    weights (by their SHA-256) are taken from it. Nothing is written. Exits with 0 where the indexes are identical or
    equal within rounding, and with 1 where they differ or the row cannot be run.

    \b
    Examples:
      hsbench reproduce gsa --dataset cave --scale 4 --data-root ~/CAVE
      hsbench reproduce feinfn --data-root ~/CAVE --scenes balloons
      hsbench reproduce results/demo-x4-uestc/mine-my-method.json --method ./mine.py:my_method
    """
    from hsfusion_bench.cli.display import Display
    from hsfusion_bench.runs.reproduce import Asked, find_record, reproduce

    path, found = find_record(record, dataset, scale, protocol)
    refuse_data_root(context, dataset or found.dataset.name)
    _require_its_own(found, scale, protocol)
    asked = Asked(data_root, dataset, protocol, method, scenes, weights, device, force)
    console(stderr=True).print(f"record  {path}", soft_wrap=True)
    with Display(debug=context.find_root().params["debug"]) as display:
        done = reproduce(found, asked, display)
    if as_json:
        echo(json_text(_as_json(path, done)))
    else:
        _show(done)
    if not done.reproduced:
        context.exit(1)


def _require_its_own(record: Record, scale: int | None, protocol: str | None) -> None:
    """Refuse a scale or a protocol that is not the record's; other numbers are no reproduction of it."""
    told = record.dataset
    if scale not in (None, told.scale):
        raise UsageError(f"--scale {scale}: the record is of scale {told.scale}")
    if protocol not in (None, told.protocol) and not str(protocol).endswith(".toml"):
        raise UsageError(f"--protocol {protocol}: the record is of protocol {told.protocol}")


def _show(done: Reproduction) -> None:
    """Print what differs in the account, the scenes, and the verdict."""
    from hsfusion_bench.runs.differences import Effect
    from hsfusion_bench.runs.reproduce import ROUNDING

    record, shown = done.recorded, console()
    told = record.dataset
    title = record.method.title + (f" ({'; '.join(record.method.details)})" if record.method.details else "")
    shown.print(f"{title} on {told.name} ×{told.scale}, protocol {told.protocol}", soft_wrap=True)
    if done.weights is not None:
        shown.print(f"weights {done.weights}", soft_wrap=True)
    shown.print()
    told_of = [each for each in done.differences if each.effect is not Effect.UNKNOWN]
    if told_of:
        rows = [(each.what, _cut(each.recorded), _cut(each.here), each.effect.value) for each in told_of]
        print_table(("account", "recorded", "here", "what that means"), rows)
    unknown = [f"{each.what} (here {each.here})" for each in done.of_effect(Effect.UNKNOWN)]
    if unknown:
        shown.print(f"not recorded: {', '.join(unknown)}")
        shown.print()
    if done.scenes:
        lines = []
        for scene in done.scenes:
            index, size = scene.largest
            psnr, sam = (
                (_number(getattr(scene.recorded, name)), _number(getattr(scene.here, name))) for name in ("psnr", "sam")
            )
            lines.append((scene.name, *psnr, *sam, "none" if scene.identical else f"{size:.1e} ({index})"))
        heads = ("scene", "PSNR\nrecorded", "\nhere", "SAM\nrecorded", "\nhere", "largest of seven,\nrelative")
        print_table(heads, lines, right=(1, 2, 3, 4), whole=(0, 1, 2, 3, 4))
    verdict = done.verdict
    shown.print(f"{verdict}: {explained(done, ROUNDING)}", style=_STYLES[verdict])


def explained(done: Reproduction, rounding: float) -> str:
    """Say in clear words what the verdict is about, and why."""
    from hsfusion_bench.runs.differences import Effect

    other = [each.what for each in done.of_effect(Effect.OTHER)]
    if done.verdict == "not run":
        return f"the record is not of the same thing ({', '.join(other)}). --force runs it all the same"
    count = f"{len(done.scenes)} of {len(done.recorded.scenes)} scenes"
    if done.verdict == "identical":
        return f"every index of {count} is the same, bit for bit"
    scene, index, size = done.largest
    most = f"the largest relative difference is {size:.1e} ({index} of {scene})"
    if done.verdict == "equal within rounding":
        causes = _listed(done, Effect.ROUNDING, Effect.PERHAPS, Effect.UNKNOWN)
        return f"{count}, {most}; up to {rounding:g} counts as rounding; {causes}"
    if other:
        return f"the record is not of the same thing ({', '.join(other)}); {most}"
    text = f"{most}; up to {rounding:g} counts as rounding"
    program = [each.what for each in done.of_effect(Effect.PERHAPS)]
    if program:
        return f"{text}. Another program ran: {', '.join(program)}"
    if done.of_effect(Effect.ROUNDING, Effect.UNKNOWN):
        return (
            f"{text}. Data, protocol, method, weights and scoring are the same; "
            f"{_listed(done, Effect.ROUNDING, Effect.UNKNOWN)}. A method that clusters or iterates may amplify the "
            "rounding of another machine (LTMR by 0.007 dB): a run on the recorded one would tell"
        )
    return f"{text}. Nothing in the account differs: the record was changed, or the method is not deterministic"


def _listed(done: Reproduction, *effects: Any) -> str:
    from hsfusion_bench.runs.differences import Effect

    found = done.of_effect(*effects)
    differ = [each.what for each in found if each.effect is not Effect.UNKNOWN]
    unknown = [each.what for each in found if each.effect is Effect.UNKNOWN]
    parts = [f"what differs: {', '.join(differ)}"] if differ else []
    parts += [f"what the record does not tell: {', '.join(unknown)}"] if unknown else []
    return "; ".join(parts) or "nothing in the account differs"


def _as_json(path: Path, done: Reproduction) -> dict[str, Any]:
    from hsfusion_bench.runs.reproduce import ROUNDING
    from hsfusion_bench.spelling import spell

    return {
        "record": str(path),
        "verdict": done.verdict,
        "reproduced": done.reproduced,
        "explanation": explained(done, ROUNDING),
        "tolerance": ROUNDING,
        "weights": None if done.weights is None else str(done.weights),
        "differences": [
            {"what": each.what, "recorded": each.recorded, "here": each.here, "effect": each.effect.value}
            for each in done.differences
        ],
        "scenes": [
            {
                "name": scene.name,
                "identical": scene.identical,
                "recorded": {name: _spelled(getattr(scene.recorded, name)) for name in scene.indexes},
                "here": {name: _spelled(getattr(scene.here, name)) for name in scene.indexes},
                "relative": {name: spell(value) for name, value in scene.relative.items()},
            }
            for scene in done.scenes
        ],
        "environment": None if done.here is None else done.here.environment,
    }


def _spelled(value: float | None) -> float | str | None:
    from hsfusion_bench.spelling import spell

    return None if value is None else spell(value)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6f}"


def _cut(text: str) -> str:
    """Return a digest as people compare it."""
    return f"{text[:12]}…" if len(text) == 64 and text.isalnum() else text
