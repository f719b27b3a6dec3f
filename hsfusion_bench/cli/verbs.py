"""Groups of verbs that lie in modules of their own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Final

import click

from hsfusion_bench.errors import UsageError

#: Verbs that had another name, by what followed `hsbench`: a script of yesterday is told what to write today.
RENAMED: Final[Mapping[str, str]] = {
    "goldens": "verify --make-golden",
    "data proof": "verify --published",
    "list datasets": "data list",
    "schema": "show schema",
}

#: Names that a module cannot have without hiding a builtin; theirs end with an underscore.
_BUILTINS = frozenset({"list"})


def refuse_renamed(words: str) -> None:
    """Refuse a verb of an older name, by what followed `hsbench`.

    Raises
    ------
    UsageError
        If it has a new name, which the message tells.
    """
    if words in RENAMED:
        raise UsageError(f"hsbench {words} is now hsbench {RENAMED[words]}")


def _require_words(words: list[str]) -> None:
    """Refuse words that are a value of nothing: empty ones, and those with a NUL character, which no file name has.

    Raises
    ------
    UsageError
        If there is one; the message tells where.
    """
    for before, word in zip(["", *words], words, strict=False):
        option, equals, value = word.partition("=") if word.startswith("--") else (before, "=", word)
        where = option if option.startswith("--") else "an argument"
        if equals and not value.strip():
            raise UsageError(f"{where} is empty; leave it out, or say what is meant")
        if "\0" in word:
            raise UsageError(f"{where} holds a NUL character, which no name and no path can")


class Verbs(click.Group):
    """A group whose commands lie in modules of a package, and are imported when they are asked for.

    Parameters
    ----------
    package
        The package; the verb `new-method` is the attribute `command` of its module `new_method`.
    verbs
        Their names, in the order of the help.
    """

    def __init__(self, *args: Any, package: str, verbs: tuple[str, ...], **more: Any) -> None:
        super().__init__(*args, **more)
        self.package, self.verbs = package, verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb; None if there is none of that name."""
        if cmd_name not in self.verbs:
            return None
        name = cmd_name.replace("-", "_") + ("_" if cmd_name in _BUILTINS else "")
        module = importlib.import_module(f"{self.package}.{name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that is asked for; one of an older name is refused."""
        _require_words(args)
        parents = [] if ctx.parent is None else [str(ctx.info_name)]
        refuse_renamed(" ".join([*parents, args[0]]))
        return super().resolve_command(ctx, args)
