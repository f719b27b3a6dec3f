"""``hsbench data``: the data sets and their protocols; one verb, one module."""

from __future__ import annotations

import importlib

import click

_VERBS = ("proof",)


class _Verbs(click.Group):
    """A group whose commands lie in modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command


@click.group("data", cls=_Verbs, short_help="Look after data sets and their protocols.")
def command() -> None:
    """Look after data sets and their protocols."""
