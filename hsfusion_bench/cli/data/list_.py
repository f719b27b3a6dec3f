"""``hsbench data list``: the data sets, and which are here."""

from __future__ import annotations

from pathlib import Path

import click

from hsfusion_bench.cli.common import console
from hsfusion_bench.cli.data.common import data_root_option


@click.command("list", short_help="List the data sets, and which are here.")
@data_root_option
def command(data_root: Path | None) -> None:
    """List the data sets with their titles, how many scenes are in the data root, and their licences.

    \b
    Example:
      hsbench data list --data-root ~/CAVE
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from hsfusion_bench.data.catalog import about, dataset_clashes, dataset_names

    table = Table("name", "title", "here", "licence", box=box.SIMPLE_HEAD)
    for name in dataset_names():
        known = about(name)
        licence = known.provenance.licence if known.provenance else "-"
        table.add_row(*(Text(cell) for cell in (name, known.title, _here(name, data_root), licence)))
    console().print(table)
    for line in dataset_clashes():
        click.echo(f"warning: {line}", err=True)


def _here(name: str, data_root: Path | None) -> str:
    """Say how many scenes of a data set are here."""
    from hsfusion_bench.data.catalog import open_dataset
    from hsfusion_bench.errors import HsbenchError

    try:
        source = open_dataset(name, data_root)
    except HsbenchError:  # what is wrong with it, `check` says
        return "no"
    total = len(source.scene_names())
    return f"{total - len(source.missing())} of {total} scenes"
