"""Options of a help text under headings of their own."""

from __future__ import annotations

from typing import Any

import click


class SectionOption(click.Option):
    """An option that stands under a heading in the help of a `Sectioned` command.

    Parameters
    ----------
    section
        The heading.
    """

    def __init__(self, *args: Any, section: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.section = section


class Sectioned(click.Command):
    """A command whose help has its `SectionOption`s under their headings, after all others."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections.setdefault(getattr(parameter, "section", "Options"), []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)
