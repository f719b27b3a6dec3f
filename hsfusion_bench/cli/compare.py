"""``hsbench compare``: whether differences between methods are real."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.common import comma_separated, console
from hsfusion_bench.errors import HsbenchError, UsageError

if TYPE_CHECKING:
    from hsfusion_bench.report.contestants import Choice


@click.command("compare", short_help="Test by scene whether methods differ: p, intervals, wins, ranks.")
@click.argument("methods", nargs=-1, metavar="METHOD...")
@click.option("--dataset", metavar="NAME", help="Only this dataset.")
@click.option("--scale", type=int, help="Only this scale.")
@click.option("--protocol", metavar="NAME", help="Only this protocol.")
@click.option(
    "--index",
    "indexes",
    callback=comma_separated,
    default="psnr",
    show_default=True,
    metavar="INDEX,...",
    help="By what they are compared; any of the seven.",
)
@click.option(
    "--ranks", is_flag=True, help="Average ranks over scenes, and over all tasks that have the methods, without pairs."
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "csv", "latex", "markdown", "json"]),
    default="table",
    show_default=True,
)
@click.option(
    "--results-dir",
    "results_dirs",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    default=("results",),
    show_default=True,
    envvar="HSBENCH_RESULTS",
    help="Folder of your records; may be given several times. Those of the package come after yours.",
)
def command(
    methods: tuple[str, ...],
    dataset: str | None,
    scale: int | None,
    protocol: str | None,
    indexes: list[str],
    ranks: bool,
    style: str,
    results_dirs: tuple[Path, ...],
) -> None:
    """Compare methods on the scenes that all of them have, of your records and those that come with the package.

    METHODs are the names of records, such as gsa, mtf-glp-hs.interpolation-block or what `hsbench evaluate` was told.
    Yours goes before a recorded one; gsa@recorded and gsa@mine name either.

    \b
    Examples:
      hsbench compare ltmr gsa --dataset cave --scale 4
      hsbench compare ltmr gsa fuse --dataset cave --scale 4 --index psnr,sam
      hsbench compare ltmr gsa fuse --ranks
    """
    from hsfusion_bench.report import comparison_tables as tables
    from hsfusion_bench.report import sheets
    from hsfusion_bench.report.comparison import Ranking, compare, rank
    from hsfusion_bench.report.contestants import choose, whole_tasks
    from hsfusion_bench.report.sources import gather
    from hsfusion_bench.terminal import json_text
    from hsfusion_metrics import METRICS

    for index in indexes:
        if index not in METRICS:
            raise UsageError(f"there is no index {index!r}; the indexes are {', '.join(METRICS)}")
    gathered = gather(results_dirs, dataset=dataset, scale=scale, protocol=protocol)
    notes = console(stderr=True)
    for line in gathered.damaged:
        notes.print(line, style="yellow", soft_wrap=True)
    if not gathered.entries:
        asked = {"dataset": dataset, "scale": scale, "protocol": protocol}
        told = ", ".join(f"{key} {value}" for key, value in asked.items() if value is not None)
        raise HsbenchError(f"there are no records{' of ' + told if told else ''}; `hsbench run` makes some")
    whole = ranks and not methods
    choices = whole_tasks(gathered.entries) if whole else choose(gathered.entries, methods)
    if not ranks or whole:
        choices = [_only(choices)]
    for choice in choices:
        for note in choice.notes:
            notes.print(note, soft_wrap=True)
    if ranks:
        found = [[rank(choice.contestants, index) for choice in choices] for index in indexes]
        rankings: list[Ranking] = [each for several in found for each in several]
        rows, made = tables.rank_rows(rankings), [tables.rank_sheet(several) for several in found]
    else:
        pairs = [compare(choices[0].contestants, index) for index in indexes]
        rankings = [*pairs]
        rows, made = tables.pair_rows(pairs), [sheet for each in pairs for sheet in tables.sheets(each)]
    if style == "csv":
        for note in dict.fromkeys(note for ranking in rankings for note in ranking.notes):
            notes.print(note, soft_wrap=True)
    if style == "table":
        sheets.show(made)
    elif style == "json":
        click.echo(json_text(tables.document(rankings)))
    else:
        text = tables.csv(rows) if style == "csv" else {"latex": sheets.latex, "markdown": sheets.markdown}[style](made)
        click.echo(text, nl=False)


def _only(choices: list[Choice]) -> Choice:
    """Return the one task; several are for the user to choose from."""
    from hsfusion_bench.report.contestants import task_title

    if len(choices) == 1:
        return choices[0]
    told = "; ".join(task_title(choice.board) for choice in choices)
    raise UsageError(
        f"several tasks have them: {told}. Choose by --dataset, --scale or --protocol, or rank over all by --ranks"
    )
