"""``hsbench data``: get, check and prepare the scenes."""

from __future__ import annotations

import click

from hsfusion_bench.cli.verbs import Verbs

_VERBS = ("list", "info", "download", "check", "prepare")


@click.group(
    "data",
    cls=Verbs,
    package=__name__,
    verbs=_VERBS,
    short_help="Get, check and prepare the scenes of a data set.",
)
def command() -> None:
    """Get, check and prepare the scenes of a data set.

    \b
    Example:
      hsbench data download cave --data-root ~/CAVE
      hsbench data check cave --data-root ~/CAVE
      hsbench data prepare cave --scale 4 --data-root ~/CAVE --out ~/prepared
    """
