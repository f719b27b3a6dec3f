"""``hsbench weights download``: weights of their authors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hsfusion_bench.cli.downloading import bar_of, have_accepted
from hsfusion_bench.cli.weights.common import selection_options
from hsfusion_bench.errors import UsageError
from hsfusion_bench.terminal import echo

if TYPE_CHECKING:
    from hsfusion_bench.runs.weights.catalogue import Entry


@click.command("download", short_help="Fetch weights from their authors.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@selection_options
@click.option("--accept-licence", is_flag=True, help="Accept the licence that is shown; it is asked for once.")
def command(
    names: tuple[str, ...], method: str | None, dataset: str | None, scale: int | None, accept_licence: bool
) -> None:
    """Fetch weights that `hsbench weights list` names, from the address of whoever offers them, and check them.

    They are kept in the cache (HSBENCH_CACHE), where `hsbench run` finds them. Files that are there are checked, not
    fetched again; an interrupted download goes on where it broke off.

    \b
    Examples:
      hsbench weights download psrt-cave-x4-uestc-authors
      hsbench weights download --method psrt --dataset cave --accept-licence
    """
    from hsfusion_bench.runs.weights.catalogue import find, select

    selected = any(value is not None for value in (method, dataset, scale))
    if bool(names) == selected:
        raise UsageError("name the weights, or select them by --method, --dataset and --scale; `hsbench weights list`")
    entries = [find(name) for name in dict.fromkeys(names)] or list(select(method, dataset, scale).values())
    if not entries:
        raise UsageError("no such weights are known; `hsbench weights list` names those that are")
    for entry in entries:
        _download(entry, accept_licence)


def _download(entry: Entry, accepted: bool) -> None:
    from hsfusion_bench.data.download import fetch
    from hsfusion_bench.files import slug
    from hsfusion_bench.runs.weights.catalogue import download_root, printed_size

    if entry.download is None:
        echo(f"{entry.id}: here already, it comes with the package ({entry.path})")
        return
    there = entry.path.exists()
    if not there:
        licence = f"{entry.licence}. {entry.terms}"
        shown = f"{entry.id}, {printed_size(entry.size)}. Licence of all files of {entry.origin}: {licence}"
        shown += f"\nSee {entry.homepage}"
        have_accepted(f"weights-{slug(entry.origin)}", licence, shown, accepted)
    with bar_of(entry.path.name) as bar:
        digest = fetch(entry.download, download_root(), bar)
    echo(f"{entry.id}: {'here already' if there else 'fetched'}, {entry.path}, sha256 {digest}")
    if entry.only_if_named:
        echo(f"  taken only where it is named: --weights {entry.method}={entry.id}. {entry.only_if_named}")
