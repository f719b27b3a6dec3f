"""``hsbench weights``: make the weights of networks."""

from __future__ import annotations

import click

from hsfusion_bench.cli.verbs import Verbs

_VERBS = ("make",)


@click.group(
    "weights",
    cls=Verbs,
    package=__name__,
    verbs=_VERBS,
    short_help="Make the weights that a file lists.",
)
def command() -> None:
    """Make the weights of networks.

    \b
    Example:
      hsbench weights make results/trainings.toml --data-root ~/CAVE
    """
