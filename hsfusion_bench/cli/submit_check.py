"""``hsbench submit-check``: whether rows that are to be sent, or were, can be taken over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import console
from hsfusion_bench.terminal import print_table

if TYPE_CHECKING:
    from hsfusion_bench.runs.submission import Check

_STYLES = {"missing": "yellow", "not checked": "yellow", "wrong": "red"}


@click.command("submit-check", short_help="Check a folder of records and cubes that is to be sent to us.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    envvar="HSBENCH_DATA",
    help="Folder of the dataset's files.",
)
@click.pass_context
def command(context: click.Context, folder: Path, data_root: Path | None) -> None:
    """Check whether the rows of a folder are complete, of the right data, and what their cubes score.

    FOLDER holds records as `run` and `evaluate` write them, each with its cubes beside it: METHOD.mat, or a folder
    METHOD of one file a scene. The cubes are scored again against the references, for which the data set must be here.
    Exits with 0 only where every line of the checklist is ok.

    \b
    Examples:
      hsbench submit-check sent
      hsbench submit-check sent --data-root ~/CAVE
    """
    from hsfusion_bench.cli.display import Display
    from hsfusion_bench.runs.submission import check_submission

    with Display(debug=context.find_root().params["debug"]) as display:
        done = check_submission(folder, data_root, display)
    fine = _ok(done.checks)
    if fine:
        print_table(
            ("checked", "what", "where"), [(check.state, check.what, check.where) for check in fine], whole=(0, 1)
        )
    others = [check for check in done.checks if check.state != "ok"]
    if others:
        texts = [(check.state, check.what, check.where, check.found or "-", check.advice) for check in others]
        heads = ("checked", "what", "where", "found", "what to do")
        print_table(heads, texts, whole=(0, 1), styles=[_STYLES[check.state] for check in others])
    counts = {
        state: sum(check.state == state for check in done.checks) for state in ("wrong", "missing", "not checked")
    }
    count = f"{len(done.records)} record{'s' * (len(done.records) != 1)}"
    if done.acceptable:
        console().print(f"acceptable: {count}", style="green")
        return
    told = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    console().print(f"not acceptable as it is: {count}, {told}", style="red")
    context.exit(1)


def _ok(checks: tuple[Check, ...]) -> list[Check]:
    """Return one line for each thing that was found to be ok, however many records it is about."""
    from hsfusion_bench.runs.submission import Check

    places: dict[str, list[str]] = {}
    for check in checks:
        if check.state == "ok":
            places.setdefault(check.what, []).append(check.where)
    return [
        Check("ok", what, where[0] if len(where) == 1 else f"{len(where)} of them") for what, where in places.items()
    ]
