"""``hsbench weights``: the weights of networks that are known, fetching them, making them."""

from __future__ import annotations

import click

from hsfusion_bench.cli.verbs import Verbs

_VERBS = ("list", "info", "download", "make")


@click.group(
    "weights",
    cls=Verbs,
    package=__name__,
    verbs=_VERBS,
    short_help="List, show and fetch weights of networks; make those that a file lists.",
)
def command() -> None:
    """List the weights of networks that are known, fetch those of their authors, and make others.

    \b
    Examples:
      hsbench weights list --dataset cave
      hsbench weights download psrt-cave-x4-uestc-authors
      hsbench weights make results/trainings.toml --data-root ~/CAVE
    """
