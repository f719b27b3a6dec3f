"""``hsbench data list``: the data sets, and which are here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hsfusion_bench.cli.data.common import data_root_option
from hsfusion_bench.terminal import echo


@click.command("list", short_help="List the data sets, and which are here.")
@data_root_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(data_root: Path | None, as_json: bool) -> None:
    """List the data sets with their titles, how many scenes are in the data root, and their licences.

    \b
    Example:
      hsbench data list --data-root ~/CAVE
    """
    from hsfusion_bench.data.catalog import about, dataset_clashes, dataset_names
    from hsfusion_bench.terminal import json_text, print_table

    found: list[dict[str, Any]] = []
    for name in dataset_names():
        known = about(name)
        present, total = _present(name, data_root)
        licence = known.provenance.licence if known.provenance else None
        found.append({"name": name, "title": known.title, "present": present, "scenes": total, "licence": licence})
    if as_json:
        echo(json_text(found))
    else:
        rows = [
            [*(each[key] for key in ("name", "title")), _here(each["present"], each["scenes"]), each["licence"] or "-"]
            for each in found
        ]
        print_table(["name", "title", "here", "licence"], rows)
    for line in dataset_clashes():
        echo(f"warning: {line}", err=True)


def _present(name: str, data_root: Path | None) -> tuple[int, int | None]:
    """Return how many scenes of a data set are here, and of how many; None if its files are not."""
    from hsfusion_bench.data.catalog import open_dataset
    from hsfusion_bench.errors import HsbenchError

    try:
        source = open_dataset(name, data_root)
    except HsbenchError:  # what is wrong with it, `check` says
        return 0, None
    total = len(source.scene_names())
    return total - len(source.missing()), total


def _here(present: int, total: int | None) -> str:
    return "no" if total is None else f"{present} of {total} scenes"
