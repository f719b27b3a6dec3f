"""``hsbench list``: what there is."""

from __future__ import annotations

from typing import Any

import click

from hsfusion_bench.cli.common import console
from hsfusion_bench.cli.verbs import refuse_renamed
from hsfusion_bench.errors import HsbenchError


class _What(click.Choice[str]):
    """What can be listed; what is listed elsewhere by now says where."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        refuse_renamed(f"list {value}")
        return super().convert(value, param, ctx)


@click.command("list", short_help="List methods, protocols or metrics.")
@click.argument("what", type=_What(["methods", "protocols", "metrics"]))
def command(what: str) -> None:
    """List the methods, protocols or metrics that can be used here; `hsbench data list` has the data sets.

    \b
    Example:
      hsbench list methods
    """
    {"methods": _methods, "protocols": _protocols, "metrics": _metrics}[what]()


def _print(heads: list[str], rows: list[list[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(*heads, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


def _methods() -> None:
    from hsfusion_bench.registry import clashes, entries

    rows = []
    for entry in entries().values():
        try:
            card = entry.load().card
        except HsbenchError as error:
            rows.append([entry.name, "(cannot be imported)", "", "", "", str(entry.origin)])
            click.echo(f"warning: {error}", err=True)
            continue
        needs = ", ".join(sorted(card.uses)) or "-"
        rows.append([entry.name, card.title, card.family, str(card.year or ""), needs, str(entry.origin)])
    _print(["name", "title", "family", "year", "uses", "from"], rows)
    for entry in clashes():
        click.echo(f"warning: method {entry.name!r} of {entry.origin} is hidden by another of that name", err=True)


def _protocols() -> None:
    from hsfusion_bench.data.observing.protocols import load_protocol, protocol_names

    rows = []
    for name in protocol_names():
        protocol = load_protocol(name)
        blur, response = protocol.blur, protocol.response.name
        kernel = f"{blur.kind} {blur.size}" + (f", σ {blur.sigma}" if blur.sigma else "")
        scales = ", ".join(f"×{scale}" for scale in protocol.scales)
        phases = ", ".join(f"{protocol.phase(scale):g}" for scale in protocol.scales)
        splits = ", ".join(protocol.splits) or "-"
        rows.append([name, protocol.title, scales, kernel, blur.boundary, phases, response, protocol.crop, splits])
    _print(["name", "title", "scales", "blur (r = scale)", "border", "phases", "response", "crop", "splits of"], rows)


def _metrics() -> None:
    from hsfusion_metrics import METRICS

    rows = [
        [name, metric.title, metric.unit or "-", metric.better, metric.matlab_field, metric.description]
        for name, metric in METRICS.items()
    ]
    _print(["name", "title", "unit", "better", "in MATLAB", "what it is"], rows)
