"""``hsbench data download``: the originals, from their makers."""

from __future__ import annotations

from pathlib import Path

import click

from hsfusion_bench.cli.common import console
from hsfusion_bench.cli.data.common import data_root_option
from hsfusion_bench.cli.downloading import bar_of, have_accepted
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.terminal import echo


@click.command("download", short_help="Fetch the originals from their makers, and unpack them.")
@click.argument("name")
@data_root_option
@click.option("--accept-licence", is_flag=True, help="Accept the licence that is shown; it is asked for once.")
def command(name: str, data_root: Path | None, accept_licence: bool) -> None:
    """Fetch the files of a data set from the address of their makers, check them, and unpack them.

    Without --data-root they are put where all verbs look for them. Files that are there are checked, not fetched again.
    An archive may be removed once it is unpacked.

    \b
    Examples:
      hsbench data download cave --accept-licence
      hsbench data download cave --data-root ~/CAVE
    """
    from hsfusion_bench.data.catalog import about, open_dataset
    from hsfusion_bench.data.download import fetch, unpack
    from hsfusion_bench.data.home import data_home

    origin = about(name).provenance
    if origin is None:
        raise UsageError(f"the data set {name} has no originals to fetch")
    root = data_home(name) if data_root is None else data_root.expanduser()
    if not origin.downloads:
        raise HsbenchError(
            f"the makers of {name} hand it out themselves: {origin.homepage}. Put the files into {root}. "
            f"Layout: {origin.layout}. Licence: {origin.licence}"
        )
    from rich.text import Text

    shown = f"Licence of {name}: {origin.licence}\nSee {origin.homepage}\nPlease cite:\n{origin.reference}"
    have_accepted(name, origin.licence, shown, accept_licence)
    for item in origin.downloads:
        with bar_of(item.file) as bar:
            digest = fetch(item, root, bar)
        echo(f"{root / item.file}: sha256 {digest}{'' if item.sha256 else ' (not known to us before)'}")
        with console(stderr=True).status(Text(f"unpacking {item.file}")):
            count = unpack(root / item.file, root)
        if count:
            echo(f"{count} files unpacked")
    source = open_dataset(name, root)
    total, missing = len(source.scene_names()), len(source.missing())
    option = "" if data_root is None else f" --data-root {root}"
    echo(f"{total - missing} of {total} scenes are here; `hsbench data check {name}{option}` looks into them")
