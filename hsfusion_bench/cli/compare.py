"""``hsbench compare``: whether differences between methods are real."""

from __future__ import annotations

from pathlib import Path

import click

from hsfusion_bench.cli.common import DEFAULT_FOLDERS, comma_separated, console, folders_option, require_folders
from hsfusion_bench.cli.numbers import SCALE
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.terminal import echo


@click.command("compare", short_help="Test by scene whether methods differ: p, intervals, wins, ranks.")
@click.argument("methods", nargs=-1, metavar="METHOD...")
@click.option("--dataset", metavar="NAME", help="Only this dataset.")
@click.option("--scale", type=SCALE, help="Only this scale.")
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
@folders_option
@click.pass_context
def command(
    context: click.Context,
    methods: tuple[str, ...],
    dataset: str | None,
    scale: int | None,
    protocol: str | None,
    indexes: list[str],
    ranks: bool,
    style: str,
    folders: tuple[Path, ...],
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
    from hsfusion_bench.report.comparison import Ranking, compare, rank_all
    from hsfusion_bench.report.contestants import choose, only, whole_tasks
    from hsfusion_bench.report.sources import gather
    from hsfusion_bench.terminal import json_text
    from hsfusion_metrics import METRICS

    for index in indexes:
        if index not in METRICS:
            raise UsageError(f"there is no index {index!r}; the indexes are {', '.join(METRICS)}")
    require_folders(context, folders)
    gathered = gather(folders or DEFAULT_FOLDERS, dataset=dataset, scale=scale, protocol=protocol)
    notes = console(stderr=True)
    for line in gathered.damaged:
        notes.print(line, style="red", soft_wrap=True)
    if not gathered.entries:
        asked = {"dataset": dataset, "scale": scale, "protocol": protocol}
        told = ", ".join(f"{key} {value}" for key, value in asked.items() if value is not None)
        raise HsbenchError(f"there are no records{' of ' + told if told else ''}; `hsbench run` makes some")
    whole = ranks and not methods
    choices = whole_tasks(gathered.entries) if whole else choose(gathered.entries, methods)
    if not ranks or whole:
        choices = [only(choices, "--dataset, --scale or --protocol, or rank named methods over all by --ranks")]
    for choice in choices:
        for note in choice.notes:
            notes.print(note, soft_wrap=True)
    if ranks:
        found = [rank_all(choices, index) for index in indexes]
        for note in dict.fromkeys(note for _, left_out in found for note in left_out):
            notes.print(note, style="yellow", soft_wrap=True)
        rankings: list[Ranking] = [each for several, _ in found for each in several]
        rows, made = tables.rank_rows(rankings), [tables.rank_sheet(several) for several, _ in found]
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
        echo(json_text(tables.document(rankings)))
    else:
        text = tables.csv(rows) if style == "csv" else {"latex": sheets.latex, "markdown": sheets.markdown}[style](made)
        echo(text, nl=False)
    if gathered.damaged:
        context.exit(1)
