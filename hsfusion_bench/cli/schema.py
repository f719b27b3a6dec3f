"""``hsbench schema``: the schema of a record."""

from __future__ import annotations

import json

import click


@click.command("schema", short_help="Print the JSON Schema of a record.")
def command() -> None:
    """Print the JSON Schema of a record.

    \b
    Example:
      hsbench schema > record.schema.json
    """
    from hsfusion_bench.runs.records import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
